/** What `custom` says of the gateway in front of the webhooks: how much it lets through, and under which name. */
import { unknownFields } from '../../../functions/settings/unknown-fields.ts';
import { isRecord } from '../../../functions/untrusted.ts';

/** How many requests the gateway lets through, over all webhooks; the rest is answered 429 and costs nothing. */
export interface Throttling {
  /** In the long run. Default 100. */
  readonly requestsPerSecond: number;
  /** At once. Default 200. */
  readonly burst: number;
}

/** A name of one's own for the webhooks. */
export interface WebhookDomain {
  readonly name: string;
  /** Of the name, in ACM, in the stack's own region. */
  readonly certificateArn: string;
  /** `s3://bucket/key` of the authorities whose client certificates let in. Default: no client certificates. */
  readonly truststoreUri?: string;
  readonly truststoreVersion?: string;
  /** Where ACM did not issue the certificate and clients need theirs: one of ACM's that proves who owns the name. */
  readonly ownershipVerificationCertificateArn?: string;
}

export const DEFAULT_THROTTLING: Throttling = { requestsPerSecond: 100, burst: 200 };
/** Of an account, unless AWS raises it; above it a limit of ours limits nothing. */
const MOST_PER_SECOND = 10_000;
const MOST_AT_ONCE = 5_000;

const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const CERTIFICATE_ARN = /^arn:aws[\w-]*:acm:([\w-]+):\d{12}:certificate\/[\w-]+$/;
const TRUSTSTORE = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/.+$/;

/** @returns one line for each mistake; an error's path begins with `custom.` */
export function throttlingMistakes(value: unknown): string[] {
  const path = 'custom.webhookThrottling';
  if (value === undefined) return [];
  if (!isRecord(value)) return [`${path}: expected an object with requestsPerSecond and burst`];
  return [
    ...unknownFields(value, ['requestsPerSecond', 'burst'], path),
    ...limitMistakes(value.requestsPerSecond, MOST_PER_SECOND, `${path}.requestsPerSecond`),
    ...limitMistakes(value.burst, MOST_AT_ONCE, `${path}.burst`),
  ];
}

/** @param region of the stack: API Gateway takes certificates of no other region */
export function domainMistakes(value: unknown, region: string): string[] {
  const path = 'custom.webhookDomain';
  if (value === undefined) return [];
  if (!isRecord(value)) return [`${path}: expected an object with name and certificateArn`];
  const {
    name,
    certificateArn,
    truststoreUri,
    truststoreVersion,
    ownershipVerificationCertificateArn: ownership,
  } = value;
  const certificate = `expected the ARN of a certificate in ACM, in ${region}`;
  const lines = unknownFields(value, FIELDS, path);
  const expect = (holds: boolean, field: string, expected: string) => {
    if (!holds) lines.push(`${path}.${field}: ${expected}`);
  };
  expect(matches(name, DOMAIN), 'name', 'expected the name of a domain, such as webhooks.example.com');
  expect(isCertificateIn(certificateArn, region), 'certificateArn', certificate);
  expect(
    truststoreUri === undefined || matches(truststoreUri, TRUSTSTORE),
    'truststoreUri',
    'expected s3://bucket/key',
  );
  expect(
    truststoreVersion === undefined || (matches(truststoreVersion, /^\S{1,1024}$/) && truststoreUri !== undefined),
    'truststoreVersion',
    'expected the version of the object at truststoreUri',
  );
  expect(
    ownership === undefined || isCertificateIn(ownership, region),
    'ownershipVerificationCertificateArn',
    certificate,
  );
  return lines;
}

const FIELDS = ['name', 'certificateArn', 'truststoreUri', 'truststoreVersion', 'ownershipVerificationCertificateArn'];

function isCertificateIn(value: unknown, region: string): boolean {
  return typeof value === 'string' && CERTIFICATE_ARN.exec(value)?.[1] === region;
}

function limitMistakes(value: unknown, most: number, path: string): string[] {
  if (value === undefined) return [];
  const isLimit = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most;
  return isLimit ? [] : [`${path}: expected a whole number from 1 to ${most}`];
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}
