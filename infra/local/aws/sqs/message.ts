/**
 * What a message is: as a sender hands it in, as a queue keeps it, as a consumer gets it, as a test sees it. What
 * happens to it is for `sqs/queue.ts`.
 */

/** AWS: "Message metadata for Amazon SQS". */
export interface MessageAttribute {
  /** `String`, `Number` or `Binary`, with a custom label after a dot. */
  readonly dataType: string;
  readonly stringValue?: string;
  readonly binaryValue?: Uint8Array;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

export interface NewMessage {
  readonly body: string;
  readonly attributes?: MessageAttributes;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  /** Default: the queue's. */
  readonly delaySeconds?: number;
  readonly traceHeader?: string;
}

export interface SentMessage {
  readonly messageId: string;
  /** Of FIFO queues. */
  readonly sequenceNumber?: string;
}

export interface ReceivedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** All system attributes, as text: `ApproximateReceiveCount`, `SentTimestamp` and so on. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: MessageAttributes;
}

/** One receive: it hides the message until `visibleAt`. Times are epoch ms. */
export interface Flight {
  /** Which receive of this message it is; a receipt handle names it. */
  readonly receive: number;
  readonly receivedAt: number;
  readonly visibleAt: number;
}

export interface StoredMessage {
  readonly id: string;
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
  readonly sequenceNumber: string | undefined;
  readonly traceHeader: string | undefined;
  readonly deadLetterSourceArn: string | undefined;
  /** Place in the queue. */
  place: number;
  readonly sentAt: number;
  /** When it came into this queue: of a dead letter, when it was moved here. */
  readonly enteredAt: number;
  /** Undefined: the queue's, as it is now. AWS: "Amazon SQS delay queues": retroactive on FIFO queues only. */
  readonly delaySeconds: number | undefined;
  /**
   * `ApproximateReceiveCount`; goes along to a dead-letter queue (recorded from AWS: the first receive there says 2).
   */
  receiveCount: number;
  /** Receives in this queue, which `maxReceiveCount` is compared with. */
  receivesHere: number;
  firstReceivedAt: number | undefined;
  /** The latest receive, over or not. */
  flight: Flight | undefined;
  /** A copy that is handed out although the message is in flight or deleted. */
  duplicate: boolean;
}

/** What happened in a queue, as soon as it has; times are epoch ms, ids SQS's own. */
export type QueueEvent = { readonly at: number; readonly queue: string; readonly id: string } & (
  | {
      readonly what: 'sent';
      readonly body: string;
      readonly attributes: MessageAttributes;
      /** Of a FIFO queue alone: there a group keeps its order. */
      readonly groupId?: string;
    }
  | { readonly what: 'received'; readonly receiveCount: number; readonly visibleAt: number }
  | { readonly what: 'hidden'; readonly visibleAt: number }
  | { readonly what: 'deleted' | 'expired' | 'purged' }
  /** SQS's own redrive moved it: it was received too often. */
  | { readonly what: 'redriven'; readonly to: string }
);

/** A message as tests see it. */
export interface MessageView {
  readonly id: string;
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
  readonly deadLetterSourceArn: string | undefined;
  readonly state: 'visible' | 'in flight' | 'delayed';
  readonly receiveCount: number;
  readonly sentAt: number;
  /** When it can be or could have been received, by its own delay and flight; a FIFO group may hold it back longer. */
  readonly visibleAt: number;
}
