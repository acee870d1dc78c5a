/**
 * A role's statements, laid out so that IAM takes them: in the role itself as long as they fit, the rest in managed policies
 * that the role brings along. How many of those a role may have is for `limits.ts`.
 */
import type { Value } from './template.ts';

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource: readonly Value[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Value>>>>;
}

/**
 * Characters, white space not counted.
 *
 * @see IAM User Guide, "IAM and AWS STS quotas": all inline policies of a role together; a managed policy
 */
const LARGEST_INLINE = 10_240;
const LARGEST_MANAGED = 6_144;
/** More than any value that only CloudFormation knows: the ARN of a log group, with 64 characters of a function's name. */
const LONGEST_ATTRIBUTE = 200;
/** Quotes and a comma, which each entry of a list has around it. */
const ENTRY = 3;

export function policyDocument(statements: readonly object[]) {
  return { Version: '2012-10-17', Statement: statements };
}

/**
 * @param region of the stack
 * @returns the statements of the inline policy, then those of each managed policy; a long statement is cut between its
 * resources, in their order
 */
export function fitted(
  statements: readonly Statement[],
  region: string,
): { readonly inline: readonly Statement[]; readonly managed: readonly (readonly Statement[])[] } {
  const policies: Statement[][] = [[]];
  const empty = JSON.stringify(policyDocument([])).length;
  let left = LARGEST_INLINE - empty;
  for (const { Resource, ...rest } of statements) {
    const around = lengthAround(rest, region);
    let taken: Value[] | undefined;
    for (const value of Resource) {
      const length = lengthOf(value, region) + ENTRY;
      const needed = taken === undefined ? around + length : length;
      if (taken === undefined || needed > left) {
        if (around + length > left) {
          policies.push([]);
          left = LARGEST_MANAGED - empty;
        }
        taken = [];
        left -= around;
        policies.at(-1)?.push({ ...rest, Resource: taken });
      }
      taken.push(value);
      left -= length;
    }
  }
  const [inline = [], ...managed] = policies;
  return { inline, managed };
}

/** Of a statement without its resources. */
function lengthAround({ Condition = {}, ...rest }: Omit<Statement, 'Resource'>, region: string): number {
  const values = Object.values(Condition).flatMap((keys) => Object.values(keys));
  const written = JSON.stringify({ ...rest, ...(values.length > 0 && { Condition }), Resource: [] }).length + 1;
  return written + values.reduce((sum, value) => sum + lengthOf(value, region), 0);
}

/** Of the value as IAM gets it. */
function lengthOf(value: Value, region: string): number {
  if (typeof value === 'string') return value.length;
  if ('Fn::Join' in value) return value['Fn::Join'][1].reduce((sum, part) => sum + lengthOf(part, region), 0);
  if (!('Ref' in value)) return LONGEST_ATTRIBUTE;
  switch (value.Ref) {
    case 'AWS::Region':
      return region.length;
    case 'AWS::AccountId':
      return 12;
    case 'AWS::Partition':
      return OTHER_PARTITIONS.test(region) ? 'aws-us-gov'.length : 'aws'.length;
    default:
      return LONGEST_ATTRIBUTE;
  }
}

/** China, GovCloud, the isolated regions, the European Sovereign Cloud: none has a longer name than GovCloud. */
const OTHER_PARTITIONS = /^(cn|us-gov|us-iso\w*|eu-iso\w*|eusc)-/;
