/**
 * Reads a message out of an SQS record: the payload is the body, the rest are message attributes, all of them optional.
 * The table of attributes is in README.md next to this file. `outgoing.ts` writes what webhooks put into a queue.
 */
import { createHash } from 'node:crypto';
import type { SQSMessageAttribute, SQSRecord } from 'aws-lambda';
import type { ObjectAt } from '../aws/s3.ts';
import { RelayError } from '../error.ts';
import type { HttpBody } from '../http/http.ts';
import { isBase64, isRecord, parseJson } from '../untrusted.ts';
import type { Message } from './message.ts';
import { readPointer } from './pointer.ts';

/** A message whose payload is still to be fetched. */
export type PointedMessage = Omit<Message, 'body'> & { readonly pointer: ObjectAt };

/** A message as SQS handed it out this time. */
export interface QueuedMessage {
  /** SQS's own id: what a partial batch response names. */
  readonly recordId: string;
  readonly receiptHandle: string;
  readonly queueArn: string;
  /** The FIFO message group. Absent on a standard queue, where a group id only means fairness. */
  readonly group?: string;
  /** How many times SQS has handed it out, this time included. */
  readonly receiveCount: number;
  /** Epoch milliseconds. */
  readonly sentAt: number;
  /** Epoch milliseconds. */
  readonly firstReceivedAt: number;
  /** Or why it cannot be read. */
  readonly message: Message | PointedMessage | RelayError;
  /** The message's own id where it is known, else SQS's. */
  readonly messageId: string;
  /** Of the body in the queue. */
  readonly bytes: number;
  /** The body in the queue. */
  readonly body: string;
  readonly attributes: Readonly<Record<string, SQSMessageAttribute>>;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The attribute that a dead letter has in addition to those of the message. */
export const DEAD_LETTER = 'deadLetter';
/** The attributes that have a meaning here; all others are the sender's own. */
export const OWN_ATTRIBUTES = [
  'messageId',
  'contentType',
  'headers',
  'bodyEncoding',
  'ExtendedPayloadSize',
  'SQSLargePayloadSize',
  'cameInAt',
  'cutoverSide',
];

/** Reads a record of an SQS event. What is wrong with it becomes the error of this message alone. */
export function fromRecord(record: SQSRecord): QueuedMessage {
  const { messageId: recordId, receiptHandle, eventSourceARN, body } = record;
  const system: Partial<SQSRecord['attributes']> = isRecord(record.attributes) ? record.attributes : {};
  const attributes = isRecord(record.messageAttributes) ? record.messageAttributes : {};
  const queueArn = typeof eventSourceARN === 'string' ? eventSourceARN : '';
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : 0;
  const messageId = stableId(text(attributes, 'messageId') ?? idInLetter(attributes) ?? recordId);
  const group = queueArn.endsWith('.fifo') ? (system.MessageGroupId ?? '') : undefined;
  const queued = {
    recordId,
    receiptHandle,
    queueArn,
    receiveCount: positive(system.ApproximateReceiveCount, 1),
    sentAt: positive(system.SentTimestamp, Number.MAX_SAFE_INTEGER),
    firstReceivedAt: positive(system.ApproximateFirstReceiveTimestamp, Number.MAX_SAFE_INTEGER),
    messageId,
    message: readMessage(body, bytes, attributes, { id: messageId, group }),
    bytes,
    body: typeof body === 'string' ? body : '',
    attributes,
  };
  return group === undefined ? queued : { ...queued, group };
}

/**
 * An id that fits into a header: as it is when it matches `[\x21-\x7E]{1,128}`, otherwise the lower-case hex SHA-256 of
 * its UTF-8 bytes, so that it is the same at each try.
 */
export function stableId(id: string): string {
  return /^[\x21-\x7E]{1,128}$/.test(id) ? id : createHash('sha256').update(id).digest('hex');
}

/**
 * What a message says of the time before this record was sent: when a webhook took it, and of a dead letter that was put
 * back, where and when it was sent. Only for a destination with a cut-over, since it reads JSON.
 *
 * @returns `side`: of a cut-over; `sentAt`: epoch milliseconds. Both absent for a message that a sender put into the queue
 */
export function triedBefore({ attributes }: Pick<QueuedMessage, 'attributes'>): {
  readonly side?: 'old' | 'new';
  readonly sentAt?: number;
} {
  const letter = parseJson(text(attributes, DEAD_LETTER) ?? '');
  const { side, sentAt } = isRecord(letter) ? letter : {};
  const known = [text(attributes, 'cutoverSide'), side].find((name) => name === 'old' || name === 'new');
  const earlier = text(attributes, 'cameInAt') ?? sentAt;
  const time = typeof earlier === 'string' ? Date.parse(earlier) : Number.NaN;
  return { ...(known === undefined ? {} : { side: known }), ...(Number.isNaN(time) ? {} : { sentAt: time }) };
}

type Attributes = QueuedMessage['attributes'];

function readMessage(
  body: unknown,
  bytes: number,
  attributes: Attributes,
  { id, group }: { readonly id: string; readonly group: string | undefined },
): QueuedMessage['message'] {
  // No queue hands out a message without a body, so the event is wrong and not the message.
  if (typeof body !== 'string') return new RelayError('EVENT_INVALID', 'the record has no body: kept for a later try');
  try {
    const contentType = text(attributes, 'contentType');
    const ofSender = senderAttributes(attributes);
    const isPointer = 'ExtendedPayloadSize' in attributes || 'SQSLargePayloadSize' in attributes;
    const headers = headersIn(attributes);
    checkCutover(attributes);
    const message: Mutable<Message | PointedMessage> = isPointer
      ? { id, headers, pointer: pointerIn(body) }
      : { id, headers, body: payload(body, bytes, attributes) };
    if (group !== undefined) message.group = group;
    if (contentType !== undefined) message.contentType = contentType;
    if (ofSender !== undefined) message.attributes = ofSender;
    return message;
  } catch (error) {
    if (error instanceof RelayError) return error;
    throw error;
  }
}

/** @param bytes of the body in the queue */
function payload(body: string, bytes: number, attributes: Attributes): HttpBody {
  const encoding = text(attributes, 'bodyEncoding');
  // As a text: Node writes it together with the head, and no copy of it is in memory.
  if (encoding === undefined) return { bytes, open: () => body };
  if (encoding === 'empty') return { bytes: 0, open: () => '' };
  if (encoding !== 'base64') throw invalid('bodyEncoding', 'expected base64 or empty');
  if (!isBase64(body)) throw invalid('bodyEncoding', 'is base64, but the body is not');
  return { bytes: Buffer.byteLength(body, 'base64'), open: () => Buffer.from(body, 'base64') };
}

/** The body of a message whose payload the Amazon SQS Extended Client Library has put into S3. */
function pointerIn(body: string): ObjectAt {
  const pointer = readPointer(parseJson(body));
  if (pointer === undefined)
    throw invalid('ExtendedPayloadSize', 'says that the payload is in S3, but the body is no pointer to it');
  return pointer;
}

/** One that nobody understands must not quietly take the message to the other side. */
function checkCutover(attributes: Attributes): void {
  const side = text(attributes, 'cutoverSide');
  if (side !== undefined && side !== 'old' && side !== 'new') throw invalid('cutoverSide', 'expected old or new');
  const cameInAt = text(attributes, 'cameInAt');
  if (cameInAt !== undefined && Number.isNaN(Date.parse(cameInAt))) throw invalid('cameInAt', 'expected a time');
}

function headersIn(attributes: Attributes): Record<string, string> {
  const json = text(attributes, 'headers');
  if (json === undefined) return {};
  const problem = 'expected a JSON object from header names to texts';
  const headers = parseJson(json);
  if (!isRecord(headers)) throw invalid('headers', problem);
  const entries = Object.entries(headers).map(([name, value]): [string, string] => {
    if (typeof value !== 'string') throw invalid('headers', problem);
    return [name.toLowerCase(), value];
  });
  return Object.fromEntries(entries);
}

/** Attributes that the sender added for its own use; the setting `pathFrom` may name one of them. */
function senderAttributes(attributes: Attributes): Message['attributes'] {
  const texts = Object.keys(attributes).flatMap((name): [string, string][] => {
    const value = OWN_ATTRIBUTES.includes(name) || name === DEAD_LETTER ? undefined : text(attributes, name);
    return value === undefined ? [] : [[name.toLowerCase(), value]];
  });
  return texts.length === 0 ? undefined : Object.fromEntries(texts);
}

/** A dead letter that is sent back by other means than our replay keeps its id. */
function idInLetter(attributes: Attributes): string | undefined {
  const json = text(attributes, DEAD_LETTER);
  if (json === undefined) return undefined;
  const letter = parseJson(json);
  return isRecord(letter) && typeof letter.messageId === 'string' ? letter.messageId : undefined;
}

function text(attributes: Attributes, name: string): string | undefined {
  const value = attributes[name]?.stringValue;
  return typeof value === 'string' ? value : undefined;
}

function positive(value: string | undefined, otherwise: number): number {
  const number = Number(value);
  return number > 0 ? number : otherwise;
}

function invalid(attribute: string, problem: string): RelayError {
  return new RelayError('MESSAGE_INVALID', `message attribute "${attribute}": ${problem}; the sender must correct it`);
}
