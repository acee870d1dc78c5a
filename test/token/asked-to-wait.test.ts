/**
 * What a token endpoint asks us to wait: beyond the invocation it is a pause for all, and no refusal's pause grows by
 * it.
 */

import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { readTokenResponse } from '../../functions/token/token-endpoint.ts';
import { createPause } from '../../functions/warm/pause.ts';
import { answer, granted } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';
import { createAuthorization } from './authorization.ts';
import { cf, jwtWanted } from './clients.ts';

describe('A Retry-After that is longer than the invocation', () => {
  test.each([
    [120, 120],
    [300, 300],
    [3_600, 300],
  ])(
    'a Retry-After of %i s, longer than the invocation, keeps requests away for %i s',
    async (askedSeconds, pausedSeconds) => {
      const authorization = createAuthorization();
      const { token, clock, counts } = authorization;
      authorization.respond = () => answer(429, '', { 'retry-after': String(askedSeconds) });
      const first = await token.get(deadlineOf(30_000)).catch((error: unknown) => error);
      expect(first).toMatchObject({ code: 'TOKEN_UNAVAILABLE', retryAfterMs: askedSeconds * 1000 });
      clock.advance(pausedSeconds * 1000 - 1);
      await expect(token.get(deadlineOf(30_000))).rejects.toBe(first);
      expect(counts.onRequest).toBe(1);
      authorization.respond = () => granted('then', { expires_in: 3_600 });
      clock.advance(1);
      expect((await token.get(deadlineOf(30_000))).accessToken).toBe('then');
      expect(counts).toMatchObject({ secretReads: 1, onRequest: 2 });
    },
  );

  test('a Retry-After longer than the invocation does not make the pause after the next refusal longer', () => {
    const clock = createSimulatedTime(0);
    const pause = createPause(clock.now);
    pause.open(new Error('slow down'), 5_000);
    clock.advance(5_000);
    pause.open(new Error('refused'));
    clock.advance(29_999);
    expect(pause.current()?.message).toBe('refused');
    clock.advance(1);
    expect(pause.current()).toBeUndefined();
  });
});

test.each([
  ['true', true],
  ['a list', [60]],
  ['nothing', null],
])('an expires_in of %s does not count: the token is used for an hour', (_, expires_in) => {
  const { issuedAt, expiresAt } = readTokenResponse(granted('a', { expires_in }), cf, jwtWanted, NOON);
  expect(expiresAt - issuedAt).toBe(3_600_000);
});

test('an error that is not a RelayError is passed on unchanged and begins no pause', async () => {
  const authorization = createAuthorization();
  const bug = new TypeError('bug');
  const broken = answer(200);
  Object.defineProperty(broken, 'status', {
    get: () => {
      throw bug;
    },
  });
  authorization.respond = () => broken;
  await expect(authorization.token.get()).rejects.toBe(bug);
  authorization.secret = new RelayError('SECRET_UNAVAILABLE', 'not now');
  authorization.respond = () => granted('healed', { expires_in: 3_600 });
  expect((await authorization.token.get()).accessToken).toBe('healed');
});
