/** What holds of a warm value whatever comes in whichever order; the rules themselves stand in `model.ts`. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Command, command } from './command.ts';
import { run } from './model.ts';

const get: Command = { type: 'get' };
const getWithSignal: Command = { type: 'get with signal' };
const turn: Command = { type: 'turn' };
const settled = (as: 'value' | 'failure'): Command => ({ type: 'settle', which: 0, as });
const abort: Command = { type: 'abort', which: 0 };
const renewing: readonly Command[] = [get, turn, settled('value'), turn, { type: 'fall due' }, get, turn];

describe('Whatever comes in whichever order', () => {
  test('one load at most is in flight, no failure is kept, nothing forgotten returns, all waits end', async () => {
    await fc.assert(fc.asyncProperty(fc.array(command, { maxLength: 40 }), run), { numRuns: 2_000 });
  });

  test.each<[string, readonly Command[]]>([
    ['nothing', []],
    ['a value', [get, turn, settled('value'), turn]],
    ['one given up and one that joins at the same moment', [getWithSignal, turn, abort, get, turn]],
    ['one given up before its load has begun', [getWithSignal, abort, get, turn]],
    ['a renewal', [...renewing, settled('value'), turn, get, turn]],
    ['a renewal that fails, and one too early after it', [...renewing, settled('failure'), turn, get, turn]],
    ['a renewal that is forgotten under those who join it', [...renewing, { type: 'forget', which: 0 }, get, turn]],
    ['a renewal that is ended under one who waits', [...renewing, { type: 'renew' }, { type: 'end invocation' }, turn]],
    ['a renewal that is ended, and comes after all', [...renewing, { type: 'end invocation' }, settled('value'), turn]],
    ['one who gives up a renewal that runs beside the work', [...renewing, { type: 'renew' }, abort, turn]],
  ])('the rules of a warm value hold for %s', async (_, commands) => {
    await expect(run(commands)).resolves.toBeUndefined();
  });
});
