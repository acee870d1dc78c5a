/**
 * What happened at an emulated system, in order, and a promise for "it has happened so often". It owns the entries and
 * the waiting; the meaning of an entry is for the system that adds it.
 */

export interface WaitOptions {
  /** How long to wait, in real time, in milliseconds. Default 10000. */
  readonly timeoutMs?: number;
}

export interface Journal<Entry> {
  readonly entries: readonly Entry[];
  add(entry: Entry): void;
  /** Resolves with all entries as soon as there are `count`; rejects, saying how many there are, when time is up. */
  waitFor(count: number, options?: WaitOptions): Promise<readonly Entry[]>;
}

/** An empty journal; `noun` (plural) is what its entries are called in the error of a wait that was in vain. */
export function createJournal<Entry>(noun: string): Journal<Entry> {
  const entries: Entry[] = [];
  const waiting = new Set<() => void>();

  return {
    entries,
    add: (entry) => {
      entries.push(entry);
      for (const check of waiting) check();
    },
    waitFor: (count, { timeoutMs = 10_000 } = {}) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (entries.length < count) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve(entries);
        };
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`waited ${timeoutMs} ms for ${count} ${noun}, there are ${entries.length}`));
        }, timeoutMs);
        waiting.add(check);
        check();
      }),
  };
}
