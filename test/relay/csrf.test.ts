/** The CSRF handshake: when a token is fetched, with what, for whom its pair holds, and that pairs are never mixed. */
import { describe, expect, test } from 'vitest';
import type { HttpRequest } from '../../functions/http/http.ts';
import { answer } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { tokenOf } from '../doubles/token.ts';
import { BARE, request, startHandshake } from './handshake.ts';
import { pair } from './protected-endpoint.ts';

describe('The handshake', () => {
  test('the handshake comes before the first message where the settings ask for it', async () => {
    const { exchange, seen, endpoint, calls } = startHandshake(true);
    const { answer: got, reachedFlow } = await exchange(tokenOf('a'));
    expect(seen).toEqual(['HEAD', pair(1)]);
    expect([got.status, reachedFlow, endpoint.ran, calls.count]).toEqual([200, true, 1, 1]);
  });

  test('the handshake comes otherwise when the endpoint first demands it, which is learned once', async () => {
    const { exchange, seen, endpoint, calls } = startHandshake(false);
    await exchange(tokenOf('a'));
    expect(seen.splice(0)).toEqual([BARE, 'HEAD', pair(1)]);
    await exchange(tokenOf('b'));
    expect(seen).toEqual(['HEAD', pair(2)]);
    expect([endpoint.ran, calls.count]).toEqual([2, 3]);
  });

  test('the handshake does not come where the endpoint does not demand it', async () => {
    const { exchange, seen, endpoint } = startHandshake(false);
    endpoint.onMessage = () => answer(202);
    const a = tokenOf('a');
    await exchange(a);
    await exchange(a);
    expect(seen).toEqual([BARE, BARE]);
  });

  test('the handshake fetches with the access token alone, at the same address, and without the message', async () => {
    const { exchange, requests } = startHandshake(true);
    await exchange(tokenOf('a'));
    const [fetch] = requests;
    expect(fetch?.headers).toEqual({ Authorization: 'Bearer t', 'X-CSRF-Token': 'Fetch' });
    expect(fetch?.url.href).toBe('https://flows.example.com/http/orders?a=b');
    expect(fetch).not.toHaveProperty('body');
    expect(fetch).not.toHaveProperty('certificate');
    expect(fetch?.timeoutMs).toBe(5_000);
  });

  test('the handshake fetches in the time that is left', async () => {
    const { exchange, requests } = startHandshake(true);
    await exchange(tokenOf('a'), {}, deadlineOf(3_000));
    expect(requests[0]?.timeoutMs).toBeLessThanOrEqual(3_000);
  });

  test('the handshake fetches with the client certificate where the message goes out with it', async () => {
    const { exchange, requests } = startHandshake(true);
    const certificate = { cert: 'PEM', key: 'PEM' };
    await exchange(tokenOf(''), { headers: { 'Content-Type': 'application/json' }, certificate });
    expect(requests[0]?.headers).toStrictEqual({ 'X-CSRF-Token': 'Fetch' });
    expect(requests.map((request) => request.certificate)).toEqual([certificate, certificate]);
  });

  test('the handshake adds the pair to the message and changes nothing else of it', async () => {
    const { exchange, requests } = startHandshake(true);
    await exchange(tokenOf('a'));
    const { headers, ...rest } = requests[1] as HttpRequest;
    const { headers: own, ...sent } = request();
    expect(headers).toEqual({ ...own, 'X-CSRF-Token': 'token1', Cookie: 'JSESSIONID=s1; BIGip=rd%205+=/1' });
    expect(rest).toEqual({ ...sent, body: { bytes: 2, open: expect.any(Function) } });
  });

  test('the handshake sends no Cookie header where the session came without cookies', async () => {
    const { exchange, endpoint, requests } = startHandshake(true);
    endpoint.onFetch = () => answer(200, '', { 'x-csrf-token': 'alone' });
    endpoint.onMessage = () => answer(200);
    await exchange(tokenOf('a'));
    expect(requests[1]?.headers).toMatchObject({ 'X-CSRF-Token': 'alone' });
    expect(requests[1]?.headers).not.toHaveProperty('Cookie');
  });
});

describe('A pair', () => {
  test('a CSRF token is kept for as long as the access token that opened its session', async () => {
    const { exchange, seen } = startHandshake(true);
    const [a, b] = [tokenOf('a'), tokenOf('b')];
    for (const identity of [a, a, b, a]) await exchange(identity);
    expect(seen).toEqual(['HEAD', pair(1), pair(1), 'HEAD', pair(2), pair(1)]);
  });

  test('a CSRF token belongs to the access token’s object: an equal token has its own', async () => {
    const { exchange, seen } = startHandshake(true);
    await exchange(tokenOf('same'));
    await exchange(tokenOf('same'));
    expect(seen).toEqual(['HEAD', pair(1), 'HEAD', pair(2)]);
  });

  test('a CSRF token that ended is fetched anew, and the message goes out once more', async () => {
    const { exchange, seen, endpoint, endSessions, calls } = startHandshake(true);
    const a = tokenOf('a');
    await exchange(a);
    endSessions();
    const { answer: got } = await exchange(a);
    expect(seen).toEqual(['HEAD', pair(1), pair(1), 'HEAD', pair(2)]);
    expect([got.status, endpoint.ran, calls.count]).toEqual([200, 2, 3]);
  });

  test.each([
    ['found out', false, 20],
    ['asked for', true, 0],
  ])('a CSRF token is fetched once for twenty messages at once, where it is %s', async (_, required, bare) => {
    const { exchange, seen, endpoint } = startHandshake(required);
    const a = tokenOf('a');
    await Promise.all(Array.from({ length: 20 }, () => exchange(a)));
    expect(seen.filter((line) => line === BARE)).toHaveLength(bare);
    expect(seen.filter((line) => line === 'HEAD')).toHaveLength(1);
    expect(seen.filter((line) => line === pair(1))).toHaveLength(20);
    expect(endpoint.ran).toBe(20);
  });

  test('a CSRF token that ends under twenty messages is fetched anew once, never mixed with the old', async () => {
    const { exchange, seen, endpoint, endSessions } = startHandshake(true);
    const a = tokenOf('a');
    await exchange(a);
    endSessions();
    seen.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => exchange(a)));
    expect(seen.filter((line) => line === 'HEAD')).toHaveLength(1);
    expect(new Set(seen)).toEqual(new Set([pair(1), 'HEAD', pair(2)]));
    expect(endpoint.ran).toBe(21);
  });

  test('the CSRF token of one access token is not sent with another’s, whatever comes at once', async () => {
    const { exchange, requests } = startHandshake(true);
    const tokens = ['a', 'b', 'c'].map((accessToken) => tokenOf(accessToken));
    const sendings = Array.from({ length: 30 }, (_, index) => tokens[index % 3] as object);
    await Promise.all(
      sendings.map((identity, index) => exchange(identity, { headers: { Authorization: `Bearer ${index % 3}` } })),
    );
    const pairs = new Set(
      requests.filter(({ method }) => method === 'POST').map(({ headers }) => Object.values(headers).join()),
    );
    expect(pairs.size).toBe(3);
  });
});
