/** So much at a time, bytes or calls, in the order in which it is asked for. More than the budget goes alone. */
export interface Budget {
  /** Waits until the amount is free, runs, and frees it. @throws the signal's reason, where that ends the waiting */
  spend<T>(amount: number, run: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createBudget(total: number): Budget {
  let used = 0;
  const waiting: { readonly amount: number; readonly enter: () => void }[] = [];

  function admit(): void {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (used > 0 && used + first.amount > total) return;
      waiting.shift();
      used += first.amount;
      first.enter();
    }
  }

  return {
    async spend(amount, run, signal) {
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          waiting.splice(waiting.indexOf(entry), 1);
          reject(signal?.reason);
          admit();
        };
        const entry = {
          amount,
          enter: () => {
            signal?.removeEventListener('abort', leave);
            resolve();
          },
        };
        signal?.throwIfAborted();
        signal?.addEventListener('abort', leave, { once: true });
        waiting.push(entry);
        admit();
      });
      try {
        return await run();
      } finally {
        used -= amount;
        admit();
      }
    },
  };
}
