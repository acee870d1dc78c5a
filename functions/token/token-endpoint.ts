/**
 * The token endpoint of the authorization server: writes the request of the client credentials grant and reads the
 * response, each on its own. Who asks when, and what is kept, is `token.ts`'s.
 *
 * @see RFC 6749 section 4.4 (client credentials grant), 5.1 and 5.2 (response and error)
 */
// By its own path: with the package's index esbuild would load what checks tokens along with what reads them.
import { decodeJwt } from 'jose/jwt/decode';
import { RelayError, tooLargeToken } from '../error.ts';
import type { HttpAnswer, HttpRequest } from '../http/http.ts';
import { dateOf, retryAfterMs } from '../http/retry-after.ts';
import { isRecord, parseJson } from '../untrusted.ts';
import { type ClientCertificate, thumbprintOf } from './certificate.ts';
import type { Credentials } from './credentials.ts';

/** An access token and how long it is good. Identity matters: a rejected token is forgotten by it. */
export interface Token {
  /** Empty where `certificate` stands in for it: the endpoint is then called without a token. */
  readonly accessToken: string;
  /** The endpoint is called with it: in place of a token, or beside one that is bound to it (RFC 8705 section 3). */
  readonly certificate?: ClientCertificate;
  /** Epoch milliseconds, on our own clock. */
  readonly issuedAt: number;
  /** Epoch milliseconds, on our own clock; the token is used until a margin before it. */
  readonly expiresAt: number;
  /** True if the endpoint would say so, too: the token itself or its response told `expiresAt`. */
  readonly expiryKnown: boolean;
  /** Host of the runtime node, where the secret that bought this token names it. */
  readonly serviceUrl?: string;
}

/** The token that a destination asks for. */
export interface TokenWish {
  readonly tokenFormat: 'jwt' | 'opaque';
  /** Space-separated (RFC 6749 section 3.3). Default: all that the client has. */
  readonly scope?: string;
  /** Longest use of one token, in milliseconds. */
  readonly maxLifetimeMs: number;
}

/** SAP: token read timeout 30 s at most; a slower answer would cost the invocation more than a later try. */
export const TOKEN_TIMEOUT_MS = 10_000;

/** The authorization server has refused the request (RFC 6749 section 5.2). */
export class TokenRefused extends RelayError {
  /** Whether it does not take the client's proof: what another version of the secret holds, it may take. */
  readonly isOfClient: boolean;

  constructor(message: string, status: number, isOfClient: boolean) {
    super('TOKEN_REFUSED', message, { status });
    this.isOfClient = isOfClient;
  }
}
/** Beyond this SAP's own servers refuse the header that would carry the token. */
const MAX_TOKEN_BYTES = 16_384;
/** Of a token whose lifetime nobody tells, and the least that is believed of `expires_in: 0`, as in SAP's guide. */
const UNKNOWN_LIFETIME_MS = 3_600_000;

/**
 * Neo: POST, parameters in the query, id and secret in the Basic header as they are, no body. Cloud Foundry: a form
 * with id and secret in it, the one way in which no character of theirs needs a convention (RFC 6749 section 2.3.1).
 * An opaque token has to be asked for there, since UAA gives a JWT without `token_format`; on Neo, for which SAP documents
 * no value, it is what comes without.
 */
export function tokenRequest(
  { clientId, proof, tokenUrl, environment }: Credentials,
  { tokenFormat, scope }: TokenWish,
): Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body' | 'certificate'> {
  const parameters: Record<string, string> = { grant_type: 'client_credentials' };
  if (tokenFormat === 'jwt' || environment === 'cf') parameters.token_format = tokenFormat;
  if (scope !== undefined) parameters.scope = scope;
  const url = new URL(tokenUrl);
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (environment === 'neo') {
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    const userPass = 'clientSecret' in proof ? `${clientId}:${proof.clientSecret}` : clientId;
    headers.Authorization = `Basic ${Buffer.from(userPass).toString('base64')}`;
    return { method: 'POST', url, headers };
  }
  const form = new URLSearchParams({ ...parameters, client_id: clientId });
  if ('clientSecret' in proof) form.set('client_secret', proof.clientSecret);
  headers['Content-Type'] = 'application/x-www-form-urlencoded';
  const bytes = Buffer.from(form.toString());
  const body = { bytes: bytes.byteLength, open: () => bytes };
  return { method: 'POST', url, headers, body, ...('certificate' in proof ? { certificate: proof.certificate } : {}) };
}

/**
 * Reads the answer of the token endpoint.
 *
 * @param now our clock when the answer came, epoch milliseconds
 * @throws TokenRefused (400, 401, 403), RelayError `TOKEN_UNAVAILABLE` (408, 429, 5xx), `TOKEN_RESPONSE_INVALID`
 * (redirects, HTML, no Bearer token in it), each naming the token endpoint and who must act
 */
export function readTokenResponse(
  answer: HttpAnswer,
  credentials: Credentials,
  { maxLifetimeMs }: Pick<TokenWish, 'maxLifetimeMs'>,
  now: number,
): Token {
  const { origin, pathname } = new URL(credentials.tokenUrl);
  const at = `token endpoint ${origin}${pathname}`;
  const { status } = answer;
  if (status !== 200) throw unsuccessful(answer, at, credentials, now);

  const invalid = (problem: string) =>
    new RelayError('TOKEN_RESPONSE_INVALID', `${at}: ${problem}; the operator must check the token URL in the secret`, {
      status,
    });
  if (answer.truncated) throw invalid(`answered 200 with more than ${answer.body.byteLength} bytes`);
  const json = parseJson(answer.body.toString());
  if (!isRecord(json)) throw invalid('answered 200 with something that is no JSON object');
  const { access_token: accessToken, token_type: tokenType } = json;
  if (typeof accessToken !== 'string' || accessToken === '') throw invalid('answered 200 without an access_token');
  const tokenBytes = Buffer.byteLength(accessToken);
  if (tokenBytes > MAX_TOKEN_BYTES) {
    throw new RelayError('TOKEN_RESPONSE_INVALID', `${at}: ${tooLargeToken(tokenBytes)}`, { status });
  }
  // RFC 6750 section 2.1: what else it may hold could not stand in a header.
  if (!/^[\w.~+/-]+=*$/.test(accessToken)) throw invalid('gave a token that cannot stand in a Bearer header');
  // Neo says "Bearer", Cloud Foundry "bearer"; RFC 6749 section 5.1: case-insensitive.
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer') {
    throw invalid('gave a token whose token_type is not Bearer');
  }
  const claims = claimsOf(accessToken);
  const known = lifetimeMs(claims, json.expires_in, dateOf(answer.headers), now);
  if (known === 0) throw invalid('gave a token that has expired already');
  const bound = boundTo(claims, credentials, at);
  const endsAt = now + Math.min(known ?? UNKNOWN_LIFETIME_MS, maxLifetimeMs);
  return {
    accessToken,
    ...(bound === undefined ? {} : { certificate: bound }),
    issuedAt: now,
    // Without its certificate a token is worth nothing.
    expiresAt: Math.min(endsAt, bound?.validUntil ?? endsAt),
    expiryKnown: (known ?? Number.POSITIVE_INFINITY) <= maxLifetimeMs,
    ...(credentials.serviceUrl === undefined ? {} : { serviceUrl: credentials.serviceUrl }),
  };
}

/** What is read in a token; nothing of an opaque one. */
interface Claims {
  /** Epoch milliseconds, on the authorization server's clock. */
  readonly exp?: number;
  readonly iat?: number;
  /** SHA-256 of the certificate that it is bound to, as RFC 8705 section 3.1 writes it. */
  readonly thumbprint?: string;
}

/** Reads without verifying: the relay is not the token's audience. */
function claimsOf(accessToken: string): Claims {
  try {
    const { exp, iat, cnf } = decodeJwt(accessToken);
    const thumbprint = isRecord(cnf) ? cnf['x5t#S256'] : undefined;
    return {
      ...(isTime(exp) ? { exp: exp * 1000 } : {}),
      ...(isTime(iat) ? { iat: iat * 1000 } : {}),
      ...(typeof thumbprint === 'string' ? { thumbprint } : {}),
    };
  } catch {
    // An opaque token is no JWT; that is no error.
    return {};
  }
}

function isTime(claim: unknown): claim is number {
  return Number.isFinite(claim);
}

/**
 * The smaller of what the JWT's `exp` and a positive `expires_in` leave; undefined where neither tells. `expires_in: 0` is
 * in SAP's own sample and means neither "expired" nor "for ever".
 *
 * `exp` is a time on the authorization server's clock, `expires_in` counts on any. Where the answer does not tell that
 * clock (Keycloak's has no `Date`), the token does: it was signed at `iat`, for this answer. Ours stands in for it only
 * where nothing else is told, since one that is ahead would take a new token for an expired one.
 *
 * @param date the authorization server's clock, where the answer tells it
 */
function lifetimeMs(
  { exp, iat }: Claims,
  expiresIn: unknown,
  date: number | undefined,
  now: number,
): number | undefined {
  const seconds = typeof expiresIn === 'number' || typeof expiresIn === 'string' ? Number(expiresIn) : 0;
  const told = seconds > 0 && Number.isFinite(seconds) ? seconds * 1000 : undefined;
  if (exp === undefined) return told;
  const issuerNow = date ?? ((iat ?? exp) < exp ? iat : undefined);
  if (issuerNow === undefined && told !== undefined) return told;
  return Math.min(Math.max(0, exp - (issuerNow ?? now)), told ?? Number.POSITIVE_INFINITY);
}

/**
 * The certificate that the endpoint must see with this token (RFC 8705 section 3); undefined for a token that is bound to
 * none. A client with a secret presents no certificate: whoever does so on its way does it on the way to the endpoint, too.
 */
function boundTo({ thumbprint }: Claims, { proof }: Credentials, at: string): ClientCertificate | undefined {
  if (thumbprint === undefined || !('certificate' in proof)) return undefined;
  if (thumbprint === thumbprintOf(proof.certificate)) return proof.certificate;
  throw new RelayError(
    'TOKEN_RESPONSE_INVALID',
    `${at}: gave a token that is bound to another certificate than the client's (RFC 8705); the operator must check which certificate reaches the authorization server, since a proxy on the way may present its own`,
    { status: 200 },
  );
}

function unsuccessful(answer: HttpAnswer, at: string, credentials: Credentials, now: number): RelayError {
  const { status } = answer;
  const said = errorCode(answer.body);
  const words = `${at}: answered ${status}${said === undefined ? '' : ` ${said}`}`;
  if (status === 400 || status === 401 || status === 403) {
    const message = `${words}; the operator must check ${causeOf(answer, said, credentials)}`;
    return new TokenRefused(message, status, status === 401 || said === 'invalid_client');
  }
  if (status === 408 || status === 429 || status >= 500) {
    const waitMs = retryAfterMs(answer.headers, now);
    const evidence = { status, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
    return new RelayError('TOKEN_UNAVAILABLE', `${words}; a later try may help`, evidence);
  }
  const message = `${words}; the operator must check the token URL in the secret`;
  return new RelayError('TOKEN_RESPONSE_INVALID', message, { status });
}

const TOKEN_URL = 'the token URL in the secret';
const REGISTRATION = 'how the client is registered there: it must be allowed the client credentials grant';
const OTHERWISE =
  'what the server wants otherwise: the other profile ("environment" in the secret), or DPoP or a signed assertion, which the relay does not send';

/** What a refusal is about, by its code. */
function causeOf(answer: HttpAnswer, said: string | undefined, { proof }: Credentials): string {
  const client = `that the client is registered there and that the secret holds its id and ${'certificate' in proof ? 'certificate' : 'secret'}`;
  switch (said) {
    case 'invalid_client':
    // Older servers of SAP's, for the same.
    case 'unauthorized':
      return client;
    case 'invalid_scope':
      return 'the setting "scope": the client has no such scope there';
    case 'unauthorized_client':
    case 'unsupported_grant_type':
    case 'access_denied':
      return REGISTRATION;
    case undefined: {
      // UAA answers a wrong path with 403 and words of a CSRF token.
      const cause = answer.status === 403 || isPage(answer) ? TOKEN_URL : OTHERWISE;
      // RFC 6749 has this status for one code alone, `invalid_client`.
      return answer.status === 401 ? `${client}, or else ${cause}` : cause;
    }
    default:
      return OTHERWISE;
  }
}

/** For people, not for a client of the token endpoint. */
function isPage({ headers, body }: HttpAnswer): boolean {
  const isHtml = headers['content-type']?.toLowerCase().startsWith('text/html');
  return isHtml === true || /^\s*<(?:!doctype\s+)?html\b/i.test(body.subarray(0, 200).toString('latin1'));
}

/** Of RFC 6749 section 5.2, and what SAP's servers were seen to say; anything else could repeat what was sent. */
const KNOWN_ERRORS = new Set(
  'invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope unauthorized access_denied server_error temporarily_unavailable'.split(
    ' ',
  ),
);

/** Its code alone: a description could repeat what was sent. */
function errorCode(body: Buffer): string | undefined {
  const json = parseJson(body.toString());
  const error = isRecord(json) ? json.error : undefined;
  return typeof error === 'string' && KNOWN_ERRORS.has(error) ? error : undefined;
}
