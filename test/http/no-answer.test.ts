/** Calls that bring no whole answer: which error, and whether the other side may have acted on the request. */
import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { createHttpClient } from '../../functions/http/http.ts';
import { outcomeOfError } from '../../functions/relay/outcome.ts';
import { directReply } from '../../functions/webhook/reply.ts';
import { type Fault, type LocalServer, startServer } from '../../infra/local/server/server.ts';
import { openWebhook } from '../webhook/open-webhook.ts';
import { failureOf, post } from './call.ts';
import { startWire } from './wire.ts';

const running: LocalServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

/** A server whose requests are counted as they are handled. */
async function start() {
  const handled = { count: 0 };
  const server = await startServer(() => {
    handled.count += 1;
    return { status: 200, body: 'done' };
  });
  running.push(server);
  return { server, handled, at: `POST ${server.url}/http/orders`, url: `${server.url}/http/orders?key=hunter22` };
}

describe('A call fails', () => {
  test('a call fails with executed: no where nobody listens', async () => {
    const { server, at, url } = await start();
    await server.stop();
    const error = await failureOf(createHttpClient()(post(url)));
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'no', status: undefined });
    expect(error.message).toBe(`${at}: no answer (ECONNREFUSED)`);
  });

  test.each<[Fault & string, number, number | undefined, string]>([
    ['reset-before', 0, undefined, 'no answer (ECONNRESET)'],
    ['reset-after', 1, undefined, 'no answer (ECONNRESET)'],
    ['half-answer', 1, 200, 'status 200, then the answer broke off (ECONNRESET)'],
  ])(
    'a call fails with executed: unknown on a new connection with the fault %s',
    async (fault, times, status, words) => {
      const { server, handled, at, url } = await start();
      server.fail({ fault });
      const error = await failureOf(createHttpClient()(post(url)));
      expect(error).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'unknown', status });
      expect(error.message).toBe(`${at}: ${words}`);
      expect(handled.count).toBe(times);
    },
  );

  test.each<[string, (server: LocalServer) => void]>([
    ['that hangs', (server) => server.fail({ fault: 'hang' })],
    ['that is too slow', (server) => server.slowDown(60_000)],
  ])('a call fails at its time, with executed: unknown, at a server %s', async (_, spoil) => {
    const { server, at, url } = await start();
    spoil(server);
    const error = await failureOf(createHttpClient()(post(url, { timeoutMs: 50 })));
    expect(error).toMatchObject({ code: 'TIMED_OUT', executed: 'unknown', status: undefined });
    expect(error.message).toBe(`${at}: no answer (within 50 ms)`);
  });

  test('a call fails at its time in the middle of an answer', async () => {
    const wire = await startWire(
      ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
    );
    const error = await failureOf(createHttpClient()(post(wire.url, { timeoutMs: 50 })));
    expect(error).toMatchObject({ code: 'TIMED_OUT', executed: 'unknown', status: 200 });
    expect(error.message).toContain('status 200, then the answer broke off (within 50 ms)');
    await wire.waitForOpen(0);
  });

  test.each<[string, string]>([
    ['that speaks another protocol', '220 smtp.example.com ESMTP\r\n'],
    ['whose headers have no end', `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100_000)}`],
  ])('a call fails with executed: unknown at a server %s', async (_, words) => {
    const wire = await startWire(({ socket }) => void socket.write(words));
    const error = await failureOf(createHttpClient()(post(wire.url)));
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'unknown' });
    expect(error.message).toMatch(/: no answer \(HPE_\w+\)$/);
  });

  test('a call fails at once at a server that switches to another protocol', async () => {
    const wire = await startWire(
      ({ socket }) =>
        void socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    );
    const error = await failureOf(createHttpClient()(post(wire.url)));
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'unknown' });
    expect(error.message).toMatch(/: no answer \(switched to another protocol\)$/);
    await wire.waitForOpen(0);
  });

  test('a call fails where an answer without an end is cut, however much of it came', async () => {
    const wire = await startWire(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', () => socket.end());
    });
    const error = await failureOf(createHttpClient()(post(wire.url)));
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'unknown', status: 200 });
  });
});

describe('Over TLS, before the handshake is made, nothing of the request has left', () => {
  test('over TLS, nothing of the request has left where the other side speaks no TLS', async () => {
    const { server, handled } = await start();
    const url = server.url.replace('http:', 'https:');
    const error = await failureOf(createHttpClient()(post(`${url}/http/orders?key=hunter22`)));
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'no' });
    expect(handled.count).toBe(0);
  });

  test('over TLS, nothing of the request has left where the other side says nothing in the handshake', async () => {
    const wire = await startWire(() => undefined, 'https:');
    const error = await failureOf(createHttpClient()(post(wire.url, { timeoutMs: 50 })));
    expect(error).toMatchObject({ code: 'TIMED_OUT', executed: 'no' });
    await wire.waitForOpen(0);
  });
});

describe('A signal', () => {
  test('a signal that was given before ends the call, and nothing is sent', async () => {
    const { handled, url } = await start();
    const error = await failureOf(createHttpClient()(post(url, { signal: AbortSignal.abort() })));
    expect(error).toMatchObject({ code: 'DEADLINE', executed: 'no' });
    expect(handled.count).toBe(0);
  });

  test('a signal that was given before lets nothing out on a kept socket either, whoever calls', async () => {
    const { handled, url } = await start();
    const send = createHttpClient();
    await send(post(url));
    const call = () => failureOf(send(post(url, { signal: AbortSignal.abort() })));
    const error = await new Promise((resolve) => setTimeout(() => resolve(call()), 0));
    expect(error).toMatchObject({ code: 'DEADLINE', executed: 'no' });
    await send(post(url));
    expect(handled.count).toBe(2);
  });

  test('a signal ends a call that waits for its answer, and its connection', async () => {
    const abort = new AbortController();
    const wire = await startWire(() => abort.abort());
    const error = await failureOf(createHttpClient()(post(wire.url, { signal: abort.signal })));
    expect(error).toMatchObject({ code: 'DEADLINE', executed: 'unknown', status: undefined });
    expect(error.message).toMatch(/: no answer \(the time of the invocation is over\)$/);
    await wire.waitForOpen(0);
  });

  test('a signal ends a call in the middle of its answer', async () => {
    const abort = new AbortController();
    const wire = await startWire(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () => setImmediate(() => abort.abort()));
    });
    const error = await failureOf(createHttpClient()(post(wire.url, { signal: abort.signal })));
    expect(error).toMatchObject({ code: 'DEADLINE', executed: 'unknown' });
    await wire.waitForOpen(0);
  });

  test('a signal that ends a call makes it a gateway timeout for a waiting caller', async () => {
    const abort = new AbortController();
    const wire = await startWire(() => abort.abort(new RelayError('DEADLINE', 'over')));
    const error = await failureOf(createHttpClient()(post(wire.url, { signal: abort.signal })));
    expect(directReply(outcomeOfError(error), openWebhook().route.webhook).status).toBe(504);
  });

  test('a signal that comes after the call’s own time-out does not end the invocation’s time', async () => {
    const abort = new AbortController();
    const wire = await startWire(() => undefined);
    const error = await failureOf(createHttpClient()(post(wire.url, { timeoutMs: 30, signal: abort.signal })));
    abort.abort();
    expect(error.code).toBe('TIMED_OUT');
  });

  test('a signal is not listened to any longer when the call is over, however it ended', async () => {
    const { server, url } = await start();
    const { signal } = new AbortController();
    const send = createHttpClient();
    for (let call = 0; call < 20; call += 1) await send(post(url, { signal }));
    server.fail({ fault: 'half-answer' });
    await failureOf(send(post(url, { signal })));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('a signal ends all calls that it was given to, also when others under it are over', async () => {
    const abort = new AbortController();
    const { signal } = abort;
    const { server, url } = await start();
    let waiting = 0;
    const wire = await startWire(() => {
      waiting += 1;
      // One under the same signal comes and goes while these wait.
      if (waiting === 2) createHttpClient()(post(url, { signal })).finally(() => abort.abort());
    });
    const send = createHttpClient();
    const ends = [wire.url, wire.url].map((at) => failureOf(send(post(at, { signal }))));
    for (const error of await Promise.all(ends)) expect(error.code).toBe('DEADLINE');
    await wire.waitForOpen(0);
    await server.stop();
  });

  test('a signal that comes when the call is over changes nothing', async () => {
    const { url } = await start();
    const abort = new AbortController();
    const send = createHttpClient();
    await send(post(url, { signal: abort.signal }));
    abort.abort();
    expect((await send(post(url))).status).toBe(200);
  });
});

test('a call leaves no timer behind, however it ended', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const { server, url } = await start();
  const before = timers();
  await createHttpClient()(post(url, { timeoutMs: 60_000 }));
  server.fail({ fault: 'half-answer' });
  await failureOf(createHttpClient()(post(url, { timeoutMs: 60_000 })));
  expect(timers()).toBe(before);
});

test('after a failure the next call gets a connection of its own, and its answer', async () => {
  const { server, url, handled } = await start();
  const send = createHttpClient();
  server.fail({ fault: 'half-answer' });
  await failureOf(send(post(url)));
  expect(await send(post(url))).toMatchObject({ status: 200, body: Buffer.from('done') });
  await server.stop();
  await failureOf(send(post(url)));
  await server.start();
  expect(await send(post(url))).toMatchObject({ status: 200 });
  expect(handled.count).toBe(3);
});
