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

/**
 * Whether it was less than so many milliseconds ago. A time that is still to come counts as none: the clock was put back.
 *
 * @param at epoch milliseconds, as `now`
 */
export function isWithin(ms: number, at: number, now: number): boolean {
  return at <= now && now - at < ms;
}

const FIRST_MS = 30_000;
const LONGEST_MS = 300_000;

/** @param now epoch milliseconds */
export function createPause(now: () => number): Pause {
  let refusal: Error | undefined;
  let openedAt = Number.NEGATIVE_INFINITY;
  let lastsMs = 0;
  let lengthMs = 0;
  const current = () => (isWithin(lastsMs, openedAt, now()) ? refusal : undefined);
  return {
    current,
    open(error, forMs) {
      if (current() !== undefined) return;
      if (forMs === undefined) lengthMs = Math.min(LONGEST_MS, lengthMs === 0 ? FIRST_MS : lengthMs * 2);
      lastsMs = Math.min(LONGEST_MS, forMs ?? lengthMs);
      openedAt = now();
      refusal = error;
    },
    end() {
      refusal = undefined;
      lengthMs = 0;
    },
  };
}
