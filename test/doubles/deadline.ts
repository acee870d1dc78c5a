/**
 * A deadline that stands still, for what asks only how much is left; for one that runs, `startDeadline` on simulated
 * time.
 */
import type { Deadline } from '../../functions/deadline.ts';

export function deadlineOf(remainingMs = 30_000, signal = new AbortController().signal): Deadline {
  return { remainingMs: () => remainingMs, signal };
}
