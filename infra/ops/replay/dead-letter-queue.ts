/**
 * A dead-letter queue as a source: receives until nothing new comes, and keeps what it received hidden meanwhile, so that
 * each letter comes once. On FIFO SQS hands out no more of a group while earlier letters of it are held: what lies behind
 * them comes only after these were put back.
 *
 * @see AWS: API Reference "ReceiveMessage"; "Using the message group ID with Amazon SQS FIFO Queues"
 */
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { writeDuration } from './duration.ts';
import { createHeldLetters, HELD_SECONDS, IN_HAND_SECONDS } from './held.ts';
import { type Letter, letterOf } from './letter.ts';
import type { Source } from './source.ts';
import { readMessage } from './stored.ts';
import { lettersAre } from './terminal.ts';

const PAGE = 10;
/** Receives without a new letter, of a queue that says it holds some, before it counts as read. */
const MAX_IDLE_RECEIVES = 3;
const BACK_WITHIN = writeDuration(HELD_SECONDS * 1_000);

export interface DeadLetterQueueOptions {
  readonly client: SQSClient;
  readonly url: string;
  /** Letters are taken to be sent and deleted; else only to be read. */
  readonly sending: boolean;
  /** Epoch ms. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Of each receive. Default 1: with none, SQS asks only some of its servers. */
  readonly waitSeconds?: number;
}

export function createDeadLetterQueue(options: DeadLetterQueueOptions): Source {
  const { client, url, sending, now, signal, waitSeconds = 1 } = options;
  const QueueUrl = url;
  const visibilitySeconds = sending ? IN_HAND_SECONDS : HELD_SECONDS;
  const held = createHeldLetters({ client, url, now });
  const seen = new Set<string>();
  let quotaReached = false;

  async function counts(): Promise<{ visible: number; hidden: number }> {
    const command = new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    });
    const { Attributes = {} } = await client.send(command);
    return {
      visible: Number(Attributes.ApproximateNumberOfMessages ?? 0),
      hidden: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
    };
  }

  /** @returns those that come for the first time; undefined: SQS refuses more */
  async function receive(): Promise<Letter[] | undefined> {
    // SQS hides them from when it hands them out, which is not before this.
    const until = now() + visibilitySeconds * 1_000;
    const command = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: PAGE,
      VisibilityTimeout: visibilitySeconds,
      WaitTimeSeconds: waitSeconds,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
    try {
      const { Messages = [] } = await client.send(command);
      const fresh = Messages.filter(({ MessageId = '' }) => !seen.has(MessageId));
      for (const { MessageId = '', ReceiptHandle = '' } of Messages) {
        seen.add(MessageId);
        held.add(MessageId, ReceiptHandle, until);
      }
      return fresh.map((message) => letterOf(readMessage(message)));
    } catch (error) {
      if (error instanceof Error && error.name === 'OverLimit') return undefined;
      throw error;
    }
  }

  async function* letters(): AsyncGenerator<Letter> {
    let idleReceives = 0;
    while (!signal.aborted && idleReceives < MAX_IDLE_RECEIVES) {
      await held.extend();
      const fresh = await receive();
      quotaReached = fresh === undefined;
      if (fresh === undefined) return;
      if (fresh.length === 0 && (await counts()).visible === 0) return;
      idleReceives = fresh.length === 0 ? idleReceives + 1 : 0;
      for (const letter of fresh) {
        if (signal.aborted) return;
        yield letter;
      }
    }
  }

  async function missing(): Promise<string[]> {
    const { visible, hidden } = await counts();
    const elsewhere = hidden - held.count();
    const words: string[] = [];
    if (quotaReached) words.push('SQS hands out no more: too many letters are in flight');
    if (visible > 0) {
      const why = url.endsWith('.fifo') ? 'on FIFO only after the earlier ones of the group are gone' : 'run it again';
      words.push(`about ${lettersAre(visible)} not handed out: ${why}`);
    }
    if (elsewhere > 0) {
      words.push(
        `about ${lettersAre(elsewhere)} in flight with somebody else; after a replay that was cut off, back within ${BACK_WITHIN}`,
      );
    }
    return words;
  }

  return {
    deadLetterQueueUrl: url,
    count: async () => (await counts()).visible,
    letters,
    renew: ({ letterId }) => held.renew(letterId),
    delete: async ({ letterId }) => {
      const ReceiptHandle = held.receiptHandle(letterId);
      if (ReceiptHandle === undefined) throw new Error('the letter is not held any more');
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      held.remove(letterId);
    },
    missing,
    release: async () => {
      const left = await held.release();
      return left === 0 ? [] : [`about ${lettersAre(left)} not given back: back within ${BACK_WITHIN}`];
    },
  };
}
