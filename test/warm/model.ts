/**
 * A warm value under any interleaving of commands, with what must hold after each of them written as exceptions: the
 * commands are plain data, so that fast-check can shrink a run that breaks a rule.
 */

import { RENEWAL_PAUSE_MS, type Warm, warm } from '../../functions/warm/warm.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { createSimulatedTime, turn } from '../doubles/time.ts';
import type { Command } from './command.ts';
import { rule } from './rule.ts';

interface Value {
  readonly load: number;
}

interface Load {
  readonly number: number;
  readonly signal: AbortSignal;
  readonly settle: (as: 'value' | 'failure') => void;
  settled?: 'value' | 'failure';
  /** Whether it was given up before it was settled. */
  wasGivenUp?: boolean;
}

interface Getter {
  readonly abort?: AbortController;
  /** Values that were forgotten or stale when it asked, and the one in place of which it wants another. */
  readonly barred: ReadonlySet<Value>;
  /** The fresh value there was when it asked: it need not wait. */
  readonly kept: Value | undefined;
  /** Loads whose failure somebody had already got when it asked. */
  readonly toldBefore: ReadonlySet<number>;
  over: boolean;
}

/** @throws Error at the first rule that is broken, by its words */
export async function run(commands: readonly Command[]): Promise<void> {
  const clock = createSimulatedTime(1_000_000);
  const loads: Load[] = [];
  const getters: Getter[] = [];
  const known: Value[] = [];
  const barred = new Set<Value>();
  const stale = new Set<Value>();
  const failed = new Set<number>();
  const told = new Set<number>();
  const broken: unknown[] = [];
  /** Values of loads before this one are due. */
  let dueBelow = 0;
  let renewal: { readonly done: Promise<void>; readonly ms: number } | undefined;

  const value: Warm<Value> = warm<Value>({
    now: clock.now,
    isFresh: (candidate) => !stale.has(candidate),
    isDue: (candidate) => candidate.load < dueBelow,
    onRenewalFailed: (error) => {
      const number = loadIn(error);
      if (number !== undefined) told.add(number);
    },
    load: ({ signal }) =>
      new Promise((resolve, reject) => {
        const number = loads.length;
        const running = loads.filter((load) => load.settled === undefined && !load.signal.aborted);
        if (running.length > 0) broken.push(new Error('two loads are in flight'));
        loads.push({
          number,
          signal,
          settle: (as) => (as === 'value' ? resolve({ load: number }) : reject(new Error(`load ${number}`))),
        });
      }),
  });

  function ask(abort: AbortController | undefined, old?: Value): void {
    const there = value.peek();
    const isKept = there !== undefined && there !== old && !stale.has(there);
    const getter: Getter = {
      ...(abort === undefined ? {} : { abort }),
      barred: new Set(old === undefined ? barred : [...barred, old]),
      kept: isKept ? there : undefined,
      toldBefore: new Set(told),
      over: false,
    };
    getters.push(getter);
    const deadline = abort === undefined ? undefined : deadlineOf(30_000, abort.signal);
    (old === undefined ? value.get(deadline) : value.renew(old, deadline))
      .then(
        (got) => {
          rule(!getter.barred.has(got), 'a value that was forgotten, stale or not wanted any longer is handed out');
          rule(getter.kept === undefined || got === getter.kept, 'one waits although there is a fresh value');
          rule(loads[got.load]?.settled === 'value', 'a value comes that no load brought');
          if (!known.includes(got)) known.push(got);
        },
        (error: unknown) => {
          if (abort?.signal.aborted === true && error === abort.signal.reason) return;
          const number = loadIn(error);
          rule(number !== undefined && failed.has(number), 'a failure comes that no load brought');
          rule(!getter.toldBefore.has(number), 'a failure is kept');
          rule(getter.kept === undefined, 'a failure comes although there is a fresh value');
          told.add(number);
        },
      )
      .catch((error: unknown) => void broken.push(error))
      .finally(() => {
        getter.over = true;
      });
    look();
  }

  /** At a renewal that has begun: not too early after the one before. */
  function look(): void {
    const done = value.renewing();
    if (done === undefined || done === renewal?.done) return;
    if (renewal !== undefined && clock.now() - renewal.ms < RENEWAL_PAUSE_MS)
      broken.push(new Error('two renewals begin less than 30 s apart'));
    renewal = { done, ms: clock.now() };
  }

  function settle(load: Load, as: 'value' | 'failure'): void {
    load.settled = as;
    load.wasGivenUp = load.signal.aborted;
    if (as === 'failure') failed.add(load.number);
    load.settle(as);
  }

  async function settleDown(): Promise<void> {
    await turn();
    const waiting = getters.filter(({ over }) => !over).length;
    const isRenewing = value.renewing() !== undefined;
    const running = loads.filter((load) => load.settled === undefined && !load.signal.aborted).length;
    rule(
      running === (waiting > 0 || isRenewing ? 1 : 0),
      `${running} loads run for ${waiting} who wait, ${isRenewing ? 'and one' : 'and no'} renewal`,
    );
    const there = value.peek();
    rule(there === undefined || loads[there.load]?.wasGivenUp === false, 'what was given up is kept');
  }

  for (const command of commands) {
    if (command.type === 'get') ask(undefined);
    else if (command.type === 'get with signal') ask(new AbortController());
    else if (command.type === 'renew') {
      const old = known.at(-1);
      if (old !== undefined) ask(new AbortController(), old);
    } else if (command.type === 'abort') {
      const able = getters.filter(({ abort, over }) => abort !== undefined && !over && !abort.signal.aborted);
      able[command.which % able.length]?.abort?.abort(new Error('given up'));
    } else if (command.type === 'settle') {
      // One that was given up may come after all.
      const able = loads.filter(({ settled }) => settled === undefined);
      const load = able[command.which % able.length];
      if (load !== undefined) settle(load, command.as);
    } else if (command.type === 'forget') {
      const old = known[command.which % known.length];
      if (old !== undefined) {
        value.forget(old);
        barred.add(old);
      }
    } else if (command.type === 'expire') {
      for (const old of known) {
        stale.add(old);
        barred.add(old);
      }
    } else if (command.type === 'fall due') dueBelow = loads.length;
    else if (command.type === 'pass') clock.advance(command.ms);
    else if (command.type === 'end invocation') {
      value.abortRenewal();
      rule(value.renewing() === undefined, 'a renewal outlives its invocation');
    } else await settleDown();
  }

  await settleDown();
  value.abortRenewal();
  for (const load of loads) if (load.settled === undefined) settle(load, 'value');
  await settleDown();
  rule(
    getters.every(({ over }) => over),
    'somebody waits for ever',
  );
  dueBelow = 0;
  const newest = known.at(-1);
  if (newest !== undefined && !barred.has(newest) && loads[newest.load]?.wasGivenUp === false)
    rule(value.peek() !== undefined, 'a value is lost that nobody has forgotten');
  const there = value.peek();
  for (const old of known) if (old !== there) value.forget(old);
  if (there !== undefined && !stale.has(there)) {
    const before = loads.length;
    rule((await value.get()) === there && loads.length === before, 'to forget an old value takes its successor along');
  }
  if (broken.length > 0) throw broken[0];
}

/** The number of the load that failed with this error. */
function loadIn(error: unknown): number | undefined {
  const number = /^load (\d+)$/.exec(error instanceof Error ? error.message : '')?.[1];
  return number === undefined ? undefined : Number(number);
}
