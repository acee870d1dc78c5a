/**
 * Delivers a batch of one queue: which messages at once, in which order, and when to stop. On a standard queue each
 * message is independent. On FIFO a group goes in order and stops at the first message that is kept.
 */
import { type Deadline, MIN_CALL_MS } from '../deadline.ts';
import { RelayError, type RelayErrorCode } from '../error.ts';
import type { QueuedMessage } from '../message/queued.ts';
import { attemptDelivery, type SendPointed } from '../relay/attempt.ts';
import type { Outcome } from '../relay/outcome.ts';
import type { Attempt, Route } from '../relay/relay.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type KeepReason, type Kept, waitMs } from './backoff.ts';
import type { Breaker } from './breaker.ts';
import { isOverdue } from './letter.ts';
import type { ChangeVisibility } from './visibility.ts';

/** Where the messages of a queue go, with what is kept for it between batches. */
export interface QueueRoute {
  readonly destination: string;
  /** Or why the destination cannot be used. */
  readonly route: Route | RelayError;
  /** Calls in flight for one batch. */
  readonly concurrency: number;
  readonly breaker: Breaker;
  readonly pointedSender: (deadline: Deadline) => SendPointed;
  readonly changeVisibility: ChangeVisibility;
  /** Whether a message with this outcome is to be dead-lettered. */
  isGivenUp(outcome: Outcome, queued: QueuedMessage): boolean;
  /** Puts it into the dead-letter queue. @returns whether it is safe there; it never rejects */
  writeDeadLetter(queued: QueuedMessage, outcome: Outcome, deadline: Deadline): Promise<boolean>;
}

export interface BatchOptions {
  readonly deadline: Deadline;
  /** For dead letters: the time that is reserved for reporting. */
  readonly reserve: Deadline;
  readonly telemetry: Telemetry;
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/**
 * Delivers what the time allows. Never throws because of a message.
 *
 * @returns the messages to keep; all others were delivered or are safe in the dead-letter queue
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
  const options = { deadline, telemetry, now, sendPointed: queue.pointedSender(deadline) };
  let longestMs = 0;
  let next = 0;

  async function deliverLane(lane: readonly QueuedMessage[]): Promise<void> {
    for (const [position, queued] of lane.entries()) {
      if (breaker.isOpen && queued !== probe && isReadable(queued) && !isOverdue(queued, now()))
        return postpone(lane, position, breaker.isBlocked ? 'breaker-blocked' : 'breaker');
      if (deadline.remainingMs() < neededMs(longestMs)) return postpone(lane, position, 'deadline');
      const before = now();
      const attempt = await attemptDelivery(queued.message, route, lineOf(queued), options);
      const { outcome } = attempt;
      longestMs = Math.max(longestMs, now() - before);
      if (saysSomethingOfEndpoint(outcome)) breaker.record(outcome.kind);
      if (outcome.kind === 'delivered') continue;
      const isGivenUp = wasTried(attempt, deadline) && queue.isGivenUp(outcome, queued);
      if (isGivenUp && (await queue.writeDeadLetter(queued, outcome, reserve))) continue;
      if (isGivenUp) keep(queued, 'not-dead-lettered');
      else if (outcome.kind === 'failed') keep(queued, 'failed', outcome.retryAfterMs);
      else keep(queued, 'blocked');
      return postpone(lane, position + 1, 'behind');
    }
  }

  function lineOf({ messageId, receiveCount: attempt, sentAt, firstReceivedAt, bytes }: QueuedMessage) {
    return { destination, messageId, attempt, sentAt, firstReceivedAt, bytes };
  }

  function keep(
    { recordId, receiptHandle, receiveCount }: QueuedMessage,
    reason: KeepReason,
    retryAfterMs?: number,
  ): void {
    const sinceMs = now() - startedAt;
    kept.push({
      recordId,
      receiptHandle,
      waitMs: waitMs(reason, { receiveCount, sinceMs, retryAfterMs, random: random() }),
    });
  }

  /** The first of a group waits, and keeps the group closed meanwhile. The others have no wait of their own. */
  function postpone(lane: readonly QueuedMessage[], from: number, reason: PostponeReason): void {
    for (const [index, queued] of lane.slice(from).entries()) keep(queued, index === 0 ? reason : 'behind');
    const count = lane.length - from;
    const words = WORDS[reason];
    if (count > 0) postponed.set(words, (postponed.get(words) ?? 0) + count);
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
    // Alone and first: the others are tried only if it ends the row of failures.
    lanes.splice(lanes.indexOf(probing), 1);
    await deliverLane(probing);
  }
  await Promise.all(Array.from({ length: Math.min(queue.concurrency, lanes.length) }, work));
  for (const [reason, count] of postponed) telemetry.postponed({ destination, messages: count, reason });
  return kept;
}

type PostponeReason = Extract<KeepReason, 'breaker' | 'breaker-blocked' | 'deadline' | 'behind'>;

const BREAKER_IS_OPEN = 'not tried: the messages before them failed one after another';
const WORDS: Readonly<Record<PostponeReason, string>> = {
  breaker: BREAKER_IS_OPEN,
  'breaker-blocked': BREAKER_IS_OPEN,
  deadline: 'not tried: no time left in this invocation',
  behind: 'not tried: behind a message of their group that stays',
};

function isReadable({ message }: QueuedMessage): boolean {
  return !(message instanceof RelayError);
}

/** Not if the message was never sent, nor if the time was over. */
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

/**
 * It was sent, or refused before that. One whose time was over before it could be sent is given up by a later attempt.
 */
function wasTried({ outcome, calls }: Attempt, { remainingMs }: Deadline): boolean {
  return outcome.kind === 'rejected' || calls > 0 || remainingMs() >= MIN_CALL_MS;
}

/** A call that is cut off may run twice, so none is started that may take longer than the time left. */
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
