/**
 * The lines `delivery.attempted` that the relay's processes write, kept by message id: from them the story tells how a
 * message fared. Knows the log's field names, which are part of the product's outside, and nothing else of the product.
 */

export interface AttemptLine {
  readonly destination: string;
  readonly messageId: string;
  readonly attempt: number;
  readonly outcome: string;
  readonly calls: number;
  readonly durationMs: number;
  readonly bytes: number;
  readonly status?: number;
  readonly token?: 'new' | 'warm';
  readonly tokenAgeMs?: number;
  readonly reason?: string;
}

export interface DeliveryLog {
  /** Takes a line of output; what is no attempt is passed over. */
  add(line: string): void;
  /** In the order of the attempts. */
  readonly attempts: readonly AttemptLine[];
  attemptsOf(messageId: string): readonly AttemptLine[];
}

export function createDeliveryLog(): DeliveryLog {
  const attempts: AttemptLine[] = [];
  return {
    attempts,
    attemptsOf: (messageId) => attempts.filter((attempt) => attempt.messageId === messageId),
    add(line) {
      if (!line.includes('"delivery.attempted"')) return;
      attempts.push(JSON.parse(line) as AttemptLine);
    },
  };
}
