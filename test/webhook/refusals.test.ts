/** What verification turns away: logged in one line a minute, in fixed words, and counted each time. */

import { describe, expect, test } from 'vitest';
import type { TurnedAway } from '../../functions/webhook/admission.ts';
import { createRefusals } from '../../functions/webhook/refusals.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';

const WRONG: TurnedAway = { destination: 'orders', verify: 'basic', why: 'wrong-credentials' };

function start() {
  const clock = createSimulatedTime();
  const counted: string[] = [];
  const lines: object[] = [];
  const refusals = createRefusals(
    { turnedAway: ({ destination }) => counted.push(destination), refused: (line) => lines.push(line) },
    clock.now,
  );
  /** So many, one every so often, each an invocation of its own. */
  function knock(times: number, everyMs: number, turnedAway = WRONG): void {
    for (let n = 0; n < times; n += 1) {
      refusals.note(turnedAway);
      refusals.logDue();
      clock.advance(everyMs);
    }
  }
  return { clock, counted, lines, refusals, knock };
}

describe('The line', () => {
  test('the first refusal is logged at once', () => {
    const { knock, lines } = start();
    knock(1, 0);
    expect(lines).toEqual([{ destination: 'orders', count: 1, verify: 'basic', why: 'wrong-credentials' }]);
  });

  test('the refusals of a minute are one line, and each of them is counted', () => {
    const { knock, lines, counted } = start();
    knock(1_201, 100);
    expect(lines).toMatchObject([{ count: 1 }, { count: 600 }, { count: 600 }]);
    expect(counted).toHaveLength(1_201);
  });

  test('the last refusals are logged at the end of the next invocation, whatever that was', () => {
    const { knock, lines, clock, refusals } = start();
    knock(5, 1_000);
    clock.moveTo(NOON + 59_999);
    refusals.logDue();
    expect(lines).toMatchObject([{ count: 1 }]);
    clock.advance(1);
    refusals.logDue();
    expect(lines).toMatchObject([{ count: 1 }, { count: 4 }]);
    clock.advance(600_000);
    refusals.logDue();
    expect(lines, 'and nothing is told of nothing').toHaveLength(2);
  });

  test('a refusal is logged at once again after a quiet minute', () => {
    const { knock, lines } = start();
    knock(2, 60_000);
    expect(lines).toMatchObject([{ count: 1 }, { count: 1 }]);
  });

  test('refusals are logged for each destination, and in one line for all unknown names', () => {
    const { knock, lines, counted } = start();
    knock(2, 0);
    knock(2, 0, { destination: 'invoices', verify: 'hmac', why: 'timestamp' });
    knock(3, 0, {});
    expect(lines).toEqual([
      { destination: 'orders', count: 1, verify: 'basic', why: 'wrong-credentials' },
      { destination: 'invoices', count: 1, verify: 'hmac', why: 'timestamp' },
      { destination: 'unknown', count: 1 },
    ]);
    expect(counted).toEqual(['orders', 'orders', 'invoices', 'invoices', 'unknown', 'unknown', 'unknown']);
  });

  test('the line of refusals names every kind and reason in it, the most frequent first', () => {
    const { knock, lines } = start();
    knock(1, 0);
    knock(1, 0, { ...WRONG, why: 'no-credentials' });
    knock(4, 0, { destination: 'orders', verify: 'hmac', why: 'wrong-signature' });
    knock(2, 60_000);
    expect(lines[1]).toEqual({
      destination: 'orders',
      count: 7,
      verify: 'hmac, basic',
      why: 'wrong-signature, wrong-credentials, no-credentials',
    });
  });
});
