/**
 * Stops a batch from running against a wall: after five messages in a row that failed or were blocked, the rest is
 * handed back untried, and each later invocation tries one message first, until one succeeds. One for each destination.
 */
import type { Outcome } from '../relay/outcome.ts';

export interface Breaker {
  readonly isOpen: boolean;
  /** Whether the outcome that came last was `blocked`: an operator must act before those behind it can go out. */
  readonly isBlocked: boolean;
  record(outcome: Outcome['kind']): void;
}

const LIMIT = 5;

export function createBreaker(): Breaker {
  let inARow = 0;
  let last: Outcome['kind'] = 'delivered';
  return {
    get isOpen() {
      return inARow >= LIMIT;
    },
    get isBlocked() {
      return last === 'blocked';
    },
    record(outcome) {
      last = outcome;
      // A rejected message is the sender's matter: the endpoint is well.
      inARow = outcome === 'failed' || outcome === 'blocked' ? inARow + 1 : 0;
    },
  };
}
