/** CSRF tokens that are not to be had: what becomes of a fetch that is refused, and of a message that is. */
import { describe, expect, test } from 'vitest';
import { BARE, startHandshake } from './handshake.ts';
import { answer, tokenOf } from './http-answer.ts';
import { pair, REQUIRED } from './protected-endpoint.ts';

describe('A fetch', () => {
  test.each([
    ['405, where the endpoint takes no HEAD', answer(405)],
    ['404', answer(404)],
    ['500', answer(500)],
    ['200 without a token', answer(200)],
    ['200 with an empty token', answer(200, '', { 'x-csrf-token': '' })],
    ['200 with the word Required', answer(200, '', { 'x-csrf-token': 'Required' })],
    ['200 with the word Fetch', answer(200, '', { 'x-csrf-token': 'fetch' })],
    ['302 with a token', answer(302, '', { 'x-csrf-token': 'token9' })],
  ])('by HEAD that is answered %s is followed by GET', async (_, refused) => {
    const { exchange, seen, endpoint } = startHandshake(true);
    endpoint.onFetch = (method) => (method === 'HEAD' ? refused : undefined);
    expect((await exchange(tokenOf('a'))).answer.status).toBe(200);
    expect(seen).toEqual(['HEAD', 'GET', pair(1)]);
  });

  test.each([401, 403])('that is answered %i is the endpoint’s answer, and nothing was executed', async (status) => {
    const { exchange, seen, endpoint, calls } = startHandshake(true);
    endpoint.onFetch = () => answer(status, 'why');
    const exchanged = await exchange(tokenOf('a'));
    expect(exchanged).toMatchObject({ answer: { status }, reachedFlow: false });
    expect(seen).toEqual(['HEAD']);
    expect(calls.count).toBe(0);
  });

  test.each([404, 405, 500, 503, 302])(
    'that is answered %i by HEAD and by GET is the answer to GET',
    async (status) => {
      const { exchange, seen, endpoint } = startHandshake(true);
      endpoint.onFetch = (method) => answer(status, method);
      const exchanged = await exchange(tokenOf('a'));
      expect(exchanged).toMatchObject({ answer: { status, body: Buffer.from('GET') }, reachedFlow: false });
      expect(seen).toEqual(['HEAD', 'GET']);
    },
  );

  test('that brings no token is the operator’s to end', async () => {
    const { exchange, endpoint, calls } = startHandshake(true);
    endpoint.onFetch = () => answer(200);
    await expect(exchange(tokenOf('a'))).rejects.toMatchObject({
      code: 'CSRF_UNAVAILABLE',
      executed: 'no',
      message: expect.stringContaining('the operator must switch "CSRF Protected" on in the sender channel'),
    });
    expect(calls.count).toBe(0);
  });

  test('that failed is not kept: the next message fetches again', async () => {
    const { exchange, seen, endpoint } = startHandshake(true);
    const a = tokenOf('a');
    endpoint.onFetch = () => answer(401);
    await exchange(a);
    endpoint.onFetch = () => undefined;
    expect((await exchange(a)).answer.status).toBe(200);
    expect(seen).toEqual(['HEAD', 'HEAD', pair(1)]);
  });

  test('ends when the last who waits for it gives up', async () => {
    const { exchange, endpoint, requests } = startHandshake(true);
    const impatient = new AbortController();
    endpoint.onFetch = () => {
      impatient.abort(new Error('no time'));
      return new Promise(() => undefined);
    };
    await expect(exchange(tokenOf('a'), { signal: impatient.signal })).rejects.toThrow('no time');
    expect(requests[0]?.signal?.aborted).toBe(true);
  });
});

describe('A refusal', () => {
  test.each([
    ['of a missing role, with no CSRF header', answer(403, '<html>')],
    ['of a missing role, with another CSRF header', answer(403, '', { 'x-csrf-token': 'abc' })],
    ['with the header but not 403', answer(401, '', { 'x-csrf-token': 'required' })],
  ])('%s is no demand for a token', async (_, refused) => {
    for (const required of [false, true]) {
      const { exchange, endpoint, calls } = startHandshake(required);
      endpoint.onMessage = () => refused;
      const exchanged = await exchange(tokenOf('a'));
      expect(exchanged).toEqual({ answer: refused, reachedFlow: true });
      expect(calls.count).toBe(1);
    }
  });

  test.each(['required', 'Required', 'REQUIRED'])('that says %s is one', async (word) => {
    const { exchange, endpoint, seen } = startHandshake(false);
    endpoint.onMessage = (index) => (index === 1 ? answer(403, '', { 'x-csrf-token': word }) : undefined);
    await exchange(tokenOf('a'));
    expect(seen).toEqual([BARE, 'HEAD', pair(1)]);
  });

  test.each([
    ['asked for', true, 2],
    ['found out', false, 3],
  ])('of a new token, too, ends the attempt, where it is %s', async (_, required, count) => {
    const { exchange, endpoint, calls, seen } = startHandshake(required);
    endpoint.onMessage = () => REQUIRED;
    await expect(exchange(tokenOf('a'))).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      executed: 'no',
      status: 403,
    });
    expect(calls.count).toBe(count);
    expect(seen.filter((line) => line === 'HEAD')).toHaveLength(2);
    expect(endpoint.ran).toBe(0);
  });
});
