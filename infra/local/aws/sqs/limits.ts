/**
 * What SQS takes as a message, an attribute, an id, a number: checks that pass or throw the error SQS gives. What a
 * queue is set to comes in; what is done with a message that passed is for `sqs/queue.ts`.
 *
 * @see AWS: "Amazon SQS message quotas", "Message metadata for Amazon SQS", API Reference "SendMessage". Texts as
 * recorded from AWS in localstack's snapshots, where they were found there.
 */
import { messageBytes } from './digest.ts';
import { invalidValue, required, sqsError } from './error.ts';
import type { MessageAttribute, MessageAttributes, NewMessage } from './message.ts';

export const MAX_BATCH_BYTES = 1_048_576;
export const MAX_BATCH_ENTRIES = 10;
export const MAX_ATTRIBUTES = 10;
export const MAX_DELAY_SECONDS = 900;
export const MAX_WAIT_SECONDS = 20;
/** Also the longest that one receive may hide a message, extensions included. */
export const MAX_VISIBILITY_SECONDS = 43_200;

/** Everything but `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF`. */
const FORBIDDEN_CHARACTER = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const FORBIDDEN_CHARACTER_TEXT =
  'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF';
/** Alphanumeric and punctuation: all printable ASCII but the space. */
const FIFO_ID = /^[!-~]{1,128}$/;
const BATCH_ENTRY_ID = /^[\w-]{1,80}$/;
const ATTRIBUTE_NAME = /^(?!(aws|amazon)\.)(?!\.)(?!.*\.\.)(?!.*\.$)[\w.-]{1,256}$/i;
const DATA_TYPE = /^(String|Number|Binary)(\.[\s\S]+)?$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

export interface SendRules {
  readonly fifo: boolean;
  readonly contentBasedDeduplication: boolean;
  readonly maximumMessageBytes: number;
}

/**
 * Checks a message on its way into a queue.
 * @throws AwsError MissingParameter, InvalidMessageContents, InvalidParameterValue
 */
export function checkMessage(message: NewMessage, rules: SendRules): void {
  if (message.body === '') required('MessageBody', undefined);
  if (FORBIDDEN_CHARACTER.test(message.body)) throw sqsError('InvalidMessageContents', FORBIDDEN_CHARACTER_TEXT);
  checkAttributes(message.attributes ?? {});
  if (rules.fifo) checkFifo(message, rules);
  else checkStandard(message);
  if (messageBytes(message.body, message.attributes ?? {}) > rules.maximumMessageBytes) {
    throw tooLong('are invalid', rules.maximumMessageBytes);
  }
}

/** In a batch SQS says it in other words. */
export function tooLong(how: 'are invalid' | 'cannot be validated', bytes: number): Error {
  return sqsError(
    'InvalidParameterValue',
    `One or more parameters ${how}. Reason: Message must be shorter than ${bytes} bytes.`,
  );
}

function checkFifo(message: NewMessage, rules: SendRules): void {
  checkFifoId('MessageGroupId', required('MessageGroupId', message.groupId));
  if (message.deduplicationId !== undefined) checkFifoId('MessageDeduplicationId', message.deduplicationId);
  else if (!rules.contentBasedDeduplication) throw missingDeduplicationId();
  // 0 is accepted and means the queue's own delay.
  if (message.delaySeconds) throw notForThisQueueType('DelaySeconds', message.delaySeconds);
}

function checkStandard(message: NewMessage): void {
  // Fair queues: a standard queue takes a group id and promises no order for it.
  if (message.groupId !== undefined) checkFifoId('MessageGroupId', message.groupId);
  if (message.deduplicationId !== undefined) {
    throw notForThisQueueType('MessageDeduplicationId', message.deduplicationId);
  }
  if (message.delaySeconds !== undefined) {
    checkRange('DelaySeconds', message.delaySeconds, 0, MAX_DELAY_SECONDS, 'DelaySeconds must be >= 0 and <= 900.');
  }
}

export function missingDeduplicationId(): Error {
  return sqsError(
    'InvalidParameterValue',
    'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
  );
}

function notForThisQueueType(parameter: string, value: string | number): Error {
  return invalidValue(parameter, value, 'The request include parameter that is not valid for this queue type.');
}

function checkFifoId(parameter: string, value: string): void {
  if (FIFO_ID.test(value)) return;
  const reason = `${parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.`;
  throw invalidValue(parameter, value, reason);
}

function checkAttributes(attributes: MessageAttributes): void {
  const count = Object.keys(attributes).length;
  if (count > MAX_ATTRIBUTES) {
    throw invalidAttribute(`Number of message attributes [${count}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`);
  }
  for (const [name, attribute] of Object.entries(attributes)) checkAttribute(name, attribute);
}

function checkAttribute(name: string, { dataType, stringValue, binaryValue }: MessageAttribute): void {
  const label = `essage (user) attribute '${name}'`;
  if (!ATTRIBUTE_NAME.test(name)) throw invalidAttribute(`The name of m${label} is invalid.`);
  const [, type] = DATA_TYPE.exec(dataType) ?? [];
  if (type === undefined || dataType.length > 256) {
    const supported = 'You must use only the following supported type prefixes: Binary, Number, String.';
    throw invalidAttribute(`The type of m${label} is invalid. ${supported}`);
  }
  const value = type === 'Binary' ? binaryValue : stringValue;
  if (value === undefined || value.length === 0) {
    throw invalidAttribute(`M${label} must contain a non-empty value of type '${type}'.`);
  }
  if (type === 'Number' && !NUMBER.test(stringValue ?? '')) {
    throw invalidAttribute(`Can't cast the value of m${label} to a number.`);
  }
  if (type !== 'Binary' && FORBIDDEN_CHARACTER.test(stringValue ?? ''))
    throw invalidAttribute(FORBIDDEN_CHARACTER_TEXT);
}

function invalidAttribute(message: string): Error {
  return sqsError('InvalidParameterValue', message);
}

/** @throws AwsError InvalidParameterValue */
export function checkRange(parameter: string, value: number, from: number, to: number, reason: string): void {
  if (value < from || value > to) throw invalidValue(parameter, value, reason);
}

/** @throws AwsError InvalidParameterValue */
export function checkVisibility(seconds: number): void {
  const reason = `Must be between 0 and ${MAX_VISIBILITY_SECONDS}, if provided.`;
  checkRange('VisibilityTimeout', seconds, 0, MAX_VISIBILITY_SECONDS, reason);
}

/** @throws AwsError EmptyBatchRequest, TooManyEntriesInBatchRequest, InvalidBatchEntryId, BatchEntryIdsNotDistinct */
export function checkBatch(operation: string, ids: readonly string[]): void {
  if (ids.length === 0) {
    throw sqsError('EmptyBatchRequest', `There should be at least one ${operation}RequestEntry in the request.`);
  }
  if (ids.length > MAX_BATCH_ENTRIES) {
    const text = `Maximum number of entries per request are ${MAX_BATCH_ENTRIES}. You have sent ${ids.length}.`;
    throw sqsError('TooManyEntriesInBatchRequest', text);
  }
  if (!ids.every((id) => BATCH_ENTRY_ID.test(id))) {
    const text = 'A batch entry id can only contain alphanumeric characters, hyphens and underscores.';
    throw sqsError('InvalidBatchEntryId', `${text} It can be at most 80 letters long.`);
  }
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw sqsError('BatchEntryIdsNotDistinct', `Id ${repeated} repeated.`);
}
