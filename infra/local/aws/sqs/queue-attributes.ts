/**
 * What a queue is set to: names, defaults, ranges, and the redrive policy as a value. Attributes are text on the wire
 * and here; counts of messages are for `sqs/queue.ts`.
 *
 * @see AWS: API Reference "CreateQueue", "SetQueueAttributes". Defaults as recorded from AWS in localstack's snapshots.
 */
import { isJsonObject } from '../aws-json.ts';
import { invalidValue, sqsError } from './error.ts';

export type QueueAttributes = Readonly<Record<string, string>>;

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

/** Attribute: default, least, most. */
const numbers: Readonly<Record<string, readonly [number, number, number]>> = {
  DelaySeconds: [0, 0, 900],
  MaximumMessageSize: [1_048_576, 1024, 1_048_576],
  MessageRetentionPeriod: [345_600, 60, 1_209_600],
  ReceiveMessageWaitTimeSeconds: [0, 0, 20],
  VisibilityTimeout: [30, 0, 43_200],
};

const fifoChoices: Readonly<Record<string, readonly string[]>> = {
  ContentBasedDeduplication: ['false', 'true'],
  DeduplicationScope: ['queue', 'messageGroup'],
  FifoThroughputLimit: ['perQueue', 'perMessageGroupId'],
};

const texts = ['KmsDataKeyReusePeriodSeconds', 'KmsMasterKeyId', 'Policy', 'RedriveAllowPolicy', 'RedrivePolicy'];

export function defaultAttributes(fifo: boolean): QueueAttributes {
  const attributes: Record<string, string> = { SqsManagedSseEnabled: 'true' };
  for (const [name, [byDefault]] of Object.entries(numbers)) attributes[name] = String(byDefault);
  if (!fifo) return attributes;
  for (const [name, [byDefault = '']] of Object.entries(fifoChoices)) attributes[name] = byDefault;
  return { ...attributes, FifoQueue: 'true' };
}

/**
 * The attributes as the queue keeps them; an empty `RedrivePolicy` or `Policy` takes it away.
 * @throws AwsError InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue
 */
export function checkedAttributes(attributes: QueueAttributes, fifo: boolean): QueueAttributes {
  const checked = Object.entries(attributes).map(([name, value]) => [name, checkedValue(name, value, fifo)]);
  return Object.fromEntries(checked);
}

function checkedValue(name: string, value: string, fifo: boolean): string {
  const range = numbers[name];
  if (range !== undefined) {
    const [, least, most] = range;
    if (/^\d+$/.test(value) && Number(value) >= least && Number(value) <= most) return value;
    throw sqsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
  }
  const choices = fifoChoices[name];
  if (choices !== undefined && fifo) {
    const chosen = choices.find((choice) => choice.toLowerCase() === value.toLowerCase());
    if (chosen !== undefined) return chosen;
    throw sqsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
  }
  if (name === 'RedrivePolicy' && value !== '') readRedrivePolicy(value);
  if (texts.includes(name) || name === 'SqsManagedSseEnabled') return value;
  throw sqsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
}

/** @throws AwsError InvalidParameterValue */
export function readRedrivePolicy(text: string): RedrivePolicy {
  const policy = parse(text);
  const { deadLetterTargetArn, maxReceiveCount } = policy;
  if (
    typeof deadLetterTargetArn !== 'string' ||
    !/^arn:[\w-]+:sqs:[\w-]+:\d{12}:[\w-]+(\.fifo)?$/.test(deadLetterTargetArn)
  ) {
    throw invalidValue('RedrivePolicy', text, 'Invalid value for deadLetterTargetArn.');
  }
  const count = Number(maxReceiveCount);
  if (!Number.isInteger(count) || count < 1 || count > 1000) {
    throw invalidValue('RedrivePolicy', text, 'Invalid value for maxReceiveCount: must be between 1 and 1000.');
  }
  return { deadLetterTargetArn, maxReceiveCount: count };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const policy: unknown = JSON.parse(text);
    if (isJsonObject(policy)) return policy;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalidValue('RedrivePolicy', text, 'Redrive policy is not a valid JSON map.');
}
