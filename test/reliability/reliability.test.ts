/** A small run of `run.ts`: every kind of fault at least once, a tenth of a minute, and all is accounted for. */
import { expect, test } from 'vitest';
import { TROUBLES } from './faults.ts';
import { runReliability } from './reliability.ts';

test('600 messages under faults of every kind are each delivered or a dead letter with a true reason, in order', {
  timeout: 90_000,
}, async () => {
  const result = await runReliability({ messages: 600, seed: 7, groups: 20, waveSize: 150, troubleMs: 200 });

  expect(result.lost).toEqual([]);
  expect(result.orderBroken).toEqual([]);
  expect(result.untold).toEqual([]);
  expect(result.untrue).toEqual([]);
  expect(result.sent).toBe(600);
  const deadLettered = Object.values(result.deadLetters).reduce((sum, count) => sum + count, 0);
  expect(result.delivered + deadLettered - result.duplicateLetters).toBe(600);
  expect([...result.broken.keys()], 'no invocation ended without a reply but by a kill').toEqual(
    result.broken.size === 0 ? [] : ['Runtime.ExitError'],
  );
  // Not each of them finds something to hit in so short a time, most do.
  expect(result.faults.size).toBeGreaterThanOrEqual(TROUBLES.length / 2 + 10);
});

test('300 messages over a cut-over under the same faults each run on the side that their sent time says', {
  timeout: 90_000,
}, async () => {
  const result = await runReliability({
    messages: 300,
    seed: 11,
    groups: 10,
    waveSize: 30,
    troubleMs: 200,
    cutover: true,
  });

  expect(result.sides?.wrong).toEqual([]);
  expect(result.sides?.old).toBeGreaterThan(30);
  expect(result.sides?.new).toBeGreaterThan(30);
  expect([result.lost, result.orderBroken, result.untold, result.untrue]).toEqual([[], [], [], []]);
});
