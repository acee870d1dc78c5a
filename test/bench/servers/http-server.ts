/**
 * A server of just enough HTTP/1.1 on TLS, written by hand, so that the machine's time goes to the client that is
 * measured. Bodies are counted; up to a limit they are kept and handed to the answerer. No pipelining, no trailers.
 */
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { ServerCertificate } from '../../../infra/local/server/certificates.ts';

export interface Received {
  /** Request line and header lines. */
  readonly head: string;
  /** The first 64 KB of it. */
  readonly body: string;
}

export interface Response {
  readonly status: number;
  readonly contentType?: string;
  readonly body?: string;
  /** Epoch milliseconds, for the `Date` header. */
  readonly now: number;
}

export type Respond = (received: Received) => Response;

/** @returns the origin it is reached at */
export async function startHttpServer(
  certificate: ServerCertificate,
  respond: Respond,
  delayMs: () => number,
): Promise<string> {
  const server = createServer({ ...certificate, ALPNProtocols: ['http/1.1'] }, (socket) => {
    socket.setNoDelay(true);
    // The process that is measured ends with its sockets open.
    socket.on('error', () => socket.destroy());
    serve(socket, respond, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 16_384, resolve));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const KEPT_BYTES = 65_536;
const HEAD_END = Buffer.from('\r\n\r\n');

function serve(socket: Socket, respond: Respond, delayMs: () => number): void {
  let pending: Buffer = Buffer.alloc(0);
  let head: string | undefined;
  let missing = 0;
  let chunked = false;
  let kept: Buffer[] = [];
  let keptBytes = 0;

  function keep(part: Buffer): void {
    if (keptBytes >= KEPT_BYTES) return;
    kept.push(part);
    keptBytes += part.byteLength;
  }

  function finish(): void {
    const received = { head: head ?? '', body: Buffer.concat(kept).toString('latin1') };
    head = undefined;
    kept = [];
    keptBytes = 0;
    const send = () => {
      if (!socket.destroyed) socket.write(format(respond(received)));
    };
    if (delayMs() > 0) setTimeout(send, delayMs());
    else send();
  }

  socket.on('data', (chunk: Buffer) => {
    let part = chunk;
    if (head === undefined) {
      pending = pending.byteLength === 0 ? chunk : Buffer.concat([pending, chunk]);
      const end = pending.indexOf(HEAD_END);
      if (end < 0) return;
      const lines = pending.toString('latin1', 0, end);
      head = lines;
      part = pending.subarray(end + 4);
      pending = Buffer.alloc(0);
      chunked = /\r\ntransfer-encoding: *chunked/i.test(lines);
      missing = Number(/\r\ncontent-length: *(\d+)/i.exec(lines)?.[1] ?? 0);
    }
    keep(part);
    if (chunked) {
      if (part.subarray(-5).toString('latin1') === '0\r\n\r\n') finish();
      return;
    }
    missing -= part.byteLength;
    if (missing <= 0) finish();
  });
}

function format({ status, contentType = 'application/json', body = '', now }: Response): string {
  const date = new Date(now).toUTCString();
  return `HTTP/1.1 ${status} X\r\nDate: ${date}\r\nContent-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
