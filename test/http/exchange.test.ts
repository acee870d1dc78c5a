/**
 * A request as it arrives and an answer as it is handed over: what is sent is what was given, what is kept is bounded.
 */
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHttpClient } from '../../functions/http/http.ts';
import { type Answer, type Request, startServer } from '../../infra/local/server/server.ts';
import { failureOf, payload, post } from './call.ts';
import { startWire } from './wire.ts';

async function start(answer: Answer = { status: 200 }) {
  const requests: Request[] = [];
  const server = await startServer((request) => {
    requests.push(request);
    return answer;
  });
  onTestFinished(() => server.stop());
  return { requests, url: `${server.url}/http/orders?a=b%20c` };
}

describe('A request', () => {
  test('a request goes where its URL says now, whatever it said at the last one', async () => {
    const { requests, url } = await start();
    const changing = new URL(url);
    const send = createHttpClient();
    await send({ ...post(url), url: changing });
    changing.searchParams.set('MessageId', '4711');
    changing.pathname = '/http/invoices';
    await send({ ...post(url), url: changing });
    expect(requests.map(({ target }) => target)).toEqual([
      '/http/orders?a=b%20c',
      '/http/invoices?a=b+c&MessageId=4711',
    ]);
  });

  test('a request takes a text for its UTF-8', async () => {
    const { requests, url } = await start();
    const text = 'Jörg \u{1F4E6}';
    await createHttpClient()(post(url, { body: { bytes: Buffer.byteLength(text), open: async () => text } }));
    expect(requests[0]?.body).toEqual(Buffer.from(text));
  });

  test('a request arrives with its method, target, headers and bytes, and no header that nobody gave', async () => {
    const { requests, url } = await start();
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    const body = { bytes: 5, open: async () => bytes };
    await createHttpClient()({
      method: 'PUT',
      url: new URL(url),
      headers: { 'X-Id': 'J\u00f6rg' },
      body,
      timeoutMs: 5_000,
    });
    const { method, target, rawHeaders, body: arrived } = requests[0] as Request;
    expect([method, target]).toEqual(['PUT', '/http/orders?a=b%20c']);
    expect(arrived).toEqual(bytes);
    const names = rawHeaders.filter((_, index) => index % 2 === 0);
    expect(names.sort()).toEqual(['Connection', 'Content-Length', 'Host', 'X-Id']);
    expect(requests[0]?.headers).toMatchObject({
      'content-length': '5',
      connection: 'keep-alive',
      'x-id': 'J\u00f6rg',
    });
  });

  test('a request with a stream as body arrives whole, with its length', async () => {
    const { requests, url } = await start();
    const chunks = Array.from({ length: 50 }, (_, index) => Buffer.alloc(10_000, index));
    const body = { bytes: 500_000, open: async () => Readable.from(chunks) };
    await createHttpClient()(post(url, { body }));
    expect(requests[0]?.body).toEqual(Buffer.concat(chunks));
    expect(requests[0]?.headers).toMatchObject({ 'content-length': '500000' });
    expect(requests[0]?.headers).not.toHaveProperty('transfer-encoding');
  });

  test.each([
    ['with no bytes as body', { body: payload('') }],
    ['without a body', {}],
  ])('a request %s has the length 0, so that no server waits for more', async (_, body) => {
    const { requests, url } = await start();
    await createHttpClient()({ method: 'POST', url: new URL(url), headers: {}, timeoutMs: 5_000, ...body });
    expect(requests[0]?.headers).toMatchObject({ 'content-length': '0' });
    expect(requests[0]?.headers).not.toHaveProperty('transfer-encoding');
  });

  test('a request opens its body once', async () => {
    const { url } = await start();
    let opened = 0;
    const body = {
      bytes: 1,
      open: async () => {
        opened += 1;
        return Buffer.from('x');
      },
    };
    await createHttpClient()(post(url, { body }));
    expect(opened).toBe(1);
  });

  test('a request whose body cannot be opened is not sent', async () => {
    const { requests, url } = await start();
    const body = { bytes: 1, open: () => Promise.reject(new Error('no such object')) };
    await expect(createHttpClient()(post(url, { body }))).rejects.toThrow('no such object');
    expect(requests).toHaveLength(0);
  });

  test('a request that fails lets go of the stream that it was sending', async () => {
    const wire = await startWire(() => undefined);
    const endless = new Readable({ read: () => undefined });
    const body = { bytes: 10, open: async () => endless };
    await failureOf(createHttpClient()(post(wire.url, { body, timeoutMs: 50 })));
    expect(endless.destroyed).toBe(true);
  });

  test('a request whose body breaks in the middle fails, and is never taken for a whole one', async () => {
    const { requests, url } = await start();
    const body = {
      bytes: 10,
      open: async () =>
        Readable.from(
          (async function* () {
            yield Buffer.from('half');
            throw new Error('the object broke off');
          })(),
        ),
    };
    expect(await failureOf(createHttpClient()(post(url, { body })))).toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(requests).toHaveLength(0);
  });
});

describe('An answer', () => {
  test('an answer is handed over with its status, its headers and its bytes', async () => {
    const body = Buffer.from([0, 255, 10]);
    const { url } = await start({
      status: 201,
      headers: { 'X-CSRF-Token': 'Abc', 'Set-Cookie': ['a=1; Path=/', 'b=%2F; HttpOnly'], 'Content-Type': 'x/y' },
      body,
    });
    const answer = await createHttpClient()(post(url));
    expect(answer).toMatchObject({ status: 201, body, truncated: false });
    expect(answer.headers).toMatchObject({
      'x-csrf-token': 'Abc',
      'content-type': 'x/y',
      'set-cookie': ['a=1; Path=/', 'b=%2F; HttpOnly'],
    });
  });

  test.each([200, 202, 204, 304, 400, 401, 403, 404, 413, 429, 500, 503])(
    'an answer of %i is an answer and no error',
    async (status) => {
      const { url } = await start({ status });
      expect(await createHttpClient()(post(url))).toMatchObject({ status, body: Buffer.alloc(0) });
    },
  );

  test.each([301, 302, 303, 307, 308])('an answer of %i is not followed', async (status) => {
    const { url, requests } = await start({ status, headers: { Location: '/elsewhere' }, body: 'moved' });
    expect(await createHttpClient()(post(url))).toMatchObject({
      status,
      headers: { location: '/elsewhere' },
      body: Buffer.from('moved'),
    });
    expect(requests).toHaveLength(1);
  });

  test('an answer to HEAD has no body', async () => {
    const { url } = await start({ status: 200, headers: { 'X-CSRF-Token': 'Abc' }, body: 'body' });
    const { body: _body, ...head } = post(url, { method: 'HEAD' });
    expect(await createHttpClient()(head)).toMatchObject({ status: 200, body: Buffer.alloc(0), truncated: false });
  });

  test('an answer that is announced with 100 and 103 is the one that follows', async () => {
    const wire = await startWire(({ socket }) => {
      socket.write(
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok',
      );
    });
    expect(await createHttpClient()(post(wire.url))).toMatchObject({ status: 202, body: Buffer.from('ok') });
  });

  test('an answer that comes in pieces is put together', async () => {
    const wire = await startWire(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n');
      setImmediate(() => socket.write('3\r\ncde\r\n0\r\n\r\n'));
    });
    expect(await createHttpClient()(post(wire.url))).toMatchObject({ body: Buffer.from('abcde'), truncated: false });
  });
});

describe('Of an answer is kept', () => {
  test.each<[string, number, number | undefined, number, boolean]>([
    ['all', 0, 10, 0, false],
    ['all', 9, 10, 9, false],
    ['all that just fits', 10, 10, 10, false],
    ['the beginning', 11, 10, 10, true],
    ['the beginning', 5_000_000, 10, 10, true],
    ['nothing', 1, 0, 0, true],
    ['all that just fits by default', 65_536, undefined, 65_536, false],
    ['the beginning by default', 65_537, undefined, 65_536, true],
    ['the beginning by default', 5_000_000, undefined, 65_536, true],
    ['all of a large one', 4_400_000, 4_400_000, 4_400_000, false],
  ])(
    'the start of an answer is kept, %s: of %d bytes with keepBytes %j',
    async (_, length, keepBytes, kept, truncated) => {
      const body = Buffer.alloc(length, 'abcdefg');
      const { url } = await start({ status: 200, body });
      const answer = await createHttpClient()(post(url, keepBytes === undefined ? {} : { keepBytes }));
      expect(answer).toMatchObject({ status: 200, truncated });
      expect(answer.body.equals(body.subarray(0, kept))).toBe(true);
    },
  );
});
