/**
 * The token for one endpoint: never one that it has rejected, another where that may change its answer, and a pause where
 * none helps. What the endpoint has against tokens is kept here between messages; what is warm is shared by destinations.
 */
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import type { HttpAnswer } from '../http/http.ts';
import type { Token } from '../token/token-endpoint.ts';
import { createPause, isWithin, REJECTION_PAUSE_MS } from '../warm/pause.ts';
import type { Warm } from '../warm/warm.ts';
import type { Exchange } from './adapter/adapter.ts';
import { mplIdOf } from './mpl-id.ts';
import type { Outcome } from './outcome.ts';

export interface EndpointToken {
  /**
   * The token to send with.
   *
   * @throws RelayError `TOKEN_REJECTED` while a pause lasts, `TOKEN_POSTPONED`, and what getting a token throws
   */
  get(deadline: Deadline): Promise<Access>;
  /**
   * Another token, where that may change the answer: for a 401, for the 500 by which old runtime nodes refuse an expired
   * token, and for a 403 if the token is older than the attempt, since scopes may have been given meanwhile; but not if
   * it was issued for new scopes itself less than 10 s ago.
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
  /** What the last answer of an attempt says of the token: it was accepted, which ends a pause, or the ladder ends here. */
  conclude(exchange: Exchange, token: Token, outcome: Outcome): void;
}

export interface Access {
  readonly token: Token;
  /** It stands in for one that an attempt before this one has seen a 401 for: it has no successor in this attempt. */
  readonly isLast: boolean;
}

/** Scopes are looked into this often at the most, in milliseconds: a role that is missing stays missing for a while. */
const SCOPES_PAUSE_MS = 600_000;
/** Of all destinations: where many share a token and lack their roles, not each of them has it renewed in turn. */
const issuedForScopes = new WeakSet<Token>();
/** More than the ladder can have rejected between two pauses. */
const REMEMBERED = 16;
const SAME_TOKEN =
  'the endpoint rejected a token and the authorization server gives the very same again; the operator must check that the client is registered for this runtime node';
const POSTPONED = `the endpoint rejected a token less than ${REJECTION_PAUSE_MS / 1000} s after another: kept for a later try`;

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
    // A certificate does not end by itself as a token does: once the pause is over, the same may be tried again.
    for (const text of rejected) if (text.startsWith('-----BEGIN')) rejected.delete(text);
    return refusal;
  }

  function reject(token: Token): void {
    rejected.add(textOf(token));
    const [oldest] = rejected;
    if (rejected.size > REMEMBERED && oldest !== undefined) rejected.delete(oldest);
    tokens.forget(token);
  }

  /** In place of one that this endpoint has rejected: a different one. */
  async function replacementOf(token: Token, deadline: Deadline): Promise<Token> {
    reject(token);
    const other = await tokens.get(deadline);
    if (other === token) {
      // It was kept: others may use it, and will not be made to ask for one after another.
      throw new RelayError('TOKEN_POSTPONED', POSTPONED, { status: 401, retryAfterMs: REJECTION_PAUSE_MS });
    }
    if (!rejected.has(textOf(other))) return other;
    // Another message of this destination may have got as far meanwhile.
    assertNoPause();
    throw giveUp(SAME_TOKEN);
  }

  /** One refresh for all who carry the same token; then none for a while. */
  function isWorthNewScopes(token: Token): boolean {
    if (stale.has(token)) return true;
    if (issuedForScopes.has(token) && isWithin(REJECTION_PAUSE_MS, token.issuedAt, now())) return false;
    if (isWithin(SCOPES_PAUSE_MS, scopesAskedAt, now())) return false;
    scopesAskedAt = now();
    stale.add(token);
    return true;
  }

  async function withNewScopes(token: Token, deadline: Deadline): Promise<Token | undefined> {
    // Where there is no new token now, what the endpoint said stands.
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
      // Runtime nodes before 6.76.44 answer an expired token with a 500, before the flow, which has no words of its own then.
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

/** Whether the endpoint rejects the token; a 401 of the flow itself is about something else. */
function isRejection(answer: HttpAnswer): boolean {
  return answer.status === 401 && mplIdOf(answer) === undefined;
}

/** What the endpoint tells one from another by. A token that is bound to a certificate is known by its own text. */
function textOf({ accessToken, certificate }: Token): string {
  return accessToken === '' && certificate !== undefined ? certificate.cert : accessToken;
}
