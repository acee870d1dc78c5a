/** One message on its way, whatever woke the function: what the adapters send, byte for byte. */
import type { HttpBody } from '../http/http.ts';

export interface Message {
  /** The same over every retry, redelivery and replay. */
  readonly id: string;
  /** As its sender gave it; absent: the destination's. */
  readonly contentType?: string;
  /** Lower-case name → value, of those that may reach the flow. */
  readonly headers: Readonly<Record<string, string>>;
  /** Lower-case name → value, of the texts that its sender put beside it in a queue; they do not reach the flow. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** The lane in which order must hold, where its queue is FIFO. */
  readonly group?: string;
  readonly body: HttpBody;
}

/** All of its payload in memory; the body can be opened again after that. */
export function payloadOf(message: Pick<Message, 'body'>): Promise<Buffer> {
  return payloadStart(message, Number.POSITIVE_INFINITY);
}

/** The first bytes of its payload in memory, at most so many; of a stream the rest is not fetched. */
export async function payloadStart({ body }: Pick<Message, 'body'>, mostBytes: number): Promise<Buffer> {
  const opened = await body.open();
  if (typeof opened === 'string') return Buffer.from(opened).subarray(0, mostBytes);
  if (opened instanceof Uint8Array) {
    return Buffer.from(opened.buffer, opened.byteOffset, Math.min(opened.byteLength, mostBytes));
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Left early, the stream is destroyed.
  for await (const chunk of opened) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes >= mostBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, mostBytes);
}
