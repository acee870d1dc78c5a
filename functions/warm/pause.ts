/**
 * A pause after a refusal that only an operator can end. While it lasts no request is made, so that a full queue does
 * not cause a request for each message. Each refusal in a row makes the next pause longer.
 */

export interface Pause {
  /** The refusal that began it, while it lasts. */
  current(): Error | undefined;
  /**
   * Begins it. Does nothing while it lasts already, since many callers may be refused at once.
   *
   * @param forMs how long, if the other side asked for that; five minutes at most. Default: longer with each in a row
   */
  open(refusal: Error, forMs?: number): void;
  /** Ends it after a success, so that the next pause is a short one again. */
  end(): void;
}

/** Shortest time between two tokens that are given up because an endpoint rejected them, in milliseconds. */
export const REJECTION_PAUSE_MS = 10_000;

/**
 * Whether it was less than so many milliseconds ago. False for a time in the future: the clock was set back since.
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
