/**
 * Hides kept messages for their wait, at the end of an invocation. Best effort, within the time that is reserved for
 * the reply, and without effect on the reply: a message that is missed comes back when the queue's own timeout ends.
 */
import type { Visibility } from '../aws/sqs.ts';
import type { Deadline } from '../deadline.ts';

/** @returns how many entries were not changed */
export type ChangeVisibility = (entries: readonly Visibility[], signal: AbortSignal) => Promise<number>;

export interface VisibilityOptions {
  readonly changeVisibility: ChangeVisibility;
  readonly deadline: Deadline;
}

/** SQS takes ten entries in one call. */
const BATCH = 10;
const CALLS_AT_ONCE = 10;

/**
 * Messages with a wait first, then those behind them in their groups: a group is closed by its first message, which
 * must be hidden before the others become visible.
 *
 * @returns how many were not changed
 */
export async function hideAll(kept: readonly Visibility[], options: VisibilityOptions): Promise<number> {
  const waiting = kept.filter(({ waitMs }) => waitMs > 0);
  const behind = kept.filter(({ waitMs }) => waitMs <= 0);
  return (await hide(waiting, options)) + (await hide(behind, options));
}

async function hide(kept: readonly Visibility[], { changeVisibility, deadline }: VisibilityOptions): Promise<number> {
  let missed = 0;
  let next = 0;

  async function work(): Promise<void> {
    while (next < kept.length) {
      const batch = kept.slice(next, next + BATCH);
      next += BATCH;
      // Refused or not reached: the message comes back by the queue's own timeout.
      const unchanged = deadline.signal.aborted
        ? batch.length
        : await changeVisibility(batch, deadline.signal).catch(() => batch.length);
      missed += unchanged;
    }
  }

  await Promise.all(Array.from({ length: Math.min(CALLS_AT_ONCE, Math.ceil(kept.length / BATCH)) }, work));
  return missed;
}
