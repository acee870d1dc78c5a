/**
 * What a receive does: it takes the next messages in delivery order, hides them for a time, and moves to the
 * dead-letter queue what was received too often. Which messages are next is `sqs/delivery-order.ts`.
 *
 * @see AWS: API Reference "ReceiveMessage"; "Using dead-letter queues in Amazon SQS"
 */
import { fifoOrder, standardOrder } from './delivery-order.ts';
import { sqsError } from './error.ts';
import { checkRange, checkVisibility } from './limits.ts';
import type { ReceivedMessage, StoredMessage } from './message.ts';
import { writeReceipt } from './receipt.ts';
import type { Store } from './store.ts';

/**
 * So many receives without a deletion move a message of a standard queue to its back, and out of the metric of the
 * oldest; a FIFO queue keeps its order. AWS: "Available CloudWatch metrics for Amazon SQS",
 * `ApproximateAgeOfOldestMessage`.
 */
export const POISON_RECEIVES = 3;

export interface ReceivingContext {
  readonly arn: string;
  readonly fifo: boolean;
  readonly store: Store;
  readonly now: () => number;
  /** Given: a standard queue hands out in random order. */
  readonly shuffle: (() => number) | undefined;
  readonly inFlightQuota: number;
  readonly senderId: string;
  /** Where a message goes that was received `maxReceiveCount` times; undefined without redrive policy. */
  readonly redrive: () => { maxReceiveCount: number; bury: (message: StoredMessage) => void } | undefined;
}

/**
 * @throws AwsError InvalidParameterValue; OverLimit on a standard queue with too many messages in flight. A FIFO queue
 * hands out none instead. AWS: "Avoid large message backlogs with the same message group ID".
 */
export function receiveFrom(
  context: ReceivingContext,
  maxMessages: number,
  visibilitySeconds: number,
): readonly ReceivedMessage[] {
  checkRange('MaxNumberOfMessages', maxMessages, 1, 10, 'Must be between 1 and 10, if provided.');
  checkVisibility(visibilitySeconds);
  const { store, inFlightQuota, fifo } = context;
  // Counted only where it can matter, since it looks at every message.
  const inFlight = store.size < inFlightQuota ? 0 : store.counts()['in flight'];
  const room = inFlightQuota - inFlight;
  if (room <= 0 && !fifo) throw sqsError('OverLimit', 'The maximum number of in flight messages is reached.');
  const available = withoutDeadLetters(inDeliveryOrder(context), context);
  const taken = available.slice(0, Math.max(0, Math.min(maxMessages, room)));
  return taken.map((message) => take(message, visibilitySeconds, context));
}

function inDeliveryOrder({ store, fifo, now, shuffle, inFlightQuota }: ReceivingContext): StoredMessage[] {
  if (fifo) return fifoOrder(store.all(), now(), store.availableAt, inFlightQuota);
  return standardOrder(store.all(), now(), store.availableAt, shuffle);
}

/** The receive that would be one too many moves the message instead, and its group goes on. */
function withoutDeadLetters(available: StoredMessage[], { store, redrive }: ReceivingContext): StoredMessage[] {
  const policy = redrive();
  if (policy === undefined) return available;
  return available.filter((message) => {
    if (message.receivesHere < policy.maxReceiveCount) return true;
    store.remove(message.id);
    policy.bury(message);
    return false;
  });
}

function take(message: StoredMessage, visibilitySeconds: number, context: ReceivingContext): ReceivedMessage {
  const receivedAt = context.now();
  const receive = (message.flight?.receive ?? 0) + 1;
  message.duplicate = false;
  message.receiveCount += 1;
  message.receivesHere += 1;
  message.firstReceivedAt ??= receivedAt;
  message.flight = { receive, receivedAt, visibleAt: receivedAt + visibilitySeconds * 1000 };
  if (!context.fifo && message.receivesHere >= POISON_RECEIVES) context.store.moveToBack(message);
  return {
    messageId: message.id,
    receiptHandle: writeReceipt({ queueArn: context.arn, messageId: message.id, receive, receivedAt }),
    body: message.body,
    attributes: systemAttributes(message, context.senderId),
    messageAttributes: message.attributes,
  };
}

/** `MessageSystemAttributeNames` of ReceiveMessage; those without a value are left out. */
function systemAttributes(message: StoredMessage, senderId: string): Record<string, string> {
  const attributes = {
    ApproximateReceiveCount: String(message.receiveCount),
    SentTimestamp: String(message.sentAt),
    SenderId: senderId,
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    MessageGroupId: message.groupId,
    MessageDeduplicationId: message.deduplicationId,
    SequenceNumber: message.sequenceNumber,
    AWSTraceHeader: message.traceHeader,
    DeadLetterQueueSourceArn: message.deadLetterSourceArn,
  };
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
