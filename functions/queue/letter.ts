/**
 * Dead letters: when a message is given up, and the shape in which it goes to the dead-letter queue. It goes as it was,
 * with one more attribute that says why, and is made to fit into SQS's limits.
 */
import type { SQSMessageAttribute } from 'aws-lambda';
import type { ObjectAt } from '../aws/s3.ts';
import type { Attribute, OutgoingMessage } from '../aws/sqs.ts';
import { fitsQueue } from '../message/limits.ts';
import { pointerBody } from '../message/pointer.ts';
import { DEAD_LETTER, OWN_ATTRIBUTES, type QueuedMessage } from '../message/queued.ts';
import type { Outcome } from '../relay/outcome.ts';
import { deadLettersUnder } from '../settings/destination.ts';
import { mplLink } from '../settings/monitor.ts';
import { isRecord, parseJson } from '../untrusted.ts';

const HOUR_MS = 3_600_000;
/** Two days before SQS itself would drop it. */
const MAX_AGE_MS = 12 * 24 * HOUR_MS;

/**
 * Whether no later try is to follow; for a message that was tried in this invocation. `retryForHours` counts from the
 * first receive, since before that nobody tried to deliver the message.
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

/** Whether so little of SQS's retention is left that the message must be delivered now, or be dead-lettered. */
export function isOverdue({ sentAt }: Pick<QueuedMessage, 'sentAt'>, now: number): boolean {
  return now - sentAt > MAX_AGE_MS;
}

/** What a letter says of an outcome. */
interface LetterOutcome extends Pick<Outcome, 'kind' | 'status' | 'mplId'> {
  readonly reason?: string;
  readonly detail?: string | undefined;
}

/** A letter, and the object that must be stored first if its body is too large for the queue. */
export interface Letter {
  readonly message: OutgoingMessage;
  readonly store?: { readonly at: ObjectAt; readonly body: Buffer };
}

export interface LetterOptions {
  readonly destination: string;
  /** For a body that does not fit. Absent: such a message cannot be dead-lettered. */
  readonly payloadBucket?: string;
  /** Host of the tenant's monitor, for a link to the message's log. */
  readonly monitor?: string;
  /** Of a cut-over. */
  readonly side?: 'old' | 'new';
  /** Epoch milliseconds. */
  readonly now: number;
}

/** @returns undefined if it cannot be made to fit: the message is kept until SQS's own redrive takes it */
export function letterOf(queued: QueuedMessage, outcome: Outcome, options: LetterOptions): Letter | undefined {
  // Where the letter does not fit, the endpoint's own words and the link are left out.
  const { monitor: _, ...slim } = options;
  return fitted(queued, outcome, options) ?? fitted(queued, { ...outcome, detail: undefined }, slim);
}

function fitted(queued: QueuedMessage, outcome: LetterOutcome, options: LetterOptions): Letter | undefined {
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
  const stored = (all: OutgoingMessage['attributes']) => storedLetter(queued, all, payloadBucket, options.destination);
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

/** An object in S3 is the payload itself, not its base64. */
function storedBody({ body, attributes }: QueuedMessage): Buffer {
  return Buffer.from(body, attributes.bodyEncoding?.stringValue === 'base64' ? 'base64' : 'utf8');
}

/** On FIFO the record id deduplicates: SQS would drop a second letter of one message id within five minutes. */
function messageOf({ group, recordId }: QueuedMessage, body: string, attributes: OutgoingMessage['attributes']) {
  return { body, attributes, ...(group === undefined ? {} : { groupId: group, deduplicationId: recordId }) };
}

function reasonOf(
  queued: QueuedMessage,
  outcome: LetterOutcome,
  { destination, side, monitor, now }: LetterOptions,
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
    side,
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

/** As they came. If the message is itself a letter, also the attributes that were moved into its attribute. */
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
    // Anyone may send an attribute of this name: what we did not write is ignored.
    if (typeof dataType !== 'string' || typeof value !== 'string') continue;
    moved[name] = dataType.startsWith('Binary') ? { dataType, binaryValue: value } : { dataType, stringValue: value };
  }
  return moved;
}
