/**
 * What holds of a warm token whatever comes in whichever order: getting, rejections by the endpoint, expiry, failing
 * renewals, rotations of the secret, callers without time. The rules themselves stand in `warm-token-model.ts`.
 */
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { Answered, Rotated } from './held-server.ts';
import { createWarmTokenModel, SHORTEST_LIFE_SECONDS, type WarmTokenModel } from './warm-token-model.ts';

type Model = Record<string, never>;

type Part = (system: WarmTokenModel) => void | Promise<void>;
interface NamedPart {
  readonly name: string;
  readonly part: Part;
}

const which = fc.nat({ max: 9 });
const lifetimeSeconds = fc.oneof(
  fc.constantFrom(SHORTEST_LIFE_SECONDS, 600, 3_600, 43_199),
  fc.integer({ min: SHORTEST_LIFE_SECONDS, max: 7_200 }),
);
const named = (name: string, part: Part): NamedPart => ({ name, part });

const get = fc.constant(named('get', (system) => system.get()));
const reject = which.map((n) => named(`reject ${n}`, (system) => system.reject(n)));
const giveUp = which.map((n) => named(`give up ${n}`, (system) => system.giveUp(n)));
const endInvocation = fc.constant(named('end the invocation', (system) => system.endInvocation()));
const rotate = fc
  .constantFrom<Rotated>('at both ends', 'at the server', 'in the store')
  .map((where) => named(`rotate ${where}`, (system) => system.rotate(where)));
const answer = fc
  .tuple(
    fc.oneof(
      { weight: 5, arbitrary: fc.constant<Answered>('as it decides') },
      { weight: 2, arbitrary: fc.constantFrom<Answered>('down', 'cut off', 'slow down') },
    ),
    lifetimeSeconds,
  )
  .map(([how, seconds]) => named(`answer ${how}, ${seconds} s`, (system) => system.answer(how, seconds)));

const atOnce = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: get },
    { weight: 6, arbitrary: answer },
    { weight: 3, arbitrary: reject },
    { weight: 1, arbitrary: giveUp },
    { weight: 1, arbitrary: endInvocation },
    { weight: 1, arbitrary: rotate },
  ),
  { minLength: 1, maxLength: 4 },
);
const pass = fc
  .oneof(
    fc.integer({ min: 1, max: 3_000 }),
    fc.constantFrom(27_000, 29_999, 30_000, 54_000, 60_000, 300_000, 1_800_000, 3_540_000),
    fc.integer({ min: 1, max: 7_200_000 }),
  )
  .map((ms) => [named(`${ms} ms pass`, (system) => system.pass(ms))]);

/** Ways that are often gone, part after part. */
const answered = (how: Answered) => named(`answer ${how}`, (system) => system.answer(how, 3_600));
const passing = (ms: number) => named(`${ms} ms pass`, (system) => system.pass(ms));
const [had, renewed, outage] = [
  [named('get', (system) => system.get()), answered('as it decides')],
  [passing(1_980_000), named('get', (system) => system.get()), answered('as it decides')],
  [
    named('get', (system) => system.get()),
    ...Array.from({ length: 5 }, () => [answered('down'), passing(9_000)]).flat(),
  ],
];
const way = fc.constantFrom(had, had, renewed, outage).map((parts) => parts ?? []);

/** @param between what happens between the parts: all that is due, or nothing */
const command =
  (between: (system: WarmTokenModel) => Promise<void>) =>
  (parts: readonly NamedPart[]): fc.AsyncCommand<Model, WarmTokenModel> => ({
    check: () => true,
    async run(_, system) {
      for (const { part } of parts) {
        await part(system);
        await between(system);
      }
      await system.settleDown();
    },
    toString: () => parts.map(({ name }) => name).join(' + '),
  });
const together = command(async () => undefined);
const inTurns = command((system) => system.settleDown());

const commands = fc.commands<Model, WarmTokenModel, false>(
  [atOnce.map(together), pass.map(together), way.map(inTurns)],
  { maxCommands: 40, size: 'max' },
);

describe('Whatever comes in whichever order', () => {
  /**
   * Never two token requests at once. Nobody who asks after a rejection gets that token. A 401 for one token, a renewal
   * that fails and a caller that gives up leave another token in use, at once. Nobody asks for a token while a good one
   * is at hand, but for its renewal, not before 45 % of its life and 30 s after the last. After a refusal nobody is
   * asked and no secret is read for 30 s. One load makes at most four tries with a secret, and tries at most three.
   * Mints: one, one for each rejection of the token in use, for each new version of the secret and for each caller or
   * invocation that gave a load up; else one each 27 s, which is 45 % of the shortest life here. In the end all are
   * answered, and with both ends well there is a token.
   */
  test('a token is requested when it must be, and only then, whatever comes in whichever order', async () => {
    await fc.assert(
      fc.asyncProperty(commands, fc.double({ min: 0, max: 0.999, noNaN: true }), async (sequence, random) => {
        const system = createWarmTokenModel(() => random);
        await fc.asyncModelRun(() => ({ model: {}, real: system }), sequence);
        await system.heal();
      }),
      { numRuns: 1_000, timeout: 5_000 },
    );
  });
});
