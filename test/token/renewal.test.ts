/** Renewal ahead: when it is due, that nobody waits for it, and that a token is never given up because it fails. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { answer, granted } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { NOON, turn } from '../doubles/time.ts';
import { createAuthorization } from './authorization.ts';
import { jwtWanted, relayError } from './clients.ts';

const HALF_HOUR_MS = 1_800_000;

describe('A token is renewed ahead', () => {
  test.each([
    [0, 0.45],
    [0.25, 0.475],
    [0.5, 0.5],
    [0.999_999, 0.549_999_9],
  ])('a token is renewed ahead, with the random number %d, at %d of its life', async (random, part) => {
    const { token, clock, requests } = createAuthorization({ random: () => random });
    await token.get();
    clock.moveTo(NOON + 3_600_000 * part - 1);
    await token.get();
    await turn();
    expect(requests).toHaveLength(1);
    clock.advance(2);
    expect((await token.get()).accessToken).toBe('token-1');
    await turn();
    expect(requests).toHaveLength(2);
    expect((await token.get()).accessToken).toBe('token-2');
  });

  test('a token is renewed ahead at half of the time that it is used, where that is less than its life', async () => {
    const authorization = createAuthorization({ wanted: { ...jwtWanted, maxLifetimeMs: 600_000 } });
    const { token, clock, requests } = authorization;
    authorization.respond = (_, index) => granted(`token-${index}`, { expires_in: 43_199 });
    await token.get();
    clock.moveTo(NOON + 300_000);
    await token.get();
    await turn();
    expect(requests).toHaveLength(2);
  });

  test('a token is renewed ahead once for all who ask meanwhile, and none of them waits', async () => {
    const authorization = createAuthorization();
    const { token, clock, requests } = authorization;
    const first = await token.get();
    authorization.respond = () => new Promise(() => undefined);
    clock.advance(HALF_HOUR_MS);
    const got = await Promise.all(Array.from({ length: 50 }, () => token.get()));
    expect(new Set(got)).toEqual(new Set([first]));
    await turn();
    expect(requests).toHaveLength(2);
    expect(token.renewing()).toBeInstanceOf(Promise);
  });

  test('a token is renewed ahead within the time that is left of its invocation', async () => {
    const { token, clock, requests } = createAuthorization();
    await token.get();
    clock.advance(HALF_HOUR_MS);
    await token.get(deadlineOf(7_000));
    await token.renewing();
    expect(requests[1]).toMatchObject({ timeoutMs: 7_000 });
  });

  test('a token is renewed ahead with the secret in memory, which is not read again for that', async () => {
    const { token, clock, counts } = createAuthorization();
    await token.get();
    clock.advance(HALF_HOUR_MS);
    await token.get();
    await token.renewing();
    expect(counts).toEqual({ secretReads: 1, previousReads: 0, onRequest: 2 });
  });
});

describe('A renewal that fails', () => {
  async function failed(status = 503) {
    const authorization = createAuthorization();
    const first = await authorization.token.get();
    authorization.respond = () => answer(status);
    authorization.clock.advance(HALF_HOUR_MS);
    await authorization.token.get();
    await authorization.token.renewing();
    return { ...authorization, authorization, first };
  }

  test('a renewal that fails keeps the token that is still good, and is reported', async () => {
    const { token, first, renewalFailures } = await failed();
    expect(await token.get()).toBe(first);
    expect(renewalFailures.map((error) => relayError(error).code)).toEqual(['TOKEN_UNAVAILABLE']);
  });

  test('a renewal that fails is begun again 30 s after it began, at the earliest', async () => {
    const { authorization, token, clock, requests } = await failed();
    authorization.respond = () => granted('renewed', { expires_in: 3600 });
    const before = requests.length;
    clock.moveTo(NOON + HALF_HOUR_MS + 29_999);
    await token.get();
    await turn();
    expect(requests).toHaveLength(before);
    clock.advance(1);
    await token.get();
    await token.renewing();
    expect(requests).toHaveLength(before + 1);
    expect((await token.get()).accessToken).toBe('renewed');
  });

  test('a renewal that fails is reported as a RelayError, whatever it was', async () => {
    const authorization = createAuthorization();
    await authorization.token.get();
    authorization.respond = () => Promise.reject(new RelayError('CONNECTION_FAILED', 'reset'));
    authorization.clock.advance(HALF_HOUR_MS);
    await authorization.token.get();
    await authorization.token.renewing();
    expect(authorization.renewalFailures).toMatchObject([{ code: 'TOKEN_UNAVAILABLE' }]);
  });

  test('a renewal that is refused leaves the token in use, and is not begun again while the pause lasts', async () => {
    const { token, first, clock, counts, renewalFailures } = await failed(401);
    expect(counts).toEqual({ secretReads: 2, previousReads: 1, onRequest: 2 });
    clock.advance(29_999);
    expect(await token.get()).toBe(first);
    await turn();
    expect(counts.onRequest).toBe(2);
    clock.advance(1);
    expect(await token.get()).toBe(first);
    await token.renewing();
    expect(counts).toMatchObject({ previousReads: 2, onRequest: 3 });
    // The second refusal's pause is a minute, longer than renewals are apart.
    clock.advance(59_999);
    expect(await token.get()).toBe(first);
    await turn();
    expect(counts.onRequest).toBe(3);
    // Nor is it reported again: what is not begun cannot fail.
    expect(renewalFailures).toHaveLength(2);
  });

  test('a renewal that is refused keeps the good token, even if the secret cannot be read after that', async () => {
    const authorization = createAuthorization();
    const { token, clock, renewalFailures } = authorization;
    const first = await token.get();
    authorization.secret = new RelayError('SECRET_UNAVAILABLE', 'not now');
    authorization.respond = () => answer(401, { error: 'invalid_client' });
    clock.advance(HALF_HOUR_MS);
    expect(await token.get()).toBe(first);
    await token.renewing();
    expect(renewalFailures).toMatchObject([{ code: 'SECRET_UNAVAILABLE' }]);
    expect(await token.get()).toBe(first);
  });

  test('a renewal that fails does not let the token live beyond its margin', async () => {
    const { token, clock } = await failed();
    clock.moveTo(NOON + 3_600_000 - 60_000);
    await expect(token.get()).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE' });
  });
});

test('a renewal that is ended with its invocation keeps the token, and counts as failed', async () => {
  const authorization = createAuthorization();
  const { token, clock, renewalFailures } = authorization;
  const first = await token.get();
  authorization.respond = ({ signal }) =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new RelayError('DEADLINE', 'over'))));
  clock.advance(HALF_HOUR_MS);
  await token.get();
  await turn();
  const renewing = token.renewing();
  token.abortRenewal();
  await renewing;
  expect(renewalFailures).toMatchObject([{ code: 'DEADLINE' }]);
  expect(await token.get()).toBe(first);
  expect(authorization.requests[1]?.signal?.aborted).toBe(true);
});
