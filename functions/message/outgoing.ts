/**
 * A message as it goes into a queue; `queued.ts` reads the same message out of it. It takes at most five of SQS's ten
 * attributes, so that five are left for others.
 */
import { isUtf8 } from 'node:buffer';
import type { ObjectAt } from '../aws/s3.ts';
import type { Attribute, OutgoingMessage } from '../aws/sqs.ts';
import { isQueueText } from './limits.ts';
import type { Message } from './message.ts';
import { pointerBody } from './pointer.ts';

type Head = Omit<Message, 'body'>;

/** The payload as text where SQS takes it, else as base64. SQS takes no empty body: an empty payload is a `-`. */
export function outgoingMessage(message: Head, payload: Buffer): OutgoingMessage {
  if (payload.byteLength === 0) return { body: '-', attributes: attributesOf(message, { bodyEncoding: 'empty' }) };
  const text = isUtf8(payload) ? payload.toString() : undefined;
  if (text !== undefined && isQueueText(text)) return { body: text, attributes: attributesOf(message) };
  return { body: payload.toString('base64'), attributes: attributesOf(message, { bodyEncoding: 'base64' }) };
}

/** A pointer to the object in S3 that is the payload. */
export function outgoingPointer(message: Head, at: ObjectAt, payloadBytes: number): OutgoingMessage {
  const ExtendedPayloadSize = { DataType: 'Number', StringValue: String(payloadBytes) };
  return { body: pointerBody(at), attributes: { ...attributesOf(message), ExtendedPayloadSize } };
}

function attributesOf({ id, contentType, headers, cameInAt }: Head, more: Readonly<Record<string, string>> = {}) {
  const texts: Record<string, string> = {
    messageId: id,
    ...(contentType === undefined ? {} : { contentType }),
    ...(Object.keys(headers).length === 0 ? {} : { headers: JSON.stringify(headers) }),
    ...(cameInAt === undefined ? {} : { cameInAt: new Date(cameInAt).toISOString() }),
    ...more,
  };
  return Object.fromEntries(
    Object.entries(texts).map(([name, StringValue]): [string, Attribute] => [
      name,
      { DataType: 'String', StringValue },
    ]),
  );
}
