/**
 * How a message lies in a queue: the payload as body, what else belongs to it as message attributes. Anyone may send by
 * hand: a body and nothing else. The table of attributes is in README, "Messages on a queue".
 */
import { createHash } from 'node:crypto';
import type { SQSRecord } from 'aws-lambda';
import { RelayError } from './error.ts';
import type { Message } from './relay/message.ts';

/** A message as SQS handed it out this time. */
export interface QueuedMessage {
  /** SQS's own id: what a partial batch response names. */
  readonly recordId: string;
  readonly queueArn: string;
  /** The lane in which order must hold; absent on a standard queue, where a group id only means fairness. */
  readonly group?: string;
  /** How many times SQS has handed it out, this time included. */
  readonly receiveCount: number;
  /** Or why it cannot be read: it would never be deliverable. */
  readonly message: Message | RelayError;
  /** The message's own id where it is known, else SQS's. */
  readonly messageId: string;
  /** Of the body as it lies in the queue. */
  readonly bytes: number;
}

/** Reads a record of an SQS event; what is wrong with one message is that message's own error. */
export function fromRecord(record: SQSRecord): QueuedMessage {
  const { messageId: recordId, eventSourceARN: queueArn, attributes } = record;
  const group = queueArn.endsWith('.fifo') ? (attributes.MessageGroupId ?? '') : undefined;
  const messageId = stableId(text(record, 'messageId') ?? recordId);
  return {
    recordId,
    queueArn,
    receiveCount: Number(attributes.ApproximateReceiveCount ?? 1),
    messageId,
    bytes: Buffer.byteLength(record.body),
    message: readMessage(record, messageId),
    ...(group === undefined ? {} : { group }),
  };
}

/**
 * An id that fits into a header: as it is when it matches `[\x21-\x7E]{1,128}`, otherwise the lower-case hex SHA-256 of
 * its UTF-8 bytes, so that it is the same at each try.
 */
export function stableId(id: string): string {
  return /^[\x21-\x7E]{1,128}$/.test(id) ? id : createHash('sha256').update(id).digest('hex');
}

function readMessage(record: SQSRecord, id: string): Message | RelayError {
  try {
    const contentType = text(record, 'contentType');
    const bytes = payload(record);
    return {
      id,
      headers: headersIn(record),
      body: { bytes: bytes.byteLength, open: async () => bytes },
      ...(contentType === undefined ? {} : { contentType }),
    };
  } catch (error) {
    if (error instanceof RelayError) return error;
    throw error;
  }
}

function payload(record: SQSRecord): Buffer {
  const attributes = record.messageAttributes ?? {};
  if ('ExtendedPayloadSize' in attributes || 'SQSLargePayloadSize' in attributes) {
    throw invalid('ExtendedPayloadSize', 'payloads in S3 are still to come in this version');
  }
  const encoding = text(record, 'bodyEncoding');
  if (encoding === undefined) return Buffer.from(record.body);
  if (encoding === 'empty') return Buffer.alloc(0);
  if (encoding !== 'base64') throw invalid('bodyEncoding', 'expected base64 or empty');
  if (!isBase64(record.body)) throw invalid('bodyEncoding', 'is base64, but the body is not');
  return Buffer.from(record.body, 'base64');
}

function headersIn(record: SQSRecord): Record<string, string> {
  const json = text(record, 'headers');
  if (json === undefined) return {};
  const problem = 'expected a JSON object from header names to texts';
  let headers: unknown;
  try {
    headers = JSON.parse(json);
  } catch {
    // The error's message quotes the attribute.
    throw invalid('headers', problem);
  }
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) throw invalid('headers', problem);
  const entries = Object.entries(headers).map(([name, value]): [string, string] => {
    if (typeof value !== 'string' || !/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) throw invalid('headers', problem);
    return [name.toLowerCase(), value];
  });
  return Object.fromEntries(entries);
}

function text(record: SQSRecord, name: string): string | undefined {
  return record.messageAttributes?.[name]?.stringValue;
}

/** Node's own decoder passes over what is not base64; here it is an error. RFC 4648 section 4, padding required. */
export function isBase64(value: string): boolean {
  return value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}

function invalid(attribute: string, problem: string): RelayError {
  return new RelayError('MESSAGE_INVALID', `message attribute "${attribute}": ${problem}; the sender must correct it`);
}
