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
import type { Side } from '../relay/side.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type KeepReason, type Kept, waitMs } from './backoff.ts';
import type { Breaker } from './breaker.ts';
import { createBudget } from './budget.ts';
import { isOverdue } from './letter.ts';
import type { ChangeVisibility } from './visibility.ts';

/** A way to SAP, with what is kept for it between batches. */
export interface Way {
  /** Or why the destination cannot be used. */
  readonly route: Route | RelayError;
  readonly breaker: Breaker;
  /** Puts it into the dead-letter queue. @returns whether it is safe there; it never rejects */
  writeDeadLetter(queued: QueuedMessage, outcome: Outcome, deadline: Deadline): Promise<boolean>;
}

/** Where the messages of a queue go: one way for all; with a cut-over the old side, and the new one beside it. */
export interface QueueRoute extends Way {
  readonly destination: string;
  readonly cutover?: { readonly newSide: Way; sideOf(queued: QueuedMessage): Side };
  /** Calls in flight for one batch, of each side. */
  readonly concurrency: number;
  readonly pointedSender: (deadline: Deadline) => SendPointed;
  readonly changeVisibility: ChangeVisibility;
  /** Whether a message with this outcome is to be dead-lettered. */
  isGivenUp(outcome: Outcome, queued: QueuedMessage): boolean;
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
  const { destination, cutover } = queue;
  const sides = cutover && new Map(messages.map((queued) => [queued, cutover.sideOf(queued)]));
  const begunAt = now();
  const kept: Kept[] = [];
  const postponed = new Map<string, { side: Side | undefined; reason: string; messages: number }>();
  const options = { deadline, telemetry, now, sendPointed: queue.pointedSender(deadline) };
  /** Of each side: the other's calls say nothing of how long its own take, and take none of its places. */
  const longestMs = new Map<Way, number>();
  const calls = cutover && new Map([queue, cutover.newSide].map((way) => [way, createBudget(queue.concurrency)]));

  function wayOf(queued: QueuedMessage | undefined): Way {
    return queued !== undefined && sides?.get(queued) === 'new' ? (cutover?.newSide ?? queue) : queue;
  }

  /** @param probe the one message that is tried though the breaker is open */
  async function deliverLane(lane: readonly QueuedMessage[], probe?: QueuedMessage): Promise<void> {
    for (const [position, queued] of lane.entries()) {
      const way = wayOf(queued);
      const { breaker, writeDeadLetter } = way;
      if (breaker.isOpen && queued !== probe && isReadable(queued) && !isOverdue(queued, now()))
        return postpone(lane, position, breaker.isBlocked ? 'breaker-blocked' : 'breaker');
      let startedAt = 0;
      const start = () => {
        startedAt = now();
        if (deadline.remainingMs() < neededMs(longestMs.get(way) ?? 0)) return undefined;
        return attemptDelivery(queued.message, way.route, lineOf(queued), options);
      };
      const attempt = await (calls?.get(way)?.spend(1, async () => start()) ?? start());
      if (attempt === undefined) return postpone(lane, position, 'deadline');
      const { outcome } = attempt;
      longestMs.set(way, Math.max(longestMs.get(way) ?? 0, now() - startedAt));
      if (saysSomethingOfEndpoint(outcome)) breaker.record(outcome.kind);
      if (outcome.kind === 'delivered') continue;
      const isGivenUp = wasTried(attempt, deadline) && queue.isGivenUp(outcome, queued);
      if (isGivenUp && (await writeDeadLetter(queued, outcome, reserve))) continue;
      if (isGivenUp) keep(queued, 'not-dead-lettered');
      else if (outcome.kind === 'failed') keep(queued, 'failed', outcome.retryAfterMs);
      else keep(queued, 'blocked');
      return postpone(lane, position + 1, 'behind');
    }
  }

  function lineOf(queued: QueuedMessage) {
    const { messageId, receiveCount: attempt, sentAt, firstReceivedAt, bytes } = queued;
    return { destination, side: sides?.get(queued), messageId, attempt, sentAt, firstReceivedAt, bytes };
  }

  function keep(
    { recordId, receiptHandle, receiveCount }: QueuedMessage,
    reason: KeepReason,
    retryAfterMs?: number,
  ): void {
    const sinceMs = now() - begunAt;
    kept.push({
      recordId,
      receiptHandle,
      waitMs: waitMs(reason, { receiveCount, sinceMs, retryAfterMs, random: random() }),
    });
  }

  /** The first of a group waits, and keeps the group closed meanwhile. The others have no wait of their own. */
  function postpone(lane: readonly QueuedMessage[], from: number, reason: PostponeReason): void {
    const first = lane[reason === 'behind' ? from - 1 : from];
    for (const [index, queued] of lane.slice(from).entries()) {
      keep(queued, index === 0 ? reason : 'behind');
      const side = sides?.get(queued);
      const firstSide = first && sides?.get(first);
      const words = side === firstSide ? WORDS[reason] : `${WORDS.behind} and belongs to the ${firstSide} side`;
      const key = `${side} ${words}`;
      postponed.set(key, { side, reason: words, messages: (postponed.get(key)?.messages ?? 0) + 1 });
    }
  }

  async function deliverStream({ breaker }: Way, lanes: QueuedMessage[][]): Promise<void> {
    const probing = breaker.isOpen ? lanes.find(([head]) => head !== undefined && isReadable(head)) : undefined;
    const probe = probing?.[0];
    if (probing !== undefined) {
      // Alone and first: the others are tried only if it ends the row of failures.
      lanes.splice(lanes.indexOf(probing), 1);
      await deliverLane(probing, probe);
    }
    let next = 0;
    async function work(): Promise<void> {
      for (let lane = lanes[next]; lane !== undefined; lane = lanes[next]) {
        next += 1;
        await deliverLane(lane, probe);
      }
    }
    await Promise.all(Array.from({ length: Math.min(queue.concurrency, lanes.length) }, work));
  }

  const lanes = lanesOf(messages);
  if (cutover === undefined) await deliverStream(queue, lanes);
  // Beside each other: a side that hangs or fails does not hold up the other one.
  else {
    const ofSide = (way: Way) => lanes.filter(([head]) => wayOf(head) === way);
    await Promise.all([queue, cutover.newSide].map((way) => deliverStream(way, ofSide(way))));
  }
  for (const line of postponed.values()) telemetry.postponed({ destination, ...line });
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
