/**
 * A count that tests can wait for: how often something named has happened. Who counts what is for the emulator that
 * holds it.
 */

export interface Counter {
  readonly count: number;
  add(): void;
  /**
   * Resolves once the count is at least `count`.
   * @param timeoutMs default 10000; then it rejects with an error that tells the fact and both counts.
   */
  waitFor(count: number, timeoutMs?: number): Promise<void>;
}

/** @param fact what is counted, as it should stand in the error of a wait that ran out: `invocations started`. */
export function createCounter(fact: string): Counter {
  let count = 0;
  const waiting = new Set<{ count: number; resolve: () => void }>();

  return {
    get count() {
      return count;
    },
    add() {
      count += 1;
      for (const waiter of waiting) {
        if (waiter.count <= count) waiter.resolve();
      }
    },
    async waitFor(wanted, timeoutMs = 10_000) {
      if (count >= wanted) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter = { count: wanted, resolve };
      waiting.add(waiter);
      const timer = setTimeout(
        () => reject(new Error(`waited ${timeoutMs} ms for ${wanted} ${fact}, saw ${count}`)),
        timeoutMs,
      );
      try {
        await promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(waiter);
      }
    },
  };
}
