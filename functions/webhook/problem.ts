/**
 * Problem details with fixed texts: they repeat nothing of the request, and reveal nothing about destinations or
 * senders.
 *
 * @see RFC 9457 (problem details for HTTP APIs)
 */
import type { HttpReply } from './event.ts';

const PROBLEMS = {
  unauthorized: [401, 'Credentials are missing or wrong'],
  'not-found': [404, 'There is nothing at this path'],
  'malformed-request': [400, 'The request cannot be read'],
  'method-not-allowed': [405, 'The method is not allowed'],
  'content-too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The content type is not taken'],
  'header-fields-too-large': [431, 'The headers are too large'],
  rejected: [422, 'The receiver will never take this message'],
  'bad-gateway': [502, 'The receiver could not take the message'],
  'answer-too-large': [502, 'The answer of the receiver is too large'],
  unavailable: [503, 'The message cannot be taken now'],
  'gateway-timeout': [504, 'The receiver did not answer in time'],
} as const;

export type ProblemName = keyof typeof PROBLEMS;

/** In every reply that is not the flow's own answer: no caching, and no guessing of the content type. */
export const OWN_HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' } as const;

export interface ProblemOptions {
  /** Default: the problem's own. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A fixed text, with nothing of the request in it. */
  readonly detail?: string;
}

export function problem(name: ProblemName, options: ProblemOptions = {}): HttpReply {
  const [ownStatus, title] = PROBLEMS[name];
  const { status = ownStatus, detail } = options;
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...OWN_HEADERS, ...options.headers },
    body: JSON.stringify({ type: `urn:problem-type:token-relay:${name}`, title, status, detail }),
  };
}

/** The same, header for header, for an unknown webhook and for wrong credentials (RFC 7617 section 2). */
export const UNAUTHORIZED = problem('unauthorized', {
  headers: { 'WWW-Authenticate': 'Basic realm="webhooks", charset="UTF-8"' },
});

export const UNAVAILABLE = problem('unavailable', { headers: { 'Retry-After': '30' } });

/** The original bytes are lost: the flow would get something else than was sent. */
export const NOT_UTF_8 = problem('unsupported-media-type', {
  detail:
    'The gateway has read the body as UTF-8, and it was in another charset. ' +
    'Send UTF-8, or a content type that gateways pass on as bytes, such as application/octet-stream',
});

/** Without `Retry-After`: a second request would make the flow run again. */
export const ANSWER_TOO_LARGE = problem('answer-too-large', { detail: 'The message was carried out' });
