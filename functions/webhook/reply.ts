/** What the caller of a webhook gets: 202 once its message is queued, the flow's own answer, or a problem. */
import { BODY_HEADERS, isOwned, namesIn, passedOn } from '../http/headers.ts';
import type { Outcome } from '../relay/outcome.ts';
import type { WebhookSettings } from '../settings/destination.ts';
import type { Enqueued } from './enqueue.ts';
import { fitsLambda, type HttpReply } from './event.ts';
import { ANSWER_TOO_LARGE, OWN_HEADERS, problem, UNAVAILABLE } from './problem.ts';

/**
 * How the endpoint is called for a waiting caller. The gateway gives up after 30 s. Of an answer as much is kept as
 * fits into Lambda's reply of 6 MB, if it is a text.
 */
export const DIRECT_CALLS = { maxCallMs: 25_000, keepBytes: 6_291_456 } as const;
const DEFAULT_RETRY_AFTER_SECONDS = 30;
/** The flow's status is passed on where it is about the payload; else the caller gets 422. */
const PASSED_ON_STATUSES = [400, 413, 415, 422];

export function queuedReply(enqueued: Enqueued, messageId: string): HttpReply {
  switch (enqueued) {
    case 'queued':
      return {
        status: 202,
        headers: { 'Content-Type': 'application/json', ...OWN_HEADERS },
        body: JSON.stringify({ messageId }),
      };
    case 'too-large':
      return problem('content-too-large');
    case 'unsendable':
      return problem('rejected');
    case 'unavailable':
      return UNAVAILABLE;
  }
}

export function directReply(outcome: Outcome, { returnHeaders }: WebhookSettings): HttpReply {
  switch (outcome.kind) {
    case 'delivered':
      return answerOf(outcome, returnHeaders);
    case 'rejected':
      return problem('rejected', { status: PASSED_ON_STATUSES.find((status) => status === outcome.status) ?? 422 });
    case 'blocked':
      return problem('bad-gateway');
    case 'failed':
      return failure(outcome);
  }
}

/** The flow's answer, without the headers that are not for the caller. */
function answerOf({ answer }: Outcome & { kind: 'delivered' }, returnHeaders: readonly string[]): HttpReply {
  if (answer.truncated) return ANSWER_TOO_LARGE;
  const hopByHop = namesIn(answer.headers.connection);
  const single: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    // A flow must not allow browsers of other origins to read the gateway's replies (CORS).
    if (value === undefined || isOwned(name) || hopByHop.includes(name) || name.startsWith('access-control-')) continue;
    single[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const { 'content-type': contentType } = answer.headers;
  const passed = passedOn(single, [...BODY_HEADERS, ...returnHeaders]);
  const { 'content-encoding': encoding, 'content-language': language, ...returned } = passed;
  const reply = {
    status: answer.status,
    headers: {
      ...(contentType === undefined ? {} : { 'Content-Type': contentType }),
      ...(encoding === undefined ? {} : { 'Content-Encoding': encoding }),
      ...(language === undefined ? {} : { 'Content-Language': language }),
      ...returned,
    },
    body: answer.status === 204 ? '' : answer.body,
  };
  return fitsLambda(reply) ? reply : ANSWER_TOO_LARGE;
}

function failure({ status, code, retryAfterMs }: Outcome & { kind: 'failed' }): HttpReply {
  const seconds = Math.ceil((retryAfterMs ?? DEFAULT_RETRY_AFTER_SECONDS * 1000) / 1000);
  const headers = { 'Retry-After': String(seconds) };
  if (status === 429 || status === 503) return problem('unavailable', { headers });
  if (status === 408 || code === 'TIMED_OUT' || code === 'DEADLINE') return problem('gateway-timeout', { headers });
  return problem('bad-gateway', { headers });
}
