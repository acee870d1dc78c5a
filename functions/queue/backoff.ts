/**
 * How long a message that is kept in its queue stays hidden before SQS hands it out again. A pure function of the
 * reason; `visibility.ts` passes it on to SQS.
 */
import type { Visibility } from '../aws/sqs.ts';

/** A message that is kept in its queue. */
export interface Kept extends Visibility {
  readonly recordId: string;
}

/** Why a message is kept. */
export type KeepReason =
  /** It was tried; a later try may help. */
  | 'failed'
  /** It was tried; an operator must act first. */
  | 'blocked'
  /** It was given up, but could not be put into the dead-letter queue. */
  | 'not-dead-lettered'
  /** It was not tried: the breaker of its destination is open, since the messages before it failed. */
  | 'breaker'
  /** The same, and the last of those was blocked. */
  | 'breaker-blocked'
  /** It was not tried: the invocation had no time left for it. */
  | 'deadline'
  /** It was not tried: a message of its group before it is kept, and while that one is hidden, the group waits. */
  | 'behind';

const FIRST_MS = 2_000;
const LONGEST_MS = 900_000;
/** SQS refuses more: twelve hours of visibility for one receive. A minute less, for the way there. */
const MAX_IN_FLIGHT_MS = 43_200_000;
const MARGIN_MS = 60_000;

/** What the length of a wait depends on, apart from its reason. */
export interface Backoff {
  /** How many receives there have been, this one included. */
  readonly receiveCount: number;
  /** Milliseconds since this receive. */
  readonly sinceMs: number;
  /** What the answer asked for. Default 0. */
  readonly retryAfterMs?: number | undefined;
  /** From 0 up to 1. Spreads the waits, so that what failed together does not come back together. */
  readonly random: number;
}

/** @returns milliseconds from now, never more than SQS takes */
export function waitMs(reason: KeepReason, backoff: Backoff): number {
  const longest = Math.max(0, MAX_IN_FLIGHT_MS - backoff.sinceMs - MARGIN_MS);
  return Math.min(longest, Math.round(wishedMs(reason, backoff)));
}

function wishedMs(reason: KeepReason, { receiveCount, retryAfterMs = 0, random }: Backoff): number {
  switch (reason) {
    case 'failed':
      return Math.max(retryAfterMs, growing(receiveCount, random));
    case 'breaker':
      return growing(receiveCount, random);
    case 'blocked':
    case 'breaker-blocked':
      // Twelve days of it stay below 1,000 receives, after which SQS's own redrive takes a message.
      return LONGEST_MS * (1 + random);
    case 'not-dead-lettered':
      // Often enough that SQS's own redrive, after 1,000 receives, comes before its retention of 14 days ends.
      return (LONGEST_MS / 3) * (1 + random);
    case 'deadline':
      // Soon, but not while this invocation is still hiding the other messages.
      return FIRST_MS * (1 + random);
    case 'behind':
      return 0;
  }
}

function growing(receiveCount: number, random: number): number {
  // Beyond 2^10 the cap holds; the exponent itself is bounded so that no count overflows.
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(receiveCount - 1, 20)) * (0.5 + random / 2);
}
