/**
 * A batch of one queue: what goes out beside what, in which order, and when to stop. On a standard queue every message
 * is on its own; on FIFO a group goes in order, and ends with the first message that stays. Says which messages to keep.
 */
import type { Deadline } from '../deadline.ts';
import type { QueuedMessage } from '../envelope.ts';
import type { RelayError } from '../error.ts';
import type { Route } from '../relay/relay.ts';
import type { Telemetry } from '../telemetry.ts';
import { attemptDelivery } from './attempt.ts';

/** Where the messages of a queue go. */
export interface QueueRoute {
  readonly destination: string;
  readonly route: Route | RelayError;
  /** Calls in flight for one batch. */
  readonly concurrency: number;
}

export interface BatchOptions {
  readonly deadline: Deadline;
  readonly telemetry: Telemetry;
  readonly now: () => number;
}

/**
 * Delivers what the time allows.
 *
 * @returns the record ids to keep in the queue; all others were delivered. Never throws for a message's sake.
 */
export async function deliverBatch(
  messages: readonly QueuedMessage[],
  { destination, route, concurrency }: QueueRoute,
  { deadline, telemetry, now }: BatchOptions,
): Promise<string[]> {
  const keep: string[] = [];
  const lanes = lanesOf(messages);
  let untried = 0;
  let longestMs = 0;

  async function deliverLane(lane: readonly QueuedMessage[]): Promise<void> {
    for (const [position, queued] of lane.entries()) {
      if (deadline.remainingMs() < neededMs(longestMs)) return keepRest(lane, position);
      const startedAt = now();
      const { messageId, message, receiveCount, bytes } = queued;
      const attempted = { destination, route, messageId, message, attempt: receiveCount, bytes };
      const outcome = await attemptDelivery(attempted, deadline, telemetry, now);
      longestMs = Math.max(longestMs, now() - startedAt);
      if (outcome.kind === 'delivered') continue;
      keep.push(queued.recordId);
      return keepRest(lane, position + 1);
    }
  }

  function keepRest(lane: readonly QueuedMessage[], from: number): void {
    const rest = lane.slice(from);
    untried += rest.length;
    keep.push(...rest.map(({ recordId }) => recordId));
  }

  async function work(): Promise<void> {
    for (let lane = lanes.shift(); lane !== undefined; lane = lanes.shift()) await deliverLane(lane);
  }

  await Promise.all(Array.from({ length: Math.min(concurrency, lanes.length) }, work));
  if (untried > 0) {
    const reason = 'not tried: no time left, or behind a message of their group that stays';
    telemetry.postponed({ destination, messages: untried, reason });
  }
  return keep;
}

/** Least time that a call is started with, in milliseconds. */
const MIN_CALL_MS = 500;

/** A call that would be cut off may run twice: none is started that may take longer than the time that is left. */
function neededMs(longestMs: number): number {
  return Math.max(MIN_CALL_MS, 1.5 * longestMs);
}

function lanesOf(messages: readonly QueuedMessage[]): QueuedMessage[][] {
  const groups = new Map<string, QueuedMessage[]>();
  for (const message of messages) {
    const lane = message.group === undefined ? message.recordId : `group ${message.group}`;
    const before = groups.get(lane);
    if (before === undefined) groups.set(lane, [message]);
    else before.push(message);
  }
  return [...groups.values()];
}
