/** Which token requests are repeated within an invocation, how often, and how long is waited: SAP's table. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { retryDelayMs } from '../../functions/token/retry.ts';
import { answer, granted } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import { neo, relayError } from './clients.ts';

const reset = new RelayError('CONNECTION_FAILED', 'reset', { executed: 'unknown' });
const failing = (status: number | undefined, headers: Record<string, string> = {}) =>
  status === undefined ? () => Promise.reject(reset) : () => answer(status, '', headers);

async function codeOf({ token }: Authorization): Promise<string> {
  return token.get().then(
    () => 'none',
    (error) => relayError(error).code,
  );
}

/** Waits of Cloud Foundry, in milliseconds; on Neo the first of them is all. */
const rows: readonly (readonly [string, number | undefined, Record<string, string>, readonly number[]])[] = [
  ['no answer', undefined, {}, [300, 600, 1_200]],
  ['408', 408, {}, [300, 600, 1_200]],
  ['502', 502, {}, [300, 600, 1_200]],
  ['504', 504, {}, [300, 600, 1_200]],
  ['500', 500, {}, [1_000, 3_000, 9_000]],
  ['503', 503, {}, [1_000, 3_000, 9_000]],
  ['503 with seconds that are longer than the first two waits', 503, { 'retry-after': '7' }, [7_000, 7_000, 9_000]],
  ['503 with 0 seconds', 503, { 'retry-after': '0' }, [1_000, 3_000, 9_000]],
  ['500, which has no Retry-After', 500, { 'retry-after': '7' }, [1_000, 3_000, 9_000]],
  ['429 without Retry-After', 429, {}, [1_000, 3_000, 9_000]],
  ['429 with seconds', 429, { 'retry-after': '7' }, [7_000, 7_000, 7_000]],
  ['429 with 0 seconds', 429, { 'retry-after': '0' }, [0, 0, 0]],
];

describe('A token request is repeated', () => {
  test.each(rows)(
    'a token request is repeated three times on Cloud Foundry after %s',
    async (_, status, headers, waits) => {
      const authorization = createAuthorization();
      authorization.respond = failing(status, headers);
      expect(await codeOf(authorization)).toBe('TOKEN_UNAVAILABLE');
      expect(authorization.waits).toEqual(waits);
      expect(authorization.counts).toMatchObject({ secretReads: 1, onRequest: 4 });
    },
  );

  test.each(rows)('a token request is repeated once on Neo after %s', async (_, status, headers, waits) => {
    const authorization = createAuthorization();
    authorization.secret = neo;
    authorization.respond = failing(status, headers);
    expect(await codeOf(authorization)).toBe('TOKEN_UNAVAILABLE');
    expect(authorization.waits).toEqual(waits.slice(0, 1));
    expect(authorization.counts.onRequest).toBe(2);
  });

  test('a token request is repeated after 429 with a date, at that date', async () => {
    const authorization = createAuthorization();
    const date = new Date(authorization.clock.now() + 5_000).toUTCString();
    authorization.respond = (_, index) =>
      index === 1 ? answer(429, '', { 'retry-after': date }) : granted('then', { expires_in: 3600 });
    expect((await authorization.token.get()).accessToken).toBe('then');
    expect(authorization.waits).toEqual([5_000]);
  });

  test('a token request is repeated until it brings a token', async () => {
    const authorization = createAuthorization();
    authorization.respond = (_, index) => (index < 4 ? answer(500) : granted('last', { expires_in: 3600 }));
    expect((await authorization.token.get()).accessToken).toBe('last');
    expect(authorization.counts.onRequest).toBe(4);
  });

  test('a token request is repeated after the wait that each answer asks for, however they differ', async () => {
    const authorization = createAuthorization();
    const [unavailable, limited] = [answer(503), answer(429, '', { 'retry-after': '2' })];
    const answers = [unavailable, limited, answer(504), unavailable];
    authorization.respond = (_, index) => answers[index - 1] ?? answer(400);
    await codeOf(authorization);
    expect(authorization.waits).toEqual([1_000, 2_000, 1_200]);
  });
});

describe('A token request is not repeated', () => {
  test.each([301, 400, 403, 404, 405, 415])('a token request is not repeated after %i', async (status) => {
    const authorization = createAuthorization();
    authorization.respond = () => answer(status);
    await codeOf(authorization);
    expect(authorization.waits).toEqual([]);
    expect(authorization.counts.onRequest).toBe(1);
  });

  test.each([501, 505, 599])('a token request is not repeated after %i, of which SAP says nothing', async (status) => {
    const authorization = createAuthorization();
    authorization.respond = () => answer(status);
    expect(await codeOf(authorization)).toBe('TOKEN_UNAVAILABLE');
    expect(authorization.counts.onRequest).toBe(1);
  });

  test.each([
    ['less than the wait and the call’s own ten seconds', 10_299, 1],
    ['exactly these', 10_300, 2],
    ['more', 60_000, 4],
  ])(
    'a token request is not repeated where the invocation leaves %s (%d ms): %d requests',
    async (_, remainingMs, requests) => {
      const authorization = createAuthorization();
      const endsAt = authorization.clock.now() + remainingMs;
      authorization.respond = failing(504);
      const remaining = { remainingMs: () => endsAt - authorization.clock.now(), signal: new AbortController().signal };
      await expect(authorization.token.get(remaining)).rejects.toMatchObject({ code: 'TOKEN_UNAVAILABLE' });
      expect(authorization.counts.onRequest).toBe(requests);
    },
  );

  test('a token request is not repeated by those who join: all who wait share the repetitions', async () => {
    const authorization = createAuthorization();
    authorization.respond = failing(503);
    await Promise.all(Array.from({ length: 20 }, () => codeOf(authorization)));
    expect(authorization.counts.onRequest).toBe(4);
  });

  test.each(['TOKEN_REFUSED', 'TOKEN_RESPONSE_INVALID', 'CERTIFICATE_EXPIRED', 'DEADLINE'] as const)(
    'a token request is not repeated after %s, whatever its status',
    (code) => {
      for (const status of [undefined, 408, 429, 503]) {
        const error = new RelayError(code, 'why', status === undefined ? {} : { status });
        expect(retryDelayMs(error, 0, 'cf')).toBeUndefined();
      }
    },
  );
});

test('the wait before a repeated token request ends with the invocation, and the request is not repeated', async () => {
  const authorization = createAuthorization();
  const abort = new AbortController();
  authorization.respond = () => {
    queueMicrotask(() => abort.abort(new RelayError('DEADLINE', 'over')));
    return answer(503);
  };
  const asked = authorization.token.get(deadlineOf(60_000, abort.signal));
  await expect(asked).rejects.toMatchObject({ code: 'DEADLINE' });
  expect(authorization.counts.onRequest).toBe(1);
});
