/** The time that an invocation has for its messages: what Lambda leaves, less what the reply needs. */
import { RelayError } from '../error.ts';
import type { Deadline } from '../relay/message.ts';

export interface InvocationDeadline extends Deadline {
  /** Ends the timer; nothing may run on after the reply. */
  end(): void;
}

export interface DeadlineOptions {
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Calls back after some milliseconds, unless the function it returns is called. Default `setTimeout`. */
  readonly after?: (ms: number, callback: () => void) => () => void;
}

/** For reporting: logs, metrics and the reply itself; a fifth of the time where that is less. */
const RESERVE_MS = 2_000;

/** @param remainingMs what Lambda leaves, `context.getRemainingTimeInMillis()` */
export function startDeadline(remainingMs: number, options: DeadlineOptions = {}): InvocationDeadline {
  const { now = Date.now, after = afterTimeout } = options;
  const usableMs = remainingMs - Math.min(RESERVE_MS, remainingMs / 5);
  const endsAt = now() + usableMs;
  const abort = new AbortController();
  const cancel = after(usableMs, () => {
    abort.abort(new RelayError('DEADLINE', 'the time of the invocation is over: kept for a later try'));
  });
  return { remainingMs: () => Math.max(0, endsAt - now()), signal: abort.signal, end: cancel };
}

function afterTimeout(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
