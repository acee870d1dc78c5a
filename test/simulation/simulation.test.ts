/** The whole relay on simulated time: hundreds of seeds, and that a seed always writes the same trace. */
import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Bundle, bundleRelay } from './bundle.ts';
import { drawPlan } from './draw.ts';
import { simulate } from './world.ts';

let bundle: Bundle;
beforeAll(async () => {
  bundle = await bundleRelay();
});

async function broken(seeds: readonly number[], messages: number): Promise<string[]> {
  const words: string[] = [];
  for (const seed of seeds) {
    const { ledger } = await simulate(drawPlan(seed, messages), bundle);
    words.push(...ledger.violations.map((one) => `seed ${seed} of ${messages}: ${one.rule}: ${one.words}`));
  }
  return words;
}

describe('No rule is broken', () => {
  test.each([1, 51, 101, 151])('no rule is broken in 50 runs of a dozen messages from seed %i', async (from) => {
    expect(
      await broken(
        [...Array(50).keys()].map((index) => from + index),
        12,
      ),
    ).toEqual([]);
  });

  test('no rule is broken in two runs of 300 messages', async () => {
    expect(await broken([301, 302], 300)).toEqual([]);
  });

  test('no rule is broken in runs that last for two weeks, where the blocked end as dead letters', async () => {
    for (const seed of [599, 644]) {
      const { ledger, lastedMs } = await simulate(drawPlan(seed, 40), bundle);
      expect(ledger.violations).toEqual([]);
      expect(lastedMs).toBeGreaterThanOrEqual(13 * 86_400_000);
      expect([...(ledger.counts['dead letters'] ?? [])].join()).toContain('blocked');
    }
  });
});

describe('The same seed tells the same story, line by line', () => {
  test('the same seed writes the same trace, line by line, in one process', async () => {
    const [one, other] = [await simulate(drawPlan(7), bundle), await simulate(drawPlan(7), bundle)];
    expect(one.trace.length).toBeGreaterThan(50);
    expect(one.trace).toEqual(other.trace);
  });

  test('the same seed writes the same trace, line by line, in another process', async () => {
    const { trace } = await simulate(drawPlan(8, 30), bundle);
    const run = [`${import.meta.dirname}/run.ts`, '--seed', '8', '--messages', '30'];
    const { stdout } = spawnSync(process.execPath, run, { encoding: 'utf8' });
    expect(stdout.trimEnd().split('\n')).toEqual(trace);
  });

  test('another seed writes another trace', async () => {
    const [one, other] = [await simulate(drawPlan(7), bundle), await simulate(drawPlan(8), bundle)];
    expect(one.trace).not.toEqual(other.trace);
  });
});

test('the counts add up: every accepted message is delivered, dead, or kept without a DLQ', async () => {
  for (let seed = 400; seed < 408; seed += 1) {
    const { ledger } = await simulate(drawPlan(seed, 30), bundle);
    const { accepted = 0, delivered = 0, dead = 0, kept = 0 } = Object.fromEntries(ledger.counts.messages ?? []);
    const keptAlone = ledger.messages.filter(({ accepted: is, runs, letters }) => is && runs.length + letters === 0);
    expect(delivered + dead + keptAlone.length).toBe(accepted);
    expect(keptAlone.length).toBeLessThanOrEqual(kept);
  }
});
