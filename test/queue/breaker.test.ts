/** When a batch stops: five in a row that failed or were blocked, and nothing between them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBreaker } from '../../functions/queue/breaker.ts';

type Kind = Parameters<ReturnType<typeof createBreaker>['record']>[0];
const LETTERS: Readonly<Record<string, Kind>> = { d: 'delivered', r: 'rejected', f: 'failed', b: 'blocked' };

function after(outcomes: string) {
  const breaker = createBreaker();
  for (const letter of outcomes) breaker.record(LETTERS[letter] ?? 'delivered');
  return breaker;
}

test.each([
  { outcomes: '', isOpen: false },
  { outcomes: 'ffff', isOpen: false },
  { outcomes: 'fffff', isOpen: true },
  { outcomes: 'bbbbb', isOpen: true },
  { outcomes: 'fbfbf', isOpen: true },
  { outcomes: 'ffffdf', isOpen: false },
  { outcomes: 'ffffrf', isOpen: false },
  { outcomes: 'ffffrfffff', isOpen: true },
  { outcomes: 'fffffff', isOpen: true },
  { outcomes: 'fffffd', isOpen: false },
  { outcomes: 'fffffr', isOpen: false },
  { outcomes: 'fffffdffff', isOpen: false },
])('the breaker is open after "$outcomes": $isOpen', ({ outcomes, isOpen }) => {
  expect(after(outcomes).isOpen).toBe(isOpen);
});

test('the breaker is open exactly while the last five were all failed or blocked', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('d', 'r', 'f', 'b'), { maxLength: 40 }), (outcomes) => {
      const tail = /[fb]*$/.exec(outcomes.join(''))?.[0] ?? '';
      expect(after(outcomes.join('')).isOpen).toBe(tail.length >= 5);
    }),
  );
});

test.each([
  { outcomes: 'fffff', isBlocked: false },
  { outcomes: 'bbbbb', isBlocked: true },
  { outcomes: 'bbbbf', isBlocked: false },
  { outcomes: 'ffffb', isBlocked: true },
  { outcomes: 'fffffb', isBlocked: true },
  { outcomes: 'bbbbbrfffff', isBlocked: false },
])('the breaker is open after "$outcomes", and an operator must act first: $isBlocked', ({ outcomes, isBlocked }) => {
  expect(after(outcomes)).toMatchObject({ isOpen: true, isBlocked });
});

test('each destination has its own breaker', () => {
  const other = createBreaker();
  expect(after('fffff').isOpen).toBe(true);
  expect(other.isOpen).toBe(false);
});
