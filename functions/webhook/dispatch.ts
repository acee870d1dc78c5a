/**
 * What becomes of a webhook's message, by the destination's mode: stored in its queue, handed to the flow while the caller
 * waits, or this and, where the flow cannot have run, then that.
 */
import { type Clock, type Deadline, startBefore } from '../deadline.ts';
import { attemptDelivery } from '../relay/attempt.ts';
import type { Outcome } from '../relay/outcome.ts';
import type { Route } from '../relay/relay.ts';
import type { WebhookSettings } from '../settings/destination.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Enqueue, Enqueued, Posting } from './enqueue.ts';

/** The ways from a webhook to its destination. */
export interface Ways {
  readonly destination: string;
  readonly route: Route;
  readonly enqueue: Enqueue;
}

export interface HandOverOptions {
  readonly mode: WebhookSettings['mode'];
  readonly deadline: Deadline;
  readonly telemetry: Telemetry;
  readonly clock: Clock & { readonly now: () => number };
}

/** Kept from a call for storing what it did not deliver, in milliseconds: SQS, and S3 before it. */
const QUEUEING_MS = 3_000;

/** @returns what the flow made of it, or what became of it on its way into the queue. Never rejects */
export async function handOver(posting: Posting, ways: Ways, options: HandOverOptions): Promise<Outcome | Enqueued> {
  const { mode, deadline, clock } = options;
  if (mode === 'queued') return ways.enqueue(posting, deadline);
  if (mode === 'direct') return deliver(posting, ways, options);

  const beforeQueueing = startBefore(deadline, QUEUEING_MS, clock);
  const outcome = await deliver(posting, ways, { ...options, deadline: beforeQueueing });
  beforeQueueing.end();
  if (!cannotHaveRun(outcome)) return outcome;
  const enqueued = await ways.enqueue(posting, deadline);
  // It may still be delivered by another call, for which there is no such limit.
  return enqueued === 'too-large' ? outcome : enqueued;
}

async function deliver(
  { message }: Posting,
  { destination, route }: Ways,
  { deadline, telemetry, clock }: HandOverOptions,
): Promise<Outcome> {
  const { id: messageId, body } = message;
  const attempted = { destination, route, messageId, message, attempt: 1, bytes: body.bytes };
  return (await attemptDelivery(attempted, deadline, telemetry, clock.now)).outcome;
}

/** A redirect without the flow's mark comes from what stands before it; what it has refused for good, no queue makes better. */
function cannotHaveRun(outcome: Outcome): boolean {
  if (outcome.kind === 'delivered' || outcome.kind === 'rejected' || outcome.resent === true) return false;
  const { executed, status = 0, mplId } = outcome;
  return executed === 'no' || (status >= 300 && status < 400 && mplId === undefined);
}
