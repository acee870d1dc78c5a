/** The whole relay on simulated time: some seeds of every kind, and that a seed always tells the same story. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Bundle, bundleRelay } from './bundle.ts';
import { drawPlan } from './draw.ts';
import { simulate } from './world.ts';

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleRelay();
});

const BLOCKS = Array.from({ length: 4 }, (_, block) => block * 25 + 1);

describe('Nothing is lost, nobody is overtaken, and no other rule is broken', () => {
  test.each(BLOCKS)('in 25 runs from seed %i', async (from) => {
    const broken: string[] = [];
    for (let seed = from; seed < from + 25; seed += 1) {
      const { ledger } = await simulate(drawPlan(seed), bundle);
      broken.push(...ledger.violations.map(({ rule, words }) => `seed ${seed}: ${rule}: ${words}`));
    }
    expect(broken).toEqual([]);
  });
});

test('The same seed tells the same story, line by line', async () => {
  const [one, other] = [await simulate(drawPlan(7), bundle), await simulate(drawPlan(7), bundle)];
  expect(one.trace.length).toBeGreaterThan(50);
  expect(one.trace).toEqual(other.trace);
});
