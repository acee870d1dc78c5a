/**
 * What AWS takes in one stack, held against the template before anything is uploaded: beyond these a deployment would fail
 * half-way. Each limit that is passed is one line.
 */
import { isRecord } from '../../../functions/untrusted.ts';
import { LONGEST_RULE, MOST_CHILDREN } from './composites.ts';

export interface CompiledTemplate {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: object }>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
}

/** @see AWS CloudFormation User Guide, "Understand CloudFormation quotas" */
const MOST_RESOURCES = 500;
const MOST_OUTPUTS = 200;
const LARGEST_TEMPLATE_BYTES = 1_000_000;
/** @see IAM User Guide, "IAM and AWS STS quotas": of a role, unless AWS raises it */
const MOST_MANAGED_POLICIES = 10;
/** @see AWS Lambda Developer Guide, "Lambda quotas": all variables of a function, names and values */
const LARGEST_ENVIRONMENT_BYTES = 4096;
/** Of a value that only CloudFormation knows: a queue's URL at its longest. */
const LONGEST_VALUE_BYTES = 135;

const ADVICE = 'move destinations into a service of their own';

/** @param template with everything in it that the framework adds */
export function limitMistakes(template: CompiledTemplate): string[] {
  const resources = Object.entries(template.Resources);
  const lines: string[] = [];
  const limit = (count: number, most: number, what: string) => {
    if (count > most) lines.push(`custom.destinations: ${count} ${what} ${most}; ${ADVICE}`);
  };
  limit(resources.length, MOST_RESOURCES, 'resources, CloudFormation takes');
  limit(Object.keys(template.Outputs ?? {}).length, MOST_OUTPUTS, 'outputs, CloudFormation takes');
  limit(Buffer.byteLength(JSON.stringify(template)), LARGEST_TEMPLATE_BYTES, 'bytes of template, CloudFormation takes');
  for (const [id, { Type, Properties = {} }] of resources) {
    if (Type === 'AWS::IAM::Role' && 'ManagedPolicyArns' in Properties) {
      const { length } = Properties.ManagedPolicyArns as unknown[];
      limit(length, MOST_MANAGED_POLICIES, `managed policies of ${id}, IAM takes`);
    }
    if (Type === 'AWS::CloudWatch::CompositeAlarm') {
      const rule = String('AlarmRule' in Properties ? Properties.AlarmRule : '');
      const children = new Set(rule.match(/"[^"]+"/g)).size;
      limit(children, MOST_CHILDREN, `alarms in the rule of ${id}, CloudWatch takes`);
      limit(rule.length, LONGEST_RULE, `characters of the rule of ${id}, CloudWatch takes`);
    }
    if (Type === 'AWS::Lambda::Function') {
      const bytes = environmentBytes(Properties);
      if (bytes > LARGEST_ENVIRONMENT_BYTES)
        lines.push(
          `provider.environment: ${bytes} bytes of variables with DESTINATIONS, Lambda takes ${LARGEST_ENVIRONMENT_BYTES}`,
        );
    }
  }
  return [...new Set(lines)];
}

function environmentBytes(properties: object): number {
  const environment = 'Environment' in properties ? properties.Environment : undefined;
  if (!isRecord(environment) || !isRecord(environment.Variables)) return 0;
  return Object.entries(environment.Variables).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + bytesOf(value),
    0,
  );
}

function bytesOf(value: unknown): number {
  if (!isRecord(value)) return Buffer.byteLength(String(value));
  const joined = value['Fn::Join'];
  if (!Array.isArray(joined)) return LONGEST_VALUE_BYTES;
  return (joined[1] as unknown[]).reduce<number>((sum, part) => sum + bytesOf(part), 0);
}
