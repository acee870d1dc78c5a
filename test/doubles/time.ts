/**
 * Simulated time, for whatever takes its clock or its timers as an option. It stands still until the test lets it pass,
 * so hours take milliseconds and every run is alike: `run` and `pass` let everything happen between two timers,
 * `advance` and `moveTo` only move the clock on. The simulation has a scheduler of its own; why is said there.
 */
import type { Clock } from '../../functions/deadline.ts';

/** When most tests begin, epoch ms. */
export const NOON = Date.UTC(2026, 0, 1, 12);

export interface SimulatedTime extends Required<Clock> {
  /** Resolves so many milliseconds later. */
  sleep(ms: number): Promise<void>;
  /** Time stands still until this work is done; for work that takes real time, such as signing a token. */
  hold<T>(work: Promise<T>): Promise<T>;
  /** Lets time pass until the promise is settled. @throws Error if it cannot be: no timer is left */
  run<T>(promise: Promise<T>): Promise<T>;
  /** So much later; what falls due on the way happens at its time, with all that follows from it. */
  pass(ms: number): Promise<void>;
  /**
   * So much later at once: timers that fall due are called in their order, but no promise goes on before it returns.
   */
  advance(ms: number): void;
  /** The same, to a moment in epoch ms; an earlier one sets the clock back. */
  moveTo(ms: number): void;
  /** How many timers are set: none may be left after an invocation. */
  readonly timers: number;
}

export interface SimulatedTimeOptions {
  /**
   * Whoever waits has waited a microtask later, and time has moved on by his wait: for parts that wait one after the
   * other. Default false.
   */
  readonly passesAtOnce?: boolean;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** @param startsAt epoch ms */
export function createSimulatedTime(
  startsAt = NOON,
  { passesAtOnce = false }: SimulatedTimeOptions = {},
): SimulatedTime {
  let time = startsAt;
  let order = 0;
  let held = 0;
  const timers = new Map<number, Timer>();

  function after(ms: number, callback: () => void): () => void {
    const number = order++;
    const timer = { at: time + Math.max(0, ms), callback };
    timers.set(number, timer);
    if (passesAtOnce) queueMicrotask(() => fire(number, timer));
    return () => void timers.delete(number);
  }

  function fire(number: number, { at, callback }: Timer): void {
    if (!timers.delete(number)) return;
    time = Math.max(time, at);
    callback();
  }

  /** @returns whether there was a timer that is due by then */
  function fireNext(until = Number.POSITIVE_INFINITY): boolean {
    const [next] = [...timers].sort(([a, one], [b, other]) => one.at - other.at || a - b);
    if (next === undefined || next[1].at > until) return false;
    fire(...next);
    return true;
  }

  async function calm(): Promise<void> {
    do await turn();
    while (held > 0);
  }

  function moveTo(ms: number): void {
    let isLeft = true;
    while (isLeft) isLeft = fireNext(ms);
    time = ms;
  }

  return {
    now: () => time,
    after,
    sleep: (ms) => new Promise((resolve) => after(ms, resolve)),
    async hold(work) {
      held += 1;
      try {
        return await work;
      } finally {
        held -= 1;
      }
    },
    async run(promise) {
      let settled = false;
      const settle = () => {
        settled = true;
      };
      promise.then(settle, settle);
      for (;;) {
        await calm();
        if (settled) return promise;
        if (!fireNext()) throw new Error('nothing can happen any more: no timer is left');
      }
    },
    async pass(ms) {
      const until = time + ms;
      do await calm();
      while (fireNext(until));
      time = until;
    },
    advance: (ms) => moveTo(time + ms),
    moveTo,
    get timers() {
      return timers.size;
    },
  };
}

/** Everything has happened that waits for nothing but other promises. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
