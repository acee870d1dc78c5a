/**
 * The template of a package as plain CloudFormation: without the framework's bucket and outputs, and with the place of the
 * zip as two parameters. What is deployed is otherwise what the framework would deploy.
 */
import { isRecord } from '../../functions/untrusted.ts';

interface CompiledResource {
  readonly Type: string;
  /** What the framework makes of a single one is no list. */
  readonly DependsOn?: string | readonly string[];
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export interface CompiledTemplate {
  readonly Resources: Readonly<Record<string, CompiledResource>>;
  readonly Outputs?: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }>
  >;
}

/** What the framework's bucket and its policy begin with, as logical ids. */
const DEPLOYMENT_BUCKET = 'ServerlessDeploymentBucket';
/** What the framework exports its own outputs as; ours are not exported. */
const FRAMEWORK_EXPORT = 'sls-';
/** The largest template that is sent as it is; a larger one comes from S3. @see CloudFormation quotas, "Template body" */
export const LARGEST_INLINE_BYTES = 51_200;

/**
 * @param name of the stack: `<service>-<stage>`
 * @param sha256 of the zip, in hex. The parameter `ArtifactKey` must contain it: CloudFormation updates a function's code
 *   only where bucket or key changed, and a key that stayed would keep the old code without a word
 */
export function plainTemplate(compiled: CompiledTemplate, { name, sha256 }: { name: string; sha256: string }): object {
  const resources = Object.entries(compiled.Resources).filter(([id]) => !id.startsWith(DEPLOYMENT_BUCKET));
  const outputs = Object.entries(compiled.Outputs ?? {}).filter(
    ([, { Export }]) => !String(Export?.Name).startsWith(FRAMEWORK_EXPORT),
  );
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `${name}: delivers messages of SQS queues and webhooks to SAP Cloud Integration`,
    Parameters: {
      ArtifactBucket: {
        Type: 'String',
        MinLength: 1,
        Description: 'Name of the bucket, in the region of the stack, that token-relay.zip lies in',
      },
      ArtifactKey: {
        Type: 'String',
        Description: `Key of token-relay.zip in that bucket, such as token-relay/${sha256}.zip`,
        AllowedPattern: `.*${sha256}.*`,
        ConstraintDescription: `must contain the SHA-256 of the token-relay.zip that belongs to this template: ${sha256}`,
      },
    },
    Resources: Object.fromEntries(resources.map(([id, resource]) => [id, plainResource(resource)])),
    ...(outputs.length > 0 && { Outputs: Object.fromEntries(outputs) }),
  };
}

function plainResource({ DependsOn = [], ...resource }: CompiledResource): CompiledResource {
  const { Type, Properties = {} } = resource;
  const referred = references(Properties);
  const needed = [DependsOn].flat().filter((id) => !referred.includes(id));
  return {
    ...resource,
    ...(needed.length > 0 && { DependsOn: needed }),
    ...(Type === 'AWS::Lambda::Function' && {
      Properties: { ...Properties, Code: { S3Bucket: { Ref: 'ArtifactBucket' }, S3Key: { Ref: 'ArtifactKey' } } },
    }),
  };
}

/** Logical ids that a value refers to: CloudFormation makes these first by itself. */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (!isRecord(value)) return [];
  const { Ref: id, 'Fn::GetAtt': attribute } = value;
  if (typeof id === 'string') return [id];
  if (Array.isArray(attribute)) return [String(attribute[0])];
  return Object.values(value).flatMap(references);
}

/** As it is written: indented, unless it is small enough to be sent as it is only without. */
export function templateText(template: object): string {
  const indented = `${JSON.stringify(template, null, 2)}\n`;
  return Buffer.byteLength(indented) <= LARGEST_INLINE_BYTES ? indented : `${JSON.stringify(template)}\n`;
}
