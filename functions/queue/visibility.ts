/**
 * Puts messages that stay out of sight for their wait, at the end of an invocation: best effort, within the time that is
 * kept for the reply, and without any effect on the reply. What it misses comes back when the queue's own timeout ends.
 */
import type { Visibility } from '../aws/sqs.ts';
import type { Deadline } from '../deadline.ts';

/** A message that stays, and for how long it shall be out of sight, in milliseconds. */
export interface Staying {
  readonly receiptHandle: string;
  readonly waitMs: number;
}

export interface VisibilityOptions {
  readonly changeVisibility: (entries: readonly Visibility[], signal: AbortSignal) => Promise<number>;
  readonly deadline: Deadline;
}

/** SQS takes ten at once. */
const BATCH = 10;
const AT_ONCE = 10;

/**
 * Heads first, then those behind them: the head's flight keeps its group closed while the rest is let go of.
 *
 * @returns how many were not changed
 */
export async function hideAll(staying: readonly Staying[], options: VisibilityOptions): Promise<number> {
  const waiting = staying.filter(({ waitMs }) => waitMs > 0);
  const behind = staying.filter(({ waitMs }) => waitMs <= 0);
  return (await hide(waiting, options)) + (await hide(behind, options));
}

async function hide(staying: readonly Staying[], { changeVisibility, deadline }: VisibilityOptions): Promise<number> {
  let missed = 0;
  let next = 0;

  async function work(): Promise<void> {
    while (next < staying.length) {
      const batch = staying.slice(next, next + BATCH);
      next += BATCH;
      const entries = batch.map(({ receiptHandle, waitMs }) => ({ receiptHandle, seconds: Math.ceil(waitMs / 1000) }));
      // Refused or not reached: the message comes back by the queue's own timeout.
      const unchanged = deadline.signal.aborted
        ? batch.length
        : await changeVisibility(entries, deadline.signal).catch(() => batch.length);
      missed += unchanged;
    }
  }

  await Promise.all(Array.from({ length: Math.min(AT_ONCE, Math.ceil(staying.length / BATCH)) }, work));
  return missed;
}
