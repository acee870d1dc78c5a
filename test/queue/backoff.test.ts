/** How long a message that stays is out of sight: the table of numbers, at its edges and in between. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KeepReason, waitMs } from '../../functions/queue/backoff.ts';

const MINUTE_MS = 60_000;
const TWELVE_HOURS_MS = 43_200_000;
/** The greatest that a random number can be. */
const ALMOST_1 = 1 - Number.EPSILON;
const FRESH = { receiveCount: 1, sinceMs: 0 };

describe('After a failure', () => {
  test.each([
    { count: 1, leastMs: 1_000, mostMs: 2_000 },
    { count: 2, leastMs: 2_000, mostMs: 4_000 },
    { count: 3, leastMs: 4_000, mostMs: 8_000 },
    { count: 8, leastMs: 128_000, mostMs: 256_000 },
    { count: 9, leastMs: 256_000, mostMs: 512_000 },
    { count: 10, leastMs: 450_000, mostMs: 900_000 },
    { count: 11, leastMs: 450_000, mostMs: 900_000 },
    { count: 1_000, leastMs: 450_000, mostMs: 900_000 },
    { count: Number.MAX_SAFE_INTEGER, leastMs: 450_000, mostMs: 900_000 },
  ])('a message that failed waits after receive $count from $leastMs to $mostMs ms', ({ count, leastMs, mostMs }) => {
    const receive = { receiveCount: count, sinceMs: 0 };
    expect(waitMs('failed', { ...receive, random: 0 })).toBe(leastMs);
    expect(waitMs('failed', { ...receive, random: ALMOST_1 })).toBe(mostMs);
    expect(waitMs('failed', { ...receive, random: 0.5 })).toBe((leastMs + mostMs) / 2);
  });

  test.each([
    { what: 'a longer Retry-After holds', retryAfterMs: 30_000, waits: 30_000 },
    { what: 'a shorter one does not shorten', retryAfterMs: 500, waits: 2_000 },
    { what: 'one of nothing changes nothing', retryAfterMs: 0, waits: 2_000 },
    { what: 'one beyond the quarter of an hour holds', retryAfterMs: 3_600_000, waits: 3_600_000 },
    { what: 'one of a day is cut to what SQS takes', retryAfterMs: 86_400_000, waits: TWELVE_HOURS_MS - MINUTE_MS },
    { what: 'one without end is cut, too', retryAfterMs: Number.POSITIVE_INFINITY, waits: TWELVE_HOURS_MS - MINUTE_MS },
  ])('a message that failed waits by its Retry-After: $what', ({ retryAfterMs, waits }) => {
    expect(waitMs('failed', { ...FRESH, retryAfterMs, random: ALMOST_1 })).toBe(waits);
  });
});

test.each([
  { reason: 'blocked', leastMs: 15 * MINUTE_MS, mostMs: 30 * MINUTE_MS },
  { reason: 'not-dead-lettered', leastMs: 5 * MINUTE_MS, mostMs: 10 * MINUTE_MS },
  { reason: 'breaker', leastMs: 1_000, mostMs: 2_000 },
  { reason: 'breaker-blocked', leastMs: 15 * MINUTE_MS, mostMs: 30 * MINUTE_MS },
  { reason: 'deadline', leastMs: 2_000, mostMs: 4_000 },
  { reason: 'behind', leastMs: 0, mostMs: 0 },
] as const)('a message that is kept as "$reason" waits from $leastMs to $mostMs ms', ({ leastMs, mostMs, reason }) => {
  expect(waitMs(reason, { ...FRESH, random: 0 })).toBe(leastMs);
  expect(waitMs(reason, { ...FRESH, random: ALMOST_1 })).toBe(mostMs);
});

describe('Whatever the reason', () => {
  const kept: fc.Arbitrary<{ reason: KeepReason; retryAfterMs?: number }> = fc.oneof(
    fc
      .constantFrom<KeepReason>(
        'failed',
        'blocked',
        'not-dead-lettered',
        'breaker',
        'breaker-blocked',
        'deadline',
        'behind',
      )
      .map((reason) => ({ reason })),
    fc.double({ min: 0, noNaN: true }).map((retryAfterMs) => ({ reason: 'failed' as const, retryAfterMs })),
  );
  const count = fc.oneof(
    fc.integer({ min: 1, max: 20 }),
    fc.maxSafeNat().map((number) => number + 1),
  );
  const sinceMs = fc.oneof(fc.integer({ min: 0, max: 900_000 }), fc.integer({ min: 0, max: 2 * TWELVE_HOURS_MS }));
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test('a wait is a whole number of milliseconds that SQS takes, within twelve hours less 60 s of the receive', () => {
    fc.assert(
      fc.property(kept, count, sinceMs, random, ({ reason, retryAfterMs }, receiveCount, since, chance) => {
        const wait = waitMs(reason, { receiveCount, sinceMs: since, retryAfterMs, random: chance });
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(Math.max(0, TWELVE_HOURS_MS - since - MINUTE_MS));
      }),
    );
  });

  test('a wait in whole seconds, rounded up as SQS gets it, is still within the twelve hours', () => {
    fc.assert(
      fc.property(kept, count, sinceMs, random, ({ reason, retryAfterMs }, receiveCount, since, chance) => {
        const seconds = Math.ceil(
          waitMs(reason, { receiveCount, sinceMs: since, retryAfterMs, random: chance }) / 1000,
        );
        expect(seconds).toBeLessThanOrEqual(43_200);
        if (since <= TWELVE_HOURS_MS - MINUTE_MS) expect(since + seconds * 1000).toBeLessThanOrEqual(TWELVE_HOURS_MS);
      }),
    );
  });

  test('a failure waits at least its Retry-After, and longer with each receive, up to 15 minutes', () => {
    fc.assert(
      fc.property(count, fc.integer({ min: 0, max: 40_000_000 }), random, (receives, retryAfterMs, chance) => {
        const wait = waitMs('failed', { receiveCount: receives, sinceMs: 0, retryAfterMs, random: chance });
        const longest = Math.min(900_000, 2_000 * 2 ** (receives - 1));
        expect(wait).toBeGreaterThanOrEqual(Math.max(retryAfterMs, longest / 2));
        expect(wait).toBeLessThanOrEqual(Math.max(retryAfterMs, longest));
      }),
    );
  });

  test('messages that failed together are spread: another random number, another wait', () => {
    for (const reason of [
      'failed',
      'blocked',
      'not-dead-lettered',
      'breaker',
      'breaker-blocked',
      'deadline',
    ] as const) {
      const waits = Array.from({ length: 100 }, (_, index) =>
        waitMs(reason, { receiveCount: 5, sinceMs: 0, random: index / 100 }),
      );
      expect(new Set(waits).size).toBe(100);
    }
  });
});
