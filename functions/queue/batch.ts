/**
 * A batch of one queue: what goes out beside what, in which order, and when to stop. On a standard queue every message
 * is on its own; on FIFO a group goes in order, and ends with the first message that stays. Says what becomes of each.
 */
import { type Deadline, MIN_CALL_MS } from '../deadline.ts';
import { RelayError, type RelayErrorCode } from '../error.ts';
import type { QueuedMessage } from '../message/queued.ts';
import { type Attempted, attemptDelivery } from '../relay/attempt.ts';
import type { Outcome } from '../relay/outcome.ts';
import type { Attempt, Route } from '../relay/relay.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type Stay, waitMs } from './backoff.ts';
import type { Breaker } from './breaker.ts';
import { isOverdue } from './letter.ts';
import { type Payloads, pointedSender } from './payload.ts';
import type { Staying, VisibilityOptions } from './visibility.ts';

/** Where the messages of a queue go, and what is kept for that between batches. */
export interface QueueRoute {
  readonly destination: string;
  readonly route: Route | RelayError;
  /** Calls in flight for one batch. */
  readonly concurrency: number;
  readonly breaker: Breaker;
  readonly payloads: Payloads;
  readonly changeVisibility: VisibilityOptions['changeVisibility'];
  /** Whether a message with this outcome is to be dead-lettered. */
  isGivenUp(outcome: Outcome, queued: QueuedMessage): boolean;
  /** Puts it into the dead-letter queue. @returns whether it is safe there; it never rejects */
  writeDeadLetter(queued: QueuedMessage, outcome: Outcome, deadline: Deadline): Promise<boolean>;
}

export interface BatchOptions {
  readonly deadline: Deadline;
  /** For what follows a call: a letter is written in the time that is kept for reporting. */
  readonly reserve: Deadline;
  readonly telemetry: Telemetry;
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/** A message that stays in its queue, and for how long it shall be out of sight. */
export interface Kept extends Staying {
  readonly recordId: string;
}

/**
 * Delivers what the time allows.
 *
 * @returns the messages to keep; all others were delivered or are safe in the dead-letter queue. Never throws for a
 * message's sake.
 */
export async function deliverBatch(
  messages: readonly QueuedMessage[],
  queue: QueueRoute,
  { deadline, reserve, telemetry, now, random }: BatchOptions,
): Promise<Kept[]> {
  const { destination, route, breaker } = queue;
  const startedAt = now();
  const kept: Kept[] = [];
  const postponed = new Map<string, number>();
  const lanes = lanesOf(messages);
  const sendPointed = pointedSender(queue.payloads, deadline, telemetry);
  let longestMs = 0;
  let next = 0;

  async function deliverLane(lane: readonly QueuedMessage[]): Promise<void> {
    for (const [position, queued] of lane.entries()) {
      if (breaker.isOpen && queued !== probe && isReadable(queued) && !isOverdue(queued, now()))
        return postpone(lane, position, { why: 'breaker', isBlocked: breaker.isBlocked });
      if (deadline.remainingMs() < neededMs(longestMs)) return postpone(lane, position, { why: 'deadline' });
      const before = now();
      const attempt = await attemptDelivery(attemptAt(queued), deadline, telemetry, now);
      const { outcome } = attempt;
      longestMs = Math.max(longestMs, now() - before);
      if (saysSomethingOfEndpoint(outcome)) breaker.record(outcome.kind);
      if (outcome.kind === 'delivered') continue;
      const isGivenUp = wasTried(attempt, deadline) && queue.isGivenUp(outcome, queued);
      if (isGivenUp && (await queue.writeDeadLetter(queued, outcome, reserve))) continue;
      keep(queued, isGivenUp ? { why: 'not-dead-lettered' } : stayAfter(outcome));
      return postpone(lane, position + 1, { why: 'behind' });
    }
  }

  function attemptAt({ messageId, message, receiveCount: attempt, sentAt, bytes }: QueuedMessage): Attempted {
    return { destination, route, sendPointed, messageId, message, attempt, sentAt, bytes };
  }

  function keep({ recordId, receiptHandle, receiveCount }: QueuedMessage, stay: Stay): void {
    const receive = { count: receiveCount, sinceMs: now() - startedAt };
    kept.push({ recordId, receiptHandle, waitMs: waitMs(stay, receive, random()) });
  }

  /** The first of a group gets its wait, and keeps the group closed for so long; those behind it get none. */
  function postpone(lane: readonly QueuedMessage[], from: number, stay: Stay): void {
    for (const [index, queued] of lane.slice(from).entries()) keep(queued, index === 0 ? stay : { why: 'behind' });
    const count = lane.length - from;
    if (count > 0) postponed.set(stay.why, (postponed.get(stay.why) ?? 0) + count);
  }

  async function work(): Promise<void> {
    for (let lane = lanes[next]; lane !== undefined; lane = lanes[next]) {
      next += 1;
      await deliverLane(lane);
    }
  }

  const probing = breaker.isOpen ? lanes.find(([head]) => head !== undefined && isReadable(head)) : undefined;
  const probe = probing?.[0];
  if (probing !== undefined) {
    // Alone, before all others: they go after it, or not at all.
    lanes.splice(lanes.indexOf(probing), 1);
    await deliverLane(probing);
  }
  await Promise.all(Array.from({ length: Math.min(queue.concurrency, lanes.length) }, work));
  for (const [why, count] of postponed)
    telemetry.postponed({ destination, messages: count, reason: WORDS[why] ?? why });
  return kept;
}

const WORDS: Readonly<Record<string, string>> = {
  breaker: 'not tried: the messages before them failed one after another',
  deadline: 'not tried: no time left in this invocation',
  behind: 'not tried: behind a message of their group that stays',
};

function isReadable({ message }: QueuedMessage): boolean {
  return !(message instanceof RelayError);
}

/** A message that never went out tells nothing, nor does time that is over. */
function saysSomethingOfEndpoint(outcome: Outcome): boolean {
  return outcome.kind === 'delivered' || outcome.code === undefined || !SILENT.has(outcome.code);
}

const SILENT = new Set<RelayErrorCode>([
  'DEADLINE',
  'MESSAGE_INVALID',
  'EVENT_INVALID',
  'PAYLOAD_MISSING',
  'PAYLOAD_TOO_LARGE',
  'PAYLOAD_FORBIDDEN',
  'PAYLOAD_UNAVAILABLE',
]);

/** It was sent, or refused on the way: one whose time was over before it could go out is given up by a later attempt. */
function wasTried({ outcome, calls }: Attempt, { remainingMs }: Deadline): boolean {
  return outcome.kind === 'rejected' || calls > 0 || remainingMs() >= MIN_CALL_MS;
}

function stayAfter(outcome: Outcome): Stay {
  if (outcome.kind !== 'failed') return { why: 'blocked' };
  return outcome.retryAfterMs === undefined ? { why: 'failed' } : { why: 'failed', retryAfterMs: outcome.retryAfterMs };
}

/** A call that would be cut off may run twice: none is started that may take longer than the time that is left. */
function neededMs(longestMs: number): number {
  return Math.max(MIN_CALL_MS, 1.5 * longestMs);
}

function lanesOf(messages: readonly QueuedMessage[]): QueuedMessage[][] {
  const lanes = new Map<string, QueuedMessage[]>();
  for (const message of messages) {
    const name = message.group === undefined ? message.recordId : `group ${message.group}`;
    const lane = lanes.get(name);
    if (lane === undefined) lanes.set(name, [message]);
    else lane.push(message);
  }
  return [...lanes.values()];
}
