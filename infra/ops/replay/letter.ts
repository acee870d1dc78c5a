/**
 * A dead letter as it lies in its queue or in an exported file, and what its attribute `deadLetter` says, read with care:
 * anyone may have written it. What is sent in its place is for `restored.ts`.
 */
import type { Attribute } from '../../../functions/aws/sqs.ts';
import { DEAD_LETTER, stableId } from '../../../functions/message/queued.ts';
import { isRecord, parseJson } from '../../../functions/untrusted.ts';

export type Attributes = Readonly<Record<string, Attribute>>;

/** A message of SQS, with the fields that matter here under SQS's own names. */
export interface StoredMessage {
  /** SQS's id of the letter: no other letter ever has it. */
  readonly MessageId: string;
  readonly Body: string;
  readonly MessageAttributes: Attributes;
  /** System attributes: `SentTimestamp`, `MessageGroupId` and so on. */
  readonly Attributes: Readonly<Record<string, string>>;
}

/** What `functions/queue/letter.ts` writes; every field may be absent. Times are ISO 8601. */
export interface Reason {
  readonly reason?: string;
  /** What the endpoint said itself; it may quote the payload. */
  readonly detail?: string;
  readonly outcome?: string;
  readonly status?: number;
  readonly mplId?: string;
  /** To the log that the MPL id names, in the tenant's monitor. */
  readonly mplLink?: string;
  readonly messageId?: string;
  readonly destination?: string;
  /** Of a cut-over. */
  readonly side?: string;
  readonly queueArn?: string;
  readonly receiveCount?: number;
  readonly sentAt?: string;
  readonly firstReceivedAt?: string;
  readonly deadAt?: string;
  /** The user's attributes, where the letter had no room for them beside its own. */
  readonly attributes?: Attributes;
}

export interface Letter {
  /** SQS's id of the letter. */
  readonly letterId: string;
  /** The message's own id, which stays over every retry and replay. */
  readonly messageId: string;
  readonly stored: StoredMessage;
  /** Absent if SQS's own redrive moved the message here; 'unreadable' if the attribute is there and is not ours. */
  readonly reason?: Reason | 'unreadable';
  /** `rejected`, `failed`, `blocked`; `unknown` without a reason. */
  readonly outcome: string;
  /** Why it is dead, in one line. */
  readonly why: string;
  readonly destination?: string;
  /** The queue that it came from. */
  readonly queueArn?: string;
  readonly groupId?: string;
  /** Epoch ms. */
  readonly deadAt: number;
  /** Of body and attributes, as SQS counts them. */
  readonly bytes: number;
}

export function letterOf(stored: StoredMessage): Letter {
  const { MessageId, Body, MessageAttributes, Attributes: system } = stored;
  const read = readReason(MessageAttributes[DEAD_LETTER]);
  const reason: Reason = read === 'unreadable' ? {} : (read ?? {});
  const queueArn = reason.queueArn ?? system.DeadLetterQueueSourceArn;
  return {
    letterId: MessageId,
    messageId: stableId(reason.messageId ?? MessageAttributes.messageId?.StringValue ?? MessageId),
    stored,
    outcome: reason.outcome ?? 'unknown',
    why: reason.reason ?? withoutReason(read, system),
    deadAt: timeIn(reason.deadAt, system.SentTimestamp),
    bytes: messageBytes(Body, MessageAttributes),
    ...(read === undefined ? {} : { reason: read }),
    ...(reason.destination === undefined ? {} : { destination: reason.destination }),
    ...(queueArn === undefined ? {} : { queueArn }),
    ...(system.MessageGroupId === undefined ? {} : { groupId: system.MessageGroupId }),
  };
}

/** As SQS counts: names, types and values of the attributes count like the body. */
export function messageBytes(body: string, attributes: Attributes): number {
  return Object.entries(attributes).reduce(
    (sum, [name, { DataType, StringValue = '', BinaryValue }]) =>
      sum + Buffer.byteLength(name + DataType + StringValue) + (BinaryValue?.byteLength ?? 0),
    Buffer.byteLength(body),
  );
}

/** 0 where nothing tells it. */
function timeIn(deadAt = '', sentTimestamp = ''): number {
  const time = Date.parse(deadAt) || Number(sentTimestamp);
  return Number.isNaN(new Date(time).getTime()) ? 0 : time;
}

function withoutReason(read: 'unreadable' | object | undefined, system: StoredMessage['Attributes']): string {
  if (read !== undefined) return `its attribute "${DEAD_LETTER}" does not say why`;
  const { ApproximateReceiveCount: times = 'too many' } = system;
  return `moved by SQS itself, received ${times} times so far; the function's log may say why`;
}

function readReason(attribute: Attribute | undefined): Reason | 'unreadable' | undefined {
  if (attribute === undefined) return undefined;
  const json = parseJson(attribute.StringValue ?? '');
  if (!isRecord(json)) return 'unreadable';
  const attributes = json.attributes === undefined ? {} : readMoved(json.attributes);
  if (attributes === undefined) return 'unreadable';
  const texts = [
    'reason',
    'detail',
    'outcome',
    'mplId',
    'mplLink',
    'messageId',
    'destination',
    'side',
    'queueArn',
    'sentAt',
    'firstReceivedAt',
    'deadAt',
  ];
  return Object.fromEntries([
    ...texts.filter((name) => typeof json[name] === 'string').map((name) => [name, json[name]]),
    ...['status', 'receiveCount'].filter((name) => typeof json[name] === 'number').map((name) => [name, json[name]]),
    ['attributes', attributes],
  ]);
}

function readMoved(moved: unknown): Attributes | undefined {
  if (!isRecord(moved)) return undefined;
  const attributes: [string, Attribute][] = [];
  for (const [name, attribute] of Object.entries(moved)) {
    if (!isRecord(attribute) || typeof attribute.dataType !== 'string' || typeof attribute.value !== 'string') {
      return undefined;
    }
    const { dataType: DataType, value } = attribute;
    const binary = DataType.startsWith('Binary');
    attributes.push([
      name,
      binary ? { DataType, BinaryValue: Buffer.from(value, 'base64') } : { DataType, StringValue: value },
    ]);
  }
  return Object.fromEntries(attributes);
}
