/**
 * What a platform team asks of every stack in its accounts, as `custom` says it: how much concurrency, whose keys, which
 * network, which boundary, which tags. Roles and permissions follow from it.
 */
import { unknownFields } from '../../../functions/settings/unknown-fields.ts';
import { isRecord } from '../../../functions/untrusted.ts';

/** Invocations at once that are kept for a function, and the most it gets. */
export interface ReservedConcurrency {
  readonly queue?: number;
  readonly webhook?: number;
}

/** Where the functions' way into the network begins. */
export interface Vpc {
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
}

export interface Platform {
  /** Default: both functions share what the account has. */
  readonly reservedConcurrency: ReservedConcurrency;
  /** ARN of a key that encrypts the created queues. Default: SQS's own. */
  readonly kmsKeyForQueues?: string;
  /** ARN of a key that encrypts the log groups. Default: CloudWatch's own. */
  readonly kmsKeyForLogs?: string;
  /** ARN of a policy that bounds what the roles may do. Default: none. */
  readonly permissionsBoundaryArn?: string;
  /** Of both functions. Default: outside of a VPC. */
  readonly vpc?: Vpc;
  /** Of every resource that takes tags. Default none. */
  readonly tags: Readonly<Record<string, string>>;
}

export const PLATFORM_FIELDS = [
  'reservedConcurrency',
  'kmsKeyForQueues',
  'kmsKeyForLogs',
  'permissionsBoundaryArn',
  'vpc',
  'tags',
] as const;

/** Above the quota that AWS raises an account to by itself. */
const MOST_RESERVED = 10_000;
const KMS_KEY_ARN = /^arn:aws[\w-]*:kms:([\w-]+):\d{12}:key\/[\w-]+$/;
const POLICY_ARN = /^arn:aws[\w-]*:iam::(\d{12}|aws):policy\/[\w+=,.@/-]{1,512}$/;
/** @see AWS Lambda API Reference, `VpcConfig`: at most 16 subnets and 5 security groups */
const MOST_SUBNETS = 16;
const MOST_SECURITY_GROUPS = 5;
/** @see AWS General Reference, "Tagging your AWS resources"; ten less, since CloudFormation and the framework add theirs */
const MOST_TAGS = 40;
const TAG_KEY = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/iu;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u;

type Custom = Readonly<Record<string, unknown>>;

/** @param custom without a mistake in it */
export function platformOf(custom: Custom): Platform {
  const { reservedConcurrency = {}, tags = {} } = custom;
  const given = PLATFORM_FIELDS.filter((field) => custom[field] !== undefined);
  const written = Object.fromEntries(given.map((field) => [field, custom[field]]));
  return {
    ...written,
    reservedConcurrency: reservedConcurrency as ReservedConcurrency,
    tags: tags as Platform['tags'],
  };
}

/** @param region of the stack @returns one line for each mistake */
export function platformMistakes(custom: Custom, region: string): string[] {
  const { kmsKeyForQueues, kmsKeyForLogs, permissionsBoundaryArn, reservedConcurrency, vpc, tags } = custom;
  const lines = [
    ...keyMistakes(kmsKeyForQueues, 'custom.kmsKeyForQueues', region),
    ...keyMistakes(kmsKeyForLogs, 'custom.kmsKeyForLogs', region),
    ...(reservedConcurrency === undefined ? [] : reservedMistakes(reservedConcurrency)),
    ...(vpc === undefined ? [] : vpcMistakes(vpc)),
    ...(tags === undefined ? [] : tagMistakes(tags)),
  ];
  if (permissionsBoundaryArn !== undefined && !matches(permissionsBoundaryArn, POLICY_ARN))
    lines.push('custom.permissionsBoundaryArn: expected the ARN of a policy, arn:aws:iam::<account>:policy/<name>');
  return lines;
}

function keyMistakes(value: unknown, path: string, region: string): string[] {
  if (value === undefined || (matches(value, KMS_KEY_ARN) && String(value).split(':')[3] === region)) return [];
  // An alias is none for IAM: a role that may use it may use whatever key it is moved to.
  return [`${path}: expected the ARN of a key in ${region}, arn:aws:kms:${region}:<account>:key/<id>`];
}

function reservedMistakes(value: unknown): string[] {
  const path = 'custom.reservedConcurrency';
  if (!isRecord(value)) return [`${path}: expected an object with queue, webhook or both`];
  const isCount = (count: unknown) => Number.isInteger(count) && Number(count) >= 1 && Number(count) <= MOST_RESERVED;
  return [
    ...unknownFields(value, ['queue', 'webhook'], path),
    ...(['queue', 'webhook'] as const)
      .filter((field) => value[field] !== undefined && !isCount(value[field]))
      .map((field) => `${path}.${field}: expected a whole number of invocations from 1 to ${MOST_RESERVED}`),
  ];
}

function vpcMistakes(value: unknown): string[] {
  const path = 'custom.vpc';
  if (!isRecord(value)) return [`${path}: expected an object with subnetIds and securityGroupIds`];
  const ids = (field: string, prefix: string, most: number) => {
    const list = value[field];
    const pattern = new RegExp(`^${prefix}-[0-9a-f]{8,17}$`);
    const isList =
      Array.isArray(list) && list.length >= 1 && list.length <= most && list.every((id) => matches(id, pattern));
    return isList ? [] : [`${path}.${field}: expected a list of 1 to ${most} ids, ${prefix}-…`];
  };
  return [
    ...unknownFields(value, ['subnetIds', 'securityGroupIds'], path),
    ...ids('subnetIds', 'subnet', MOST_SUBNETS),
    ...ids('securityGroupIds', 'sg', MOST_SECURITY_GROUPS),
  ];
}

function tagMistakes(value: unknown): string[] {
  const path = 'custom.tags';
  if (!isRecord(value)) return [`${path}: expected an object from name to value`];
  const entries = Object.entries(value);
  if (entries.length > MOST_TAGS) return [`${path}: expected ${MOST_TAGS} tags at most`];
  return entries.flatMap(([key, text]) => {
    if (!TAG_KEY.test(key)) return [`${path}.${key}: expected a name of 1 to 128 letters, digits, blanks and _.:/=+@-`];
    return matches(text, TAG_VALUE)
      ? []
      : [`${path}.${key}: expected a text of at most 256 letters, digits, blanks and _.:/=+@-; quote a number`];
  });
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}
