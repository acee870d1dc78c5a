/** What an endpoint has against a token: which answers a new one might change, how often that is tried, when it is not. */
import { describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../functions/http-client.ts';
import { createRejections, type Verdict } from '../../functions/relay/rejection.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';
import { answer, EXCEPTION, NOON, tokenOf } from './http-answer.ts';

const TEN_MINUTES_MS = 600_000;

function start() {
  const clock = { ms: NOON };
  const rejections = createRejections(() => clock.ms);
  /** @param startedAt of the attempt; default: now */
  const verdict = (response: HttpAnswer, token: Token, startedAt = clock.ms) =>
    rejections.verdict({ answer: response, reachedFlow: true }, token, startedAt);
  return { clock, rejections, verdict };
}

const fresh = tokenOf('fresh');
const expired = tokenOf('expired', { expiresAt: NOON });

/** What has no row is `accepted`: it is no matter of the token. */
const MEANING: Readonly<Record<number, Verdict>> = { 401: 'rejected', 403: 'stale' };
const statuses = Array.from({ length: 500 }, (_, index) => 100 + index);

describe('An answer', () => {
  test.each(statuses)('of %i says of a token that is good what it says', (status) => {
    expect(start().verdict(answer(status), fresh)).toBe(MEANING[status] ?? 'accepted');
  });

  test.each(statuses)('of %i says the same of one that has expired, but for the 500 of old runtime nodes', (status) => {
    const said = status === 500 ? 'rejected' : (MEANING[status] ?? 'accepted');
    expect(start().verdict(answer(status), expired)).toBe(said);
  });

  test.each<[string, Token, HttpAnswer, Verdict]>([
    ['whose end nobody told', tokenOf('a', { expiresAt: NOON, expiryKnown: false }), answer(500), 'accepted'],
    ['that ends in a moment', tokenOf('a', { expiresAt: NOON + 1 }), answer(500), 'accepted'],
    ['that has expired, by a flow that has run', expired, answer(500, EXCEPTION), 'accepted'],
    ['that has expired, with words of its own', expired, answer(500, '<html>Token expired</html>'), 'rejected'],
  ])('of 500 to a token %s', (_, token, response, verdict) => {
    expect(start().verdict(response, token)).toBe(verdict);
  });

  test.each([
    ['before the attempt', -1, 'stale'],
    ['as it began', 0, 'accepted'],
    ['while it went on', 1, 'accepted'],
  ] as const)('of 403 to a token that was issued %s: %s', (_, ms, verdict) => {
    expect(start().verdict(answer(403), tokenOf('a', { issuedAt: NOON + ms }), NOON)).toBe(verdict);
  });
});

describe('New scopes are looked for', () => {
  test('once for all who carry the same token, however late they come', () => {
    const { verdict, clock } = start();
    for (const afterMs of [0, 1, 0, TEN_MINUTES_MS / 2]) {
      clock.ms += afterMs;
      expect(verdict(answer(403), fresh)).toBe('stale');
    }
  });

  test('with no other token for ten minutes', () => {
    const { verdict, clock } = start();
    expect(verdict(answer(403), fresh)).toBe('stale');
    clock.ms += TEN_MINUTES_MS - 1;
    expect(verdict(answer(403), tokenOf('next'))).toBe('accepted');
    clock.ms += 1;
    expect(verdict(answer(403), tokenOf('next'))).toBe('stale');
  });

  test('for each destination by itself', () => {
    expect(start().verdict(answer(403), fresh)).toBe('stale');
    expect(start().verdict(answer(403), fresh)).toBe('stale');
  });

  test('where a 401 did not use up the ten minutes', () => {
    const { verdict } = start();
    expect(verdict(answer(401), tokenOf('a'))).toBe('rejected');
    expect(verdict(answer(403), tokenOf('b'))).toBe('stale');
  });
});

describe('A token that was rejected', () => {
  test('is known by its text, since the authorization server may hand out the very same again', () => {
    const { rejections } = start();
    rejections.add(tokenOf('a'));
    expect([rejections.has(tokenOf('a')), rejections.has(tokenOf('b'))]).toEqual([true, false]);
  });

  test('is known by its certificate, where that stands in for a token', () => {
    const { rejections } = start();
    const access = (cert: string) => tokenOf('', { certificate: { cert, key: 'key', validUntil: NOON + 1 } });
    rejections.add(access('one'));
    expect([rejections.has(access('one')), rejections.has(access('two')), rejections.has(tokenOf(''))]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('is known by its text, where it is bound to a certificate: the next one is bound to the same', () => {
    const { rejections } = start();
    const bound = (text: string) => tokenOf(text, { certificate: { cert: 'one', key: 'key', validUntil: NOON + 1 } });
    rejections.add(bound('a'));
    expect([rejections.has(bound('a')), rejections.has(bound('b'))]).toEqual([true, false]);
    expect([rejections.isSame(bound('a'), bound('a')), rejections.isSame(bound('a'), bound('b'))]).toEqual([
      true,
      false,
    ]);
  });

  test('is remembered until sixteen more were, so that nothing grows without end', () => {
    const { rejections } = start();
    for (let n = 0; n <= 16; n += 1) rejections.add(tokenOf(`token-${n}`));
    expect(rejections.has(tokenOf('token-0'))).toBe(false);
    for (let n = 1; n <= 16; n += 1) expect(rejections.has(tokenOf(`token-${n}`))).toBe(true);
  });
});

describe('The end of the ladder', () => {
  test('begins a pause, in which everyone is told the same', () => {
    const { rejections, clock } = start();
    rejections.assertOpen();
    const refusal = rejections.giveUp('why');
    expect(refusal).toMatchObject({ code: 'TOKEN_REJECTED', message: 'why', status: 401, executed: 'no' });
    clock.ms += 29_999;
    expect(() => rejections.assertOpen()).toThrow(refusal);
    clock.ms += 1;
    expect(() => rejections.assertOpen()).not.toThrow();
  });

  test('in a row doubles it, and one token that was accepted makes it short again', () => {
    const { rejections, clock } = start();
    rejections.giveUp('first');
    clock.ms += 30_000;
    rejections.giveUp('second');
    clock.ms += 59_999;
    expect(() => rejections.assertOpen()).toThrow('second');
    rejections.accepted();
    expect(() => rejections.assertOpen()).not.toThrow();
    rejections.giveUp('third');
    clock.ms += 30_000;
    expect(() => rejections.assertOpen()).not.toThrow();
  });
});
