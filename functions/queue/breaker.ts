/**
 * The circuit breaker of a destination. After five messages in a row that failed or were blocked, the rest of the batch
 * is kept untried, and each later invocation tries one message first, until one succeeds.
 */
import type { Outcome } from '../relay/outcome.ts';

export interface Breaker {
  readonly isOpen: boolean;
  /** Whether the last outcome was `blocked`: an operator must act before other messages can be delivered. */
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
      // A rejected message is a fault of its sender; the endpoint works.
      inARow = outcome === 'failed' || outcome === 'blocked' ? inARow + 1 : 0;
    },
  };
}
