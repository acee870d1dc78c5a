/** One message on its way to an endpoint, whether it came from a queue or by a webhook. */
import type { HttpBody } from '../http/http.ts';

export interface Message {
  /** The same over every retry, redelivery and replay. */
  readonly id: string;
  /** As its sender gave it; absent: the destination's. */
  readonly contentType?: string;
  /** Lower-case name → value, of the headers that may reach the flow. */
  readonly headers: Readonly<Record<string, string>>;
  /** Lower-case name → value, of the sender's own message attributes; they do not reach the flow. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** The message group in which order must hold, for a FIFO queue. */
  readonly group?: string;
  /** When a webhook's message came in, epoch milliseconds: what a cut-over goes by. Absent: there is no cut-over. */
  readonly cameInAt?: number;
  readonly body: HttpBody;
}

/** A payload in memory. */
export function bodyOf(bytes: Buffer): HttpBody {
  return { bytes: bytes.byteLength, open: () => bytes };
}

/** The whole payload in memory; the body can be opened again after that. */
export function payloadOf(message: Pick<Message, 'body'>): Promise<Buffer> {
  return payloadStart(message, Number.POSITIVE_INFINITY);
}

/** The first bytes of the payload, at most so many. The rest of a stream is not fetched. */
export async function payloadStart({ body }: Pick<Message, 'body'>, mostBytes: number): Promise<Buffer> {
  const opened = await body.open();
  if (typeof opened === 'string') return Buffer.from(opened).subarray(0, mostBytes);
  if (opened instanceof Uint8Array) {
    return Buffer.from(opened.buffer, opened.byteOffset, Math.min(opened.byteLength, mostBytes));
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving this loop early destroys the stream.
  for await (const chunk of opened) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes >= mostBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, mostBytes);
}
