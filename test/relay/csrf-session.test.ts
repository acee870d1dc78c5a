/** What an answer to the fetch of a CSRF token must hold to be a session, and the error where it is none. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { answer } from '../doubles/answer.ts';
import { tokenOf } from '../doubles/token.ts';
import { startHandshake } from './handshake.ts';
import { REQUIRED } from './protected-endpoint.ts';

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error('expected an error')),
    (error: unknown) => error,
  );

describe('A session', () => {
  test.each([200, 204, 299])('a session is opened by %i with a CSRF token', async (status) => {
    const { exchange, endpoint, requests } = startHandshake(true);
    endpoint.onFetch = () => answer(status, '', { 'x-csrf-token': 'other' });
    endpoint.onMessage = () => answer(200);
    await exchange(tokenOf('a'));
    expect(requests[1]?.headers).toMatchObject({ 'X-CSRF-Token': 'other' });
    expect(requests[1]?.headers).not.toHaveProperty('Cookie');
  });

  test('a session takes its cookies as they are, without what stands after and around them', async () => {
    const { exchange, endpoint, requests } = startHandshake(true);
    endpoint.onFetch = () =>
      answer(200, '', {
        'x-csrf-token': 'other',
        'set-cookie': ['a=1 ; Path=/; Secure', ' b=%20/+==', 'c="x y";HttpOnly'],
      });
    endpoint.onMessage = () => answer(200);
    await exchange(tokenOf('a'));
    expect(requests[1]?.headers.Cookie).toBe('a=1; b=%20/+==; c="x y"');
  });

  test('a session that the settings announced may be renewed by GET, once it was there', async () => {
    const { exchange, endpoint, seen } = startHandshake(true);
    await exchange(tokenOf('a'));
    seen.length = 0;
    endpoint.onFetch = (method) => (method === 'HEAD' ? answer(405) : undefined);
    await exchange(tokenOf('b'));
    expect(seen.slice(0, 2)).toEqual(['HEAD', 'GET']);
    expect(seen).toHaveLength(3);
  });
});

describe('What is told', () => {
  test.each([200, 299])(
    'an answer of %i without the demanded CSRF token says who must act, with the status',
    async (status) => {
      const { exchange, endpoint } = startHandshake(false);
      endpoint.onFetch = () => answer(status);
      const error = await errorOf(exchange(tokenOf('a')));
      expect(error).toMatchObject({ code: 'CSRF_UNAVAILABLE', status, executed: 'no' });
      expect(error).toHaveProperty(
        'message',
        'the endpoint demands a CSRF token and gives none when asked for one; the operator must check the sender channel',
      );
    },
  );

  test('a new CSRF token that is refused says who must act', async () => {
    const { exchange, endpoint } = startHandshake(false);
    endpoint.onMessage = () => REQUIRED;
    expect(await errorOf(exchange(tokenOf('a')))).toMatchObject({
      code: 'CONNECTION_FAILED',
      status: 403,
      message: 'the endpoint refused a new CSRF token, too: kept for a later try',
    });
  });

  test('a fetch without an answer says that the message has not gone out, and why', async () => {
    const { exchange, endpoint } = startHandshake(true);
    const reset = new RelayError('CONNECTION_FAILED', 'reset', { executed: 'unknown' });
    endpoint.onFetch = () => Promise.reject(reset);
    const error = await errorOf(exchange(tokenOf('a')));
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', message: 'reset', executed: 'no' });
    expect(error).toHaveProperty('cause', reset);
  });

  test('an error of the fetch that is not a RelayError is passed on unchanged', async () => {
    const { exchange, endpoint } = startHandshake(true);
    const bug = new TypeError('bug');
    endpoint.onFetch = () => Promise.reject(bug);
    expect(await errorOf(exchange(tokenOf('a')))).toBe(bug);
  });
});

test.each([200, 404, 500])('a %i to a message whose session was opened anew comes from the flow', async (status) => {
  const { exchange, endpoint, calls } = startHandshake(false);
  await exchange(tokenOf('a'));
  calls.count = 0;
  const identity = tokenOf('b');
  await exchange(identity);
  endpoint.endSessions();
  let messages = 0;
  endpoint.onMessage = () => (messages++ === 0 ? REQUIRED : answer(status));
  expect(await exchange(identity)).toMatchObject({ answer: { status }, reachedFlow: true });
});
