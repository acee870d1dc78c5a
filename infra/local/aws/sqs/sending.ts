/**
 * What a send does to a message that was checked: it gets an id and a place, and on FIFO queues a sequence number,
 * unless the queue took one with its deduplication id in the last five minutes. What is taken is checked in
 * `sqs/limits.ts`.
 *
 * @see AWS: API Reference "SendMessage"; "Exactly-once processing in Amazon SQS"
 */

import { uuid } from '../../facts/ids.ts';
import type { Deduplication } from './deduplication.ts';
import { contentDeduplicationId } from './digest.ts';
import type { NewMessage, SentMessage } from './message.ts';
import type { Store } from './store.ts';

export interface SendingContext {
  readonly store: Store;
  readonly now: () => number;
  readonly random: () => number;
  /** A number that the queue is set to. */
  readonly seconds: (attribute: 'DelaySeconds') => number;
  /** Deduplication ids count within a message group, not within the queue (`DeduplicationScope`). */
  readonly perGroup: () => boolean;
  readonly nextSequenceNumber: () => string;
}

export function sendToStandard(context: SendingContext, message: NewMessage): SentMessage {
  const delaySeconds = message.delaySeconds ?? context.seconds('DelaySeconds');
  return { messageId: store(context, message, { delaySeconds }) };
}

/** A repeated message is answered as the first was, and dropped. */
export function sendToFifo(context: SendingContext, deduplication: Deduplication, message: NewMessage): SentMessage {
  const { now, perGroup, nextSequenceNumber } = context;
  const deduplicationId = message.deduplicationId ?? contentDeduplicationId(message.body);
  const key = `${perGroup() ? message.groupId : ''} ${deduplicationId}`;
  const first = deduplication.recall(key, now());
  if (first !== undefined) return first;
  const sequenceNumber = nextSequenceNumber();
  const sent = { messageId: store(context, message, { deduplicationId, sequenceNumber }), sequenceNumber };
  deduplication.remember(key, sent, now());
  return sent;
}

function store(
  { store, now, random }: SendingContext,
  message: NewMessage,
  own: { delaySeconds?: number; deduplicationId?: string; sequenceNumber?: string },
): string {
  const id = uuid(random);
  store.add({
    id,
    body: message.body,
    attributes: message.attributes ?? {},
    groupId: message.groupId,
    deduplicationId: own.deduplicationId,
    sequenceNumber: own.sequenceNumber,
    traceHeader: message.traceHeader,
    deadLetterSourceArn: undefined,
    sentAt: now(),
    delaySeconds: own.delaySeconds,
    receiveCount: 0,
    firstReceivedAt: undefined,
  });
  return id;
}
