/** What a pool owes to the requests that come after: a socket that is theirs alone, and a place in the queue. */

import { createServer, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createCertificateAuthority } from '../../infra/local/server/certificates.ts';
import { createSimulatedTime } from '../doubles/time.ts';
import { CLIENTS, createTellingClient, failureOf, payload, post } from './call.ts';
import { answerAtOnce, reply, startWire, type WireRequest } from './wire.ts';

describe.each(CLIENTS)('On %s:', (_, createClient) => {
  describe('A socket that idles', () => {
    test('a socket that idles and speaks unasked is closed: its bytes are no answer to the next request', async () => {
      const wire = await startWire((request) => {
        answerAtOnce(request);
        if (request.connection === 1) setImmediate(() => request.socket.write(reply('poison')));
      });
      const send = createClient();
      await send(post(wire.url));
      await wire.waitForOpen(0);
      expect(await send(post(wire.url))).toMatchObject({ body: Buffer.from('ok'), resent: false });
      expect(wire.made()).toBe(2);
    });

    test.each([
      ['is used again within what the server grants', 3_999, 1],
      ['is not used in its last second', 4_001, 2],
    ])('a socket that idles is used again or not: %s', async (_, idleMs, connections) => {
      const clock = createSimulatedTime(1_000_000);
      const wire = await startWire(
        ({ socket }) => void socket.write(reply('ok', 'Keep-Alive: timeout=5, max=100\r\n')),
      );
      const send = createClient({ now: clock.now });
      await send(post(wire.url));
      clock.advance(idleMs);
      expect(await send(post(wire.url))).toMatchObject({ resent: false });
      expect(wire.made()).toBe(connections);
    });

    test('a socket that idles is not trusted for longer than ten seconds, whatever the server grants', async () => {
      const clock = createSimulatedTime(1_000_000);
      const wire = await startWire(({ socket }) => void socket.write(reply('ok', 'keep-alive: timeout=600\r\n')));
      const send = createClient({ now: clock.now });
      await send(post(wire.url));
      clock.advance(10_001);
      await send(post(wire.url));
      expect(wire.made()).toBe(2);
    });
  });

  describe('A request that waits for a socket', () => {
    test('a request that waits for a socket gets a new one when the busy one breaks', async () => {
      const wire = await startWire((request) => {
        if (request.connection === 1) request.socket.resetAndDestroy();
        else answerAtOnce(request);
      });
      const send = createClient({ maxSockets: 1 });
      const first = failureOf(send(post(wire.url)));
      const second = send(post(wire.url));
      expect(await first).toMatchObject({ code: 'CONNECTION_FAILED', executed: 'unknown' });
      expect(await second).toMatchObject({ status: 200, resent: false });
      expect(wire.made()).toBe(2);
    });

    test('a request that waits for a socket and is given up is skipped', async () => {
      const held: WireRequest[] = [];
      const seen: string[] = [];
      const wire = await startWire((request) => {
        seen.push(request.body.toString());
        if (seen.length === 1) held.push(request);
        else answerAtOnce(request);
      });
      const send = createClient({ maxSockets: 1 });
      const first = send(post(wire.url, { body: payload('first') }));
      const abort = new AbortController();
      const second = failureOf(send(post(wire.url, { body: payload('second'), signal: abort.signal })));
      const third = send(post(wire.url, { body: payload('third') }));
      await wire.waitForOpen(1);
      abort.abort();
      await second;
      await expect.poll(() => held.length).toBe(1);
      for (const request of held) answerAtOnce(request);
      await Promise.all([first, third]);
      expect(seen).toEqual(['first', 'third']);
    });
  });

  test('a second connection resumes the TLS session of the first', async () => {
    const authority = createCertificateAuthority({ keyType: 'ec' });
    setDefaultCACertificates([authority.caPem]);
    const resumed: boolean[] = [];
    const server = createServer({ ...authority.serverCertificate() }, (socket: TLSSocket) => {
      resumed.push(socket.isSessionReused());
      socket.on('error', () => socket.destroy());
      socket.on('data', () => void socket.end(reply('ok', 'Connection: close\r\n')));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('expected a port');
    const send = createClient();
    for (let call = 0; call < 3; call += 1) await send(post(`https://127.0.0.1:${address.port}/`));
    expect(resumed).toEqual([false, true, true]);
  });

  describe('A head goes out in Latin-1', () => {
    test.each([
      ['an ASCII text', 'plain'],
      ['a text beyond Latin-1', 'größer → 価格'],
    ])('a head goes out in Latin-1 whatever the body is: %s', async (_, text) => {
      let head = '';
      let body = '';
      const wire = await startWire((request) => {
        ({ head } = request);
        body = request.body.toString();
        answerAtOnce(request);
      });
      const headers = { 'X-Name': 'M\u00fcller' };
      const asText = { bytes: Buffer.byteLength(text), open: async () => text };
      await createClient()(post(wire.url, { headers, body: asText }));
      expect(head).toContain('X-Name: M\u00fcller');
      expect(body).toBe(text);
    });
  });

  test.each([
    ['POST', 'Content-Length: 0'],
    ['PUT', 'Content-Length: 0'],
    ['GET', undefined],
    ['HEAD', undefined],
    ['DELETE', undefined],
  ])('a %s without a body declares that as RFC 9110 wants it: %s', async (method, line) => {
    let head = '';
    const wire = await startWire((request) => {
      ({ head } = request);
      request.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    });
    const { body: _, ...call } = post(wire.url, { method });
    await createClient()(call);
    expect(/^content-length: .*$/im.exec(head)?.[0]).toBe(line);
    expect(head).not.toMatch(/transfer-encoding/i);
  });
});

// Node's own agent does not say of a socket that it hands on at once that it was used before.
test('a request that waited goes out again on the pool alone where its socket breaks without an answer', async () => {
  const wire = await startWire((request) => {
    if (request.connection === 1 && request.index === 2) request.socket.resetAndDestroy();
    else answerAtOnce(request);
  });
  const send = createTellingClient({ maxSockets: 1 });
  const [first, second] = await Promise.all([send(post(wire.url)), send(post(wire.url))]);
  expect([first.resent, second.resent]).toEqual([false, true]);
});
