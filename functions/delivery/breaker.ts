/**
 * Stops a batch from running against a wall: after five messages in a row that failed or were blocked, the rest is
 * handed back untried, and each later invocation tries one message first, until one succeeds. One for each destination.
 */

export interface Breaker {
  readonly isOpen: boolean;
  record(outcome: 'delivered' | 'rejected' | 'failed' | 'blocked'): void;
}

const LIMIT = 5;

export function createBreaker(): Breaker {
  let inARow = 0;
  return {
    get isOpen() {
      return inARow >= LIMIT;
    },
    record(outcome) {
      // A rejected message is the sender's matter: the endpoint is well.
      inARow = outcome === 'failed' || outcome === 'blocked' ? inARow + 1 : 0;
    },
  };
}
