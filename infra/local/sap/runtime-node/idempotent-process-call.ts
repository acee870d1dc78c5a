/**
 * The step "Idempotent Process Call" of an integration flow: the work behind it is done once for each id, and a message
 * whose id was seen is answered without it (SAP: "Define Idempotent Process Call"). Where the id comes from is
 * configured; the work is the flow's.
 */
import { type FlowResult, failureOf, type Outcome, type Received } from './message.ts';

export interface IdempotentProcessCall {
  /** Default: the message's id. A message without one is processed each time. */
  readonly id?: (received: Received) => string | undefined;
  /** For how long an id is remembered, in milliseconds. Default 90 days. */
  readonly keepMs?: number;
  /** What a duplicate is answered. Default: as without content. */
  readonly duplicate?: FlowResult;
}

/** Ids that were seen, with the epoch milliseconds at which; the tenant keeps them when a flow is deployed anew. */
export type ProcessedIds = Map<string, number>;

const ninetyDaysMs = 90 * 86_400_000;

/**
 * `work` behind the step. An id counts from the moment its work begins, so that of two at the same time one is a
 * duplicate (Camel's idempotent consumer, "eager"), and no longer when the work has failed.
 */
export function createIdempotentProcessCall(
  { id = ({ messageId }) => messageId, keepMs = ninetyDaysMs, duplicate }: IdempotentProcessCall,
  work: (received: Received) => Promise<Outcome>,
  { now, ids }: { readonly now: () => number; readonly ids: ProcessedIds },
): (received: Received) => Promise<Outcome> {
  return async (received) => {
    const key = id(received);
    if (key === undefined) return work(received);
    const seenAt = ids.get(key);
    if (seenAt !== undefined && now() - seenAt < keepMs) return { result: duplicate, duplicate: true };
    ids.set(key, now());
    const outcome = await work(received);
    if (failureOf(outcome.result) !== undefined) ids.delete(key);
    return outcome;
  };
}
