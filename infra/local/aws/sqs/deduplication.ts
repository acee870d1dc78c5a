/**
 * What a FIFO queue remembers of messages it took in the last five minutes, so that a repeated one is accepted and
 * dropped, also after the first was received and deleted. Which id a message goes by is for `sqs/queue.ts`.
 *
 * @see AWS: "Amazon SQS FIFO queue key terms" (message deduplication ID), "Exactly-once processing in Amazon SQS"
 */
import type { SentMessage } from './message.ts';

/** Counted from the first message with the id; a repeated one does not prolong it. */
export const DEDUPLICATION_MS = 300_000;

export interface Deduplication {
  /** What was answered to the first message with this key, while it is remembered. */
  recall(key: string, now: number): SentMessage | undefined;
  remember(key: string, sent: SentMessage, now: number): void;
  /** Recorded from AWS: PurgeQueue clears it. */
  clear(): void;
}

export function createDeduplication(): Deduplication {
  const taken = new Map<string, { sent: SentMessage; until: number }>();

  function forgetOld(now: number): void {
    for (const [key, { until }] of taken) {
      if (until > now) return;
      taken.delete(key);
    }
  }

  return {
    recall: (key, now) => {
      forgetOld(now);
      return taken.get(key)?.sent;
    },
    remember: (key, sent, now) => {
      taken.set(key, { sent, until: now + DEDUPLICATION_MS });
    },
    clear: () => taken.clear(),
  };
}
