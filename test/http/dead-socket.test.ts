/** A kept socket that breaks with no byte of an answer: the request goes out once more, and the answer says so. */

import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createSimulatedTime } from '../doubles/time.ts';
import { CLIENTS, failureOf, post } from './call.ts';
import { reply, startWire, type WireRequest } from './wire.ts';

const reset = ({ socket }: WireRequest) => void socket.resetAndDestroy();

describe.each(CLIENTS)('On %s:', (_, createClient) => {
  /** A client whose kept socket of the first connection meets `onSecond` at its second request. */
  async function warmed(onSecond: (request: WireRequest) => void, onLater: (request: WireRequest) => void = answer) {
    const seen: string[] = [];
    const bodies: string[] = [];
    const wire = await startWire((request) => {
      seen.push(`${request.connection}.${request.index}`);
      bodies.push(request.body.toString());
      if (request.connection > 1) onLater(request);
      else if (request.index > 1) onSecond(request);
      else answer(request);
    });
    const send = createClient();
    expect(await send(post(wire.url))).toMatchObject({ status: 200, resent: false });
    return { wire, send, seen, bodies };
  }

  function answer({ socket }: WireRequest): void {
    socket.write(reply());
  }

  describe('A kept socket', () => {
    test.each([
      ['is reset', reset],
      ['is closed', ({ socket }: WireRequest) => void socket.end()],
    ])(
      'a kept socket that %s when it is used makes the request go out again, over a new connection',
      async (_, onSecond) => {
        const { send, seen, wire } = await warmed(onSecond);
        expect(await send(post(wire.url))).toMatchObject({ status: 200, resent: true, body: Buffer.from('ok') });
        expect(seen).toEqual(['1.1', '1.2', '2.1']);
      },
    );

    test('a kept socket that broke opens the body anew, whole each time, be it bytes or a stream', async () => {
      const { send, bodies, wire } = await warmed(reset);
      const streams: Readable[] = [];
      const body = {
        bytes: 6,
        open: async () => {
          const stream = Readable.from([Buffer.from('str'), Buffer.from('eam')]);
          streams.push(stream);
          return stream;
        },
      };
      expect((await send(post(wire.url, { body }))).resent).toBe(true);
      expect(bodies.slice(1)).toEqual(['stream', 'stream']);
      expect(streams.map(({ destroyed }) => destroyed)).toEqual([true, true]);
    });

    test('a kept socket that broke takes the other idle sockets of its time along', async () => {
      let warm = false;
      const held: WireRequest[] = [];
      const wire = await startWire((request) => {
        if (request.connection > 3) return answer(request);
        if (warm) return reset(request);
        held.push(request);
        if (held.length === 3) for (const each of held) answer(each);
      });
      const send = createClient();
      await Promise.all([1, 2, 3].map(() => send(post(wire.url))));
      warm = true;
      expect(await send(post(wire.url))).toMatchObject({ status: 200, resent: true });
      await wire.waitForOpen(1);
      expect(wire.made()).toBe(4);
    });
  });

  describe('The request does not go out a third time', () => {
    test('the request does not go out a third time where the new connection breaks, too', async () => {
      const { send, seen, wire } = await warmed(reset, reset);
      expect(await failureOf(send(post(wire.url)))).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'unknown' });
      expect(seen).toEqual(['1.1', '1.2', '2.1']);
    });

    test('the request does not go out a third time where there is no new connection', async () => {
      const wire = await startWire((request) => {
        if (request.index === 1) return answer(request);
        wire.close();
        reset(request);
      });
      const send = createClient();
      await send(post(wire.url));
      const error = await failureOf(send(post(wire.url)));
      expect(error).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'unknown' });
      expect(error.message).toContain('ECONNREFUSED');
    });

    test('the request does not go out a third time where the new connection brings no answer in time', async () => {
      const { send, wire } = await warmed(reset, () => undefined);
      const error = await failureOf(send(post(wire.url, { timeoutMs: 100 })));
      expect(error).toMatchObject({ code: 'TIMED_OUT', executed: 'unknown' });
    });
  });

  describe('The time of a call', () => {
    test('the time of a call holds for both sends together', async () => {
      const clock = createSimulatedTime(1_000_000);
      const wire = await startWire((request) => {
        if (request.connection > 1) return;
        if (request.index === 1) return answer(request);
        clock.advance(950);
        reset(request);
      });
      const send = createClient({ now: clock.now });
      await send(post(wire.url));
      const error = await failureOf(send(post(wire.url, { timeoutMs: 1_000 })));
      expect(error).toMatchObject({ code: 'TIMED_OUT', executed: 'unknown' });
      expect(error.message).toMatch(/: no answer \(within 50 ms\)$/);
    });

    test('a socket that broke after a second was not idle: the request does not go out again', async () => {
      const clock = createSimulatedTime(1_000_000);
      const wire = await startWire((request) => {
        if (request.index === 1) return answer(request);
        clock.advance(1_000);
        reset(request);
      });
      const send = createClient({ now: clock.now });
      await send(post(wire.url));
      expect(await failureOf(send(post(wire.url, { timeoutMs: 5_000 })))).toMatchObject({
        code: 'CONNECTION_FAILED',
        executed: 'unknown',
      });
      expect(wire.made()).toBe(1);
    });
  });

  describe('The request does not go out a second time', () => {
    test('the request does not go out a second time where a new socket breaks', async () => {
      const wire = await startWire(reset);
      expect(await failureOf(createClient()(post(wire.url)))).toMatchObject({ executed: 'unknown' });
      expect(wire.made()).toBe(1);
    });

    test.each<[string, string]>([
      ['in its body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'],
      ['before its body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'],
    ])('the request does not go out a second time where an answer had begun and breaks %s', async (_, begun) => {
      const { send, seen, wire } = await warmed(({ socket }) =>
        socket.write(begun, () => setTimeout(() => socket.resetAndDestroy(), 20)),
      );
      expect(await failureOf(send(post(wire.url)))).toMatchObject({
        code: 'CONNECTION_FAILED',
        executed: 'unknown',
        status: 200,
      });
      expect(seen).toEqual(['1.1', '1.2']);
    });

    test('the request does not go out a second time where a kept socket is silent until the time is over', async () => {
      const { send, seen, wire } = await warmed(() => undefined);
      expect(await failureOf(send(post(wire.url, { timeoutMs: 50 })))).toMatchObject({
        code: 'TIMED_OUT',
        executed: 'unknown',
      });
      expect(seen).toEqual(['1.1', '1.2']);
    });

    test('the request does not go out a second time where the call is ended from outside', async () => {
      const abort = new AbortController();
      const { send, seen, wire } = await warmed(() => abort.abort());
      expect(await failureOf(send(post(wire.url, { signal: abort.signal })))).toMatchObject({
        code: 'DEADLINE',
        executed: 'unknown',
      });
      expect(seen).toEqual(['1.1', '1.2']);
    });
  });
});
