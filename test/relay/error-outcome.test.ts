/** What an error means for a message: its code alone decides, and what is no error of ours keeps the message. */
import { describe, expect, test } from 'vitest';
import { type Executed, RelayError, type RelayErrorCode } from '../../functions/error.ts';
import { outcomeOfError } from '../../functions/relay/outcome.ts';

/** Complete by its type: a new code fails to compile here until somebody says what it means. */
const KINDS: Readonly<Record<RelayErrorCode, 'rejected' | 'failed' | 'blocked'>> = {
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
const codes = Object.entries(KINDS) as [RelayErrorCode, string][];

describe('An error', () => {
  test.each(codes)('an error with the code %s means %s', (code, kind) => {
    expect(outcomeOfError(new RelayError(code, 'why'))).toStrictEqual({ kind, code, reason: 'why', executed: 'no' });
  });

  test.each(codes)('an error with the code %s keeps its status, and whether the flow may have run', (code, kind) => {
    for (const executed of ['no', 'unknown'] satisfies Executed[]) {
      const outcome = outcomeOfError(new RelayError(code, 'why', { executed, status: 429 }));
      expect(outcome).toStrictEqual({ kind, code, reason: 'why', executed, status: 429 });
    }
  });

  test.each(codes)('an error with the code %s keeps its Retry-After only if waiting helps', (code, kind) => {
    const outcome = outcomeOfError(new RelayError(code, 'why', { retryAfterMs: 0 }));
    if (kind === 'failed') expect(outcome).toMatchObject({ retryAfterMs: 0 });
    else expect(outcome).not.toHaveProperty('retryAfterMs');
  });

  test('an error keeps its cause out of the outcome', () => {
    const outcome = outcomeOfError(new RelayError('TIMED_OUT', 'why', { cause: new Error('hunter22') }));
    expect(JSON.stringify(outcome)).not.toContain('hunter22');
  });
});

describe('What is no error of ours', () => {
  test.each([
    ['a TypeError', new TypeError('hunter22 is undefined'), 'TypeError'],
    ['an error', new Error('hunter22'), 'Error'],
    ['an abort', new DOMException('hunter22', 'AbortError'), 'AbortError'],
    ['a text', 'hunter22', 'string'],
    ['nothing', undefined, 'undefined'],
  ])('an error that is not a RelayError, %s, keeps the message, may have run, and is not quoted', (_, thrown, name) => {
    expect(outcomeOfError(thrown)).toStrictEqual({
      kind: 'failed',
      executed: 'unknown',
      reason: `unexpected ${name} in the relay: kept for a later try`,
    });
  });
});
