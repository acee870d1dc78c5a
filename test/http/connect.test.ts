/**
 * A connection that is made before there is a request: the first one uses it, and only that one reports what goes
 * wrong.
 */

import { describe, expect, test } from 'vitest';
import { createSimulatedTime } from '../doubles/time.ts';
import { createTellingClient, failureOf, post } from './call.ts';
import { answerAtOnce, startWire } from './wire.ts';

const { signal } = new AbortController();

describe('A connection made ahead', () => {
  test('a connection made ahead is the one that the first request goes out on', async () => {
    const wire = await startWire(answerAtOnce);
    const send = createTellingClient();
    await send.connect?.({ url: wire.url }, signal);
    expect(wire.made()).toBe(1);
    expect(await send(post(wire.url))).toMatchObject({ status: 200, resent: false });
    expect(wire.made()).toBe(1);
  });

  test('a connection made ahead is made once: nobody would use a second one', async () => {
    const wire = await startWire(answerAtOnce);
    const send = createTellingClient();
    await Promise.all([send.connect?.({ url: wire.url }, signal), send.connect?.({ url: wire.url }, signal)]);
    await send(post(wire.url));
    await send.connect?.({ url: wire.url }, signal);
    expect(wire.made()).toBe(1);
  });

  test('a connection made ahead is not trusted for longer than any other that idles', async () => {
    const clock = createSimulatedTime(1_000_000);
    const wire = await startWire(answerAtOnce);
    const send = createTellingClient({ now: clock.now });
    await send.connect?.({ url: wire.url }, signal);
    clock.advance(10_001);
    expect(await send(post(wire.url))).toMatchObject({ status: 200, resent: false });
    expect(wire.made()).toBe(2);
  });

  test('a connection made ahead that breaks with its first request sends nothing twice', async () => {
    let arrived = 0;
    const wire = await startWire((request) => {
      arrived += 1;
      request.socket.resetAndDestroy();
    });
    const send = createTellingClient();
    await send.connect?.({ url: wire.url }, signal);
    expect(await failureOf(send(post(wire.url)))).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'unknown' });
    expect(arrived).toBe(1);
  });

  test('a connection made ahead that idled as long as a frozen function has its request sent again', async () => {
    const clock = createSimulatedTime(1_000_000);
    const wire = await startWire((request) => {
      if (request.connection === 1) request.socket.resetAndDestroy();
      else answerAtOnce(request);
    });
    const send = createTellingClient({ now: clock.now });
    await send.connect?.({ url: wire.url }, signal);
    clock.advance(1_000);
    expect(await send(post(wire.url))).toMatchObject({ status: 200, resent: true });
  });

  test('a connection made ahead to a server that refuses it is none, and the request reports that', async () => {
    const wire = await startWire(answerAtOnce);
    wire.close();
    const send = createTellingClient();
    await send.connect?.({ url: wire.url }, signal);
    expect(await failureOf(send(post(wire.url)))).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'no' });
  });

  test('a connection made ahead is given up when its time is over, and its socket closed', async () => {
    // Takes the connection, and never answers the greeting of TLS.
    const wire = await startWire(() => undefined);
    const url = new URL(wire.url);
    url.protocol = 'https:';
    const abort = new AbortController();
    const connecting = createTellingClient().connect?.({ url }, abort.signal);
    await wire.waitForOpen(1);
    abort.abort();
    await connecting;
    await wire.waitForOpen(0);
    expect(wire.made()).toBe(1);
  });

  test('a connection made ahead is not begun when the time is over already', async () => {
    const wire = await startWire(answerAtOnce);
    await createTellingClient().connect?.({ url: wire.url }, AbortSignal.abort());
    expect(wire.made()).toBe(0);
  });
});
