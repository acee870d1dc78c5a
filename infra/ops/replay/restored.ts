/**
 * What is sent for a letter: the message as it was before it died, with its stable id, to the queue that it came from; or
 * the letter itself, back into the dead-letter queue. Decided without a call of SQS, so that a dry run can tell.
 */
import type { Attribute } from '../../../functions/aws/sqs.ts';
import { queueUrlOf } from '../../../functions/message/queue-url.ts';
import { DEAD_LETTER, stableId } from '../../../functions/message/queued.ts';
import { type Attributes, type Letter, messageBytes } from './letter.ts';
import { type Side, sideIn, sideProblem } from './side.ts';

/** SQS: message attributes of one message, and bytes of body and attributes together. */
const MAX_ATTRIBUTES = 10;
const MAX_MESSAGE_BYTES = 1_048_576;
const QUEUE_ARN = /^arn:aws[\w-]*:sqs:([a-z0-9-]+):\d{12}:([\w-]{1,80}(?:\.fifo)?)$/;

export interface Restored {
  readonly queueUrl: string;
  readonly fifo: boolean;
  readonly body: string;
  readonly attributes: Attributes;
  readonly groupId?: string;
}

/** Nothing can be sent; `why` in words for the operator. */
export interface Impossible {
  readonly why: string;
}

export interface RestoringOptions {
  /** In place of the queue that the letter names. */
  readonly queueUrl?: string;
  /** Of the queues that can be reached. Absent: of any. */
  readonly region?: string;
  /** The letter's own queue, which is no place to put it back to. */
  readonly deadLetterQueueUrl?: string;
  /** Puts a message back without its id if there is no room for it: it then gets a new one. */
  readonly allowNewId: boolean;
  /** Of a cut-over, in place of the one that its tries went to. */
  readonly side?: Side;
  /** Puts it there even if it may have been carried out on the other side. Default false. */
  readonly mayRunTwice?: boolean;
}

export type Restoring = (letter: Letter) => Restored | Impossible;

/** The message without its reason, with what was moved into the reason for lack of room, and with its id. */
export function restored(letter: Letter, options: RestoringOptions): Restored | Impossible {
  const { stored, reason, messageId } = letter;
  if (reason === 'unreadable') return { why: `its attribute "${DEAD_LETTER}" cannot be read` };
  const queueUrl = options.queueUrl ?? queueUrlIn(letter, options.region);
  if (typeof queueUrl !== 'string') return queueUrl;
  if (nameIn(queueUrl) === nameIn(options.deadLetterQueueUrl ?? ''))
    return { why: 'it names its dead-letter queue as its queue' };
  const { [DEAD_LETTER]: _, ...own } = stored.MessageAttributes;
  const problem = sideProblem(letter, options.side, options.mayRunTwice === true);
  if (problem !== undefined) return { why: problem };
  const side = options.side ?? sideIn(letter);
  // Its new sent time would take it to the other side.
  const original = { ...reason?.attributes, ...own, ...(side === undefined ? {} : { cutoverSide: text(side) }) };
  if (side !== undefined && !fits(stored.Body, original))
    return { why: 'there is no room for its side of the cut-over beside its attributes' };
  const identified = isIdentified(original, messageId) ? original : { ...original, messageId: text(messageId) };
  if (fits(stored.Body, identified)) return addressed(letter, queueUrl, identified);
  if (options.allowNewId && fits(stored.Body, original)) return addressed(letter, queueUrl, original);
  return { why: 'there is no room for its id beside its attributes; --allow-new-id puts it back without' };
}

/** The letter as it is. Without a reason of its own it gets one, since SQS's own note of its queue is lost. */
export function reburied(letter: Letter, deadLetterQueueUrl: string): Restored | Impossible {
  const { stored, reason, messageId, queueArn, why, deadAt } = letter;
  const note = { reason: why, outcome: letter.outcome, messageId, queueArn, deadAt: new Date(deadAt).toISOString() };
  const attributes =
    reason === undefined
      ? { ...stored.MessageAttributes, [DEAD_LETTER]: text(JSON.stringify(note)) }
      : stored.MessageAttributes;
  if (!fits(stored.Body, attributes)) return { why: 'there is no room for its id and queue beside its attributes' };
  return addressed(letter, deadLetterQueueUrl, attributes);
}

function addressed({ stored, groupId }: Letter, queueUrl: string, attributes: Attributes): Restored | Impossible {
  const fifo = queueUrl.endsWith('.fifo');
  if (fifo && groupId === undefined) return { why: 'it has no message group, and its queue is a FIFO queue' };
  return { queueUrl, fifo, body: stored.Body, attributes, ...(groupId === undefined ? {} : { groupId }) };
}

function queueUrlIn({ queueArn }: Letter, region: string | undefined): string | Impossible {
  if (queueArn === undefined) return { why: 'it does not say which queue it came from; --queue names one' };
  const [, itsRegion] = QUEUE_ARN.exec(queueArn) ?? [];
  if (itsRegion === undefined) return { why: 'what it names as its queue is no ARN of a queue; --queue names one' };
  if (region !== undefined && itsRegion !== region) return { why: `its queue is in ${itsRegion} and not in ${region}` };
  return queueUrlOf(queueArn);
}

/** Account and name: hosts differ between inside and outside. */
function nameIn(queueUrl: string): string {
  return queueUrl.split('/').slice(-2).join('/');
}

function isIdentified(attributes: Attributes, messageId: string): boolean {
  const id = attributes.messageId?.StringValue;
  return id !== undefined && stableId(id) === messageId;
}

function text(value: string): Attribute {
  return { DataType: 'String', StringValue: value };
}

function fits(body: string, attributes: Attributes): boolean {
  return Object.keys(attributes).length <= MAX_ATTRIBUTES && messageBytes(body, attributes) <= MAX_MESSAGE_BYTES;
}
