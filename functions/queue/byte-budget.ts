/** So many bytes at a time, in the order in which they are asked for. An amount larger than the budget goes alone. */
export interface ByteBudget {
  /** Waits until the bytes are free, runs, and frees them. @throws the signal's reason, where that ends the waiting */
  spend<T>(bytes: number, run: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createByteBudget(totalBytes: number): ByteBudget {
  let used = 0;
  const waiting: { readonly bytes: number; readonly enter: () => void }[] = [];

  function admit(): void {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (used > 0 && used + first.bytes > totalBytes) return;
      waiting.shift();
      used += first.bytes;
      first.enter();
    }
  }

  return {
    async spend(bytes, run, signal) {
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          waiting.splice(waiting.indexOf(entry), 1);
          reject(signal?.reason);
          admit();
        };
        const entry = {
          bytes,
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
        used -= bytes;
        admit();
      }
    },
  };
}
