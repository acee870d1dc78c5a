/** What holds of a warm value whatever comes in whichever order; the rules themselves stand in `model.ts`. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Command, run } from './model.ts';

const which = fc.nat({ max: 7 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Command>({ type: 'get' }) },
  { weight: 4, arbitrary: fc.constant<Command>({ type: 'get with signal' }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('abort' as const), which }) },
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('settle' as const), which, as: fc.constantFrom('value', 'failure') }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('forget' as const), which }) },
  { weight: 1, arbitrary: fc.constant<Command>({ type: 'expire' }) },
  { weight: 6, arbitrary: fc.constant<Command>({ type: 'turn' }) },
);

describe('Whatever comes in whichever order', () => {
  test('one load is in flight at most, no failure is kept, nothing forgotten comes back, nobody waits in vain', async () => {
    await fc.assert(fc.asyncProperty(fc.array(command, { maxLength: 40 }), run), { numRuns: 2_000 });
  });

  test.each<[string, Command[]]>([
    ['nothing', []],
    ['a value', [{ type: 'get' }, { type: 'turn' }, { type: 'settle', which: 0, as: 'value' }, { type: 'turn' }]],
    [
      'one given up and one that joins at the same moment',
      [{ type: 'get with signal' }, { type: 'turn' }, { type: 'abort', which: 0 }, { type: 'get' }, { type: 'turn' }],
    ],
    [
      'one given up before its load has begun',
      [{ type: 'get with signal' }, { type: 'abort', which: 0 }, { type: 'get' }, { type: 'turn' }],
    ],
  ])('the rules hold for %s', async (_, commands) => {
    await expect(run(commands)).resolves.toBeUndefined();
  });
});
