/**
 * What an answer, or the lack of one, means for a message. A status or an error code is judged here and nowhere else;
 * queue and webhook only translate the outcome. What is unknown is `failed`: the message is kept.
 */
import { type Executed, RelayError, type RelayErrorCode, tooLargeToken } from '../error.ts';
import type { HttpAnswer } from '../http/http.ts';
import { mplIdOf } from './mpl-id.ts';

/** What one call of the endpoint brought. */
export interface Exchange {
  readonly answer: HttpAnswer;
  /** False for an answer to the fetch of a CSRF token, which does not run the flow. */
  readonly reachedFlow: boolean;
  /** What the adapter read in the answer. Absent: nothing beyond the status. */
  readonly finding?: Finding;
}

interface Evidence {
  /** Why, and who must act, in one line without secret, token or payload. */
  readonly reason: string;
  /** Of the error, where there was no answer. */
  readonly code?: RelayErrorCode;
  /** Of the answer, where there was one. */
  readonly status?: number;
  /** SAP's id of the message processing log, where the answer names it. */
  readonly mplId?: string;
  /**
   * The endpoint's own words, in one line without secret or token. They may quote the payload: only for a dead letter.
   */
  readonly detail?: string;
  /** True if a dead socket made the client send it a second time, so that the flow may have run before. */
  readonly resent?: boolean;
}

/** What an adapter read in an answer: SOAP and OData may say more than HTTP's status does. */
export interface Finding {
  /** What it means, which overrules the status. Absent: what the status means. */
  readonly kind?: 'rejected' | 'failed' | 'blocked';
  /** Default: by the status. */
  readonly executed?: Executed;
  /** What was read, in one line without secret, token or payload. */
  readonly says: string;
  /** As `detail` of an outcome; at most 1,000 characters. */
  readonly detail?: string | undefined;
  /** What it means for the message, and who must act. Default: by the kind. */
  readonly conclusion?: string;
}

export type Outcome =
  /** A 2xx whose answer arrived whole. */
  | {
      readonly kind: 'delivered';
      readonly executed: 'yes';
      readonly status: number;
      readonly mplId?: string;
      readonly answer: HttpAnswer;
    }
  /** The endpoint will never take this message. */
  | (Evidence & { readonly kind: 'rejected'; readonly executed: Executed })
  /** Not now; a later try may help. */
  | (Evidence & { readonly kind: 'failed'; readonly executed: Executed; readonly retryAfterMs?: number })
  /** An operator must act before any try can help. */
  | (Evidence & { readonly kind: 'blocked'; readonly executed: Executed });

const REJECTED = new Set([400, 409, 410, 412, 413, 415, 422]);
const FAILED = new Set([408, 425, 429]);
/** Refused before the flow could run, if the answer has no MPL id. */
const NOT_EXECUTED = new Set([401, 403, 404, 405, 413, 425, 429, 503]);
/** For headers that are too large Tomcat answers 400; RFC 6585 section 5 has 431. */
const TOO_LARGE = new Set([400, 431]);
/** Tomcat's default for request line and headers together (`maxHttpHeaderSize`). */
const EXPECTED_TOKEN_BYTES = 8_192;

const BLOCKED: Readonly<Record<number, string>> = {
  401:
    'the endpoint refuses a new token, too; ' +
    'the operator must check that the client is registered for this runtime node',
  403:
    'the client may not call this flow; the operator must assign the role that the flow demands (by default ' +
    'ESBMessaging.send) to the client: on Neo to the user oauth_client_<client id> in the subscription, ' +
    'on Cloud Foundry in the service instance',
  404:
    'there is no such endpoint; the operator must check that the flow is deployed ' +
    'and that the address is exact, upper and lower case too',
  405: 'the endpoint takes another method; the operator must correct the setting "method"',
};

const KIND: Readonly<Record<RelayErrorCode, 'rejected' | 'failed' | 'blocked'>> = {
  SETTING_INVALID: 'blocked',
  SECRET_NOT_FOUND: 'blocked',
  SECRET_UNREADABLE: 'blocked',
  SECRET_MALFORMED: 'blocked',
  CERTIFICATE_EXPIRED: 'blocked',
  SECRET_UNAVAILABLE: 'failed',
  TOKEN_REFUSED: 'blocked',
  TOKEN_REJECTED: 'blocked',
  TOKEN_POSTPONED: 'failed',
  TOKEN_RESPONSE_INVALID: 'blocked',
  TOKEN_UNAVAILABLE: 'failed',
  KEYS_UNAVAILABLE: 'failed',
  CSRF_UNAVAILABLE: 'blocked',
  CONNECTION_FAILED: 'failed',
  TIMED_OUT: 'failed',
  DEADLINE: 'failed',
  MESSAGE_INVALID: 'rejected',
  EVENT_INVALID: 'failed',
  PAYLOAD_MISSING: 'rejected',
  PAYLOAD_TOO_LARGE: 'rejected',
  PAYLOAD_FORBIDDEN: 'blocked',
  PAYLOAD_UNAVAILABLE: 'failed',
  QUEUE_UNAVAILABLE: 'failed',
};

export interface OutcomeOptions {
  /** As in `Exchange`. Default true. */
  readonly reachedFlow?: boolean;
  readonly finding?: Finding | undefined;
  /** How long the answer asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Length of the access token that was sent. Default 0. */
  readonly tokenBytes?: number;
}

/** Judges an answer of the endpoint. A 401 means that a new token was refused, too. */
export function outcomeOfAnswer(
  answer: HttpAnswer,
  { reachedFlow = true, retryAfterMs, finding, tokenBytes = 0 }: OutcomeOptions = {},
): Outcome {
  const { status } = answer;
  const mplId = mplIdOf(answer);
  const read = finding?.kind;
  if (status >= 200 && status < 300 && reachedFlow && read === undefined) {
    const delivered = { kind: 'delivered', executed: 'yes', status, answer } as const;
    return mplId === undefined ? delivered : { ...delivered, mplId };
  }

  const isOfFlow = mplId !== undefined;
  const isRefused = NOT_EXECUTED.has(status) || !reachedFlow;
  const executed = isOfFlow ? 'unknown' : (finding?.executed ?? (isRefused ? 'no' : 'unknown'));
  const detail = finding?.detail;
  const said = {
    status,
    executed,
    ...(isOfFlow ? { mplId } : {}),
    ...(detail === undefined ? {} : { detail }),
  } as const;
  const answered = `the endpoint answered ${status}${finding === undefined ? '' : ` with ${finding.says}`}`;
  const failed = (reason: string): Outcome => {
    const outcome = { kind: 'failed', reason, ...said } as const;
    return retryAfterMs === undefined ? outcome : { ...outcome, retryAfterMs };
  };
  // The flow has run, so token, role, address and method were right.
  if (isOfFlow && status in BLOCKED) return failed(`${answered}, by the flow itself: ${THEN.failed}`);
  if (finding !== undefined && read !== undefined) {
    const reason = `${answered}: ${finding.conclusion ?? THEN[read]}`;
    return read === 'failed' ? failed(reason) : { kind: read, reason, ...said };
  }
  // An answer of the container itself, to the message or to the fetch of a CSRF token.
  if (TOO_LARGE.has(status) && tokenBytes > EXPECTED_TOKEN_BYTES && !isOfFlow && finding === undefined) {
    return { kind: 'blocked', reason: `${answered}: ${tooLargeToken(tokenBytes)}`, ...said };
  }
  // The answer to the fetch of a CSRF token says nothing about the message, which was not sent.
  if (reachedFlow && REJECTED.has(status)) {
    return { kind: 'rejected', reason: `${answered}: ${THEN.rejected}`, ...said };
  }
  const blocked = BLOCKED[status] ?? (status >= 300 && status < 400 ? REDIRECT : undefined);
  if (blocked !== undefined) return { kind: 'blocked', reason: `${answered}: ${blocked}`, ...said };
  const isForeseen = FAILED.has(status) || status >= 500;
  return failed(`${answered}${isForeseen ? '' : ', which is not foreseen'}: ${THEN.failed}`);
}

const THEN = {
  rejected: 'it will never take this message; the sender must correct it',
  failed: 'kept for a later try',
  blocked: 'the operator must look into it',
} as const;
const REDIRECT = 'redirects are never followed; the operator must correct the url';

/** Judges an error. One that is no RelayError is a bug: the message is kept. */
export function outcomeOfError(error: unknown): Outcome {
  if (!(error instanceof RelayError)) {
    const name = error instanceof Error ? error.name : typeof error;
    return { kind: 'failed', reason: `unexpected ${name} in the relay: kept for a later try`, executed: 'unknown' };
  }
  const { message: reason, code, executed, status, retryAfterMs } = error;
  const kind = KIND[code];
  const evidence = { reason, code, executed, ...(status === undefined ? {} : { status }) };
  return kind === 'failed' && retryAfterMs !== undefined ? { kind, ...evidence, retryAfterMs } : { kind, ...evidence };
}
