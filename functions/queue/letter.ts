/**
 * What becomes of a message that will never be delivered: it goes to the dead-letter queue as it was, with one attribute
 * beside it that says why. Whether a message is given up, and how its letter fits into SQS's limits, is decided here.
 */
import type { SQSMessageAttribute } from 'aws-lambda';
import type { Attribute, OutgoingMessage } from '../aws/sqs.ts';
import { fitsQueue } from '../message/limits.ts';
import { type Pointer, pointerBody } from '../message/pointer.ts';
import { DEAD_LETTER, OWN_ATTRIBUTES, type QueuedMessage } from '../message/queued.ts';
import type { Outcome } from '../relay/outcome.ts';
import { deadLettersUnder } from '../settings/destination.ts';
import { mplLink } from '../settings/monitor.ts';
import { isRecord, parseJson } from '../untrusted.ts';

const HOUR_MS = 3_600_000;
/** Two days before SQS itself would drop it. */
const MAX_AGE_MS = 12 * 24 * HOUR_MS;

/**
 * Only for what was tried in this invocation: whether this outcome is the last that is waited for. Retries begin with the
 * first receive: while nobody polled its queue a message was not tried.
 */
export function isGivenUp(
  { kind }: Outcome,
  queued: Pick<QueuedMessage, 'sentAt' | 'firstReceivedAt'>,
  { retryForHours }: { readonly retryForHours: number },
  now: number,
): boolean {
  if (kind === 'rejected') return true;
  if (kind === 'failed' && now - queued.firstReceivedAt > retryForHours * HOUR_MS) return true;
  return kind !== 'delivered' && isOverdue(queued, now);
}

/** Whether so little is left of SQS's retention that a message must be delivered now, or be dead-lettered. */
export function isOverdue({ sentAt }: Pick<QueuedMessage, 'sentAt'>, now: number): boolean {
  return now - sentAt > MAX_AGE_MS;
}

/** What a letter tells of an outcome. */
interface Dead extends Pick<Outcome, 'kind' | 'status' | 'mplId'> {
  readonly reason?: string;
  readonly detail?: string | undefined;
}

/** A letter, and where its body must be stored first if it is too large to lie in the queue beside its reason. */
export interface Letter {
  readonly message: OutgoingMessage;
  readonly store?: { readonly at: Pointer; readonly body: Buffer };
}

export interface LetterOptions {
  readonly destination: string;
  /** For a body that does not fit; absent: such a message cannot be dead-lettered. */
  readonly payloadBucket?: string;
  /** Host of the tenant's monitor, for a link to the message's log. */
  readonly monitor?: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** @returns undefined if it fits in no way: the message stays, and SQS's own redrive takes it in the end */
export function letterOf(queued: QueuedMessage, outcome: Outcome, options: LetterOptions): Letter | undefined {
  // Better without the endpoint's own words and without a link than no letter at all.
  const { monitor: _, ...slim } = options;
  return fitted(queued, outcome, options) ?? fitted(queued, { ...outcome, detail: undefined }, slim);
}

function fitted(queued: QueuedMessage, outcome: Dead, options: LetterOptions): Letter | undefined {
  const { payloadBucket } = options;
  const attributes = outgoing(queued.attributes);
  const whole = { ...attributes, [DEAD_LETTER]: reasonOf(queued, outcome, options) };
  const message = messageOf(queued, queued.body, whole);
  if (fitsQueue(message)) return { message };

  const own = Object.fromEntries(Object.entries(attributes).filter(([name]) => OWN_ATTRIBUTES.includes(name)));
  const moved = Object.fromEntries(Object.entries(attributes).filter(([name]) => !OWN_ATTRIBUTES.includes(name)));
  const slim = { ...own, [DEAD_LETTER]: reasonOf(queued, outcome, options, moved) };
  const slimMessage = messageOf(queued, queued.body, slim);
  if (fitsQueue(slimMessage)) return { message: slimMessage };
  if (payloadBucket === undefined) return undefined;
  const stored = (beside: OutgoingMessage['attributes']) =>
    storedLetter(queued, beside, payloadBucket, options.destination);
  return stored(whole) ?? stored(slim);
}

function storedLetter(
  queued: QueuedMessage,
  attributes: OutgoingMessage['attributes'],
  bucket: string,
  destination: string,
): Letter | undefined {
  const at = { bucket, key: `${deadLettersUnder(destination)}${queued.recordId}` };
  const pointer = pointerBody(at);
  const body = storedBody(queued);
  const { bodyEncoding: _, ...pointed }: Record<string, Attribute> = {
    ...attributes,
    ExtendedPayloadSize: { DataType: 'Number', StringValue: String(body.byteLength) },
  };
  const message = messageOf(queued, pointer, pointed);
  return fitsQueue(message) ? { message, store: { at, body } } : undefined;
}

/** An object in S3 is the payload itself, whatever it was in the queue. */
function storedBody({ body, attributes }: QueuedMessage): Buffer {
  return Buffer.from(body, attributes.bodyEncoding?.stringValue === 'base64' ? 'base64' : 'utf8');
}

/** On FIFO the record's own id deduplicates: a stable id that came back within five minutes would be accepted and dropped. */
function messageOf({ group, recordId }: QueuedMessage, body: string, attributes: OutgoingMessage['attributes']) {
  return { body, attributes, ...(group === undefined ? {} : { groupId: group, deduplicationId: recordId }) };
}

function reasonOf(
  queued: QueuedMessage,
  outcome: Dead,
  { destination, monitor, now }: LetterOptions,
  attributes?: Readonly<Record<string, Attribute>>,
): Attribute {
  const letter = {
    reason: outcome.reason?.slice(0, 500) ?? '',
    detail: outcome.detail,
    outcome: outcome.kind,
    status: outcome.status,
    mplId: outcome.mplId,
    mplLink: monitor === undefined || outcome.mplId === undefined ? undefined : mplLink(monitor, outcome.mplId),
    messageId: queued.messageId,
    destination,
    queueArn: queued.queueArn,
    receiveCount: queued.receiveCount,
    sentAt: dateOf(queued.sentAt),
    firstReceivedAt: dateOf(queued.firstReceivedAt),
    deadAt: dateOf(now),
    attributes:
      attributes && Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plain(value)])),
  };
  return { DataType: 'String', StringValue: JSON.stringify(letter) };
}

function plain({ DataType, StringValue, BinaryValue }: Attribute): { dataType: string; value: string } {
  return { dataType: DataType, value: StringValue ?? Buffer.from(BinaryValue ?? []).toString('base64') };
}

function dateOf(time: number): string | undefined {
  return time < 8.64e15 ? new Date(time).toISOString() : undefined;
}

/** As they came; of a letter that came back as it is, those, too, that had moved into it. */
function outgoing({ [DEAD_LETTER]: letter, ...attributes }: QueuedMessage['attributes']): Record<string, Attribute> {
  const entries = [...Object.entries(movedInto(letter?.stringValue)), ...Object.entries(attributes)];
  return Object.fromEntries(
    entries.map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      binaryValue === undefined || binaryValue === null
        ? { DataType: dataType, StringValue: stringValue ?? '' }
        : { DataType: dataType, BinaryValue: Buffer.from(binaryValue, 'base64') },
    ]),
  );
}

function movedInto(json: string | undefined): QueuedMessage['attributes'] {
  const letter = parseJson(json ?? '');
  const attributes = isRecord(letter) ? letter.attributes : undefined;
  const moved: Record<string, SQSMessageAttribute> = {};
  for (const [name, entry] of Object.entries(attributes ?? {})) {
    const { dataType, value } = (entry ?? {}) as Partial<ReturnType<typeof plain>>;
    // Anyone may send an attribute of this name: what is not of our making is passed over.
    if (typeof dataType !== 'string' || typeof value !== 'string') continue;
    moved[name] = dataType.startsWith('Binary') ? { dataType, binaryValue: value } : { dataType, stringValue: value };
  }
  return moved;
}
