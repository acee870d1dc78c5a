/**
 * When calls are over. Those with the same time end in the order in which they began, so that one timer stands for all
 * of them: a timer for each costs as much as writing its headers. A leaf.
 */
export interface Expiry {
  /** Calls back after so many milliseconds. @returns takes it back */
  add(ms: number, callback: () => void): () => void;
}

interface Entry {
  /** On a clock that nobody sets: the time of day may be put right while a call is under way. */
  readonly endsAt: number;
  readonly callback: () => void;
}

export function createExpiry(): Expiry {
  const queues = new Map<number, Queue>();
  return {
    add(ms, callback) {
      const known = queues.get(ms);
      const queue = known ?? createQueue(() => queues.delete(ms));
      if (known === undefined) queues.set(ms, queue);
      return queue.add({ endsAt: performance.now() + ms, callback }, ms);
    },
  };
}

interface Queue {
  add(entry: Entry, ms: number): () => void;
}

/** @param onEmpty told each time the last entry is gone */
function createQueue(onEmpty: () => void): Queue {
  const entries = new Set<Entry>();
  let timer: NodeJS.Timeout | undefined;

  function arm(head: Entry, ms: number): void {
    timer = setTimeout(() => expire(head), ms);
  }

  /** @param head the first when the timer was set; it may be gone by now, and timers may be early by a part of a millisecond */
  function expire({ endsAt }: Entry): void {
    timer = undefined;
    const time = Math.max(endsAt, performance.now());
    const over: Entry[] = [];
    for (const entry of entries) {
      if (entry.endsAt > time) {
        arm(entry, entry.endsAt - time);
        break;
      }
      entries.delete(entry);
      over.push(entry);
    }
    if (entries.size === 0) onEmpty();
    for (const { callback } of over) callback();
  }

  return {
    add(entry, ms) {
      entries.add(entry);
      if (timer === undefined) arm(entry, ms);
      return () => {
        if (!entries.delete(entry) || entries.size > 0) return;
        clearTimeout(timer);
        timer = undefined;
        onEmpty();
      };
    },
  };
}
