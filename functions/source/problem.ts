/**
 * The refusals of the webhook: problem details of fixed text, which repeat nothing of what was sent and tell a stranger
 * nothing of what is behind the door.
 *
 * @see RFC 9457 (problem details for HTTP APIs)
 */
import type { HttpReply } from './http.ts';

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
}

export function problem(name: ProblemName, options: ProblemOptions = {}): HttpReply {
  const [ownStatus, title] = PROBLEMS[name];
  const status = options.status ?? ownStatus;
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...OWN_HEADERS, ...options.headers },
    body: JSON.stringify({ type: `urn:problem-type:token-relay:${name}`, title, status }),
  };
}

/** One and the same for an unknown destination and for wrong credentials, header for header (RFC 7617 section 2). */
export const UNAUTHORIZED = problem('unauthorized', {
  headers: { 'WWW-Authenticate': 'Basic realm="webhooks", charset="UTF-8"' },
});
