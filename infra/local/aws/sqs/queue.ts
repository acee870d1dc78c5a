/**
 * One queue of SQS on injected time: synchronous, without timers and sockets, so that a simulation uses it as it is.
 * This file owns its settings and puts its parts together; sending, receiving, acknowledging and storing are
 * `sqs/sending.ts`, `sqs/receiving.ts`, `sqs/acknowledgement.ts` and `sqs/store.ts`, the wire is `sqs/api.ts`.
 */
import { type Changes, createChanges } from '../../facts/waiting.ts';
import { changeVisibilityByHandle, deleteByHandle } from './acknowledgement.ts';
import { createDeduplication } from './deduplication.ts';
import { invalidValue, sqsError } from './error.ts';
import { checkMessage, type SendRules } from './limits.ts';
import type { MessageView, NewMessage, QueueEvent, ReceivedMessage, SentMessage, StoredMessage } from './message.ts';
import { checkedAttributes, type QueueAttributes, readRedrivePolicy } from './queue-attributes.ts';
import { POISON_RECEIVES, receiveFrom } from './receiving.ts';
import { sendToFifo, sendToStandard } from './sending.ts';
import { createStore } from './store.ts';

const PURGE_PAUSE_MS = 60_000;

export interface ReceiveOptions {
  /** 1 to 10, default 1. */
  readonly maxMessages?: number;
  /** Default: the queue's. */
  readonly visibilitySeconds?: number;
}

export interface Queue {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  readonly fifo: boolean;
  /** Told after each change that a call made; the passing of time alone is none, see `nextVisibleAt`. */
  readonly changes: Changes;
  /** In queue order. */
  readonly messages: readonly MessageView[];
  /** Stored messages: visible, in flight and delayed. */
  readonly size: number;
  /** As GetQueueAttributes with `All`. */
  attributes(): QueueAttributes;
  /**
   * CloudWatch's `ApproximateAgeOfOldestMessage`: of a standard queue without what was received three times, of a dead
   * letter since it was moved. Undefined where there is nothing to tell of.
   */
  ageOfOldestSeconds(): number | undefined;
  /**
   * An empty value takes a policy away. @throws AwsError InvalidAttributeName, InvalidAttributeValue,
   * InvalidParameterValue
   */
  setAttributes(values: QueueAttributes): void;
  /** What a message is checked against before it is stored. */
  rules(): SendRules;
  /** @throws AwsError as `checkMessage` */
  send(message: NewMessage): SentMessage;
  /** Hands out what is there now; empty when nothing is. @throws AwsError as `receiveFrom` */
  receive(options?: ReceiveOptions): readonly ReceivedMessage[];
  /** @throws AwsError as `deleteByHandle` */
  delete(receiptHandle: string): void;
  /** @throws AwsError as `changeVisibilityByHandle` */
  changeVisibility(receiptHandle: string, visibilitySeconds: number): void;
  /** @throws AwsError PurgeQueueInProgress within 60 s of the last */
  purge(): void;
  /** When the next message that is in flight or delayed now can be received again, epoch ms. */
  nextVisibleAt(): number | undefined;
  /** Ends the visibility timeout of a message that was received, as if its time were over. */
  showNow(messageId: string): void;
  /**
   * Causes a duplicate on a standard queue: the message is handed out once more although it is in flight or was
   * deleted. AWS: "Amazon SQS at-least-once delivery".
   */
  deliverAgain(messageId: string): void;
}

/** A queue as its service knows it. */
export interface QueueModel extends Queue {
  /** Stores a dead letter of another queue. */
  bury(message: StoredMessage, sourceArn: string): void;
}

export interface QueueContext {
  readonly name: string;
  readonly arn: string;
  readonly url: () => string;
  readonly attributes: QueueAttributes;
  readonly now: () => number;
  readonly random: () => number;
  /** Standard queues hand out in random order. */
  readonly shuffle: boolean;
  /** Most messages in flight, and on FIFO how far from the front it looks. */
  readonly inFlightQuota: number;
  readonly senderId: string;
  readonly nextSequenceNumber: () => string;
  readonly findQueue: (arn: string) => QueueModel | undefined;
  readonly confidential: (value: string) => void;
  readonly onEvent: ((event: QueueEvent) => void) | undefined;
}

export function createQueue(context: QueueContext): QueueModel {
  const { name, arn, now, random, findQueue, onEvent } = context;
  const fifo = name.endsWith('.fifo');
  const createdAt = now();
  let modifiedAt = createdAt;
  let settings = context.attributes;
  let purgedAt = Number.NEGATIVE_INFINITY;
  const seconds = (attribute: string) => Number(settings[attribute] ?? 0);

  const changes = createChanges();
  const deduplication = createDeduplication();
  const store = createStore({
    now,
    retentionMs: () => seconds('MessageRetentionPeriod') * 1000,
    delayMs: () => seconds('DelaySeconds') * 1000,
    expired: (ids) => {
      for (const id of ids) onEvent?.({ at: now(), queue: name, id, what: 'expired' });
      changes.announce();
    },
  });
  const handling = {
    ...context,
    fifo,
    store,
    shuffle: context.shuffle ? random : undefined,
    redrive,
    seconds,
    perGroup,
  };

  function rules(): SendRules {
    return {
      fifo,
      contentBasedDeduplication: settings.ContentBasedDeduplication === 'true',
      maximumMessageBytes: seconds('MaximumMessageSize'),
    };
  }

  function send(message: NewMessage): SentMessage {
    context.confidential(message.body);
    checkMessage(message, rules());
    const sizeBefore = store.size;
    const sent = fifo ? sendToFifo(handling, deduplication, message) : sendToStandard(handling, message);
    if (store.size > sizeBefore) {
      const { body, attributes = {}, groupId } = message;
      const inOrder = fifo && groupId !== undefined ? { groupId } : {};
      onEvent?.({ at: now(), queue: name, id: sent.messageId, what: 'sent', body, attributes, ...inOrder });
    }
    changes.announce();
    return sent;
  }

  function receive({ maxMessages = 1, visibilitySeconds = seconds('VisibilityTimeout') }: ReceiveOptions = {}) {
    store.expire();
    const sizeBefore = store.size;
    const received = receiveFrom(handling, maxMessages, visibilitySeconds);
    if (onEvent !== undefined) for (const { messageId } of received) tellReceived(messageId, onEvent);
    if (received.length > 0 || store.size !== sizeBefore) changes.announce();
    return received;
  }

  function tellReceived(id: string, tell: (event: QueueEvent) => void): void {
    const message = store.find(id);
    if (message === undefined) return;
    const { receiveCount } = message;
    tell({ at: now(), queue: name, id, what: 'received', receiveCount, visibleAt: store.availableAt(message) });
  }

  function perGroup(): boolean {
    return settings.DeduplicationScope === 'messageGroup';
  }

  function redrive() {
    if (!settings.RedrivePolicy) return undefined;
    const { deadLetterTargetArn, maxReceiveCount } = readRedrivePolicy(settings.RedrivePolicy);
    const target = findQueue(deadLetterTargetArn);
    if (target === undefined) return undefined;
    return {
      maxReceiveCount,
      bury: (message: StoredMessage) => {
        target.bury(message, arn);
        onEvent?.({ at: now(), queue: name, id: message.id, what: 'redriven', to: target.name });
      },
    };
  }

  /** AWS: "Setting-up dead-letter queue retention": the time of sending stays on standard queues, is reset on FIFO. */
  function bury(message: StoredMessage, sourceArn: string): void {
    const onFifo = fifo ? { sentAt: now(), sequenceNumber: context.nextSequenceNumber() } : {};
    store.add({ ...message, ...onFifo, deadLetterSourceArn: sourceArn });
    changes.announce();
  }

  function setAttributes(values: QueueAttributes): void {
    const { FifoQueue: type, ...rest } = values;
    if (fifo && type !== undefined && type !== 'true') {
      const reason = 'Modifying queue type is not supported.';
      throw sqsError('InvalidAttributeValue', `Invalid value for the parameter FifoQueue. Reason: ${reason}`);
    }
    const next = { ...settings, ...checkedAttributes(fifo ? rest : values, fifo) };
    if (next.RedrivePolicy) checkDeadLetterQueue(next.RedrivePolicy, fifo, findQueue);
    settings = Object.fromEntries(Object.entries(next).filter(([, value]) => value !== ''));
    modifiedAt = now();
    store.retentionChanged();
    changes.announce();
  }

  function attributes(): QueueAttributes {
    store.expire();
    const counts = store.counts();
    return {
      ...settings,
      QueueArn: arn,
      CreatedTimestamp: String(Math.floor(createdAt / 1000)),
      LastModifiedTimestamp: String(Math.floor(modifiedAt / 1000)),
      ApproximateNumberOfMessages: String(counts.visible),
      ApproximateNumberOfMessagesNotVisible: String(counts['in flight']),
      ApproximateNumberOfMessagesDelayed: String(counts.delayed),
    };
  }

  function ageOfOldestSeconds(): number | undefined {
    store.expire();
    let oldest = Number.POSITIVE_INFINITY;
    for (const { enteredAt, receivesHere } of store.all()) {
      if (fifo || receivesHere < POISON_RECEIVES) oldest = Math.min(oldest, enteredAt);
    }
    return Number.isFinite(oldest) ? Math.floor((now() - oldest) / 1000) : undefined;
  }

  function purge(): void {
    if (now() - purgedAt < PURGE_PAUSE_MS) {
      throw sqsError('PurgeQueueInProgress', `Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`);
    }
    purgedAt = now();
    for (const { id } of store.all()) onEvent?.({ at: now(), queue: name, id, what: 'purged' });
    store.clear();
    deduplication.clear();
    changes.announce();
  }

  /** Every call by a handle sees the queue as of now and tells of its change. */
  function acknowledge(act: () => void): void {
    store.expire();
    act();
    changes.announce();
  }

  function showNow(id: string): void {
    store.expire();
    const message = store.find(id);
    if (message?.flight === undefined) return;
    const visibleAt = Math.min(message.flight.visibleAt, now());
    message.flight = { ...message.flight, visibleAt };
    onEvent?.({ at: now(), queue: name, id, what: 'hidden', visibleAt });
    changes.announce();
  }

  function deliverAgain(messageId: string): void {
    if (fifo) throw new Error('a FIFO queue delivers no duplicates');
    if (!store.duplicate(messageId)) throw new Error(`no message ${messageId} is stored or was lately deleted`);
    changes.announce();
  }

  return {
    name,
    arn,
    fifo,
    changes,
    get url() {
      return context.url();
    },
    get messages() {
      store.expire();
      return Array.from(store.all(), store.view);
    },
    get size() {
      store.expire();
      return store.size;
    },
    attributes,
    ageOfOldestSeconds,
    setAttributes,
    rules,
    send,
    receive,
    delete: (handle) =>
      acknowledge(() => {
        const id = deleteByHandle(handling, handle);
        if (id !== undefined) onEvent?.({ at: now(), queue: name, id, what: 'deleted' });
      }),
    changeVisibility: (handle, visibilitySeconds) =>
      acknowledge(() => {
        const hidden = changeVisibilityByHandle(handling, handle, visibilitySeconds);
        onEvent?.({ at: now(), queue: name, what: 'hidden', ...hidden });
      }),
    purge,
    nextVisibleAt: store.nextVisibleAt,
    showNow,
    deliverAgain,
    bury,
  };
}

/** @throws AwsError InvalidParameterValue */
export function checkDeadLetterQueue(
  redrivePolicy: string,
  fifo: boolean,
  findQueue: (arn: string) => Queue | undefined,
): void {
  const target = findQueue(readRedrivePolicy(redrivePolicy).deadLetterTargetArn);
  if (target === undefined) throw invalidValue('RedrivePolicy', redrivePolicy, 'Dead letter target does not exist.');
  if (target.fifo !== fifo) {
    const reason = 'Dead-letter queue must be same type of queue as the source.';
    throw invalidValue('RedrivePolicy', redrivePolicy, reason);
  }
}
