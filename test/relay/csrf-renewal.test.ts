/** Sessions that do not stay as they were opened: what an answer changes of them, and calls that cannot share one. */
import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createCsrf } from '../../functions/relay/adapter/csrf.ts';
import { answer } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { NOON } from '../doubles/time.ts';
import { tokenOf } from '../doubles/token.ts';
import { request, startHandshake } from './handshake.ts';
import { createProtectedEndpoint, REQUIRED } from './protected-endpoint.ts';
import { createRenewingEndpoint, type Renewal } from './renewing-endpoint.ts';

const RENEWALS: readonly Renewal[] = ['id', 'id and token', 'id and secret token'];
const FOUND_OUT = [false, true];
const EXPIRED = 'Expires=Thu, 01 Jan 1970 00:00:00 GMT';

function start(renewal: Renewal, required: boolean) {
  const endpoint = createRenewingEndpoint(renewal);
  const csrf = createCsrf({ required, send: endpoint.send, maxCallMs: 5_000 });
  const exchange = async (identity: object) => {
    let calls = 0;
    const { answer: got } = await csrf.exchange(request(), {
      identity,
      deadline: deadlineOf(),
      onCall: () => {
        calls += 1;
      },
    });
    return { status: got.status, calls };
  };
  const fetches = () => endpoint.seen.filter((line) => line === 'HEAD').length;
  const delivered = () => endpoint.seen.filter((line) => line === 200).length;
  return { endpoint, exchange, fetches, delivered };
}

describe.each(RENEWALS)('Where each answer renews the session’s %s,', (renewal) => {
  test.each(FOUND_OUT)(
    'six messages one after the other are delivered with few fetches where answers renew the session (csrf: %s)',
    async (required) => {
      const { exchange, fetches, delivered } = start(renewal, required);
      const a = tokenOf('a');
      for (let message = 0; message < 6; message += 1) expect((await exchange(a)).status).toBe(200);
      expect(delivered()).toBe(6);
      expect(fetches()).toBe(renewal === 'id and secret token' ? 6 : 1);
    },
  );

  test.each(FOUND_OUT)(
    'batches of ten at once are delivered, in a session each, where answers renew the session (csrf: %s)',
    async (required) => {
      const { exchange, fetches, delivered } = start(renewal, required);
      const a = tokenOf('a');
      const batch = () => Promise.all(Array.from({ length: 10 }, () => exchange(a)));
      const first = await batch();
      expect(first.map(({ status }) => status)).toEqual(Array(10).fill(200));
      // Without a token where that is found out, in the shared session, in the renewed one, in one of its own.
      expect(Math.max(...first.map(({ calls }) => calls))).toBe(required ? 3 : 4);
      const before = fetches();
      for (let more = 0; more < 3; more += 1) {
        const next = await batch();
        expect(next.map(({ status }) => status)).toEqual(Array(10).fill(200));
        expect(Math.max(...next.map(({ calls }) => calls))).toBe(renewal === 'id and secret token' ? 2 : 1);
      }
      expect(delivered()).toBe(40);
      // Two of the first ten were delivered in the shared ones.
      expect(fetches() - before).toBe(renewal === 'id and secret token' ? 30 : 2);
    },
  );
});

describe('Once calls have a session each,', () => {
  async function unshared() {
    const started = start('id', true);
    const a = tokenOf('a');
    await Promise.all(Array.from({ length: 10 }, () => started.exchange(a)));
    started.endpoint.seen.length = 0;
    return { ...started, a };
  }

  test('another access token has sessions of its own, once calls have a session each', async () => {
    const { endpoint, exchange } = await unshared();
    const b = tokenOf('b');
    await Promise.all([exchange(b), exchange(b)]);
    await Promise.all([exchange(b), exchange(b)]);
    expect(endpoint.seen).toEqual(['HEAD', 'HEAD', 200, 200, 200, 200]);
  });

  test('a session whose answer was lost is not used again: its id may be another by now', async () => {
    const { endpoint, exchange } = await unshared();
    const b = tokenOf('b');
    endpoint.onMessage = () => 'lost';
    await expect(exchange(b)).rejects.toThrow('no answer');
    endpoint.onMessage = () => undefined;
    await exchange(b);
    expect(endpoint.seen).toEqual(['HEAD', 200, 'HEAD', 200]);
  });
});

test('a new CSRF token that is refused ends the attempt, and opens no further session', async () => {
  const { exchange, endpoint, seen, calls } = startHandshake(true);
  endpoint.onMessage = () => REQUIRED;
  const a = tokenOf('a');
  const ends = await Promise.allSettled([exchange(a), exchange(a), exchange(a)]);
  expect(ends.map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
  // Two that are shared, and one for each.
  expect(seen.filter((line) => line === 'HEAD')).toHaveLength(5);
  expect(calls.count).toBe(9);
  await expect(exchange(a)).rejects.toMatchObject({ code: 'CONNECTION_FAILED', executed: 'no', status: 403 });
  expect(calls.count).toBe(10);
});

describe('A token is taken from any answer to its fetch:', () => {
  test.each([200, 302, 401, 403, 405, 500, 503])(
    'a CSRF token is taken from an answer of %i to its fetch',
    async (status) => {
      for (const required of FOUND_OUT) {
        const { exchange, endpoint, requests } = startHandshake(required);
        endpoint.onFetch = () => answer(status, '', { 'x-csrf-token': 'taken', 'set-cookie': ['a=1'] });
        endpoint.onMessage = () => (requests.at(-1)?.headers['X-CSRF-Token'] === undefined ? REQUIRED : answer(202));
        expect((await exchange(tokenOf('a'))).answer.status).toBe(202);
        expect(requests.at(-1)?.headers).toMatchObject({ 'X-CSRF-Token': 'taken', Cookie: 'a=1' });
      }
    },
  );

  test('a CSRF token is taken from a 500 to GET, after a 405 to HEAD without one', async () => {
    const { exchange, endpoint, requests, seen } = startHandshake(false);
    endpoint.onFetch = (method) => (method === 'HEAD' ? answer(405) : answer(500, '', { 'x-csrf-token': 'taken' }));
    endpoint.onMessage = () => (requests.at(-1)?.headers['X-CSRF-Token'] === undefined ? REQUIRED : answer(202));
    await exchange(tokenOf('a'));
    expect(seen).toEqual(['POST /', 'HEAD', 'GET', 'POST taken/']);
  });
});

describe('What an answer changes of its session:', () => {
  /** The pair of the message after one that was answered so. */
  async function pairAfter(headers: IncomingHttpHeaders, status = 200): Promise<string> {
    const endpoint = createProtectedEndpoint();
    const { send, seen } = endpoint;
    const csrf = createCsrf({ required: true, send, maxCallMs: 5_000, now: () => NOON });
    endpoint.onFetch = () => answer(200, '', { 'x-csrf-token': 'T', 'set-cookie': ['a=1; Path=/', 'b=2; Path=/'] });
    endpoint.onMessage = () => answer(status, '', headers);
    const call = { identity: tokenOf('a'), deadline: deadlineOf(), onCall: () => undefined };
    await csrf.exchange(request(), call);
    await csrf.exchange(request(), call);
    expect(seen.slice(0, 2)).toEqual(['HEAD', 'POST T/a=1; b=2']);
    expect(seen).toHaveLength(3);
    return (seen[2] ?? '').replace(/^POST /, '');
  }

  test.each<[string, string[], string]>([
    ['a new value', ['a=3; Path=/; HttpOnly'], 'a=3; b=2'],
    ['another cookie', ['c=3; Path=/'], 'a=1; b=2; c=3'],
    ['the same name under another path', ['a=3; Path=/http'], 'a=1; b=2; a=3'],
    ['the attribute in other letters, with blanks', ['a = x y ;PATH = / ; secure'], 'a=x y; b=2'],
    ['the last of two paths', ['a=3; Path=/http; Path=/'], 'a=3; b=2'],
    ['an empty value', ['a=; Path=/'], 'a=; b=2'],
    ['a value with equals signs', ['a=x==; Path=/'], 'a=x==; b=2'],
    ['an end: Max-Age=0', ['a=; Path=/; Max-Age=0'], 'b=2'],
    ['an end before its time', ['a=x; Max-Age=-1; Path=/'], 'b=2'],
    ['an end: expired', ['a=x; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], 'b=2'],
    ['an end just now', ['a=x; Path=/; Expires=Thu, 01 Jan 2026 12:00:00 GMT'], 'b=2'],
    ['an end with dashes', ['a=x; Path=/; expires=Thu, 01-Jan-1970 00:00:10 GMT'], 'b=2'],
    ['the end of what is not there', ['c=x; Path=/; Max-Age=0'], 'a=1; b=2'],
    ['the end of another path’s', ['a=x; Path=/http; Max-Age=0'], 'a=1; b=2'],
    ['a value that ends later', ['a=3; Path=/; Expires=Thu, 01 Jan 2026 12:00:01 GMT'], 'a=3; b=2'],
    ['a value with an age', ['a=3; Path=/; Max-Age=1'], 'a=3; b=2'],
    ['Max-Age before Expires', ['a=3; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], 'a=3; b=2'],
    ['an end by Max-Age before Expires', ['a=3; Path=/; Max-Age=0; Expires=Fri, 01 Jan 2027 00:00:00 GMT'], 'b=2'],
    ['an age that is no number', ['a=3; Path=/; Max-Age=0s'], 'a=3; b=2'],
    ['another age that is no number', ['a=3; Path=/; Max-Age=x0'], 'a=3; b=2'],
    ['a time that is none', ['a=3; Path=/; Expires=soon'], 'a=3; b=2'],
    ['no age: empty', ['a=3; Path=/; Max-Age='], 'a=3; b=2'],
    ['an end by Expires, with an age that is no number', [`a=; Path=/; Max-Age=0s; ${EXPIRED}`], 'b=2'],
    ['the same, its number behind', [`a=; Path=/; Max-Age=x0; ${EXPIRED}`], 'b=2'],
    ['paths that are none, which are all the same', ['c=1', 'c=2; Path', 'c=3; Path='], 'a=1; b=2; c=3'],
    ['a path that is taken back', ['c=1', 'c=2; Path=/x; Path '], 'a=1; b=2; c=2'],
    ['no name', ['=3; Path=/', ' =4; Path=/'], 'a=1; b=2'],
    ['no value', ['a; Path=/', 'aa; Path=/', '', ';'], 'a=1; b=2'],
    ['several', ['a=; Path=/; Max-Age=0', 'b=3; Path=/', 'a=4; Path=/'], 'b=3; a=4'],
  ])('an answer changes the cookies of its session: %s', async (_, lines, cookie) => {
    expect(await pairAfter({ 'set-cookie': lines })).toBe(`T/${cookie}`);
  });

  test.each([200, 302, 401, 404, 422, 500])('an answer changes its session whatever its status: %i', async (status) => {
    expect(await pairAfter({ 'set-cookie': ['a=3; Path=/'], 'x-csrf-token': 'U' }, status)).toBe('U/a=3; b=2');
  });

  test.each(['required', 'Fetch', ''])(
    'an answer with a header that is no CSRF token changes none: %j',
    async (token) => {
      expect(await pairAfter({ 'x-csrf-token': token })).toBe('T/a=1; b=2');
    },
  );

  test('an answer may change the CSRF token of a session alone', async () => {
    expect(await pairAfter({ 'x-csrf-token': 'U' })).toBe('U/a=1; b=2');
  });

  test.each([
    ['4,096 bytes are all sent', 4_096 - 'a=1; b=2; c=3; d='.length, 'a=1; b=2; c=3; d='],
    ['more have those that came first left out', 4_096 - 'b=2; c=3; d='.length, 'b=2; c=3; d='],
    ['more in a single one leave that one', 5_000, 'd='],
  ])('an answer changes none of its session’s cookies %s', async (_, length, head) => {
    const value = 'v'.repeat(length);
    expect(await pairAfter({ 'set-cookie': ['c=3', `d=${value}`] })).toBe(`T/${head}${value}`);
  });

  test('an answer of more than fifty cookies keeps those that came last', async () => {
    const lines = Array.from({ length: 60 }, (_, index) => `c${index}=x; Path=/`);
    const cookies = (await pairAfter({ 'set-cookie': lines })).slice('T/'.length).split('; ');
    expect(cookies).toEqual(lines.slice(10).map((line) => line.slice(0, line.indexOf(';'))));
  });
});
