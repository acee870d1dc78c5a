/**
 * Time for the token path that passes only when nothing else can happen. What takes time of its own, such as signing a
 * token, is told to it and takes none here; so the half of a token's life passes in a millisecond, and always alike.
 */
import type { Clock } from '../../functions/deadline.ts';

export interface SimulatedTime extends Required<Clock> {
  /** Time stands still until this work is done. */
  hold<T>(work: Promise<T>): Promise<T>;
  /** Lets time pass until the promise is settled. @throws Error if it cannot be: no timer is left */
  run<T>(promise: Promise<T>): Promise<T>;
  /** So much later; what falls due on the way happens at its time. */
  pass(ms: number): Promise<void>;
  /** How many timers are set: none may be left after an invocation. */
  readonly timers: number;
}

export function createSimulatedTime(startsAt: number): SimulatedTime {
  let time = startsAt;
  let order = 0;
  let held = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();

  function after(ms: number, callback: () => void): () => void {
    const number = order++;
    timers.set(number, { at: time + Math.max(0, ms), callback });
    return () => void timers.delete(number);
  }

  function next(): readonly [number, number, () => void] | undefined {
    const [first] = [...timers].sort(([a, one], [b, other]) => one.at - other.at || a - b);
    return first === undefined ? undefined : [first[0], first[1].at, first[1].callback];
  }

  function fire([number, at, callback]: readonly [number, number, () => void]): void {
    timers.delete(number);
    time = at;
    callback();
  }

  /** Everything has happened that can without time. */
  async function calm(): Promise<void> {
    do await new Promise<void>((resolve) => setImmediate(resolve));
    while (held > 0);
  }

  return {
    now: () => time,
    after,
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
        const timer = next();
        if (timer === undefined) throw new Error('nothing can happen any more: no timer is left');
        fire(timer);
      }
    },
    async pass(ms) {
      const until = time + ms;
      for (;;) {
        await calm();
        const timer = next();
        if (timer === undefined || timer[1] > until) break;
        fire(timer);
      }
      time = until;
    },
    get timers() {
      return timers.size;
    },
  };
}
