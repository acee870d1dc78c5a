/**
 * The refusals of the webhook: problem details of fixed text, which repeat nothing of what was sent and tell a stranger
 * nothing of what is behind the door.
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

/** What every reply of our own making says: not for caches, not to be guessed at. */
export const OWN_HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' } as const;

export interface ProblemOptions {
  /** Default: the problem's own. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the title leaves open: fixed text, and nothing of a request. */
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

/** One and the same for an unknown destination and for wrong credentials, header for header (RFC 7617 section 2). */
export const UNAUTHORIZED = problem('unauthorized', {
  headers: { 'WWW-Authenticate': 'Basic realm="webhooks", charset="UTF-8"' },
});

/** Its bytes are gone: what the receiver would get is not what was sent. */
export const NOT_UTF_8 = problem('unsupported-media-type', {
  detail:
    'The gateway has read the body as UTF-8, and it was in another charset. ' +
    'Send UTF-8, or a content type that gateways pass on as bytes, such as application/octet-stream',
});

/** No `Retry-After`: sent again, the message would be carried out again. */
export const ANSWER_TOO_LARGE = problem('answer-too-large', { detail: 'The message was carried out' });
