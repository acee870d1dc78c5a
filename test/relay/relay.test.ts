/** The story of one message: how often a token is got and forgotten, and how often the message goes out, on each path. */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer } from '../../functions/http-client.ts';
import type { Adapter } from '../../functions/relay/adapter/https.ts';
import type { Message } from '../../functions/relay/message.ts';
import { relay } from '../../functions/relay/relay.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';
import { answer, deadlineOf, messageOf, NOON, tokenOf } from './http-answer.ts';

/** An answer; one to the fetch of a CSRF token; or an error, thrown before or after the message went out. */
type Step = HttpAnswer | { fetch: HttpAnswer } | RelayError | { sent: RelayError };

interface Told {
  readonly got: number;
  readonly forgotten: string[];
  readonly sentWith: string[];
}

/** Runs one message over tokens and answers that come in this order. */
async function run(tokens: readonly (string | RelayError)[], steps: readonly Step[]) {
  const forgotten: string[] = [];
  const sentWith: string[] = [];
  const messages = new Set<Message>();
  let got = 0;
  const token = {
    get: async (): Promise<Token> => {
      const next = tokens[got++];
      if (next === undefined) throw new Error('one token too many was asked for');
      if (next instanceof RelayError) throw next;
      return tokenOf(next);
    },
    forget: ({ accessToken }: Token) => void forgotten.push(accessToken),
  };
  const left = [...steps];
  const adapter: Adapter = {
    async exchange(message, { accessToken }, _deadline, onCall) {
      messages.add(message);
      const step = left.shift();
      if (step === undefined) throw new Error('one call too many');
      if (step instanceof RelayError) throw step;
      if ('fetch' in step) return { answer: step.fetch, reachedFlow: false };
      onCall();
      sentWith.push(accessToken);
      if ('sent' in step) throw step.sent;
      return { answer: step, reachedFlow: true };
    },
  };
  const attempt = await relay(messageOf(), { token, adapter, now: () => NOON }, deadlineOf());
  expect(left).toHaveLength(0);
  expect(messages.size).toBeLessThanOrEqual(1);
  return { ...attempt, told: { got, forgotten, sentWith } satisfies Told };
}

const refused = new RelayError('TOKEN_REFUSED', 'refused', { status: 401 });
const reset = new RelayError('CONNECTION_FAILED', 'reset', { executed: 'unknown' });
const outOfTime = new RelayError('DEADLINE', 'no time');

type Row = readonly [
  name: string,
  tokens: readonly (string | RelayError)[],
  steps: readonly Step[],
  expected: readonly [kind: string, executed: string, got: number, forgotten: string[], sentWith: string[]],
];

const paths: readonly Row[] = [
  ['delivered at once', ['a'], [answer(200)], ['delivered', 'yes', 1, [], ['a']]],
  ['a 401 that a new token heals', ['a', 'b'], [answer(401), answer(202)], ['delivered', 'yes', 2, ['a'], ['a', 'b']]],
  ['a second 401', ['a', 'b'], [answer(401), answer(401)], ['blocked', 'no', 2, ['a'], ['a', 'b']]],
  ['a 401, then a 500', ['a', 'b'], [answer(401), answer(500)], ['failed', 'unknown', 2, ['a'], ['a', 'b']]],
  ['a 401, then a 403', ['a', 'b'], [answer(401), answer(403)], ['blocked', 'no', 2, ['a'], ['a', 'b']]],
  ['a 401, then a 400', ['a', 'b'], [answer(401), answer(400)], ['rejected', 'unknown', 2, ['a'], ['a', 'b']]],
  ['a 401, and the very same token again', ['a', 'a'], [answer(401)], ['blocked', 'no', 2, ['a', 'a'], ['a']]],
  ['a 401, and no new token', ['a', refused], [answer(401)], ['blocked', 'no', 2, ['a'], ['a']]],
  ['a 401, and no time for a new token', ['a', outOfTime], [answer(401)], ['failed', 'no', 2, ['a'], ['a']]],
  ['a 401, then a reset', ['a', 'b'], [answer(401), { sent: reset }], ['failed', 'unknown', 2, ['a'], ['a', 'b']]],
  ['no token', [refused], [], ['blocked', 'no', 1, [], []]],
  ['a reset', ['a'], [{ sent: reset }], ['failed', 'unknown', 1, [], ['a']]],
  ['a message that cannot be sent', ['a'], [new RelayError('MESSAGE_INVALID', 'no')], ['rejected', 'no', 1, [], []]],
  ['a role that is missing', ['a'], [answer(403)], ['blocked', 'no', 1, [], ['a']]],
  ['a server error', ['a'], [answer(500)], ['failed', 'unknown', 1, [], ['a']]],
  ['a redirect', ['a'], [answer(302)], ['blocked', 'unknown', 1, [], ['a']]],
  [
    'a 401 to the fetch of a CSRF token, healed',
    ['a', 'b'],
    [{ fetch: answer(401) }, answer(200)],
    ['delivered', 'yes', 2, ['a'], ['b']],
  ],
  [
    'a 401 to both fetches',
    ['a', 'b'],
    [{ fetch: answer(401) }, { fetch: answer(401) }],
    ['blocked', 'no', 2, ['a'], []],
  ],
  ['a 403 to the fetch', ['a'], [{ fetch: answer(403) }], ['blocked', 'no', 1, [], []]],
  ['a 500 to the fetch', ['a'], [{ fetch: answer(500) }], ['failed', 'no', 1, [], []]],
];

describe('On the path', () => {
  test.each(paths)('%s', async (_, tokens, steps, [kind, executed, got, forgotten, sentWith]) => {
    const { outcome, calls, told } = await run(tokens, steps);
    expect(outcome).toMatchObject({ kind, executed });
    expect(told).toEqual({ got, forgotten, sentWith });
    expect(calls).toBe(sentWith.length);
  });
});

describe('An attempt tells', () => {
  test('the age of the token that went out last', async () => {
    expect(await run(['a'], [answer(200)])).toMatchObject({ tokenAgeMs: 60_000 });
  });

  test('no age where no token was to be had', async () => {
    expect(await run([refused], [])).not.toHaveProperty('tokenAgeMs');
  });

  test('how long to wait, as the answer asked', async () => {
    const { outcome } = await run(['a'], [answer(429, '', { 'retry-after': '7' })]);
    expect(outcome).toMatchObject({ kind: 'failed', retryAfterMs: 7_000 });
  });

  test('how long to wait, as the token endpoint asked', async () => {
    const busy = new RelayError('TOKEN_UNAVAILABLE', 'busy', { status: 429, retryAfterMs: 9_000 });
    const { outcome } = await run([busy], []);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'TOKEN_UNAVAILABLE', retryAfterMs: 9_000 });
  });

  test('who must act where the very same token comes again', async () => {
    const { outcome } = await run(['a', 'a'], [answer(401)]);
    expect(outcome).toMatchObject({
      code: 'TOKEN_REFUSED',
      status: 401,
      reason: expect.stringContaining('the operator must check that the client is registered for this runtime node'),
    });
  });

  test('an outcome even where something is thrown that nobody foresaw', async () => {
    const { outcome } = await run(['a'], []).catch(() => ({ outcome: undefined }));
    expect(outcome).toMatchObject({
      kind: 'failed',
      executed: 'unknown',
      reason: expect.stringContaining('unexpected Error'),
    });
  });
});

test('The deadline’s signal goes to whoever gets the token', async () => {
  const { signal } = new AbortController();
  const signals: unknown[] = [];
  const token = {
    get: async (given?: AbortSignal) => {
      signals.push(given);
      return tokenOf(String(signals.length));
    },
    forget: () => undefined,
  };
  const adapter: Adapter = { exchange: async () => ({ answer: answer(401), reachedFlow: true }) };
  await relay(messageOf(), { token, adapter, now: () => NOON }, deadlineOf(1_000, signal));
  expect(signals).toEqual([signal, signal]);
});
