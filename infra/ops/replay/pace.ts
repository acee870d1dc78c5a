/** How fast letters are put back: evenly spaced, with no catching up after a pause, so that a queue never gets a burst. */

export interface PaceOptions {
  /** Epoch ms. */
  readonly now: () => number;
  /** Resolves after `ms`, or at once when the signal aborts; never rejects. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Resolves when the next may go, or when the signal aborts. */
export type Pace = (signal: AbortSignal) => Promise<void>;

export function createPace(ratePerSecond: number, { now, wait }: PaceOptions): Pace {
  const intervalMs = 1_000 / ratePerSecond;
  let nextAt = Number.NEGATIVE_INFINITY;
  return async (signal) => {
    const waitMs = nextAt - now();
    if (waitMs > 0) await wait(waitMs, signal);
    nextAt = Math.max(nextAt, now()) + intervalMs;
  };
}
