/**
 * Simulated time: a queue of what is still to happen, by time and then by the order in which it was asked for. Between
 * two of them everything runs that needs no time, to its end; nothing here looks at a real clock.
 *
 * Not the simulated time of test/doubles/time.ts: this one replaces the timers of a whole process of the relay, fires
 * some hundred thousand of them a run from a heap, counts them, and ends by a predicate or at a moment.
 */

export interface Scheduler {
  /** Epoch milliseconds. */
  now(): number;
  /** Runs once, so much later; the returned function calls it off. */
  after(ms: number, run: () => void): () => void;
  /**
   * Lets time pass until the predicate holds, or until that moment, or until nothing is left to happen.
   *
   * @param untilAt epoch milliseconds; what falls due at it still happens
   */
  run(isOver: () => boolean, untilAt: number): Promise<'over' | 'late' | 'idle'>;
  /** How much has happened so far. */
  readonly events: number;
}

interface Event {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export function createScheduler(startsAt: number): Scheduler {
  const heap: Event[] = [];
  let time = startsAt;
  let order = 0;
  let events = 0;

  function push(event: Event): void {
    let index = heap.push(event) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = event;
  }

  function pop(): Event | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      const [left, right] = [heap[below], heap[below + 1]];
      if (left === undefined) break;
      let child = left;
      if (right !== undefined && isBefore(right, left)) {
        below += 1;
        child = right;
      }
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
    return first;
  }

  return {
    now: () => time,
    after(ms, run) {
      const event: Event = { at: time + Math.max(0, ms), order: order++, run };
      push(event);
      return () => {
        event.run = undefined;
      };
    },
    async run(isOver, untilAt) {
      for (;;) {
        await turn();
        if (isOver()) return 'over';
        while (heap[0] !== undefined && heap[0].run === undefined) pop();
        if (heap[0] === undefined) return 'idle';
        if (heap[0].at > untilAt) return 'late';
        const event = pop();
        if (event?.run === undefined) continue;
        time = event.at;
        events += 1;
        event.run();
      }
    },
    get events() {
      return events;
    },
  };
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** Everything that waits for nothing but other promises has run when this resolves. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
