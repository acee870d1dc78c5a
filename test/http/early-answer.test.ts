/**
 * Answers that come while their request is still going out: the call has its answer, and its socket's place is free.
 */
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { HttpBody } from '../../functions/http/http.ts';
import { type EarlyAnswer, startServer } from '../../infra/local/server/server.ts';
import { CLIENTS, post } from './call.ts';
import { startWire, type WireRequest } from './wire.ts';

/** More than the buffers of the kernel take: what fits into them looks like a request that was read. */
const LARGE_BYTES = 16_777_216;

const bodies: [string, HttpBody][] = [
  ['a text', { bytes: LARGE_BYTES, open: () => 'x'.repeat(LARGE_BYTES) }],
  ['bytes', { bytes: LARGE_BYTES, open: () => Buffer.alloc(LARGE_BYTES) }],
  ['a stream', { bytes: LARGE_BYTES, open: () => streamOf(LARGE_BYTES) }],
  ['a stream that stalls', { bytes: LARGE_BYTES, open: () => stalling() }],
];
const ends: EarlyAnswer['body'][] = ['read', 'unread', 'reset'];
const cases = bodies.flatMap(([what, body]) => ends.map((end) => ({ what, body, end })));

function streamOf(bytes: number): Readable {
  return Readable.from(
    (function* () {
      for (let left = bytes; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536));
    })(),
  );
}

/** Has something to say, and then nothing for ever. */
function stalling(): Readable {
  const stream = new Readable({ read: () => undefined });
  stream.push(Buffer.alloc(65_536));
  return stream;
}

async function start() {
  const server = await startServer(({ body }) => ({ status: 200, body: String(body.byteLength) }));
  onTestFinished(() => server.stop());
  return {
    server,
    url: `${server.url}/http/orders`,
    answerEarly: (end: EarlyAnswer['body'], times: number, status = 401) =>
      server.fail({ fault: { early: { status, body: 'early' }, body: end }, times }),
  };
}

describe.each(CLIENTS)('On %s:', (_, createClient) => {
  describe.each(cases)('Where a request with $what is answered early and its body is then $end,', ({ body, end }) => {
    test('a call that is answered early has that answer, and lets go of its stream', async () => {
      const { url, answerEarly } = await start();
      answerEarly(end, 1);
      const opened: unknown[] = [];
      const open = async () => {
        const content = await body.open();
        opened.push(content);
        return content;
      };
      const answer = await createClient()(post(url, { body: { ...body, open } }));
      expect(answer).toMatchObject({ status: 401, body: Buffer.from('early'), resent: false });
      for (const content of opened) if (content instanceof Readable) expect(content.destroyed).toBe(true);
    });

    test('a 2xx that comes early is no delivery: nobody can have taken what was not sent', async () => {
      const { url, answerEarly } = await start();
      answerEarly(end, 1, 200);
      const send = createClient({ maxSockets: 1 });
      await expect(send(post(url, { body }))).rejects.toMatchObject({ code: 'CONNECTION_FAILED', executed: 'unknown' });
      expect((await send(post(url))).status).toBe(200);
    });

    test('three calls that are answered early leave three sockets for those that wait', async () => {
      const { url, answerEarly } = await start();
      answerEarly(end, 3);
      const send = createClient({ maxSockets: 3 });
      const early = Array.from({ length: 3 }, () => send(post(url, { body })));
      const waiting = Array.from({ length: 9 }, () => send(post(url)));
      expect((await Promise.all(early)).map(({ status }) => status)).toEqual([401, 401, 401]);
      expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(9).fill(200));
    });
  });

  describe('A refusal that comes with the reset of the connection', () => {
    const REFUSAL = 'HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\n';

    test('a refusal that comes with the reset of the connection ends the sending, and is read to its end', async () => {
      const body = stalling();
      const refuse = async ({ socket }: WireRequest) => {
        socket.write(`${REFUSAL}too `);
        await expect.poll(() => body.destroyed).toBe(true);
        socket.write('large', () => socket.resetAndDestroy());
      };
      const wire = await startWire(refuse, 'http:', 'head');
      const answer = await createClient()(post(wire.url, { body: { bytes: LARGE_BYTES, open: () => body } }));
      expect(answer).toMatchObject({ status: 413, body: Buffer.from('too large') });
    });

    test('a refusal counts where it had come whole when the connection broke', async () => {
      const wire = await startWire(({ socket }) => void socket.write(`${REFUSAL}too large`), 'http:', 'head');
      const body = stalling();
      const pipe = body.pipe.bind(body);
      // Its sending is ended when the answer's head is read, and the connection breaks before the answer's end is
      // reported.
      const pipeAndBreak: typeof body.pipe = (destination, options) => {
        body.once('close', () => {
          const { socket } = destination as unknown as { readonly socket: Readable };
          socket.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
        });
        return pipe(destination, options);
      };
      const open = () => Object.assign(body, { pipe: pipeAndBreak });
      const answer = await createClient()(post(wire.url, { body: { bytes: LARGE_BYTES, open } }));
      expect(answer).toMatchObject({ status: 413, body: Buffer.from('too large') });
    });
  });
});
