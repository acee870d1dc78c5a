/**
 * The token endpoint of the authorization server: writes the request of the client credentials grant, and reads the
 * response. `token.ts` decides when to request a token and what to keep.
 *
 * @see RFC 6749 section 4.4 (client credentials grant), 5.1 and 5.2 (response and error)
 */
// By its own path: by the package's index esbuild would bundle what verifies tokens as well.
import { decodeJwt } from 'jose/jwt/decode';
import { RelayError, tooLargeToken } from '../error.ts';
import type { HttpAnswer, HttpRequest } from '../http/http.ts';
import { dateOf, retryAfterMs } from '../http/retry-after.ts';
import { isRecord, parseJson } from '../untrusted.ts';
import { type ClientCertificate, thumbprintOf } from './certificate.ts';
import type { Credentials } from './credentials.ts';

/** An access token and its lifetime. A rejected token is forgotten by the identity of this object. */
export interface Token {
  /** Empty where the endpoint is called with `certificate` and without a token. */
  readonly accessToken: string;
  /** For the call of the endpoint: instead of a token, or with one that is bound to it (RFC 8705 section 3). */
  readonly certificate?: ClientCertificate;
  /** Epoch milliseconds, on our own clock. */
  readonly issuedAt: number;
  /** Epoch milliseconds, on our own clock; the token is used until a margin before it. */
  readonly expiresAt: number;
  /** True if `expiresAt` is from the token itself or its response, so that the endpoint goes by it, too. */
  readonly expiryKnown: boolean;
  /** Host of the runtime node, where the secret names it. */
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

/** SAP advises 30 s at most. After 10 s a later try costs the invocation less. */
export const TOKEN_TIMEOUT_MS = 10_000;

/** The authorization server has refused the request (RFC 6749 section 5.2). */
export class TokenRefused extends RelayError {
  /** Whether client authentication failed, so that another version of the secret may help. */
  readonly isOfClient: boolean;

  constructor(message: string, status: number, isOfClient: boolean) {
    super('TOKEN_REFUSED', message, { status });
    this.isOfClient = isOfClient;
  }
}

/** SAP's own servers refuse a header with a larger token. */
const MAX_TOKEN_BYTES = 16_384;
/** For a token without `exp` and without a positive `expires_in`; SAP's guide has `expires_in: 0`. */
const UNKNOWN_LIFETIME_MS = 3_600_000;

/**
 * Neo: POST, parameters in the query, id and secret in the Basic header as they are, no body. Cloud Foundry: a form
 * that includes id and secret, since in a form the encoding of all characters is defined (RFC 6749 section 2.3.1). An
 * opaque token is requested by `token_format` there, without which UAA issues a JWT; Neo, for which SAP documents no
 * value, issues an opaque token without it.
 */
export function tokenRequest(
  { clientId, clientAuthentication, tokenUrl, environment }: Credentials,
  { tokenFormat, scope }: TokenWish,
): Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body' | 'certificate'> {
  const parameters: Record<string, string> = { grant_type: 'client_credentials' };
  if (tokenFormat === 'jwt' || environment === 'cf') parameters.token_format = tokenFormat;
  if (scope !== undefined) parameters.scope = scope;
  const url = new URL(tokenUrl);
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (environment === 'neo') {
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    const userPass =
      'clientSecret' in clientAuthentication ? `${clientId}:${clientAuthentication.clientSecret}` : clientId;
    headers.Authorization = `Basic ${Buffer.from(userPass).toString('base64')}`;
    return { method: 'POST', url, headers };
  }
  const form = new URLSearchParams({ ...parameters, client_id: clientId });
  if ('clientSecret' in clientAuthentication) form.set('client_secret', clientAuthentication.clientSecret);
  headers['Content-Type'] = 'application/x-www-form-urlencoded';
  const bytes = Buffer.from(form.toString());
  const body = { bytes: bytes.byteLength, open: () => bytes };
  return {
    method: 'POST',
    url,
    headers,
    body,
    ...('certificate' in clientAuthentication ? { certificate: clientAuthentication.certificate } : {}),
  };
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
  // RFC 6750 section 2.1: other characters are not valid in a Bearer header.
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
    // The token cannot be used without its certificate.
    expiresAt: Math.min(endsAt, bound?.validUntil ?? endsAt),
    expiryKnown: (known ?? Number.POSITIVE_INFINITY) <= maxLifetimeMs,
    ...(credentials.serviceUrl === undefined ? {} : { serviceUrl: credentials.serviceUrl }),
  };
}

/** What is read of a JWT; empty for an opaque token. */
interface Claims {
  /** Epoch milliseconds, on the authorization server's clock. */
  readonly exp?: number;
  readonly iat?: number;
  /** SHA-256 of the certificate that it is bound to, in the form of RFC 8705 section 3.1. */
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
 * The smaller of what the JWT's `exp` and a positive `expires_in` leave; undefined if there is neither. `expires_in: 0`
 * is in SAP's own sample and means neither "expired" nor "for ever".
 *
 * `exp` is a time on the authorization server's clock; `expires_in` needs no clock. Without a `Date` in the answer
 * (Keycloak sends none) that clock is taken from the token, which was signed at `iat` for this answer. Our own clock is
 * the last resort: if it is ahead, a new token seems to have expired.
 *
 * @param date the authorization server's clock, where the answer has it
 */
function lifetimeMs(
  { exp, iat }: Claims,
  expiresIn: unknown,
  date: number | undefined,
  now: number,
): number | undefined {
  const seconds = typeof expiresIn === 'number' || typeof expiresIn === 'string' ? Number(expiresIn) : 0;
  const expiresInMs = seconds > 0 && Number.isFinite(seconds) ? seconds * 1000 : undefined;
  if (exp === undefined) return expiresInMs;
  const issuerNow = date ?? ((iat ?? exp) < exp ? iat : undefined);
  if (issuerNow === undefined && expiresInMs !== undefined) return expiresInMs;
  return Math.min(Math.max(0, exp - (issuerNow ?? now)), expiresInMs ?? Number.POSITIVE_INFINITY);
}

/**
 * The certificate that must be presented with this token (RFC 8705 section 3); undefined for a token that is not bound.
 * For a client with a secret, too: a proxy that presents its own certificate does so to both servers.
 */
function boundTo(
  { thumbprint }: Claims,
  { clientAuthentication }: Credentials,
  at: string,
): ClientCertificate | undefined {
  if (thumbprint === undefined || !('certificate' in clientAuthentication)) return undefined;
  if (thumbprint === thumbprintOf(clientAuthentication.certificate)) return clientAuthentication.certificate;
  throw new RelayError(
    'TOKEN_RESPONSE_INVALID',
    `${at}: gave a token that is bound to another certificate than the client's (RFC 8705); the operator must check ` +
      'which certificate reaches the authorization server, since a proxy on the way may present its own',
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
  'what the server wants otherwise: the other profile ("environment" in the secret), ' +
  'or DPoP or a signed assertion, which the relay does not send';

/** What the operator must check, by the code of the refusal. */
function causeOf(answer: HttpAnswer, said: string | undefined, { clientAuthentication }: Credentials): string {
  const kind = 'certificate' in clientAuthentication ? 'certificate' : 'secret';
  const client = `that the client is registered there and that the secret holds its id and ${kind}`;
  switch (said) {
    case 'invalid_client':
    // From older servers of SAP, with the same meaning.
    case 'unauthorized':
      return client;
    case 'invalid_scope':
      return 'the setting "scope": the client has no such scope there';
    case 'unauthorized_client':
    case 'unsupported_grant_type':
    case 'access_denied':
      return REGISTRATION;
    case undefined: {
      // UAA answers a wrong path with 403 and a text about a CSRF token.
      const cause = answer.status === 403 || isPage(answer) ? TOKEN_URL : OTHERWISE;
      // RFC 6749 has this status only for `invalid_client`.
      return answer.status === 401 ? `${client}, or else ${cause}` : cause;
    }
    default:
      return OTHERWISE;
  }
}

/** A page for people, as no token endpoint answers. */
function isPage({ headers, body }: HttpAnswer): boolean {
  const isHtml = headers['content-type']?.toLowerCase().startsWith('text/html');
  return isHtml === true || /^\s*<(?:!doctype\s+)?html\b/i.test(body.subarray(0, 200).toString('latin1'));
}

/** RFC 6749 section 5.2, and codes seen from SAP's servers. Any other text could repeat what was sent. */
const KNOWN_ERRORS = new Set(
  `invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope
   unauthorized access_denied server_error temporarily_unavailable`.split(/\s+/),
);

/** Only the code: `error_description` could repeat what was sent. */
function errorCode(body: Buffer): string | undefined {
  const json = parseJson(body.toString());
  const error = isRecord(json) ? json.error : undefined;
  return typeof error === 'string' && KNOWN_ERRORS.has(error) ? error : undefined;
}
