/**
 * The story of one message: how often a token is got and forgotten, and how often the message goes out, on each path.
 */

import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { Adapter } from '../../functions/relay/adapter/adapter.ts';
import { createEndpointToken } from '../../functions/relay/endpoint-token.ts';
import { relay } from '../../functions/relay/relay.ts';
import { answer } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { messageOf } from '../doubles/message.ts';
import { NOON } from '../doubles/time.ts';
import { tokenOf, warmTokens } from '../doubles/token.ts';
import { run, type Step, type Told, told } from './run.ts';

const refused = new RelayError('TOKEN_REFUSED', 'refused', { status: 401 });
const reset = new RelayError('CONNECTION_FAILED', 'reset', { executed: 'unknown' });
const outOfTime = new RelayError('DEADLINE', 'no time');

type Row = readonly [
  name: string,
  tokens: readonly (string | RelayError)[],
  steps: readonly Step[],
  kind: string,
  executed: string,
  told: Told,
];

const paths: readonly Row[] = [
  ['delivered at once', ['a'], [answer(200)], 'delivered', 'yes', told(1, [], ['a'])],
  ['a 401 healed', ['a', 'b'], [answer(401), answer(202)], 'delivered', 'yes', told(2, ['a'], ['a', 'b'])],
  ['a second 401', ['a', 'b'], [answer(401), answer(401)], 'blocked', 'no', told(2, ['a', 'b'], ['a', 'b'])],
  ['a 401, then a 500', ['a', 'b'], [answer(401), answer(500)], 'failed', 'unknown', told(2, ['a'], ['a', 'b'])],
  ['a 401, then a 403', ['a', 'b'], [answer(401), answer(403)], 'blocked', 'no', told(2, ['a'], ['a', 'b'])],
  ['a 401, then a 400', ['a', 'b'], [answer(401), answer(400)], 'rejected', 'unknown', told(2, ['a'], ['a', 'b'])],
  ['a 401, and the very same token again', ['a', 'a'], [answer(401)], 'blocked', 'no', told(2, ['a'], ['a'])],
  ['a 401, and no new token', ['a', refused], [answer(401)], 'blocked', 'no', told(2, ['a'], ['a'])],
  ['a 401, and no time for a new token', ['a', outOfTime], [answer(401)], 'failed', 'no', told(2, ['a'], ['a'])],
  ['a 401, then a reset', ['a', 'b'], [answer(401), { sent: reset }], 'failed', 'unknown', told(2, ['a'], ['a', 'b'])],
  ['no token', [refused], [], 'blocked', 'no', told(1, [], [])],
  ['a reset', ['a'], [{ sent: reset }], 'failed', 'unknown', told(1, [], ['a'])],
  [
    'a message that cannot be sent',
    ['a'],
    [new RelayError('MESSAGE_INVALID', 'no')],
    'rejected',
    'no',
    told(1, [], []),
  ],
  [
    'a 403 healed by new scopes',
    ['a', 'b'],
    [answer(403), answer(200)],
    'delivered',
    'yes',
    told(1, [], ['a', 'b'], 1),
  ],
  ['a role that is missing', ['a', 'b'], [answer(403), answer(403)], 'blocked', 'no', told(1, [], ['a', 'b'], 1)],
  ['a 403, and the very same token again', ['a', 'a'], [answer(403)], 'blocked', 'no', told(1, [], ['a'], 1)],
  ['a 403, then a 401', ['a', 'b'], [answer(403), answer(401)], 'blocked', 'no', told(1, ['b'], ['a', 'b'], 1)],
  ['a 403, and no new token', ['a', refused], [answer(403)], 'blocked', 'no', told(1, [], ['a'], 1)],
  ['a server error', ['a'], [answer(500)], 'failed', 'unknown', told(1, [], ['a'])],
  ['a redirect', ['a'], [answer(302)], 'blocked', 'unknown', told(1, [], ['a'])],
  [
    'a 401 to the fetch of a CSRF token, healed',
    ['a', 'b'],
    [{ fetch: answer(401) }, answer(200)],
    'delivered',
    'yes',
    told(2, ['a'], ['b']),
  ],
  [
    'a 401 to both fetches',
    ['a', 'b'],
    [{ fetch: answer(401) }, { fetch: answer(401) }],
    'blocked',
    'no',
    told(2, ['a', 'b'], []),
  ],
  [
    'a 403 to both fetches',
    ['a', 'b'],
    [{ fetch: answer(403) }, { fetch: answer(403) }],
    'blocked',
    'no',
    told(1, [], [], 1),
  ],
  ['a 500 to the fetch', ['a'], [{ fetch: answer(500) }], 'failed', 'no', told(1, [], [])],
];

describe('On the path', () => {
  test.each(paths)('the token policy decides by the answer: %s', async (_, tokens, steps, kind, executed, expected) => {
    const { outcome, calls, told } = await run(tokens, steps);
    expect(outcome).toMatchObject({ kind, executed });
    expect(told).toEqual(expected);
    expect(calls).toBe(expected.sentWith.length);
  });
});

describe('An attempt tells', () => {
  test('an attempt reports the age of the token that went out last', async () => {
    expect(await run(['a'], [answer(200)])).toMatchObject({ tokenAgeMs: 60_000 });
  });

  test('an attempt reports the token’s age even where the second token was rejected, too', async () => {
    expect(await run(['a', 'b'], [answer(401), answer(401)])).toMatchObject({ calls: 2, tokenAgeMs: 60_000 });
  });

  test('an attempt reports no token age where there was no token', async () => {
    expect(await run([refused], [])).not.toHaveProperty('tokenAgeMs');
  });

  test('an attempt reports how long to wait, as the answer asked', async () => {
    const { outcome } = await run(['a'], [answer(429, '', { 'retry-after': '7' })]);
    expect(outcome).toMatchObject({ kind: 'failed', retryAfterMs: 7_000 });
  });

  test('an attempt reports how long to wait, as the token endpoint asked', async () => {
    const busy = new RelayError('TOKEN_UNAVAILABLE', 'busy', { status: 429, retryAfterMs: 9_000 });
    const { outcome } = await run([busy], []);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'TOKEN_UNAVAILABLE', retryAfterMs: 9_000 });
  });

  test('an attempt says who must act where the very same token comes again', async () => {
    const { outcome } = await run(['a', 'a'], [answer(401)]);
    expect(outcome).toMatchObject({
      code: 'TOKEN_REJECTED',
      status: 401,
      reason: expect.stringContaining('the operator must check that the client is registered for this runtime node'),
    });
  });

  test('an attempt has an outcome even where something is thrown that nobody foresaw', async () => {
    const { outcome } = await run(['a'], []).catch(() => ({ outcome: undefined }));
    expect(outcome).toMatchObject({
      kind: 'failed',
      executed: 'unknown',
      reason: expect.stringContaining('unexpected Error'),
    });
  });
});

test('the deadline goes to whoever gets or renews the token, and to whoever makes the call', async () => {
  const deadline = deadlineOf(1_000);
  const given: unknown[] = [];
  const noted =
    (name: string) =>
    async (...values: unknown[]) => {
      given.push(name, values.at(-1));
      return tokenOf(String(given.length));
    };
  const renewed = noted('renew');
  const token = warmTokens({
    get: noted('get'),
    renew: (_old, ...rest) => renewed(...rest),
  });
  const answers = [answer(403), answer(401)];
  const adapter: Adapter = {
    async exchange(_message, _token, atCall) {
      given.push('call', atCall);
      return { answer: answers.shift() ?? answer(200), reachedFlow: true };
    },
  };
  const now = () => NOON;
  await relay(messageOf(), { token: createEndpointToken(token, now), adapter, now }, deadline);
  await relay(messageOf(), { token: createEndpointToken(token, now), adapter, now }, deadline);
  expect(given.filter((_, index) => index % 2 === 0)).toEqual(['get', 'call', 'renew', 'call', 'get', 'call']);
  for (const value of given.filter((_, index) => index % 2 === 1)) expect(value).toBe(deadline);
});
