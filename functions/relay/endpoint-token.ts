/**
 * The token for one endpoint: never one that it has rejected, another one where that may change its answer, and a pause
 * where none helps. Which tokens an endpoint has rejected is kept here between messages. The tokens themselves are
 * shared with the other destinations of the same credentials.
 */
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import type { HttpAnswer } from '../http/http.ts';
import type { Token } from '../token/token-endpoint.ts';
import { createPause, isWithin, REJECTION_PAUSE_MS } from '../warm/pause.ts';
import type { Warm } from '../warm/warm.ts';
import { mplIdOf } from './mpl-id.ts';
import type { Exchange, Outcome } from './outcome.ts';

export interface EndpointToken {
  /**
   * The token to send with.
   *
   * @throws RelayError `TOKEN_REJECTED` while a pause lasts, `TOKEN_POSTPONED`, and what getting a token throws
   */
  get(deadline: Deadline): Promise<Access>;
  /**
   * Another token, where that may change the answer: for a 401, for the 500 by which old runtime nodes refuse an
   * expired token, and for a 403 if the token is older than the attempt, since scopes may have been given meanwhile;
   * but not if it was issued for new scopes itself less than 10 s ago.
   *
   * @param startedAt when the attempt began, epoch milliseconds
   * @returns undefined where the answer stands
   * @throws RelayError as `get`
   */
  another(
    exchange: Exchange,
    token: Token,
    startedAt: number,
    deadline: Deadline,
  ): Promise<Token | undefined> | undefined;
  /** Takes note of an attempt's last answer: an accepted token ends a pause, a rejected one begins a pause. */
  conclude(exchange: Exchange, token: Token, outcome: Outcome): void;
}

export interface Access {
  readonly token: Token;
  /** True if it already replaces one that an earlier attempt had a 401 for: this attempt gets no third token. */
  readonly isLast: boolean;
}

/** Shortest time between two tokens for new scopes, in milliseconds: a missing role is not assigned within seconds. */
const SCOPES_PAUSE_MS = 600_000;
/** For all destinations: those that share a token and lack their roles must not have it renewed one after another. */
const issuedForScopes = new WeakSet<Token>();
/** More than can be rejected between two pauses. */
const REMEMBERED = 16;
const SAME_TOKEN =
  'the endpoint rejected a token and the authorization server gives the very same again; ' +
  'the operator must check that the client is registered for this runtime node';
const PAUSE_SECONDS = REJECTION_PAUSE_MS / 1000;
const POSTPONED = `the endpoint rejected a token less than ${PAUSE_SECONDS} s after another: kept for a later try`;

/** One for each destination. @param now epoch milliseconds */
export function createEndpointToken(tokens: Warm<Token>, now: () => number): EndpointToken {
  const rejected = new Set<string>();
  const stale = new WeakSet<Token>();
  const pause = createPause(now);
  let scopesAskedAt = Number.NEGATIVE_INFINITY;

  function assertNoPause(): void {
    const refusal = pause.current();
    if (refusal !== undefined) throw refusal;
  }

  function giveUp(reason: string): RelayError {
    const refusal = new RelayError('TOKEN_REJECTED', reason, { status: 401 });
    pause.open(refusal);
    // A certificate does not expire within hours as a token does: after the pause the same one may be tried again.
    for (const text of rejected) if (text.startsWith('-----BEGIN')) rejected.delete(text);
    return refusal;
  }

  function reject(token: Token): void {
    rejected.add(textOf(token));
    const [oldest] = rejected;
    if (rejected.size > REMEMBERED && oldest !== undefined) rejected.delete(oldest);
    tokens.forget(token);
  }

  /** A different token, in place of one that this endpoint has rejected. */
  async function replacementOf(token: Token, deadline: Deadline): Promise<Token> {
    reject(token);
    const other = await tokens.get(deadline);
    if (other === token) {
      // `forget` kept it, since one was forgotten less than 10 s ago: rejections cause one token request in that time.
      throw new RelayError('TOKEN_POSTPONED', POSTPONED, { status: 401, retryAfterMs: REJECTION_PAUSE_MS });
    }
    if (!rejected.has(textOf(other))) return other;
    // Another message of this destination may have opened the pause meanwhile.
    assertNoPause();
    throw giveUp(SAME_TOKEN);
  }

  /** One renewal for all attempts with the same token; then none for a while. */
  function isWorthNewScopes(token: Token): boolean {
    if (stale.has(token)) return true;
    if (issuedForScopes.has(token) && isWithin(REJECTION_PAUSE_MS, token.issuedAt, now())) return false;
    if (isWithin(SCOPES_PAUSE_MS, scopesAskedAt, now())) return false;
    scopesAskedAt = now();
    stale.add(token);
    return true;
  }

  async function withNewScopes(token: Token, deadline: Deadline): Promise<Token | undefined> {
    // Without a new token the endpoint's answer is final.
    const renewed = await tokens.renew(token, deadline).catch(() => token);
    issuedForScopes.add(renewed);
    if (textOf(renewed) !== textOf(token) && !rejected.has(textOf(renewed))) return renewed;
    stale.delete(token);
    return undefined;
  }

  return {
    async get(deadline) {
      assertNoPause();
      const token = await tokens.get(deadline);
      if (!rejected.has(textOf(token))) return { token, isLast: false };
      return { token: await replacementOf(token, deadline), isLast: true };
    },
    another({ answer, finding }, token, startedAt, deadline) {
      if (isRejection(answer)) return replacementOf(token, deadline);
      const { status } = answer;
      if ((status !== 403 && status !== 500) || mplIdOf(answer) !== undefined) return undefined;
      if (status === 403) {
        const isOlder = token.issuedAt < startedAt;
        return isOlder && isWorthNewScopes(token) ? withNewScopes(token, deadline) : undefined;
      }
      // Runtime nodes before 6.76.44 answer an expired token with a 500 before the flow runs, so without a finding.
      const hasExpired = token.expiryKnown && now() >= token.expiresAt;
      return hasExpired && finding === undefined ? replacementOf(token, deadline) : undefined;
    },
    conclude({ answer }, token, outcome) {
      if (!isRejection(answer)) return pause.end();
      reject(token);
      if (outcome.kind === 'blocked') giveUp(outcome.reason);
    },
  };
}

/** Whether the endpoint rejects the token. A 401 with an MPL id is from the flow itself, about something else. */
function isRejection(answer: HttpAnswer): boolean {
  return answer.status === 401 && mplIdOf(answer) === undefined;
}

/** What the endpoint distinguishes tokens by: the token itself, or the certificate that is used instead. */
function textOf({ accessToken, certificate }: Token): string {
  return accessToken === '' && certificate !== undefined ? certificate.cert : accessToken;
}
