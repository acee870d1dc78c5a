/** The token for one endpoint: which answers another one might change, how often that is tried, when a pause begins. */

import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../functions/http/http.ts';
import { createEndpointToken } from '../../functions/relay/endpoint-token.ts';
import type { Outcome } from '../../functions/relay/outcome.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';
import { answer, EXCEPTION, STATUSES } from '../doubles/answer.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';
import { tokenOf, warmTokens } from '../doubles/token.ts';

const TEN_MINUTES_MS = 600_000;
const deadline = deadlineOf();
const exchangeOf = (response: HttpAnswer) => ({ answer: response, reachedFlow: true });
const blocked = (reason: string): Outcome => ({ kind: 'blocked', executed: 'no', reason, status: 401 });

/** An endpoint whose tokens come from here: `next` is the one to be had, and one renewed is always new. */
function start(next: Token = tokenOf('next')) {
  const clock = createSimulatedTime();
  const tokens = { next };
  let renewals = 0;
  const source = warmTokens({
    get: async () => tokens.next,
    renew: async () => {
      renewals += 1;
      return tokenOf(`renewed-${renewals}`);
    },
    peek: () => tokens.next,
  });
  const endpoint = createEndpointToken(source, clock.now);
  /** @param startedAt of the attempt; default: now */
  async function successor(response: HttpAnswer, token: Token, startedAt = clock.now()): Promise<string | undefined> {
    const other = await endpoint.another(exchangeOf(response), token, startedAt, deadline);
    return other?.accessToken;
  }
  /** Concludes the attempt with this token, as after a second 401. */
  function giveUp(token: Token, reason: string): void {
    endpoint.conclude(exchangeOf(answer(401)), token, blocked(reason));
  }
  return { clock, tokens, source, endpoint, successor, giveUp };
}

const fresh = tokenOf('fresh');
const expired = tokenOf('expired', { expiresAt: NOON });

/** What has no row stands: it is no matter of the token. */
const SUCCESSOR: Readonly<Record<number, string>> = { 401: 'next', 403: 'renewed-1' };

describe('An answer', () => {
  test.each(STATUSES)('an answer of %i to a good token has another sent if that may help', async (status) => {
    expect(await start().successor(answer(status), fresh)).toBe(SUCCESSOR[status]);
  });

  test.each(STATUSES)(
    'an answer of %i to an expired token means the same, except the 500 of old nodes',
    async (status) => {
      expect(await start().successor(answer(status), expired)).toBe(status === 500 ? 'next' : SUCCESSOR[status]);
    },
  );

  test.each<[string, Token, HttpAnswer, string | undefined]>([
    ['whose end nobody told', tokenOf('a', { expiresAt: NOON, expiryKnown: false }), answer(500), undefined],
    ['that ends in a moment', tokenOf('a', { expiresAt: NOON + 1 }), answer(500), undefined],
    ['that has expired, by a flow that has run', expired, answer(500, EXCEPTION), undefined],
    ['that has expired, with words of its own', expired, answer(500, '<html>Token expired</html>'), 'next'],
  ])('an answer of 500 is judged by the age of the token: %s', async (_, token, response, other) => {
    expect(await start().successor(response, token)).toBe(other);
  });

  test.each([
    ['before the attempt', -1, 'renewed-1'],
    ['as it began', 0, undefined],
    ['while it went on', 1, undefined],
  ] as const)('an answer of 403 is judged by the age of the token, issued %s: %s', async (_, ms, other) => {
    expect(await start().successor(answer(403), tokenOf('a', { issuedAt: NOON + ms }), NOON)).toBe(other);
  });
});

describe('New scopes are looked for', () => {
  test('new scopes are looked for by all who have the same token, however late they come', async () => {
    const { successor, clock } = start();
    for (const [afterMs, other] of [
      [0, 'renewed-1'],
      [1, 'renewed-2'],
      [TEN_MINUTES_MS / 2, 'renewed-3'],
    ] as const) {
      clock.advance(afterMs);
      expect(await successor(answer(403), fresh)).toBe(other);
    }
  });

  test('new scopes are looked for once in ten minutes', async () => {
    const { successor, clock } = start();
    expect(await successor(answer(403), fresh)).toBe('renewed-1');
    clock.advance(TEN_MINUTES_MS - 1);
    expect(await successor(answer(403), tokenOf('b'))).toBeUndefined();
    clock.advance(1);
    expect(await successor(answer(403), tokenOf('b'))).toBe('renewed-2');
  });

  test('new scopes are looked for at once after the clock was put back: a time to come counts as none', async () => {
    const { successor, clock } = start();
    expect(await successor(answer(403), fresh)).toBe('renewed-1');
    clock.advance(-1);
    expect(await successor(answer(403), tokenOf('b'))).toBe('renewed-2');
  });

  test('new scopes are looked for by each destination for itself', async () => {
    expect(await start().successor(answer(403), fresh)).toBe('renewed-1');
    expect(await start().successor(answer(403), fresh)).toBe('renewed-1');
  });

  test.each([
    ['9.999 s', 9_999, undefined],
    ['10 s', 10_000, 'renewed-1'],
  ] as const)(
    'new scopes are looked for by a destination %s after another has had their token renewed: %s',
    async (_, ms, other) => {
      const renewed = tokenOf('shared', { issuedAt: NOON });
      const one = createEndpointToken({ ...start().source, renew: async () => renewed }, () => NOON);
      expect(await one.another(exchangeOf(answer(403)), fresh, NOON, deadline)).toBe(renewed);
      const { successor, clock } = start();
      clock.advance(ms);
      expect(await successor(answer(403), renewed)).toBe(other);
      // It has not used up its ten minutes.
      clock.moveTo(NOON + 10_000);
      expect(await successor(answer(403), renewed)).toBe(other === undefined ? 'renewed-1' : 'renewed-2');
    },
  );

  test('new scopes are looked for after a 401, which does not use up the ten minutes', async () => {
    const { successor } = start();
    expect(await successor(answer(401), tokenOf('a'))).toBe('next');
    expect(await successor(answer(403), tokenOf('b'))).toBe('renewed-1');
  });
});

describe('A token that was rejected', () => {
  const access = (cert: string) => tokenOf('', { certificate: { cert, key: 'key', validUntil: NOON + 1 } });
  const bound = (text: string) => tokenOf(text, { certificate: { cert: 'one', key: 'key', validUntil: NOON + 1 } });

  test.each<[string, Token, Token, Token]>([
    ['its text, since the authorization server may give the very same again', tokenOf('a'), tokenOf('a'), tokenOf('b')],
    ['its certificate, where that stands in for a token', access('one'), access('one'), access('two')],
    ['its text, where it is bound to a certificate as the next one is', bound('a'), bound('a'), bound('b')],
  ])('a rejected token is recognised by %s', async (_, rejected, same, other) => {
    const { endpoint, tokens } = start(same);
    await expect(endpoint.another(exchangeOf(answer(401)), rejected, NOON, deadline)).rejects.toMatchObject({
      code: 'TOKEN_REJECTED',
    });
    const others = start(other);
    expect(await others.endpoint.another(exchangeOf(answer(401)), rejected, NOON, deadline)).toBe(other);
    expect(tokens.next).toBe(same);
  });

  test('a rejected token is not sent again by a later attempt: what comes in its place has no successor', async () => {
    const { endpoint, tokens, successor } = start();
    await successor(answer(401), tokenOf('a'));
    expect(await endpoint.get(deadline)).toEqual({ token: tokens.next, isLast: false });
    const kept = tokenOf('a');
    tokens.next = kept;
    const asked = endpoint.get(deadline);
    tokens.next = tokenOf('b');
    expect(await asked).toEqual({ token: tokens.next, isLast: true });
  });

  test('a rejected token is remembered until sixteen more were, so that memory stays bounded', async () => {
    const { endpoint, tokens, successor } = start();
    for (let n = 0; n <= 16; n += 1) await successor(answer(401), tokenOf(`token-${n}`));
    tokens.next = tokenOf('token-0');
    expect(await endpoint.get(deadline)).toMatchObject({ isLast: false });
    for (let n = 1; n <= 16; n += 1) {
      tokens.next = tokenOf(`token-${n}`);
      const asked = endpoint.get(deadline);
      tokens.next = tokenOf('another');
      expect(await asked).toMatchObject({ isLast: true });
    }
  });

  test('a rejected certificate may be tried again once the pause is over', async () => {
    const certificate = access('-----BEGIN CERTIFICATE-----\nMIIB');
    const { endpoint, clock, giveUp } = start(certificate);
    giveUp(certificate, 'why');
    clock.advance(30_000);
    expect(await endpoint.get(deadline)).toEqual({ token: certificate, isLast: false });
  });
});

describe('The end of an attempt', () => {
  test('a second rejection begins a pause, in which every message gets the same outcome', async () => {
    const { endpoint, clock, giveUp } = start();
    await endpoint.get(deadline);
    giveUp(fresh, 'why');
    clock.advance(29_999);
    await expect(endpoint.get(deadline)).rejects.toMatchObject({
      code: 'TOKEN_REJECTED',
      message: 'why',
      status: 401,
      executed: 'no',
    });
    clock.advance(1);
    expect((await endpoint.get(deadline)).isLast).toBe(false);
  });

  test('second rejections in a row double the pause, and one accepted token makes it short again', async () => {
    const { endpoint, clock, giveUp } = start();
    giveUp(fresh, 'first');
    clock.advance(30_000);
    giveUp(fresh, 'second');
    clock.advance(59_999);
    await expect(endpoint.get(deadline)).rejects.toThrow('second');
    endpoint.conclude(exchangeOf(answer(404)), fresh, blocked('no matter of the token'));
    expect((await endpoint.get(deadline)).isLast).toBe(false);
    giveUp(fresh, 'third');
    clock.advance(30_000);
    expect((await endpoint.get(deadline)).isLast).toBe(false);
  });

  test('a second rejection also ends a message that was on its way with the first token', async () => {
    const { tokens, successor, giveUp } = start();
    await successor(answer(401), tokenOf('a'));
    giveUp(tokens.next, 'the reason of the other');
    await expect(successor(answer(401), tokenOf('a'))).rejects.toMatchObject({
      code: 'TOKEN_REJECTED',
      message: 'the reason of the other',
    });
  });
});
