/**
 * Sends a webhook's message on, by the destination's mode: into its queue; to the flow while the caller waits; or to
 * the flow, and into the queue if the flow cannot have run.
 */
import { type Clock, type Deadline, startBefore } from '../deadline.ts';
import type { Message } from '../message/message.ts';
import { attemptDelivery } from '../relay/attempt.ts';
import type { Outcome } from '../relay/outcome.ts';
import type { Side } from '../relay/side.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Enqueued, Origin } from './enqueue.ts';
import type { WebhookRoute } from './routes.ts';

export interface DispatchOptions {
  readonly origin: Origin;
  readonly deadline: Deadline;
  readonly telemetry: Pick<Telemetry, 'attempted'>;
  readonly clock: Clock & { readonly now: () => number };
}

/** Kept from a call for queueing what it did not deliver, in milliseconds: one call of SQS, and one of S3 before it. */
const QUEUEING_MS = 3_000;

/** @returns the outcome at the flow, or at the queue. Never rejects */
export async function dispatch(
  message: Message,
  route: WebhookRoute,
  options: DispatchOptions,
): Promise<Outcome | Enqueued> {
  const { origin, deadline, clock } = options;
  const { mode } = route.webhook;
  const cameInAt = clock.now();
  // SQS's own time of it is later, and there may be two copies, which must not take it to the other side.
  const toQueue = route.sideOf === undefined ? message : { ...message, cameInAt };
  if (mode === 'queued') return route.enqueue(toQueue, origin, deadline);
  const side = route.sideOf?.(message, cameInAt);
  if (mode === 'direct') return deliver(message, route, side, options);

  const beforeQueueing = startBefore(deadline, QUEUEING_MS, clock);
  const outcome = await deliver(message, route, side, { ...options, deadline: beforeQueueing });
  beforeQueueing.end();
  if (!cannotHaveRun(outcome)) return outcome;
  const enqueued = await route.enqueue(toQueue, origin, deadline);
  // Too large for the queue only: the caller's next try may still be delivered.
  return enqueued === 'too-large' ? outcome : enqueued;
}

async function deliver(
  message: Message,
  { destination, route: only, newSide }: WebhookRoute,
  side: Side | undefined,
  { deadline, telemetry, clock }: DispatchOptions,
): Promise<Outcome> {
  const route = side === 'new' ? (newSide ?? only) : only;
  const line = { destination, side, messageId: message.id, attempt: 1, bytes: message.body.bytes };
  const attempt = await attemptDelivery(message, route, line, { deadline, telemetry, now: clock.now });
  return attempt.outcome;
}

/** A rejected message would be rejected from the queue, too. A redirect without an MPL id is not from the flow. */
function cannotHaveRun(outcome: Outcome): boolean {
  if (outcome.kind === 'delivered' || outcome.kind === 'rejected' || outcome.resent === true) return false;
  const { executed, status = 0, mplId } = outcome;
  return executed === 'no' || (status >= 300 && status < 400 && mplId === undefined);
}
