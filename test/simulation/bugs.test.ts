/** Bugs that are planted into the relay: each breaks a rule, at the seed that was the first to find it. */
import { expect, test } from 'vitest';
import { BUG_MESSAGES, BUGS } from './bugs.ts';
import { bundleRelay } from './bundle.ts';
import { drawPlan } from './draw.ts';
import { shrink, withRest } from './shrink.ts';
import { commandOf, story } from './story.ts';
import { simulate } from './world.ts';

const FOUND = BUGS.map((bug) => [bug.name, bug.seed, bug] as const);
// Runs of two weeks take their time on a machine that is busy.
test.each(FOUND)('the simulation finds the planted bug %s by seed %i', { timeout: 120_000 }, async (_, seed, bug) => {
  const plan = drawPlan(seed, bug.messages ?? BUG_MESSAGES, bug.isLong);
  const { ledger } = await simulate(plan, await bundleRelay(bug.patches));
  expect(bug.rules).toContain(ledger.violations[0]?.rule);
});

test('a patch that does not fit is refused, so that no bug is planted in vain', async () => {
  const patch = { file: 'functions/warm/warm.ts', find: 'what is not there', replace: '' };
  await expect(bundleRelay([patch])).rejects.toThrow('is there 0 times');
});

test('a broken run is shrunk to the messages and faults that it takes, with the command for it', async () => {
  const bug = BUGS.find(({ name }) => name === 'keeps what was delivered');
  const bundle = await bundleRelay(bug?.patches);
  const plan = drawPlan(1, BUG_MESSAGES);
  const { rest, outcome } = await shrink(plan, bundle, await simulate(plan, bundle));
  expect(rest.arrivals).toHaveLength(1);
  expect(rest.faults).toEqual([]);
  const command = commandOf(1, { rest, messages: BUG_MESSAGES, bug: bug?.name });
  expect(command).toBe(
    `npm run simulate -- --seed 1 --messages 40 --faults none --arrivals ${rest.arrivals} --bug "keeps what was delivered"`,
  );
  const words = story(withRest(plan, rest), outcome, command).join('\n');
  expect(words).toContain('what was taken is acknowledged');
  expect(words).toContain('1 messages, 0 faults');
});
