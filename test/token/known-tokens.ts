/**
 * What the model of a warm token knows of the tokens that came, by rules of its own: which are rejected, which are
 * good.
 */
import type { Token } from '../../functions/token/token-endpoint.ts';

export interface KnownTokens {
  readonly all: readonly Token[];
  readonly rejected: ReadonlySet<Token>;
  /** @param versionId of the secret that it was requested with */
  meet(token: Token, versionId: string | undefined): void;
  reject(token: Token): void;
  /** Not rejected, before its margin, under this version of the secret. */
  isGood(token: Token | undefined, now: number, versionId: string | undefined): token is Token;
}

export function createKnownTokens(): KnownTokens {
  const versions = new Map<Token, string | undefined>();
  const rejected = new Set<Token>();
  return {
    get all() {
      return [...versions.keys()];
    },
    rejected,
    meet(token, versionId) {
      if (!versions.has(token)) versions.set(token, versionId);
    },
    reject: (token) => void rejected.add(token),
    isGood(token, now, versionId): token is Token {
      if (token === undefined || rejected.has(token)) return false;
      const { issuedAt, expiresAt } = token;
      const isCurrent = !versions.has(token) || versions.get(token) === versionId;
      return isCurrent && now < expiresAt - Math.min(60_000, (expiresAt - issuedAt) / 10);
    },
  };
}
