/**
 * An attempt beside its outcome: what was sent twice unasked, and rejections that end with a pause or for want of a
 * token.
 */

import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer } from '../../functions/http/http.ts';
import type { CallListeners } from '../../functions/relay/adapter/adapter.ts';
import { createEndpointToken } from '../../functions/relay/endpoint-token.ts';
import { relay } from '../../functions/relay/relay.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';
import { answer } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { messageOf } from '../doubles/message.ts';
import { createSimulatedTime } from '../doubles/time.ts';
import { tokenOf, warmTokens } from '../doubles/token.ts';

/** A route with these tokens, the last of which stays, and these answers. */
function start(tokens: readonly (Token | RelayError)[], answers: readonly HttpAnswer[]) {
  const [waiting, left] = [[...tokens], [...answers]];
  const clock = createSimulatedTime();
  let renewals = 0;
  const next = async (): Promise<Token> => {
    const token = waiting.length > 1 ? waiting.shift() : waiting[0];
    if (token === undefined || token instanceof RelayError) throw token ?? new Error('no token');
    return token;
  };
  const token = warmTokens({
    get: next,
    renew: () => {
      renewals += 1;
      return next();
    },
  });
  const route = {
    token: createEndpointToken(token, clock.now),
    adapter: {
      exchange: async (_message: unknown, _token: unknown, _deadline: unknown, { onCall, onResend }: CallListeners) => {
        onCall();
        const next = left.shift();
        if (next === undefined) throw new Error('one call too many');
        if ('resent' in next) onResend();
        return { answer: next, reachedFlow: true };
      },
    },
    now: clock.now,
  };
  return {
    clock,
    send: () => relay(messageOf(), route, deadlineOf()),
    renewals: () => renewals,
  };
}

describe('A call', () => {
  const again = { ...answer(200), resent: true };
  test.each([
    ['none', [answer(200)], false],
    ['the only one', [again], true],
    ['the first of two', [{ ...answer(401), resent: true }, answer(200)], true],
    ['the second of two', [answer(401), again], true],
    ['neither of two', [answer(401), answer(200)], false],
  ])('a call that a dead socket doubled is logged as such: %s', async (_, answers, resent) => {
    expect(await start([tokenOf('a'), tokenOf('b')], answers).send()).toMatchObject({ resent });
  });
});

describe('A 403 for whose token no newer one is to be had', () => {
  const same = tokenOf('a');

  test.each<[string, Token | RelayError]>([
    ['since the very same comes', tokenOf('a')],
    ['since none comes', new RelayError('TOKEN_UNAVAILABLE', 'down')],
  ])('a 403 without a newer token, %s, stands, and no newer one is looked for in ten minutes', async (_, successor) => {
    const { send, clock, renewals } = start([same, successor, same], Array(3).fill(answer(403)));
    expect((await send()).outcome).toMatchObject({ kind: 'blocked', status: 403 });
    clock.advance(599_999);
    expect((await send()).outcome).toMatchObject({ kind: 'blocked', status: 403 });
    expect(renewals()).toBe(1);
    clock.advance(1);
    await send();
    expect(renewals()).toBe(2);
  });
});
