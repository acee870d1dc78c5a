/** Bodies that are not as long as was announced: the call fails, and the next one on the socket is not drawn in. */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createHttpClient, type HttpBody } from '../../functions/http/http.ts';
import { failureOf, post } from './call.ts';
import { reply, startWire } from './wire.ts';

const chunks = (...sizes: number[]): HttpBody => ({
  bytes: 10,
  open: () => Readable.from(sizes.map((size) => Buffer.alloc(size, 'x'))),
});

/** Answers the good requests alone. */
async function start() {
  const bodies: string[] = [];
  const wire = await startWire(({ socket, body }) => {
    bodies.push(body.toString());
    if (!body.includes('x')) socket.write(reply());
  });
  const send = createHttpClient({ maxSockets: 1 });
  // The socket is a kept one then, whose breaking would make a request go out again.
  await send(post(wire.url));
  return { wire, send, bodies };
}

describe('The call fails at once, and its socket is closed, where a stream has', () => {
  test.each([
    ['one chunk with more', chunks(11), 'more'],
    ['more in its last chunk', chunks(6, 5), 'more'],
    ['more in a chunk of its own', chunks(10, 1), 'more'],
    ['less', chunks(6, 3), 'less'],
    ['no byte', chunks(), 'less'],
  ])(
    'the call fails at once, and its socket is closed, where a stream has %s than was announced',
    async (_, body, than) => {
      const { wire, send } = await start();
      const error = await failureOf(send(post(wire.url, { body })));
      expect(error).toMatchObject({ code: 'CONNECTION_FAILED', status: undefined });
      expect(error.message).toContain(`: no answer (the payload has ${than} than the 10 bytes announced)`);
      await wire.waitForOpen(0);
      expect(await send(post(wire.url))).toMatchObject({ status: 200 });
    },
  );

  test('the call fails where a stream has more than was announced, even after the rest was sent', async () => {
    const { wire, send, bodies } = await start();
    const stream = new Readable({ read: () => undefined });
    stream.push('x'.repeat(10));
    const failing = failureOf(send(post(wire.url, { body: { bytes: 10, open: () => stream } })));
    await expect.poll(() => bodies).toHaveLength(2);
    stream.push('GET / HTTP/1.1\r\n\r\n');
    expect((await failing).message).toContain('more than the 10 bytes announced');
    await wire.waitForOpen(0);
    await send(post(wire.url));
    expect(bodies).toEqual(['payload hunter22', 'x'.repeat(10), 'payload hunter22']);
  });
});

test.each([
  ['a text', 11, 'more'],
  ['a text', 9, 'less'],
  ['bytes', 11, 'more'],
  ['bytes', 9, 'less'],
])('nothing is sent of %s of %i bytes that were announced as ten', async (what, bytes, than) => {
  const { wire, send, bodies } = await start();
  const open = () => (what === 'a text' ? 'x'.repeat(bytes) : Buffer.alloc(bytes, 'x'));
  const error = await failureOf(send(post(wire.url, { body: { bytes: 10, open } })));
  expect(error).toMatchObject({ code: 'CONNECTION_FAILED' });
  expect(error.message).toContain(`the payload has ${than} than the 10 bytes announced`);
  expect(await send(post(wire.url))).toMatchObject({ status: 200 });
  expect(bodies).toEqual(['payload hunter22', 'payload hunter22']);
});

test('a body of the announced length goes out, with its chunks as they come', async () => {
  const { wire, send, bodies } = await start();
  const body = { bytes: 10, open: () => Readable.from(['öö', Buffer.from('abc'), 'def']) };
  expect(await send(post(wire.url, { body }))).toMatchObject({ status: 200 });
  expect(bodies[1]).toBe('ööabcdef');
  expect(wire.made()).toBe(1);
});

test('a body that is reset is not taken for a socket that was reset: it does not go out again', async () => {
  const { wire, send, bodies } = await start();
  let opened = 0;
  const open = () => {
    opened += 1;
    return new Readable({
      read() {
        this.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
      },
    });
  };
  const error = await failureOf(send(post(wire.url, { body: { bytes: 10, open } })));
  expect(error.message).toContain(': no answer (the payload broke off: ECONNRESET)');
  expect([opened, bodies.length]).toEqual([1, 1]);
});
