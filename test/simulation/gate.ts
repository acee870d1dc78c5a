/**
 * The border of one execution environment: what comes in, what goes out, and its timers. A frozen environment gets late
 * what came meanwhile; a killed one gets nothing more, and nothing of it goes out any more, at whatever await it stood.
 */
import type { Scheduler } from './scheduler.ts';

export interface Gate {
  readonly state: 'running' | 'frozen' | 'dead';
  /** Something comes in: now, at the thaw, or never. */
  enter(run: () => void): void;
  /** A timer of the environment. */
  after(ms: number, run: () => void): () => void;
  /** Something is about to go out. @returns false if the environment is dead, or has just been killed by this */
  leave(): boolean;
  freeze(): void;
  /** @param begin what wakes it; what came meanwhile is dealt with before or after that */
  thaw(begin: () => void, lateFirst: boolean): void;
  kill(): void;
  /** Kills it as it is about to let something out for the n-th time from now, 1 for the next. */
  killAtLeave(n: number): void;
}

/** @param onDeath called once */
export function createGate(scheduler: Scheduler, onDeath: () => void): Gate {
  let state: Gate['state'] = 'running';
  let waiting: (() => void)[] = [];
  let untilKilled = Number.POSITIVE_INFINITY;

  function kill(): void {
    if (state === 'dead') return;
    state = 'dead';
    waiting = [];
    onDeath();
  }

  function enter(run: () => void): void {
    if (state === 'running') run();
    else if (state === 'frozen') waiting.push(run);
  }

  return {
    get state() {
      return state;
    },
    enter,
    after(ms, run) {
      let isOff = false;
      const cancel = scheduler.after(ms, () => enter(() => (isOff ? undefined : run())));
      return () => {
        isOff = true;
        cancel();
      };
    },
    leave() {
      if (state === 'dead') return false;
      untilKilled -= 1;
      if (untilKilled <= 0) kill();
      return untilKilled > 0;
    },
    freeze() {
      if (state === 'running') state = 'frozen';
    },
    thaw(begin, lateFirst) {
      if (state === 'dead') return;
      state = 'running';
      const late = waiting;
      waiting = [];
      const inOrder = lateFirst ? [...late, begin] : [begin, ...late];
      for (const run of inOrder) enter(run);
    },
    kill,
    killAtLeave: (n) => {
      untilKilled = n;
    },
  };
}
