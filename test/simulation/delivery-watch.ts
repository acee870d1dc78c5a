/**
 * Watches deliveries on the wire and in the queues while they happen: what an invocation acknowledges and keeps, what
 * is sent twice, who overtakes whom in a group, which letters are written and why.
 */
import { createHash } from 'node:crypto';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Processed } from '../../infra/local/sap/runtime-node/integration-flow.ts';
import type { Call } from './aws-client.ts';
import type { Invocation } from './lambda.ts';
import { type Ledger, named, RETENTION_MS, type Side, type Tracked } from './ledger.ts';
import type { Exchange } from './network.ts';
import { type DestinationPlan, destinationIn, type Form, isNewSide } from './plan.ts';

/** The verdicts that end a message, as the contract lists them. */
const REJECTED = new Set([400, 409, 410, 412, 413, 415, 422]);
const HOUR_MS = 3_600_000;
/** Of an environment's clock, as the world sets it. */
const MAX_CLOCK_ERROR_MS = 3_000;
const MAX_HOURS = 12 * 24;
/** SQS moves a message away that it has handed out as often. */
const MAX_RECEIVES = 1_000;
/** For so long SQS drops what comes under a deduplication id again. */
const DEDUPLICATION_MS = 300_000;
/** What the relay keeps of an invocation for reporting, and the least that it begins a call with. */
const RESERVE_MS = 2_000;
const MIN_CALL_MS = 500;
/** Forms that no flow ever sees. */
const UNTAKEABLE = new Set<Form>(['unreadable', 'missing in S3', 'unsendable header']);
/** As long as the HTTP client takes a broken kept socket for one that was closed while it idled. */
const DEAD_WITHIN_MS = 1_000;

export interface DeliveryWatchOptions {
  readonly ledger: Ledger;
  readonly now: () => number;
  readonly destinations: ReadonlyMap<string, DestinationPlan>;
  /** Whether the destination's dead-letter queue holds this message now. */
  readonly liesDead: (message: Tracked) => boolean;
  /** Whether functions are killed, or messages handed out while they are at work: only then SQS may move one away. */
  readonly mayBeMovedAway: boolean;
  /** Of the cut-over of a destination as it is deployed now, epoch milliseconds; undefined where there is none. */
  readonly sinceOf: (destination: string) => { readonly since: number; readonly share: number } | undefined;
}

export interface DeliveryWatch {
  invoked(invocation: Invocation): void;
  /** A call with a message begins. */
  call(exchange: Exchange): void;
  answered(exchange: Exchange): void;
  ran(processed: Processed, exchange: Exchange): void;
  /** SQS carried out a call of the relay. @param isStored false where a message was dropped as a duplicate */
  performed(call: Call, isStored: boolean, recordId: string): void;
  /** A call of SQS that was not confirmed to the relay. */
  unconfirmed(call: Call): void;
  replied(invocation: Invocation): void;
}

export function createDeliveryWatch(options: DeliveryWatchOptions): DeliveryWatch {
  const { ledger, now, destinations, liesDead, mayBeMovedAway, sinceOf } = options;
  /** Statuses that an environment was answered by whatever it called: a refusal is remembered while a pause lasts. */
  const statuses = new Map<string, Set<number>>();

  function messageOf({ headers, body }: Exchange): Tracked | undefined {
    return ledger.find(headers.sap_applicationid, body);
  }

  /** An operator must have had the time to act before SQS moves a message away without a reason. */
  function invoked(invocation: Invocation): void {
    for (const { messageId, attributes } of recordsOf(invocation)) {
      ledger.ofRecord(messageId)?.handedOutAt.push(invocation.askedAt);
      const { ApproximateReceiveCount: receives, SentTimestamp } = attributes;
      if (Number(receives) < MAX_RECEIVES || now() - Number(SentTimestamp) >= MAX_HOURS * HOUR_MS) continue;
      const message = ledger.ofRecord(messageId);
      const isMoved = destinations.get(message?.arrival.destination ?? '')?.deadLetterQueue;
      if (message !== undefined && isMoved && !mayBeMovedAway)
        ledger.violate('nothing is received too often', `${named(message)} is received ${receives} times`);
    }
  }

  function isSettled(message: Tracked): boolean {
    if (now() - message.sentAt >= RETENTION_MS) return true;
    return message.runs.length > 0 || message.letters > 0 || message.redriven || message.putBack > 0;
  }

  /** In a group nobody goes out before those who came into the queue before have been taken or are dead. */
  function overtaken(message: Tracked, invocation: Invocation): Tracked | undefined {
    const { place } = message;
    if (place === undefined || message.putBack > 0 || recordsOf(invocation).length === 0) return undefined;
    return ledger.laneOf(message).find((other) => Number(other.place) < place && !isSettled(other) && !liesDead(other));
  }

  function call(exchange: Exchange): void {
    const { invocation } = exchange;
    const message = messageOf(exchange);
    if (invocation === undefined || message === undefined) {
      ledger.violate('ids never change', `a call with the id ${exchange.headers.sap_applicationid}, which nobody sent`);
      return;
    }
    if (message.arrival.form === 'unsendable header')
      ledger.violate('what no request can carry is refused', `${named(message)} goes out`);
    if (message.arrival.form !== 'unreadable' && !Buffer.from(exchange.body).equals(message.payload)) {
      ledger.violate('ids never change', `${named(message)} goes out with another body`);
    }
    watchSide(message, exchange);
    const earlier = overtaken(message, invocation as Invocation);
    if (earlier !== undefined) ledger.violate('order', `${named(message)} goes out before ${named(earlier)}`);
    const { calls } = ledger.books(invocation);
    const before = calls.get(message) ?? [];
    calls.set(message, [...before, exchange]);
    const last = before.at(-1);
    if (last !== undefined && !mayFollow(last) && copiesOf(message, invocation as Invocation) < 2) {
      const how = `${last.status ?? 'no answer'}, ${last.end ?? 'not yet ended'}`;
      ledger.violate('sent once in an attempt', `${named(message)} goes out again after ${how}`);
    }
  }

  /**
   * All tries of what was sent once go to one side, and which one its sent time says. What its sender, or SQS, has sent
   * twice is two messages with one id.
   */
  function watchSide(message: Tracked, { path, invocation }: Exchange): void {
    const flow = /^\/http\/([^?]+)/.exec(path)?.[1] ?? '';
    const side = isNewSide(flow) ? 'new' : 'old';
    if (destinationIn(flow) !== message.arrival.destination)
      ledger.violate('a message goes to its own flow', `${named(message)} goes to ${flow}`);
    message.sides.add(side);
    if (message.sends > 1 || message.takenAgain > 0) return;
    if (message.sides.size > 1) ledger.violate('one side for all tries', `${named(message)} is tried on both sides`);
    const expected = expectedSide(message, invocation as Invocation);
    if (expected !== undefined && side !== expected)
      ledger.violate('the sent time says the side', `${named(message)} goes to the ${side} side`);
  }

  /** Undefined where no record says it: of a direct call, and where a letter was put back. */
  function expectedSide(message: Tracked, invocation: Invocation): Side | undefined {
    const cutover = sinceOf(message.arrival.destination);
    if (cutover === undefined) return 'old';
    const [record, ...others] = recordsOf(invocation).filter(({ messageId }) => ledger.ofRecord(messageId) === message);
    if (record === undefined || others.length > 0 || message.letters > 0 || message.putBack > 0) return undefined;
    const { SentTimestamp, MessageGroupId } = record.attributes;
    const cameInAt = record.messageAttributes.cameInAt?.stringValue;
    const sentAt = cameInAt === undefined ? Number(SentTimestamp) : Date.parse(cameInAt);
    if (sentAt < cutover.since) return 'old';
    const digest = createHash('sha256')
      .update(MessageGroupId ?? message.id)
      .digest('hex');
    return Number.parseInt(digest.slice(0, 8), 16) % 100 < cutover.share ? 'new' : 'old';
  }

  function answered(exchange: Exchange): void {
    const { invocation, caller, status } = exchange;
    const known = statuses.get(caller.environment) ?? new Set();
    statuses.set(caller.environment, status === undefined ? known : known.add(status));
    if (!exchange.isMessage) return;
    const message = messageOf(exchange);
    if (invocation === undefined || message === undefined || exchange.end !== 'whole') return;
    if (isTaken(exchange.status)) ledger.books(invocation).delivered.add(message);
  }

  function ran(processed: Processed, exchange: Exchange): void {
    const message = ledger.find(processed.messageId, exchange.body);
    if (message === undefined) return;
    message.attempts += 1;
    ledger.count('runs', String(processed.status));
    if (isTaken(processed.status)) message.runs.push({ at: now(), exchange });
  }

  function performed(call: Call, isStored: boolean, recordId: string): void {
    const { operation, input, invocation } = call;
    if (invocation === undefined) return;
    const isLetter = 'deadLetter' in ((input.MessageAttributes ?? {}) as object);
    if (operation === 'SendMessage' && isLetter) deadLettered(call, invocation as Invocation, isStored, recordId);
    if (operation === 'SendMessage' && !isLetter) queued(call, isStored, recordId);
    if (operation === 'ChangeMessageVisibilityBatch') hidden(input, invocation as Invocation);
  }

  /** By a webhook. */
  function queued({ input, invocation, performed: before }: Call, isStored: boolean, recordId: string): void {
    const attributes = input.MessageAttributes as TextAttributes;
    const id = attributes.messageId?.StringValue;
    const message = ledger.find(id, payloadIn(String(input.MessageBody), attributes));
    if (message === undefined) {
      ledger.violate('ids never change', `${id} is queued, which nobody sent`);
      return;
    }
    const answered =
      invocation &&
      ledger
        .books(invocation)
        .calls.get(message)
        ?.find(({ ran, end }) => ran && end === 'whole');
    if (answered !== undefined)
      ledger.violate('sent once in an attempt', `${named(message)} is queued after its flow said ${answered.status}`);
    if (before > 0) message.takenAgain += 1;
    if (!isStored && ledger.ofRecord(recordId) !== message) {
      ledger.violate('another body is another message', `${named(message)} is dropped for one of the same id`);
      return;
    }
    const isFifo = input.MessageDeduplicationId !== undefined;
    if (isFifo && isStored && now() - (message.storedAt ?? Number.NEGATIVE_INFINITY) < DEDUPLICATION_MS)
      ledger.violate('the same bytes again are one message', `${named(message)} is stored twice`);
    if (isStored) message.storedAt = now();
    ledger.enqueued(recordId, message);
  }

  function copiesOf({ recordIds }: Tracked, invocation: Invocation): number {
    return recordsOf(invocation).filter(({ messageId }) => recordIds.has(messageId)).length;
  }

  function deadLettered({ input, startedAt }: Call, invocation: Invocation, isStored: boolean, recordId: string): void {
    const { deadLetter, ...attributes } = input.MessageAttributes as TextAttributes;
    const told = JSON.parse(deadLetter?.StringValue ?? '{}');
    const message = ledger.find(told.messageId, payloadIn(String(input.MessageBody), attributes));
    if (message === undefined) {
      ledger.violate('dead letters tell the truth', `a letter for ${told.messageId}, which nobody sent`);
      return;
    }
    if (!isStored) return;
    const untrue = untruth(message, told, invocation);
    if (untrue !== undefined) ledger.violate('dead letters tell the truth', `${named(message)}: ${untrue}`);
    if (told.outcome !== 'rejected' && !wasTried(message, invocation, startedAt))
      ledger.violate('given up is only what was tried', `${named(message)} had no time for a call`);
    if (attributes.ExtendedPayloadSize === undefined && !sameBody(message, String(input.MessageBody), attributes))
      ledger.violate('dead letters keep the message', `${named(message)} has another body in its letter`);
    ledger.bind(recordId, message);
    message.letters += 1;
    ledger.books(invocation).deadLettered.add(message);
    ledger.count('dead letters', `${told.outcome} ${told.status ?? '-'}`);
  }

  /** Sent, or refused on the way while there was time for a call. */
  function wasTried(message: Tracked, invocation: Invocation, deadLetteredAt: number): boolean {
    const { startedAt, timeoutMs } = invocation;
    const endsAt = startedAt + timeoutMs - Math.min(RESERVE_MS, timeoutMs / 5);
    return ledger.books(invocation).calls.has(message) || deadLetteredAt <= endsAt - MIN_CALL_MS;
  }

  function untruth(
    message: Tracked,
    told: { outcome?: string; status?: number },
    invocation: Invocation,
  ): string | undefined {
    const { arrival } = message;
    const last = ledger.books(invocation).calls.get(message)?.at(-1);
    const records = recordsOf(invocation).filter(({ messageId }) => ledger.ofRecord(messageId) === message);
    const isOver = (from: 'SentTimestamp' | 'ApproximateFirstReceiveTimestamp', hours: number) =>
      records.some(({ attributes }) => now() - Number(attributes[from]) >= hours * HOUR_MS - MAX_CLOCK_ERROR_MS);
    const { retryForHours = 0 } = destinations.get(arrival.destination) ?? {};
    if (told.status !== undefined && !statuses.get(invocation.environment)?.has(told.status))
      return `${told.status} was never answered`;
    switch (told.outcome) {
      case 'rejected':
        if (UNTAKEABLE.has(arrival.form)) return undefined;
        return REJECTED.has(told.status ?? 0) && last?.end === 'whole' ? undefined : 'it was not rejected';
      case 'failed':
        return isOver('ApproximateFirstReceiveTimestamp', retryForHours) || isOver('SentTimestamp', MAX_HOURS)
          ? undefined
          : 'its time was not over';
      case 'blocked':
        return isOver('SentTimestamp', MAX_HOURS) ? undefined : 'its time was not over';
      default:
        return `its outcome is ${told.outcome}`;
    }
  }

  /** The first of a group keeps it closed: it is hidden before those behind it are let go. */
  function hidden(input: Call['input'], invocation: Invocation): void {
    const entries = input.Entries as readonly { ReceiptHandle: string; VisibilityTimeout: number }[];
    const records = recordsOf(invocation);
    const books = ledger.books(invocation);
    for (const { ReceiptHandle: handle, VisibilityTimeout: seconds } of entries) {
      const record = records.find(({ receiptHandle }) => receiptHandle === handle);
      if (record === undefined) continue;
      if (seconds > 0) books.hidden.add(record.messageId);
      const group = record.attributes.MessageGroupId;
      if (seconds > 0 || !record.eventSourceARN.endsWith('.fifo')) continue;
      const ahead = records
        .slice(0, records.indexOf(record))
        .filter(({ attributes }) => attributes.MessageGroupId === group);
      const isClosed = ahead.some(({ messageId }) => books.hidden.has(messageId));
      if (!isClosed) ledger.violate('a group stays closed', `${record.messageId} is let go before the head is hidden`);
    }
  }

  function unconfirmed({ operation, input, invocation }: Call): void {
    if (operation !== 'ChangeMessageVisibilityBatch' || invocation === undefined) return;
    const handles = (input.Entries as readonly { ReceiptHandle: string }[]).map(({ ReceiptHandle }) => ReceiptHandle);
    const records = recordsOf(invocation as Invocation);
    for (const { messageId, receiptHandle } of records) {
      if (handles.includes(receiptHandle)) ledger.books(invocation).hidden.add(messageId);
    }
  }

  function replied(invocation: Invocation): void {
    const records = recordsOf(invocation);
    const { batchItemFailures = [] } = (invocation.reply ?? {}) as SQSBatchResponse;
    const kept = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const { delivered, deadLettered: dead } = ledger.books(invocation);
    for (const { messageId: recordId } of records) {
      const message = ledger.ofRecord(recordId);
      if (message === undefined) continue;
      const isSafe = delivered.has(message) || dead.has(message) || liesDead(message);
      if (!kept.has(recordId) && !isSafe)
        ledger.violate('nothing is acknowledged before it is safe', `${named(message)} is neither taken nor dead`);
      if (kept.has(recordId) && delivered.has(message) && copiesOf(message, invocation) < 2)
        ledger.violate('what was taken is acknowledged', `${named(message)} is kept after a 2xx that arrived whole`);
    }
  }

  return { invoked, call, answered, ran, performed, unconfirmed, replied };
}

/** None of a webhook's. */
function recordsOf({ event }: Invocation): SQSEvent['Records'] {
  return (event as Partial<SQSEvent>).Records ?? [];
}

export function isTaken(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

/** Whether a message may go out again in the same attempt: not after an answer of the flow itself. */
function mayFollow({ end, status, handled, ran, onKeptSocket, startedAt, endedAt = startedAt }: Exchange): boolean {
  if (end === 'whole') return !ran && (status === 401 || status === 403 || (status === 500 && handled !== undefined));
  return end === 'cut' && onKeptSocket && status === undefined && endedAt - startedAt < DEAD_WITHIN_MS;
}

type TextAttributes = Readonly<Record<string, { StringValue?: string }>>;

function sameBody({ payload, arrival: { form } }: Tracked, body: string, attributes: TextAttributes): boolean {
  return form === 'unreadable' || payloadIn(body, attributes).equals(payload);
}

/** Of a body as it lies in a queue. */
function payloadIn(body: string, { bodyEncoding }: TextAttributes): Buffer {
  if (bodyEncoding?.StringValue === 'empty') return Buffer.alloc(0);
  return Buffer.from(body, bodyEncoding?.StringValue === 'base64' ? 'base64' : 'utf8');
}
