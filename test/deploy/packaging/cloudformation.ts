/**
 * Reads a packaged template as CloudFormation would: intrinsics become the values that the deployed stack would have,
 * in an account and region of the test's own. It knows the intrinsics and attributes that the template uses and no
 * other.
 */
export const ACCOUNT = '123456789012';
export const REGION = 'eu-west-1';

export interface TemplateResource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

/**
 * The value with every intrinsic in it replaced. Fails on a reference to a resource that the template does not have.
 */
export function evaluate(value: unknown, template: Template): unknown {
  if (Array.isArray(value)) return value.map((item) => evaluate(item, template));
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  if (typeof fields.Ref === 'string') return referenced(fields.Ref, template);
  if (Array.isArray(fields['Fn::GetAtt'])) return attribute(fields['Fn::GetAtt'], template);
  if (Array.isArray(fields['Fn::Join'])) {
    const [delimiter, parts] = fields['Fn::Join'];
    return (evaluate(parts, template) as string[]).join(delimiter);
  }
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, evaluate(field, template)]));
}

function referenced(name: string, template: Template): string {
  if (name === 'AWS::Partition') return 'aws';
  if (name === 'AWS::Region') return REGION;
  if (name === 'AWS::AccountId') return ACCOUNT;
  if (name === 'AWS::URLSuffix') return 'amazonaws.com';
  const { Type, Properties } = resource(name, template);
  if (Type === 'AWS::SQS::Queue') return `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${Properties.QueueName}`;
  return name;
}

function attribute([name, of]: readonly string[], template: Template): string {
  const { Type, Properties } = resource(name ?? '', template);
  if (Type === 'AWS::ApiGatewayV2::Api' && of === 'ApiEndpoint') {
    return `https://${name}.execute-api.${REGION}.amazonaws.com`;
  }
  if (Type === 'AWS::ApiGatewayV2::DomainName' && of === 'RegionalDomainName') {
    return `d-abcdef1234.execute-api.${REGION}.amazonaws.com`;
  }
  if (of !== 'Arn') throw new Error(`${Type} has no attribute ${of} that this file knows`);
  if (Type === 'AWS::SQS::Queue') return `arn:aws:sqs:${REGION}:${ACCOUNT}:${Properties.QueueName}`;
  if (Type === 'AWS::Logs::LogGroup') return `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${Properties.LogGroupName}:*`;
  return `arn of ${name}`;
}

function resource(name: string, template: Template): TemplateResource {
  const found = template.Resources[name];
  if (found === undefined) throw new Error(`the template refers to ${name}, which it does not have`);
  return found;
}

interface Policy {
  readonly PolicyDocument: {
    readonly Statement: readonly { Effect: string; Action: string[]; Resource: string[] }[];
  };
}

/** What a role allows: action to ARNs, each statement of every policy taken together, its own and those it names. */
export function permissions(roleId: string, template: Template): Record<string, string[]> {
  const allowed: Record<string, string[]> = {};
  const { Policies, ManagedPolicyArns = [] } = resource(roleId, template).Properties;
  const managed = (ManagedPolicyArns as { Ref: string }[]).map(({ Ref }) => resource(Ref, template).Properties);
  const policies = evaluate([...(Policies as object[]), ...managed], template) as Policy[];
  for (const { Effect, Action, Resource } of policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)) {
    if (Effect !== 'Allow') throw new Error(`expected Allow, found ${Effect}`);
    for (const action of Action) allowed[action] = [...(allowed[action] ?? []), ...Resource].sort();
  }
  return allowed;
}
