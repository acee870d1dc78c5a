/**
 * A pause after a refusal that only an operator can end: while it lasts, nobody is asked again, so that a queue full of
 * messages causes a trickle of requests and not a storm. Each refusal in a row makes the next pause longer.
 */

export interface Pause {
  /** The refusal that opened it, while it lasts. */
  current(): Error | undefined;
  /**
   * Opens it, or leaves it as it is where it lasts already: many callers may be refused at once.
   *
   * @param forMs how long, where the other side said so; five minutes at most. Default: longer with each in a row
   */
  open(refusal: Error, forMs?: number): void;
  /** Ends it, and with it the growth: what was asked for was had. */
  end(): void;
}

/** Least time between two tokens that are given up because an endpoint has rejected them, in milliseconds. */
export const REJECTION_PAUSE_MS = 10_000;

const FIRST_MS = 30_000;
const LONGEST_MS = 300_000;

/** @param now epoch milliseconds */
export function createPause(now: () => number): Pause {
  let refusal: Error | undefined;
  let until = Number.NEGATIVE_INFINITY;
  let lengthMs = 0;
  return {
    current: () => (now() < until ? refusal : undefined),
    open(error, forMs) {
      if (now() < until) return;
      if (forMs === undefined) lengthMs = Math.min(LONGEST_MS, lengthMs === 0 ? FIRST_MS : lengthMs * 2);
      until = now() + Math.min(LONGEST_MS, forMs ?? lengthMs);
      refusal = error;
    },
    end() {
      refusal = undefined;
      until = Number.NEGATIVE_INFINITY;
      lengthMs = 0;
    },
  };
}
