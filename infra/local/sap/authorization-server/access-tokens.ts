/**
 * The access tokens of one authorization server: issued as JWT or as opaque string, and for opaque ones the memory of
 * whether they still count. A JWT is not stored, so it cannot be revoked, only made invalid together with its signing
 * key (SAP: "OAuth 2.0 JWT Token Types"). How a token is asked for and answered is for `authorization-server.ts`.
 */
import type { JWTPayload } from 'jose';
import type { Account } from '../cockpit/account.ts';
import { type Client, userOf } from '../cockpit/oauth-client.ts';
import { hex, type RandomBytes, uuid } from '../identifiers.ts';
import type { SigningKeys } from './signing-keys.ts';

export type TokenFormat = 'jwt' | 'opaque';

/** A token and what the server knows of it; times are epoch milliseconds. */
export interface AccessToken {
  readonly token: string;
  readonly format: TokenFormat;
  readonly jti: string;
  readonly clientId: string;
  readonly subscription: string;
  /** On CF the roles, each with the application's name before it; none on Neo, where roles are looked up. */
  readonly scopes: readonly string[];
  /** All that the token says of its scope: the roles, and what a client has beside them. */
  readonly toldScopes: readonly string[];
  /** SHA-256 of the certificate that it is bound to, as `x5t#S256` has it (RFC 8705 section 3.1). */
  readonly boundTo?: string;
  readonly issuedAt: number;
  /** Undefined: unlimited. */
  readonly expiresAt: number | undefined;
}

export interface AccessTokensOptions {
  readonly account: Account;
  readonly issuer: string;
  readonly jku: string;
  readonly signingKeys: SigningKeys;
  readonly now: () => number;
  readonly random: RandomBytes;
  readonly confidential: (value: string) => void;
}

/** What a request has of its own. */
export interface Issuing {
  readonly format: TokenFormat;
  /** Of what `authoritiesOf` tells, those that the token is to have. Default: all. */
  readonly scopes?: readonly string[];
  /** As `AccessToken.boundTo`. Default: to no certificate. */
  readonly boundTo?: string;
}

export interface AccessTokens {
  issue(client: Client, issuing: Issuing): Promise<AccessToken>;
  /** The scopes that a client may ask for on CF; none on Neo. */
  authoritiesOf(client: Client): readonly string[];
  /** An opaque token that counts at this moment; undefined when unknown, expired, revoked, or its client is gone. */
  active(token: string): AccessToken | undefined;
  /** Revokes one opaque token. Throws an Error for anything else, a JWT too. */
  revoke(token: string): void;
  /** No token issued so far counts any more; the server "might prematurely expire tokens" (SAP, on resilience). */
  expireAll(): void;
  /** While on, a client gets the token that it got last, as long as it is valid. */
  issueSameAgain(on: boolean): void;
}

/**
 * "Validity is capped" for a JWT on Neo, whatever the client's Token Lifetime says (SAP: "OAuth 2.0 JWT Token Types").
 */
const longestJwtSeconds = 43_200;

/** No token yet. */
export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { account, issuer, jku, signingKeys, now, random, confidential } = options;
  const neo = account.environment === 'neo';
  const opaque = new Map<string, AccessToken>();
  const latest = new Map<string, AccessToken>();
  let sameAgain = false;

  /**
   * Ending the unlimited life of a client's tokens "re-dates already issued tokens", so the present lifetime decides.
   */
  function expiryOf(token: AccessToken): number | undefined {
    if (token.expiresAt !== undefined) return token.expiresAt;
    const seconds = account.client(token.clientId)?.tokenLifetimeSeconds ?? 0;
    return seconds === 0 ? undefined : token.issuedAt + seconds * 1000;
  }

  function alive(token: AccessToken): boolean {
    const unlimited = token.format === 'jwt' ? token.issuedAt + longestJwtSeconds * 1000 : Number.POSITIVE_INFINITY;
    return account.client(token.clientId) !== undefined && now() < (expiryOf(token) ?? unlimited);
  }

  function rolesOf({ clientId, subscription }: Client): string[] {
    const { audience } = account.subscription(subscription);
    return neo ? [] : account.roles(userOf(clientId), subscription).map((role) => `${audience}.${role}`);
  }

  const authoritiesOf = (client: Client): string[] => (neo ? [] : [...rolesOf(client), 'uaa.resource']);

  async function issue(client: Client, { format, scopes, boundTo }: Issuing): Promise<AccessToken> {
    // A forced rotation made the earlier JWT invalid, so the keys' version is part of what "the same" means.
    const slot = JSON.stringify([format, signingKeys.version(), client.clientId, scopes, boundTo]);
    const last = latest.get(slot);
    if (sameAgain && last !== undefined && alive(last)) return { ...last, expiresAt: expiryOf(last) };
    const { audience } = account.subscription(client.subscription);
    const toldScopes = authoritiesOf(client).filter((one) => scopes?.includes(one) ?? true);
    const described = {
      format,
      jti: hex(random, 16),
      clientId: client.clientId,
      subscription: client.subscription,
      scopes: rolesOf(client).filter((role) => toldScopes.includes(role)),
      toldScopes,
      ...(boundTo === undefined ? {} : { boundTo }),
      issuedAt: now(),
    };
    const seconds = client.tokenLifetimeSeconds;
    const expiresAt = seconds === 0 ? undefined : described.issuedAt + lifetime(format, seconds) * 1000;
    const token = format === 'jwt' ? await sign(described, audience, seconds) : hex(random, 16);
    confidential(token);
    const issued: AccessToken = { ...described, token, expiresAt };
    if (format === 'opaque') opaque.set(token, issued);
    latest.set(slot, issued);
    return issued;
  }

  const lifetime = (format: TokenFormat, seconds: number): number =>
    neo && format === 'jwt' ? Math.min(seconds, longestJwtSeconds) : seconds;

  function sign(
    described: Omit<AccessToken, 'token' | 'expiresAt'>,
    audience: string,
    seconds: number,
  ): Promise<string> {
    const iat = Math.floor(described.issuedAt / 1000);
    const times = { iat, exp: iat + (seconds === 0 ? longestJwtSeconds : lifetime('jwt', seconds)) };
    const claims = neo ? neoClaims(described.clientId, audience) : cfClaims(described, audience);
    const bound = described.boundTo === undefined ? {} : { cnf: { 'x5t#S256': described.boundTo } };
    return signingKeys.sign({ jti: described.jti, ...claims, ...bound, ...times, iss: issuer }, jku);
  }

  /** Neo's claims are not documented: `sub` as the remote user is called, `aud` the subscription [both assumed]. */
  function neoClaims(clientId: string, audience: string): JWTPayload {
    return { sub: userOf(clientId), aud: audience };
  }

  /** As in the client-credentials token that SAP's Java security library tests with. */
  function cfClaims(
    { clientId, toldScopes: scope }: Pick<AccessToken, 'clientId' | 'toldScopes'>,
    audience: string,
  ): JWTPayload {
    return {
      ext_attr: { enhancer: 'XSUAA', subaccountid: account.id, serviceinstanceid: uuid(random), zdn: account.name },
      sub: clientId,
      authorities: scope,
      scope,
      client_id: clientId,
      cid: clientId,
      azp: clientId,
      grant_type: 'client_credentials',
      rev_sig: hex(random, 4),
      zid: account.id,
      aud: ['uaa', clientId, audience],
    };
  }

  return {
    issue,
    authoritiesOf,
    active: (token) => {
      const found = opaque.get(token);
      return found !== undefined && alive(found) ? found : undefined;
    },
    revoke: (token) => {
      if (!opaque.delete(token)) throw new Error('only an opaque token that this server has issued can be revoked');
      latest.clear();
    },
    expireAll: () => {
      opaque.clear();
      signingKeys.rotate();
    },
    issueSameAgain: (on) => {
      sameAgain = on;
    },
  };
}
