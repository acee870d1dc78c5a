/**
 * The MD5 digests and sizes of a message's body and attributes, which SDKs check and limits count.
 *
 * @see AWS: "Message metadata for Amazon SQS", "Calculating the MD5 message digest for message attributes"
 */
import { createHash } from 'node:crypto';
import type { MessageAttribute, MessageAttributes } from './message.ts';

/** Transport type byte of a value: 1 for text (String and Number), 2 for binary. */
const TEXT = 1;
const BINARY = 2;

export function md5OfBody(body: string): string {
  return createHash('md5').update(body, 'utf8').digest('hex');
}

/** Undefined without attributes: SQS then leaves the field out. */
export function md5OfAttributes(attributes: MessageAttributes): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  const part = (bytes: Uint8Array) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    hash.update(length).update(bytes);
  };
  for (const name of names) {
    const attribute = attributes[name];
    if (attribute === undefined) continue;
    part(Buffer.from(name));
    part(Buffer.from(attribute.dataType));
    hash.update(Uint8Array.of(attribute.binaryValue === undefined ? TEXT : BINARY));
    part(valueBytes(attribute));
  }
  return hash.digest('hex');
}

/** Names, types and values count like the body. AWS: "Message metadata", "Message attribute components". */
export function messageBytes(body: string, attributes: MessageAttributes): number {
  let bytes = Buffer.byteLength(body);
  for (const [name, attribute] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute.dataType) + valueBytes(attribute).byteLength;
  }
  return bytes;
}

function valueBytes({ binaryValue, stringValue = '' }: MessageAttribute): Uint8Array {
  return binaryValue ?? Buffer.from(stringValue);
}

/** The deduplication id of content-based deduplication: the body's SHA-256, attributes left out. */
export function contentDeduplicationId(body: string): string {
  return createHash('sha256').update(body, 'utf8').digest('hex');
}
