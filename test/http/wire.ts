/**
 * The other end of a connection, down to its sockets: counts connections, reads requests, and does with each socket
 * what the test says. For what HTTP itself would not let a server do; the rest is infra/local/server/server.ts's.
 */
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface WireRequest {
  readonly socket: Socket;
  /** From 1, in the order in which they were made. */
  readonly connection: number;
  /** From 1, of this connection. */
  readonly index: number;
  /** Request line and headers, as sent. */
  readonly head: string;
  readonly body: Buffer;
}

export interface Wire {
  readonly url: URL;
  /** Connections made so far. */
  readonly made: () => number;
  /** Connections that are open now. */
  readonly open: () => number;
  /** Settles when this many connections are open. */
  waitForOpen(count: number): Promise<void>;
  /** Refuses connections from now on; the open ones stay. */
  close(): void;
}

/**
 * Listens until the test is over.
 *
 * @param tellsAt `head`: a request is told when its head is there, with no body, and is the last of its connection
 */
export async function startWire(
  onRequest: (request: WireRequest) => void,
  protocol = 'http:',
  tellsAt: 'body' | 'head' = 'body',
): Promise<Wire> {
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  let made = 0;

  const server = createServer((socket) => {
    made += 1;
    const connection = made;
    let index = 0;
    let pending: Buffer = Buffer.alloc(0);
    sockets.add(socket);
    for (const check of waiting) check();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      for (const check of waiting) check();
    });
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = pending.subarray(0, end).toString('latin1');
      if (tellsAt === 'head') {
        socket.removeAllListeners('data').resume();
        onRequest({ socket, connection, index: 1, head, body: Buffer.alloc(0) });
        return;
      }
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
      if (pending.byteLength < end + 4 + length) return;
      const body = pending.subarray(end + 4, end + 4 + length);
      pending = pending.subarray(end + 4 + length);
      index += 1;
      onRequest({ socket, connection, index, head, body });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');

  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: new URL(`${protocol}//127.0.0.1:${address.port}/http/orders?key=hunter22`),
    made: () => made,
    open: () => sockets.size,
    close: () => void server.close(),
    waitForOpen: (count) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${sockets.size} connections are open, not ${count}`)), 5_000);
        const check = () => {
          if (sockets.size !== count) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

/** A whole answer, as it stands on the wire. */
export function reply(body = 'ok', headers = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
}

/** Answers each request with 200 as soon as it is there. */
export const answerAtOnce = ({ socket }: WireRequest): void => void socket.write(reply());
