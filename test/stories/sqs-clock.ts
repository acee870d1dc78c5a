/**
 * The clock of the queues, in the test's hand: it stands still until it is turned on, so that a wait can be read off to
 * the millisecond and be over at once. Only the queues go by it; for the relay's processes it is always now.
 */

export interface SqsClock {
  /** Epoch milliseconds; hand it to the landscape as `sqsNow`. */
  readonly now: () => number;
  advance(ms: number): void;
}

/** @param startsAt epoch milliseconds. Default now */
export function createSqsClock(startsAt = Date.now()): SqsClock {
  let time = startsAt;
  return {
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
  };
}
