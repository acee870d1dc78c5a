/**
 * A message on its way into a queue: `queued.ts` reads the very same message out of what is written here. At most four
 * attributes, so that of SQS's ten six are left for others.
 */
import { isUtf8 } from 'node:buffer';
import type { Attribute, OutgoingMessage } from '../aws/sqs.ts';
import { isQueueText } from './limits.ts';
import type { Message } from './message.ts';
import { type Pointer, pointerBody } from './pointer.ts';

/** What lies in the queue; group and deduplication are for whoever sends it. */
export type Laid = Pick<OutgoingMessage, 'body' | 'attributes'>;
type Head = Omit<Message, 'body'>;

/** The payload as text where SQS takes it as that, else as base64; SQS takes no empty body, so none is a `-`. */
export function laidInQueue(message: Head, payload: Buffer): Laid {
  if (payload.byteLength === 0) return { body: '-', attributes: attributesOf(message, { bodyEncoding: 'empty' }) };
  const text = isUtf8(payload) ? payload.toString() : undefined;
  if (text !== undefined && isQueueText(text)) return { body: text, attributes: attributesOf(message) };
  return { body: payload.toString('base64'), attributes: attributesOf(message, { bodyEncoding: 'base64' }) };
}

/** The payload lies in S3 as it is; in the queue there is where. */
export function laidInStore(message: Head, at: Pointer, payloadBytes: number): Laid {
  const ExtendedPayloadSize = { DataType: 'Number', StringValue: String(payloadBytes) };
  return { body: pointerBody(at), attributes: { ...attributesOf(message), ExtendedPayloadSize } };
}

function attributesOf({ id, contentType, headers }: Head, more: Readonly<Record<string, string>> = {}) {
  const texts: Record<string, string> = {
    messageId: id,
    ...(contentType === undefined ? {} : { contentType }),
    ...(Object.keys(headers).length === 0 ? {} : { headers: JSON.stringify(headers) }),
    ...more,
  };
  return Object.fromEntries(
    Object.entries(texts).map(([name, StringValue]): [string, Attribute] => [
      name,
      { DataType: 'String', StringValue },
    ]),
  );
}
