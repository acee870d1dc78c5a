/** How long something may still take: the rest of an invocation's time, less what its reply needs. A leaf. */
import { RelayError } from './error.ts';

export interface Deadline {
  /** Milliseconds, never below 0. */
  remainingMs(): number;
  /** Aborted when nothing is left; its reason is a RelayError `DEADLINE`. */
  readonly signal: AbortSignal;
}

/** With less time, in milliseconds, no call of an endpoint is started: one that is cut off may run twice. */
export const MIN_CALL_MS = 500;

export interface InvocationDeadline extends Deadline {
  /** Ends the timer, so that nothing runs on after the reply. */
  end(): void;
}

/** The passing of time; every default is the real thing. */
export interface Clock {
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Calls back after some milliseconds, unless the function it returns is called. Default `setTimeout`. */
  readonly after?: (ms: number, callback: () => void) => () => void;
}

/** For reporting: dead letters, visibility, logs, metrics and the reply; a fifth of the time where that is less. */
const RESERVE_MS = 2_000;
/** For the reply alone. */
const REPLY_MS = 250;

/** @param remainingMs what Lambda leaves, `context.getRemainingTimeInMillis()` */
export function startDeadline(remainingMs: number, clock?: Clock): InvocationDeadline {
  return startWithin(remainingMs - Math.min(RESERVE_MS, remainingMs / 5), clock);
}

/** The time for reporting after the work: all but what the reply itself needs. */
export function startReserve(remainingMs: number, clock?: Clock): InvocationDeadline {
  return startWithin(Math.max(0, remainingMs - REPLY_MS), clock);
}

/** The part of the reserve that reporting may take once the work is over. */
export function startReport(reserve: Pick<Deadline, 'remainingMs'>, clock?: Clock): InvocationDeadline {
  return startWithin(Math.min(RESERVE_MS, reserve.remainingMs()), clock);
}

/**
 * A deadline's time less what is kept for later work, or less a quarter of it where that is less.
 *
 * @param keptMs milliseconds
 */
export function startBefore(
  deadline: Pick<Deadline, 'remainingMs'>,
  keptMs: number,
  clock?: Clock,
): InvocationDeadline {
  const remainingMs = deadline.remainingMs();
  return startWithin(remainingMs - Math.min(keptMs, remainingMs / 4), clock);
}

/** A time limit of its own, in milliseconds. */
export function startWithin(
  usableMs: number,
  { now = Date.now, after = afterTimeout }: Clock = {},
): InvocationDeadline {
  const endsAt = now() + usableMs;
  const abort = new AbortController();
  const cancel = after(usableMs, () => {
    abort.abort(new RelayError('DEADLINE', 'the time of the invocation is over: kept for a later try'));
  });
  return { remainingMs: () => Math.max(0, endsAt - now()), signal: abort.signal, end: cancel };
}

/**
 * Waits, unless the signal ends it.
 *
 * @throws the signal's reason
 */
export function wait(ms: number, signal: AbortSignal, { after = afterTimeout }: Clock = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const cancel = after(ms, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    const abort = () => {
      cancel();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** `Clock.after` by default: a timer of Node. */
export function afterTimeout(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
