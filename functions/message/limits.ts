/** What SQS takes as one message: its size and its characters. */
import type { Attribute, OutgoingMessage } from '../aws/sqs.ts';

const MAX_ATTRIBUTES = 10;
/** Of body and attributes together. */
const MAX_MESSAGE_BYTES = 1_048_576;
/** `#x9 #xA #xD #x20–#xD7FF #xE000–#xFFFD #x10000–#x10FFFF` */
const TAKEN = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u;

/** As SQS counts: names, types and values of the attributes count like the body. */
export function fitsQueue({ body, attributes }: Pick<OutgoingMessage, 'body' | 'attributes'>): boolean {
  const entries = Object.entries(attributes);
  const bytes = entries.reduce(
    (sum, [name, attribute]) => sum + bytesOf(name) + attributeBytes(attribute),
    bytesOf(body),
  );
  return entries.length <= MAX_ATTRIBUTES && bytes <= MAX_MESSAGE_BYTES;
}

/** Whether SQS takes these characters in a body or an attribute. @see Amazon SQS API Reference, "SendMessage" */
export function isQueueText(text: string): boolean {
  return TAKEN.test(text);
}

function attributeBytes({ DataType, StringValue, BinaryValue }: Attribute): number {
  return bytesOf(DataType) + (StringValue === undefined ? (BinaryValue?.byteLength ?? 0) : bytesOf(StringValue));
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}
