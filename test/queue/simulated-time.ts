/**
 * Time that passes only when nothing else can happen: timers fire in their order, and between two of them everything that
 * is due runs. With it hours of deliveries take milliseconds, and take the same way each time.
 */

export interface SimulatedTime {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Resolves so many milliseconds later. */
  sleep(ms: number): Promise<void>;
  /** Lets time pass until the promise is settled. @throws Error if it cannot be: no timer is left */
  run<T>(promise: Promise<T>): Promise<T>;
}

export function createSimulatedTime(startsAt: number): SimulatedTime {
  let time = startsAt;
  let order = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();

  function after(ms: number, callback: () => void): () => void {
    const number = order++;
    timers.set(number, { at: time + Math.max(0, ms), callback });
    return () => {
      timers.delete(number);
    };
  }

  function fireNext(): void {
    const [next] = [...timers].sort(([a, one], [b, other]) => one.at - other.at || a - b);
    if (next === undefined) throw new Error('nothing can happen any more: no timer is left');
    const [number, { at, callback }] = next;
    timers.delete(number);
    time = at;
    callback();
  }

  async function run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    promise.then(
      () => {
        settled = true;
      },
      () => {
        settled = true;
      },
    );
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (settled) return promise;
      fireNext();
    }
  }

  return { now: () => time, after, sleep: (ms) => new Promise((resolve) => after(ms, resolve)), run };
}
