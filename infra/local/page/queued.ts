/** How a message lies in a queue, by the documents alone: functions/message/README.md, "Messages on a queue". */
import { createHash } from 'node:crypto';
import type { MessageAttributes } from '../aws/sqs/sqs.ts';
import { type Digest, digestsOf } from './digest.ts';

export interface QueuedRecord {
  /** Its own where it has one, also in a letter, else SQS's; as the flow gets it. */
  readonly messageId: string;
  readonly contentType: string | undefined;
  /** Of the payload; where it lies in S3 what the message says of it. */
  readonly bytes: number;
  /** Of the payload; undefined where it lies in S3. */
  readonly digests: readonly Digest[] | undefined;
  /** Of a dead letter that the relay wrote. */
  readonly letter: LetterReason | undefined;
}

export interface LetterReason {
  readonly messageId?: string;
  readonly reason?: string;
  readonly outcome?: string;
  readonly status?: number;
}

/** @param id SQS's own */
export function readRecord(id: string, body: string, attributes: MessageAttributes): QueuedRecord {
  const payload = payloadOf(body, attributes);
  const letter = readLetter(text(attributes, 'deadLetter'));
  return {
    messageId: inHeader(text(attributes, 'messageId') ?? letter?.messageId ?? id),
    contentType: text(attributes, 'contentType'),
    bytes: payload?.byteLength ?? Number(storedBytes(attributes)),
    digests: payload === undefined ? undefined : digestsOf(payload),
    letter,
  };
}

/** What fits into no header is the lower-case hex SHA-256 of its UTF-8 bytes. */
function inHeader(id: string): string {
  return /^[!-~]{1,128}$/.test(id) ? id : createHash('sha256').update(id).digest('hex');
}

/** Undefined where it lies in S3. */
export function payloadOf(body: string, attributes: MessageAttributes): Buffer | undefined {
  if (storedBytes(attributes) !== undefined) return undefined;
  const encoding = text(attributes, 'bodyEncoding');
  if (encoding === 'empty') return Buffer.alloc(0);
  return Buffer.from(body, encoding === 'base64' ? 'base64' : 'utf8');
}

function storedBytes(attributes: MessageAttributes): string | undefined {
  return text(attributes, 'ExtendedPayloadSize') ?? text(attributes, 'SQSLargePayloadSize');
}

function text(attributes: MessageAttributes, name: string): string | undefined {
  return attributes[name]?.stringValue;
}

function readLetter(letter: string | undefined): LetterReason | undefined {
  if (letter === undefined) return undefined;
  try {
    const json: unknown = JSON.parse(letter);
    return typeof json === 'object' && json !== null ? json : {};
  } catch (error) {
    // Anyone may lay what he likes into a queue by hand.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
