/** Tokens that an endpoint has rejected: a 500 that means it, and what the messages after it are spared. */

import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../functions/http/http.ts';
import type { Adapter } from '../../functions/relay/adapter/adapter.ts';
import { createEndpointToken } from '../../functions/relay/endpoint-token.ts';
import { relay } from '../../functions/relay/relay.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';
import type { Warm } from '../../functions/warm/warm.ts';
import { answer, EXCEPTION } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { messageOf } from '../doubles/message.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';
import { tokenOf, warmTokens } from '../doubles/token.ts';
import { keptEndpoint } from './kept-endpoint.ts';
import { type RunOptions, run, told } from './run.ts';

describe('A 500 from before the flow, for a token that has expired,', () => {
  const expired: RunOptions = { tokenFields: { expiresAt: NOON } };

  test('a 500 from before the flow, for an expired token, counts as a 401, and a new token follows', async () => {
    const { outcome, told: seen } = await run(['a', 'b'], [answer(500), answer(200)], expired);
    expect(outcome.kind).toBe('delivered');
    expect(seen).toEqual(told(2, ['a'], ['a', 'b']));
  });

  test.each<[string, HttpAnswer, RunOptions]>([
    ['names the log of a flow that has run', answer(500, EXCEPTION), expired],
    ['comes a moment before its end', answer(500), { tokenFields: { expiresAt: NOON + 1 } }],
    ['comes where nobody told its end', answer(500), { tokenFields: { expiresAt: NOON, expiryKnown: false } }],
    ['is a 502', answer(502), expired],
  ])('a 500 for an expired token does not count as a 401 where it %s', async (_, response, options) => {
    const { outcome, told: seen } = await run(['a'], [response], options);
    expect(outcome).toMatchObject({ kind: 'failed', executed: 'unknown' });
    expect(seen).toEqual(told(1, [], ['a']));
  });
});

describe('The messages after one', () => {
  test('messages after a second 401 ask for no token and make no call, for half a minute', async () => {
    const clock = createSimulatedTime();
    const now = clock.now;
    const options = { now, endpoint: keptEndpoint(now) };
    const { outcome: blocked } = await run(['a', 'b'], [answer(401), answer(401)], options);
    clock.advance(29_999);
    const after = await run([], [], options);
    expect(after).toMatchObject({ calls: 0, told: told(0, [], []) });
    expect(after.outcome).toMatchObject({ kind: 'blocked', code: 'TOKEN_REJECTED', executed: 'no', status: 401 });
    expect(after.outcome).toHaveProperty('reason', (blocked as { reason: string }).reason);
    clock.advance(1);
    expect((await run(['c'], [answer(200)], options)).outcome.kind).toBe('delivered');
  });

  test('messages after a rejected token do not send it: the next token is requested at once', async () => {
    const options = { endpoint: keptEndpoint() };
    await run(['a', 'b'], [answer(401), answer(200)], options);
    // A destination with the same credentials, which takes the token, may have kept it warm.
    const { outcome, told: seen } = await run(['a', 'b'], [answer(200)], options);
    expect(outcome.kind).toBe('delivered');
    expect(seen).toEqual(told(2, ['a'], ['b']));
  });

  test('messages after a missing role ask for no further token, for ten minutes', async () => {
    const clock = createSimulatedTime();
    const now = clock.now;
    const options = { now, endpoint: keptEndpoint(now) };
    await run(['a', 'b'], [answer(403), answer(403)], options);
    clock.advance(599_999);
    const { told: seen } = await run(['b'], [answer(403)], options);
    expect(seen).toEqual(told(1, [], ['b']));
    clock.advance(1);
    await run(['b', 'c'], [answer(403), answer(200)], options);
  });
});

describe('A token that stays in use, since another was given up a moment ago,', () => {
  /** Of a warm token whose `forget` does nothing for ten seconds. */
  function keeping(token: Token): Warm<Token> {
    const never = () => Promise.reject(new Error('not asked for'));
    return warmTokens({ get: async () => token, renew: never, peek: () => token });
  }

  test('a rejected token that stays in use keeps the message, and the next one is not sent with it', async () => {
    const token = createEndpointToken(keeping(tokenOf('a')), () => NOON);
    let calls = 0;
    const adapter: Adapter = {
      async exchange(_message, _token, _deadline, { onCall }) {
        calls += 1;
        onCall();
        return { answer: answer(401), reachedFlow: true };
      },
    };
    const route = { token, adapter, now: () => NOON };
    for (const sent of [1, 0]) {
      const attempt = await relay(messageOf(), route, deadlineOf());
      expect(attempt).toMatchObject({
        calls: sent,
        outcome: { kind: 'failed', code: 'TOKEN_POSTPONED', executed: 'no', status: 401, retryAfterMs: 10_000 },
      });
    }
    expect(calls).toBe(1);
  });
});
