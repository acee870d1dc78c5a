/** A warm value whose loads the test settles by hand, in whichever order it likes. */
import type { Deadline } from '../../functions/deadline.ts';
import { type WarmOptions, warm } from '../../functions/warm/warm.ts';
import { createSimulatedTime, turn } from '../doubles/time.ts';

export interface Value {
  readonly n: number;
}

export interface Load {
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/** Loads that the test settles by hand. */
export function start(options: Omit<WarmOptions<Value>, 'load'> = {}) {
  const loads: Load[] = [];
  const value = warm<Value>({
    load: (deadline) =>
      new Promise((resolve, reject) => loads.push({ deadline, signal: deadline.signal, resolve, reject })),
    ...options,
  });
  return { value, loads };
}

/** A value that is loaded, and due for renewal from then on; `state.fresh` and `state.due` can be changed. */
export async function startDue() {
  const clock = createSimulatedTime();
  const state = { due: false, fresh: true };
  const failures: unknown[] = [];
  const started = start({
    isFresh: ({ n }) => n > 1 || state.fresh,
    isDue: ({ n }) => n === 1 && state.due,
    onRenewalFailed: (error) => void failures.push(error),
    now: clock.now,
  });
  const { value, loads } = started;
  const asked = value.get();
  await turn();
  loads[0]?.resolve({ n: 1 });
  const first = await asked;
  state.due = true;
  return { ...started, clock, state, failures, first };
}
