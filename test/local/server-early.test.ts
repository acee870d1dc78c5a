/** A server that answers before it has read a request's body, as the local landscape's parts can. */
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type EarlyAnswer, startServer } from '../../infra/local/server/server.ts';

const EARLY = { status: 413, body: 'too large' } as const;

/** Sends a head that announces a body of 10 MB, and reads what comes back. */
async function begin(body: EarlyAnswer['body']) {
  let handled = 0;
  const server = await startServer(() => {
    handled += 1;
    return { status: 200, body: 'handled' };
  });
  onTestFinished(() => server.stop());
  server.fail({ fault: { early: EARLY, body }, when: ({ path }) => path === '/large' });
  const socket = connect(server.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let read = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    read += chunk;
  });
  socket.write('POST /large HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10000000\r\n\r\n');
  await expect.poll(() => read).toMatch(/^HTTP\/1\.1 413 [\s\S]+too large$/);
  return { url: server.url, socket, handled: () => handled, read: () => read };
}

/** Whether all of a body goes out. */
function isTaken(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => socket.write(Buffer.alloc(10_000_000), (error) => resolve(!error)));
}

test('an early answer may read and drop the body, and take the next request on the same connection', async () => {
  const { socket, handled, read } = await begin('read');
  expect(await isTaken(socket)).toBe(true);
  socket.write('GET /small HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await expect.poll(read).toMatch(/handled$/);
  expect(handled()).toBe(1);
});

test('an early answer may leave the body unread on a connection that stays open', async () => {
  const { url, socket, handled } = await begin('unread');
  socket.write(Buffer.alloc(10_000_000));
  // The server has had many turns by then.
  for (let call = 0; call < 50; call += 1) await (await fetch(url)).text();
  expect([socket.destroyed, handled()]).toEqual([false, 50]);
  expect(socket.writableLength).toBeGreaterThan(0);
});

test('an early answer may say that it closes the connection, and cut it', async () => {
  const { socket, handled, read } = await begin('reset');
  expect(read()).toMatch(/^connection: close\r$/im);
  expect(await isTaken(socket)).toBe(false);
  expect(handled()).toBe(0);
});

test('a fault that is not early waits for its body, and for its turn', async () => {
  const server = await startServer(({ body }) => ({ status: 200, body }));
  onTestFinished(() => server.stop());
  server.fail({ fault: { status: 503 } });
  server.fail({ fault: { early: EARLY, body: 'read' } });
  const statuses: number[] = [];
  for (let call = 0; call < 3; call += 1)
    statuses.push((await fetch(server.url, { method: 'POST', body: 'x' })).status);
  // The second rule is the first that has its turn before a body is read.
  expect(statuses).toEqual([413, 503, 200]);
});
