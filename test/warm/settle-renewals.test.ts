/**
 * The end of an invocation: renewals beside it are awaited for a second, then ended, so that nothing runs after the
 * reply.
 */

import { describe, expect, test } from 'vitest';
import { settleRenewals, type Warm } from '../../functions/warm/warm.ts';
import { createSimulatedTime, turn } from '../doubles/time.ts';
import { start } from './hand-settled.ts';

/** A value whose renewal is under way, and follows its signal as it must. */
async function startRenewing() {
  const failures: unknown[] = [];
  const started = start({ isDue: ({ n }) => n === 1, onRenewalFailed: (error) => void failures.push(error) });
  const { value, loads } = started;
  const asked = value.get();
  await turn();
  loads[0]?.resolve({ n: 1 });
  const first = await asked;
  await value.get();
  await turn();
  const renewal = loads[1];
  if (renewal === undefined) throw new Error('no renewal');
  renewal.signal.addEventListener('abort', () => renewal.reject(renewal.signal.reason));
  return { ...started, renewal, failures, first };
}

async function settling(warms: readonly Warm<object>[]) {
  const time = createSimulatedTime();
  const state = { settled: false };
  const done = settleRenewals(warms, time).then(() => {
    state.settled = true;
  });
  await turn();
  return { time, state, done };
}

describe('At the end of an invocation', () => {
  test('an invocation that ends with no renewal waits for nothing, and sets no timer', async () => {
    const { value } = start();
    const { state, time } = await settling([value]);
    expect([state.settled, time.timers]).toEqual([true, 0]);
  });

  test('a renewal that ends within a second of its invocation is waited for, and kept', async () => {
    const { value, renewal, failures } = await startRenewing();
    const { state, time, done } = await settling([value]);
    await time.pass(999);
    expect([state.settled, time.timers]).toEqual([false, 1]);
    renewal.resolve({ n: 2 });
    await done;
    expect(value.peek()).toEqual({ n: 2 });
    expect(failures).toEqual([]);
    expect(time.timers).toBe(0);
  });

  test('a renewal that takes longer than that second is ended, counts as failed, and the value is kept', async () => {
    const { value, renewal, failures, first } = await startRenewing();
    const { time, done } = await settling([value]);
    await time.pass(1_000);
    await done;
    expect(renewal.signal.aborted).toBe(true);
    expect(failures).toMatchObject([{ message: 'the invocation that it ran beside is over' }]);
    expect(value.peek()).toBe(first);
    expect(value.renewing()).toBeUndefined();
  });

  test('a renewal that fails at the end of its invocation is over', async () => {
    const { value, renewal, failures } = await startRenewing();
    const { done, time } = await settling([value]);
    renewal.reject(new Error('down'));
    await done;
    expect(failures).toMatchObject([{ message: 'down' }]);
    expect(time.timers).toBe(0);
  });

  test('all renewals are waited for at once, within one second for them together', async () => {
    const [one, two] = [await startRenewing(), await startRenewing()];
    const { time, state, done } = await settling([one.value, two.value]);
    one.renewal.resolve({ n: 2 });
    await turn();
    expect(state.settled).toBe(false);
    expect(time.timers).toBe(1);
    await time.pass(1_000);
    await done;
    expect([one.renewal.signal.aborted, two.renewal.signal.aborted]).toEqual([false, true]);
    expect(one.value.peek()).toEqual({ n: 2 });
  });
});
