/**
 * How long a message that stays is out of sight before SQS hands it out again. One pure function for every reason to
 * stay; who sets the visibility, and when, is `visibility.ts`'s.
 */

/** Why a message stays in its queue. */
export type Stay =
  /** It was tried; a later try may help. `retryAfterMs`: what the answer asked for. */
  | { readonly why: 'failed'; readonly retryAfterMs?: number }
  /** It was tried; an operator must act first. */
  | { readonly why: 'blocked' }
  /** It was given up, but could not be put into the dead-letter queue. */
  | { readonly why: 'not-dead-lettered' }
  /** It was not tried: the breaker of its destination is open. `isBlocked`: an operator must act first. */
  | { readonly why: 'breaker'; readonly isBlocked: boolean }
  /** It was not tried: the invocation had no time left for it. */
  | { readonly why: 'deadline' }
  /** It was not tried: it stands behind one of its group that stays, whose flight keeps the group closed. */
  | { readonly why: 'behind' };

const FIRST_MS = 2_000;
const LONGEST_MS = 900_000;
/** Beyond this SQS refuses: twelve hours of visibility in all for one receive, less a minute for the way there. */
const MAX_IN_FLIGHT_MS = 43_200_000;
const MARGIN_MS = 60_000;

export interface Receive {
  /** How many there have been, this one included. */
  readonly count: number;
  /** Milliseconds since this one. */
  readonly sinceMs: number;
}

/**
 * @param random from 0 up to 1: waits are spread, so that what failed together does not come back together
 * @returns milliseconds from now, never more than SQS takes
 */
export function waitMs(stay: Stay, { count, sinceMs }: Receive, random: number): number {
  const longest = Math.max(0, MAX_IN_FLIGHT_MS - sinceMs - MARGIN_MS);
  return Math.min(longest, Math.round(wished(stay, count, random)));
}

function wished(stay: Stay, count: number, random: number): number {
  switch (stay.why) {
    case 'failed':
      return Math.max(stay.retryAfterMs ?? 0, growing(count, random));
    case 'blocked':
      return blocked(random);
    case 'not-dead-lettered':
      // Often enough that SQS's own redrive, after 1,000 receives, comes before its retention of 14 days ends.
      return (LONGEST_MS / 3) * (1 + random);
    case 'breaker':
      return stay.isBlocked ? blocked(random) : growing(count, random);
    case 'deadline':
      // It is nobody's fault: soon, but not while this invocation is still telling the others' waits.
      return FIRST_MS * (1 + random);
    case 'behind':
      return 0;
  }
}

/** Slow enough for twelve days: SQS moves away what it has handed out 1,000 times. */
function blocked(random: number): number {
  return LONGEST_MS * (1 + random);
}

function growing(count: number, random: number): number {
  // Beyond 2^10 the cap holds; the exponent itself is bounded so that no count overflows.
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(count - 1, 20)) * (0.5 + random / 2);
}
