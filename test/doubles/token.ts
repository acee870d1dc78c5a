/** Access tokens: as the relay keeps one, and as the authorization server of Cloud Foundry signs one. */
import type { Token } from '../../functions/token/token-endpoint.ts';
import type { Warm } from '../../functions/warm/warm.ts';
import { NOON } from './time.ts';

/** Part of every secret and token, so that a text that shows one of them is found out. */
export const MARK = 'hunter22';

/** One that was issued a minute before noon, for an hour. */
export function tokenOf(accessToken: string, fields: Partial<Token> = {}): Token {
  return { accessToken, issuedAt: NOON - 60_000, expiresAt: NOON + 3_540_000, expiryKnown: true, ...fields };
}

/** Where a relay gets its tokens: nothing is kept and nothing is renewed ahead, but for what the test gives. */
export function warmTokens(given: Pick<Warm<Token>, 'get' | 'renew'> & Partial<Warm<Token>>): Warm<Token> {
  const nothing = () => undefined;
  return { forget: nothing, peek: nothing, renewing: nothing, abortRenewal: nothing, ...given };
}

/** A token as UAA signs one; its signature is none. */
export function jwt(claims: object = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = { alg: 'RS256', kid: 'default-jwt-key-0123456789', typ: 'JWT' };
  return `${part(header)}.${part({ client_id: MARK, ...claims })}.${MARK}c2lnbmF0dXJl`;
}
