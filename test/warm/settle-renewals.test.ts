/** The end of an invocation: renewals beside it are awaited for a second, then ended, so that nothing runs after the reply. */
import { describe, expect, test } from 'vitest';
import { settleRenewals, type Warm } from '../../functions/warm/warm.ts';
import { start } from './hand-settled.ts';

/** Time that stands still until the test moves it on. */
function startClock() {
  const timers: { readonly ms: number; readonly callback: () => void; cancelled: boolean }[] = [];
  const after = (ms: number, callback: () => void) => {
    const timer = { ms, callback, cancelled: false };
    timers.push(timer);
    return () => {
      timer.cancelled = true;
    };
  };
  return { timers, clock: { now: () => 0, after } };
}

/** A value whose renewal is under way, and follows its signal as it must. */
async function startRenewing() {
  const failures: unknown[] = [];
  const started = start({ isDue: ({ n }) => n === 1, onRenewalFailed: (error) => void failures.push(error) });
  const { value, loads, turn } = started;
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

async function settling(warms: readonly Warm<object>[], clock = startClock()) {
  const state = { settled: false };
  const done = settleRenewals(warms, clock.clock).then(() => {
    state.settled = true;
  });
  await new Promise<void>((resolve) => setImmediate(resolve));
  return { ...clock, state, done };
}

describe('At the end of an invocation', () => {
  test('with no renewal there is nothing to wait for, not even a timer', async () => {
    const { value } = start();
    const { state, timers } = await settling([value]);
    expect([state.settled, timers.length]).toEqual([true, 0]);
  });

  test('a renewal that ends within a second is waited for, and kept', async () => {
    const { value, renewal, failures } = await startRenewing();
    const { state, timers, done } = await settling([value]);
    expect(state.settled).toBe(false);
    expect(timers).toMatchObject([{ ms: 1_000, cancelled: false }]);
    renewal.resolve({ n: 2 });
    await done;
    expect(value.peek()).toEqual({ n: 2 });
    expect(failures).toEqual([]);
    expect(timers).toMatchObject([{ cancelled: true }]);
  });

  test('one that does not is ended then, counts as failed, and the value is kept', async () => {
    const { value, renewal, failures, first } = await startRenewing();
    const { timers, done } = await settling([value]);
    timers[0]?.callback();
    await done;
    expect(renewal.signal.aborted).toBe(true);
    expect(failures).toMatchObject([{ message: 'the invocation that it ran beside is over' }]);
    expect(value.peek()).toBe(first);
    expect(value.renewing()).toBeUndefined();
  });

  test('one that fails is over', async () => {
    const { value, renewal, failures } = await startRenewing();
    const { done, timers } = await settling([value]);
    renewal.reject(new Error('down'));
    await done;
    expect(failures).toMatchObject([{ message: 'down' }]);
    expect(timers).toMatchObject([{ cancelled: true }]);
  });

  test('all are waited for at once, within one second for them together', async () => {
    const [one, two] = [await startRenewing(), await startRenewing()];
    const { timers, state, done } = await settling([one.value, two.value]);
    one.renewal.resolve({ n: 2 });
    await one.turn();
    expect(state.settled).toBe(false);
    expect(timers).toHaveLength(1);
    timers[0]?.callback();
    await done;
    expect([one.renewal.signal.aborted, two.renewal.signal.aborted]).toEqual([false, true]);
    expect(one.value.peek()).toEqual({ n: 2 });
  });
});
