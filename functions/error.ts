/**
 * The one error class of the relay. Its code says who must act and whether a later try can help; only
 * `relay/outcome.ts` decides by the code what happens to the message. An error's text is one line that names the field
 * or the call, what was expected and who must act. It never contains a secret, a token or a payload.
 */

export type RelayErrorCode =
  /** `DESTINATIONS` or one destination in it is wrong. Operator; no later try helps before a deployment. */
  | 'SETTING_INVALID'
  /** The secret does not exist, or has no version of the stage that was asked for. Operator. */
  | 'SECRET_NOT_FOUND'
  /** The secret may not be read or decrypted, or is marked for deletion. Operator. */
  | 'SECRET_UNREADABLE'
  /** The secret was read, its content is not credentials. Operator. */
  | 'SECRET_MALFORMED'
  /** The client certificate in the secret has expired. Operator. */
  | 'CERTIFICATE_EXPIRED'
  /** Secrets Manager throttles, is down or slow. Nobody: a later try helps. */
  | 'SECRET_UNAVAILABLE'
  /** The authorization server refuses the client, or what it asks for (RFC 6749 section 5.2). Operator. */
  | 'TOKEN_REFUSED'
  /** The endpoint rejects every token that the authorization server issues. Operator; more tokens would not help. */
  | 'TOKEN_REJECTED'
  /** The endpoint rejected two tokens within 10 s, so no third is requested yet. Nobody: a later try helps. */
  | 'TOKEN_POSTPONED'
  /** The token endpoint answered something that is no token response. Operator: usually a wrong token URL. */
  | 'TOKEN_RESPONSE_INVALID'
  /** The token endpoint throttles, is down or slow. Nobody: a later try helps. */
  | 'TOKEN_UNAVAILABLE'
  /** The keys of an issuer, for a webhook's bearer tokens, could not be fetched. Operator, or the issuer. */
  | 'KEYS_UNAVAILABLE'
  /** The endpoint demands a CSRF token and gives none. Operator, or SAP. */
  | 'CSRF_UNAVAILABLE'
  /** No whole answer: connection refused, reset or closed early. Nobody: a later try helps. */
  | 'CONNECTION_FAILED'
  /** No whole answer within the time of the call. Nobody: a later try helps. */
  | 'TIMED_OUT'
  /** The invocation's time is over. Nobody: the message comes back. */
  | 'DEADLINE'
  /** The message itself cannot be read. Sender. */
  | 'MESSAGE_INVALID'
  /** The event that woke the function is not what AWS documents. Unknown: the message is kept. */
  | 'EVENT_INVALID'
  /** The object in S3 that the message points to does not exist. Sender. */
  | 'PAYLOAD_MISSING'
  /** The payload is larger than SAP takes. Sender. */
  | 'PAYLOAD_TOO_LARGE'
  /** S3 refuses (403), which it does for an object that is missing, too, without `s3:ListBucket`. Operator. */
  | 'PAYLOAD_FORBIDDEN'
  /** S3 throttles, is down or slow. Nobody: a later try helps. */
  | 'PAYLOAD_UNAVAILABLE'
  /** SQS throttles, is down or slow, or may not be written. Nobody, or the operator. */
  | 'QUEUE_UNAVAILABLE';

/** Whether the integration flow may have run, so that a retry may run it twice. */
export type Executed = 'no' | 'unknown';

export interface RelayErrorEvidence {
  readonly cause?: unknown;
  /** Default `no`. */
  readonly executed?: Executed;
  /** Status of the answer, where there was one. */
  readonly status?: number;
  /** How long the other side asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number;
}

export class RelayError extends Error {
  readonly code: RelayErrorCode;
  readonly executed: Executed;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: RelayErrorCode, message: string, evidence: RelayErrorEvidence = {}) {
    super(message, { cause: evidence.cause });
    this.name = 'RelayError';
    this.code = code;
    this.executed = evidence.executed ?? 'no';
    this.status = evidence.status;
    this.retryAfterMs = evidence.retryAfterMs;
  }
}

/** For the two places that find out that a token is too large: its response and the endpoint's answer. */
export function tooLargeToken(bytes: number): string {
  const problem = `the token of ${bytes} bytes is too large for the endpoint: fewer scopes or role collections`;
  return `${problem}; the operator must set "scope", or take from the client what it does not need`;
}
