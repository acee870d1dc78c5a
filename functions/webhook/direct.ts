/** Mode `direct`: the caller gets what the flow answered, or a problem that says whether trying again can help. */

import { BODY_HEADERS, isOwned, namesIn, passedOn } from '../http/headers.ts';
import type { Outcome } from '../relay/outcome.ts';
import type { WebhookSettings } from '../settings/destination.ts';
import { fitsLambda, type HttpReply } from './event.ts';
import { ANSWER_TOO_LARGE, problem } from './problem.ts';

/**
 * How the endpoint is called for a waiting caller: the gateway gives up after 30 s, and of an answer as much is kept as
 * fits into Lambda's reply of 6 MB, if it is a text.
 */
export const DIRECT_CALLS = { maxCallMs: 25_000, keepBytes: 6_291_456 } as const;
const DEFAULT_RETRY_AFTER_SECONDS = 30;
/** What the flow said of the message is passed on where it is a plain verdict on the payload; else 422. */
const PASSED_VERDICTS = [400, 413, 415, 422];

export function directReply(outcome: Outcome, { returnHeaders }: WebhookSettings): HttpReply {
  switch (outcome.kind) {
    case 'delivered':
      return passedAnswer(outcome, returnHeaders);
    case 'rejected':
      return problem('rejected', { status: PASSED_VERDICTS.find((status) => status === outcome.status) ?? 422 });
    case 'blocked':
      return problem('bad-gateway');
    case 'failed':
      return later(outcome);
  }
}

function passedAnswer({ answer }: Outcome & { kind: 'delivered' }, returnHeaders: readonly string[]): HttpReply {
  if (answer.truncated) return ANSWER_TOO_LARGE;
  const hopByHop = namesIn(answer.headers.connection);
  const single: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    // What a browser of another origin may read is not for the flow to open.
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

function later(outcome: Outcome & { kind: 'failed' }): HttpReply {
  const seconds = Math.ceil((outcome.retryAfterMs ?? DEFAULT_RETRY_AFTER_SECONDS * 1000) / 1000);
  const headers = { 'Retry-After': String(seconds) };
  const { status } = outcome;
  if (status === 429 || status === 503) return problem('unavailable', { headers });
  if (status === 408 || outcome.code === 'TIMED_OUT' || outcome.code === 'DEADLINE')
    return problem('gateway-timeout', { headers });
  return problem('bad-gateway', { headers });
}
