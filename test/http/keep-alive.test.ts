/** Sockets that outlive their request: how many there are, how long they are trusted, and when they are not kept. */

import { describe, expect, test } from 'vitest';
import { createSimulatedTime } from '../doubles/time.ts';
import { CLIENTS, failureOf, post } from './call.ts';
import { answerAtOnce, reply, startWire, type WireRequest } from './wire.ts';

/** Holds its answers back until `count` requests have come. */
function heldUntil(count: number): (request: WireRequest) => void {
  const held: WireRequest[] = [];
  return (request) => {
    held.push(request);
    if (held.length >= count) for (const { socket } of held.splice(0)) socket.write(reply());
  };
}

describe.each(CLIENTS)('On %s:', (_, createClient) => {
  describe('A socket', () => {
    test('a socket is kept: one request after the other goes over one connection', async () => {
      const wire = await startWire(answerAtOnce);
      const send = createClient();
      for (let call = 0; call < 5; call += 1) {
        expect(await send(post(wire.url))).toMatchObject({ status: 200, resent: false });
      }
      expect(wire.made()).toBe(1);
    });

    test('a socket is kept after an answer of which only the beginning was kept', async () => {
      const wire = await startWire(({ socket }) => void socket.write(reply('x'.repeat(200_000))));
      const send = createClient();
      for (let call = 0; call < 3; call += 1) {
        expect(await send(post(wire.url, { keepBytes: 10 }))).toMatchObject({ truncated: true });
      }
      expect(wire.made()).toBe(1);
    });

    test('a socket is not kept where the other side says close', async () => {
      const wire = await startWire(({ socket }) => void socket.write(reply('ok', 'Connection: close\r\n')));
      const send = createClient();
      for (let call = 0; call < 3; call += 1) expect((await send(post(wire.url))).resent).toBe(false);
      expect(wire.made()).toBe(3);
    });

    test('a socket that the other side has closed while it idled is not used', async () => {
      const wire = await startWire(({ socket }) => void socket.end(reply()));
      const send = createClient();
      await send(post(wire.url));
      await wire.waitForOpen(0);
      expect(await send(post(wire.url))).toMatchObject({ status: 200 });
      expect(wire.made()).toBe(2);
    });

    test('a socket belongs to its host and port', async () => {
      const [one, two] = [await startWire(answerAtOnce), await startWire(answerAtOnce)];
      const send = createClient();
      for (const { url } of [one, two, one, two]) await send(post(url));
      expect([one.made(), two.made()]).toEqual([1, 1]);
    });

    test('a socket is not shared between clients', async () => {
      const wire = await startWire(answerAtOnce);
      await createClient()(post(wire.url));
      await createClient()(post(wire.url));
      expect(wire.made()).toBe(2);
    });
  });

  describe('The number of sockets', () => {
    test.each([
      ['ten', undefined, 10],
      ['what is set', 3, 3],
      ['one', 1, 1],
    ])('the number of sockets is at most %s; further requests wait for one', async (_, maxSockets, most) => {
      let answered = 0;
      let together = 0;
      const held: WireRequest[] = [];
      const wire = await startWire((request) => {
        held.push(request);
        together = Math.max(together, held.length);
        if (held.length < most && answered + held.length < 30) return;
        for (const { socket } of held.splice(0)) {
          answered += 1;
          socket.write(reply());
        }
      });
      const send = createClient(maxSockets === undefined ? {} : { maxSockets });
      await Promise.all(Array.from({ length: 30 }, () => send(post(wire.url))));
      expect(wire.made()).toBe(most);
      expect(together).toBe(most);
    });
  });

  describe('A call that waits for a socket, because all are busy', () => {
    async function busy() {
      const wire = await startWire(() => undefined);
      const send = createClient({ maxSockets: 1 });
      const release = new AbortController();
      const first = failureOf(send(post(wire.url, { signal: release.signal })));
      await wire.waitForOpen(1);
      return { wire, send, release, first };
    }

    test('a call that waits for a socket ends at its time, and nothing was sent', async () => {
      const { wire, send, release, first } = await busy();
      const error = await failureOf(send(post(wire.url, { timeoutMs: 50 })));
      expect(error).toMatchObject({ code: 'TIMED_OUT', executed: 'no' });
      release.abort();
      await first;
      expect(wire.made()).toBe(1);
    }, 4_000);

    test('a call that waits for a socket ends with the invocation, and nothing was sent', async () => {
      const { wire, send, release, first } = await busy();
      const abort = new AbortController();
      const waiting = failureOf(send(post(wire.url, { signal: abort.signal })));
      setImmediate(() => abort.abort());
      expect(await waiting).toMatchObject({ code: 'DEADLINE', executed: 'no' });
      release.abort();
      await first;
      expect(wire.made()).toBe(1);
    }, 4_000);

    test('a call that would wait for a socket does not begin if the invocation is over already', async () => {
      const { wire, send, release, first } = await busy();
      const error = await failureOf(send(post(wire.url, { signal: AbortSignal.abort() })));
      expect(error).toMatchObject({ code: 'DEADLINE', executed: 'no' });
      release.abort();
      await first;
    }, 4_000);
  });

  describe('Idleness', () => {
    test.each([
      ['10 s is trusted', 10_000, 1],
      ['a little more is not', 10_001, 2],
      ['an hour, as in a frozen process, is not', 3_600_000, 2],
    ])('a socket is used again or not after idleness of %s', async (_, idleMs, connections) => {
      const clock = createSimulatedTime(1_000_000);
      const wire = await startWire(answerAtOnce);
      const send = createClient({ now: clock.now });
      await send(post(wire.url));
      clock.advance(idleMs);
      expect(await send(post(wire.url))).toMatchObject({ resent: false });
      expect(wire.made()).toBe(connections);
      await wire.waitForOpen(1);
    });

    test('idleness counts from the end of the last request, not from the first', async () => {
      const clock = createSimulatedTime(1_000_000);
      const wire = await startWire(answerAtOnce);
      const send = createClient({ now: clock.now });
      for (let call = 0; call < 4; call += 1) {
        await send(post(wire.url));
        clock.advance(9_000);
      }
      expect(wire.made()).toBe(1);
    });

    test('idleness closes every socket that idled too long, not the next one alone', async () => {
      const clock = createSimulatedTime(1_000_000);
      const all = heldUntil(4);
      let first = true;
      const wire = await startWire((request) => (first ? all(request) : answerAtOnce(request)));
      const send = createClient({ now: clock.now });
      await Promise.all(Array.from({ length: 4 }, () => send(post(wire.url))));
      first = false;
      expect(wire.open()).toBe(4);
      clock.advance(10_001);
      await send(post(wire.url));
      await wire.waitForOpen(1);
      expect(wire.made()).toBe(5);
    });
  });
});
