/**
 * What an endpoint has against tokens, and what was learnt from it: which answers mean that a new token might help,
 * which tokens this endpoint has rejected, and when to stop asking for more.
 */
import { RelayError } from '../error.ts';
import type { HttpAnswer } from '../http-client.ts';
import { createPause } from '../pause.ts';
import type { Token } from '../token/token-endpoint.ts';
import type { Exchange } from './adapter/adapter.ts';
import { mplIdOf } from './mpl-id.ts';

/** `rejected`: the token is worth nothing here. `stale`: its scopes may have changed since it was issued. */
export type Verdict = 'accepted' | 'rejected' | 'stale';

export interface Rejections {
  /** @throws RelayError `TOKEN_REJECTED` while a pause lasts: every token that was to be had was rejected */
  assertOpen(): void;
  /**
   * Whether a new token might change the answer.
   *
   * @param startedAt when the attempt began: a token that was issued since cannot be stale
   */
  verdict(exchange: Exchange, token: Token, startedAt: number): Verdict;
  /** Whether this endpoint has rejected such a token: it is not sent again. */
  has(token: Token): boolean;
  add(token: Token): void;
  /** Whether the endpoint would see the same in both. */
  isSame(one: Token, other: Token): boolean;
  /** There is no newer one to be had: it is not asked for again for a while. */
  notStale(token: Token): void;
  /** The end of the ladder: a new token was rejected, too, or there was none that differs. Begins the pause. */
  giveUp(reason: string): RelayError;
  /** A token was accepted: a pause that was opened is over. */
  accepted(): void;
}

/** Whether the endpoint rejects the token; a 401 of the flow itself is about something else. */
export function isRejection(answer: HttpAnswer): boolean {
  return answer.status === 401 && mplIdOf(answer) === undefined;
}

/** Scopes are looked into this often at the most, in milliseconds: a role that is missing stays missing for a while. */
const SCOPES_PAUSE_MS = 600_000;
/** More than the ladder can have rejected between two pauses. */
const REMEMBERED = 16;

/** One for each destination. @param now epoch milliseconds */
export function createRejections(now: () => number): Rejections {
  const rejected = new Set<string>();
  const stale = new WeakSet<Token>();
  const pause = createPause(now);
  let scopesAskedAt = Number.NEGATIVE_INFINITY;

  /** One refresh for all who carry the same token; then none for a while. */
  function isWorthNewScopes(token: Token): boolean {
    if (stale.has(token)) return true;
    if (now() - scopesAskedAt < SCOPES_PAUSE_MS) return false;
    scopesAskedAt = now();
    stale.add(token);
    return true;
  }

  return {
    assertOpen() {
      const refusal = pause.current();
      if (refusal !== undefined) throw refusal;
    },
    verdict({ answer, finding }, token, startedAt) {
      const { status } = answer;
      if (isRejection(answer)) return 'rejected';
      if (status !== 403 && status !== 500) return 'accepted';
      if (mplIdOf(answer) !== undefined) return 'accepted';
      if (status === 403) return token.issuedAt < startedAt && isWorthNewScopes(token) ? 'stale' : 'accepted';
      // Runtime nodes before 6.76.44 answer an expired token with a 500, before the flow: nobody there has words of his own.
      const hasExpired = token.expiryKnown && now() >= token.expiresAt;
      return hasExpired && finding === undefined ? 'rejected' : 'accepted';
    },
    has: (token) => rejected.has(textOf(token)),
    isSame: (one, other) => textOf(one) === textOf(other),
    notStale: (token) => {
      stale.delete(token);
    },
    add(token) {
      rejected.add(textOf(token));
      const [oldest] = rejected;
      if (rejected.size > REMEMBERED && oldest !== undefined) rejected.delete(oldest);
    },
    giveUp(reason) {
      const refusal = new RelayError('TOKEN_REJECTED', reason, { status: 401 });
      pause.open(refusal);
      // A certificate does not end by itself as a token does: once the pause is over, the same may be tried again.
      for (const text of rejected) if (text.startsWith('-----BEGIN')) rejected.delete(text);
      return refusal;
    },
    accepted: pause.end,
  };
}

/** A token that is bound to a certificate is known by its own text. */
function textOf({ accessToken, certificate }: Token): string {
  return accessToken === '' && certificate !== undefined ? certificate.cert : accessToken;
}
