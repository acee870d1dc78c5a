/**
 * The letters that a run has received and neither deleted nor given back: until when SQS hides each from others, how that
 * is prolonged, and how they are given back. Which are received is for `dead-letter-queue.ts`.
 *
 * @see AWS: API Reference "ChangeMessageVisibility"
 */
import { ChangeMessageVisibilityBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** How long letters are hidden that are only read, or kept: given back at the end, or by SQS after a crash. */
export const HELD_SECONDS = 900;
/**
 * While a letter is being sent: short, so that after a crash it comes back while SQS still knows the deduplication id of
 * what may have been sent (5 minutes).
 */
export const IN_HAND_SECONDS = 120;
/** More than lies between two sends at worst: 50 s at the slowest rate, and the tries of one send. */
const LEAST_SECONDS = 100;
const MAX_BATCH_ENTRIES = 10;

export interface HeldLettersOptions {
  readonly client: SQSClient;
  readonly url: string;
  /** Epoch ms. */
  readonly now: () => number;
}

export interface HeldLetters {
  /** @param until epoch ms */
  add(letterId: string, receiptHandle: string, until: number): void;
  /** What it is deleted by; undefined if it is not held. */
  receiptHandle(letterId: string): string | undefined;
  remove(letterId: string): void;
  /** How many SQS hides now because of us. */
  count(): number;
  /** Hides for longer what was received long ago: else it would come again while we read on. */
  extend(): Promise<void>;
  /** Enough time for a send. @returns false if it may be somebody else's by now */
  renew(letterId: string): Promise<boolean>;
  /** Shows all to others again. @returns how many SQS did not change: these come back by themselves */
  release(): Promise<number>;
}

interface Held {
  receiptHandle: string;
  until: number;
}

export function createHeldLetters({ client, url: QueueUrl, now }: HeldLettersOptions): HeldLetters {
  /** In the order in which they were received. */
  const held = new Map<string, Held>();
  const isHidden = ({ until }: Held) => until > now();

  /** @returns the ids of those that SQS did not change */
  async function hide(entries: readonly (readonly [string, Held])[], seconds: number): Promise<string[]> {
    const failed: string[] = [];
    for (let start = 0; start < entries.length; start += MAX_BATCH_ENTRIES) {
      const batch = entries.slice(start, start + MAX_BATCH_ENTRIES);
      const until = now() + seconds * 1_000;
      const refused = await change(batch, seconds);
      for (const [index, [letterId, letter]] of batch.entries()) {
        if (refused.has(String(index))) failed.push(letterId);
        else letter.until = until;
      }
    }
    return failed;
  }

  async function change(
    batch: readonly (readonly [string, Held])[],
    seconds: number,
  ): Promise<Set<string | undefined>> {
    const Entries = batch.map(([, { receiptHandle: ReceiptHandle }], index) => {
      return { Id: String(index), ReceiptHandle, VisibilityTimeout: seconds };
    });
    try {
      const { Failed = [] } = await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
      return new Set(Failed.map(({ Id }) => Id));
    } catch (error) {
      // The others are still tried; the caller tells how many these were.
      if (!(error instanceof Error)) throw error;
      return new Set(Entries.map(({ Id }) => Id));
    }
  }

  return {
    add: (letterId, receiptHandle, until) => {
      held.set(letterId, { receiptHandle, until });
    },
    receiptHandle: (letterId) => held.get(letterId)?.receiptHandle,
    remove: (letterId) => {
      held.delete(letterId);
    },
    count: () => [...held.values()].filter(isHidden).length,
    extend: async () => {
      const due = [...held].filter(([, { until }]) => until - now() < (HELD_SECONDS * 1_000) / 3);
      for (const letterId of await hide(due, HELD_SECONDS)) held.delete(letterId);
    },
    renew: async (letterId) => {
      const letter = held.get(letterId);
      if (letter === undefined || !isHidden(letter)) return false;
      if (letter.until - now() >= LEAST_SECONDS * 1_000) return true;
      // Those that wait behind it, too, in the same call.
      const due = [...held].filter(([, other]) => isHidden(other) && other.until - now() < LEAST_SECONDS * 1_000);
      return !(await hide(due, IN_HAND_SECONDS)).includes(letterId);
    },
    release: async () => {
      const kept = [...held].filter(([, letter]) => isHidden(letter));
      held.clear();
      return (await hide(kept, 0)).length;
    },
  };
}
