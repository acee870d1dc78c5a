/**
 * How a runtime node judges an access token: a JWT on the spot, by the authorization server's published keys, which it
 * remembers; an opaque one by asking the authorization server each time (the guide's Tip). Roles are judged afterwards,
 * by `runtime-node.ts`.
 */
import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Trust } from '../authorization-server/authorization-server.ts';
import { type Call, requestTo } from '../http-call.ts';

/**
 * `refused`: forged, unknown, revoked, or for another subscription. `unavailable`: the authorization server was needed
 * and did not answer.
 */
export type Verdict =
  | {
      readonly kind: 'accepted';
      readonly clientId: string;
      readonly scopes: readonly string[];
      /** SHA-256 of the certificate that must come with it (RFC 8705 section 3); undefined: none must. */
      readonly boundTo?: string;
    }
  | { readonly kind: 'expired' | 'unavailable' }
  /** `why` is for whoever watches; no caller is told it. */
  | { readonly kind: 'refused'; readonly why: string };

export interface TokenValidationOptions {
  readonly trust: Trust;
  /** Reaches the authorization server. */
  readonly call: Call;
  /** Whom a token must be meant for. */
  readonly audience: string;
  readonly now: () => number;
  /** For how long after `exp` a JWT is still taken. */
  readonly leewaySeconds: number;
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** A validation that has no keys yet: it fetches them for its first JWT. */
export function createTokenValidation(options: TokenValidationOptions): (token: string) => Promise<Verdict> {
  const { trust, call, audience, now, leewaySeconds } = options;
  let remembered: { readonly keys: Promise<KeySet>; readonly version: number } | undefined;

  /** One fetch for all who need the keys at the same time; a fetch that failed is not remembered. */
  function fetchKeys(): Promise<KeySet> {
    const entry = { keys: readKeys(), version: trust.keysVersion() };
    remembered = entry;
    entry.keys.catch(() => {
      if (remembered === entry) remembered = undefined;
    });
    return entry.keys;
  }

  async function readKeys(): Promise<KeySet> {
    const { status, body = '' } = await call(requestTo('GET', trust.keysPath));
    if (status !== 200) throw new Error(`the key set was answered with ${status}`);
    return createLocalJWKSet(JSON.parse(Buffer.from(body).toString('utf8')));
  }

  async function verify(token: string, keys: KeySet): Promise<Verdict> {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ['RS256'],
      issuer: trust.issuer,
      audience,
      requiredClaims: ['exp'],
      clockTolerance: leewaySeconds,
      currentDate: new Date(now()),
    });
    const clientId = clientOf(payload);
    return clientId === undefined
      ? { kind: 'refused', why: 'the token names no client' }
      : { kind: 'accepted', clientId, scopes: strings(payload.scope), ...binding(payload.cnf) };
  }

  async function validateJwt(token: string): Promise<Verdict> {
    const current = remembered?.version === trust.keysVersion() ? remembered.keys : undefined;
    let keys: KeySet;
    try {
      keys = await (current ?? fetchKeys());
    } catch {
      return { kind: 'unavailable' };
    }
    try {
      return await verify(token, keys);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || current === undefined) return judge(error);
    }
    // An unknown kid may be that of a new key, which is why the keys that were remembered are fetched once more.
    try {
      keys = await fetchKeys();
    } catch {
      return { kind: 'unavailable' };
    }
    return verify(token, keys).catch(judge);
  }

  async function introspect(token: string): Promise<Verdict> {
    const neo = trust.account.environment === 'neo';
    const { clientId, clientSecret } = trust.resourceServer;
    const headers = {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
    const body = new URLSearchParams({ [neo ? 'access_token' : 'token']: token }).toString();
    let status: number;
    let told: Record<string, unknown>;
    try {
      const answer = await call(requestTo('POST', trust.introspectionPath, { headers, body }));
      status = answer.status;
      told = JSON.parse(Buffer.from(answer.body ?? '').toString('utf8'));
    } catch {
      return { kind: 'unavailable' };
    }
    if (neo && status === 401) return { kind: 'refused', why: UNKNOWN };
    if (status !== 200) return { kind: 'unavailable' };
    if (told.active === false) return { kind: 'refused', why: UNKNOWN };
    if (!strings(told.aud).includes(audience)) return { kind: 'refused', why: 'the token is for another subscription' };
    const scopes = strings(told.scope);
    return { kind: 'accepted', clientId: String(told.client_id), scopes, ...binding(told.cnf) };
  }

  return (token) => (token.split('.').length === 3 ? validateJwt(token) : introspect(token));
}

const UNKNOWN = 'the token is unknown: never issued, revoked, or expired';

function judge(error: unknown): Verdict {
  if (error instanceof errors.JWTExpired) return { kind: 'expired' };
  if (error instanceof errors.JWKSNoMatchingKey) {
    return { kind: 'refused', why: 'the token is signed with a key that is no longer published' };
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return { kind: 'refused', why: `the token is for another subscription, or not this server's: ${error.claim}` };
  }
  if (error instanceof errors.JOSEError) return { kind: 'refused', why: `the token is no valid JWT: ${error.code}` };
  throw error;
}

/** CF names the client in `client_id`, Neo in the remote user's name. */
function clientOf({ client_id: clientId, sub }: JWTPayload): string | undefined {
  return typeof clientId === 'string' ? clientId : sub?.replace(/^oauth_client_/, '');
}

/** Of the claim `cnf`. */
function binding(confirmation: unknown): { boundTo?: string } {
  const thumbprint = (confirmation as Record<string, unknown> | undefined)?.['x5t#S256'];
  return typeof thumbprint === 'string' ? { boundTo: thumbprint } : {};
}

/** A claim that is a list in a JWT and a string with spaces elsewhere. */
function strings(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return claim.split(' ');
  return Array.isArray(claim) ? claim.map(String) : [];
}
