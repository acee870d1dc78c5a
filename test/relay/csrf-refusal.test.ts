/** Messages that are refused: what of it is the demand for a CSRF token, and what comes of a second one. */
import { describe, expect, test } from 'vitest';
import { answer } from '../doubles/answer.ts';
import { tokenOf } from '../doubles/token.ts';
import { BARE, startHandshake } from './handshake.ts';
import { pair, REQUIRED } from './protected-endpoint.ts';

describe('A refusal', () => {
  test.each([
    ['of a missing role, with no CSRF header', answer(403, '<html>')],
    ['of a missing role, with another CSRF header', answer(403, '', { 'x-csrf-token': 'abc' })],
    ['with the header but not 403', answer(401, '', { 'x-csrf-token': 'required' })],
  ])('a 403 %s is no demand for a CSRF token', async (_, refused) => {
    for (const required of [false, true]) {
      const { exchange, endpoint, calls } = startHandshake(required);
      endpoint.onMessage = () => refused;
      const exchanged = await exchange(tokenOf('a'));
      expect(exchanged).toEqual({ answer: refused, reachedFlow: true });
      expect(calls.count).toBe(1);
    }
  });

  test.each(['required', 'Required', 'REQUIRED'])('a 403 that says %s demands a CSRF token', async (word) => {
    const { exchange, endpoint, seen } = startHandshake(false);
    endpoint.onMessage = (index) => (index === 1 ? answer(403, '', { 'x-csrf-token': word }) : undefined);
    await exchange(tokenOf('a'));
    expect(seen).toEqual([BARE, 'HEAD', pair(1)]);
  });

  test.each([
    ['asked for', true, 2],
    ['found out', false, 3],
  ])('a refusal of a new CSRF token, too, ends the attempt, where it is %s', async (_, required, count) => {
    const { exchange, endpoint, calls, seen } = startHandshake(required);
    endpoint.onMessage = () => REQUIRED;
    await expect(exchange(tokenOf('a'))).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      executed: 'no',
      status: 403,
    });
    expect(calls.count).toBe(count);
    expect(seen.filter((line) => line === 'HEAD')).toHaveLength(2);
    expect(endpoint.ran).toBe(0);
  });

  test('a refused new CSRF token is not kept: the next message fetches another one first', async () => {
    const { exchange, endpoint, seen } = startHandshake(true);
    const a = tokenOf('a');
    endpoint.onMessage = () => REQUIRED;
    await expect(exchange(a)).rejects.toMatchObject({ status: 403 });
    seen.length = 0;
    endpoint.onMessage = () => undefined;
    await exchange(a);
    expect(seen).toEqual(['HEAD', pair(3)]);
  });
});
