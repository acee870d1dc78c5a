/**
 * The token endpoint of the authorization server: writes the request of the client credentials grant and reads the
 * response, each on its own. Who asks when, and what is kept, is `token.ts`'s.
 *
 * @see RFC 6749 section 4.4 (client credentials grant), 5.1 and 5.2 (response and error)
 */
// By its own path: with the package's index esbuild would load what checks tokens along with what reads them.
import { decodeJwt } from 'jose/jwt/decode';
import { RelayError, tooLargeToken } from '../error.ts';
import type { HttpAnswer, HttpRequest } from '../http-client.ts';
import { dateOf, retryAfterMs } from '../http-time.ts';
import type { ClientCertificate } from './certificate.ts';
import type { Credentials } from './credentials.ts';

/** An access token and how long it is good. Identity matters: a rejected token is forgotten by it. */
export interface Token {
  /** Empty where `certificate` stands in for it. */
  readonly accessToken: string;
  /** The endpoint is called with it, and without a token. */
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

/** What is asked for. */
export interface Wanted {
  readonly tokenFormat: 'jwt' | 'opaque';
  /** Space-separated (RFC 6749 section 3.3). Default: all that the client has. */
  readonly scope?: string;
  /** Longest use of one token, in milliseconds. */
  readonly maxLifetimeMs: number;
}

/** SAP: token read timeout 30 s at most; a slower answer would cost the invocation more than a later try. */
export const TOKEN_TIMEOUT_MS = 10_000;
/** Beyond this SAP's own servers refuse the header that would carry the token. */
const MAX_TOKEN_BYTES = 16_384;
/** Of a token whose lifetime nobody tells, and the least that is believed of `expires_in: 0`, as in SAP's guide. */
const UNKNOWN_LIFETIME_MS = 3_600_000;

/**
 * Neo: POST, parameters in the query, id and secret in the Basic header as they are, no body. Cloud Foundry: a form
 * with id and secret in it, the one way in which no character of theirs needs a convention (RFC 6749 section 2.3.1).
 * `token_format` is left out for opaque tokens, for which SAP documents no value.
 */
export function tokenRequest(
  { clientId, proof, tokenUrl, environment }: Credentials,
  { tokenFormat, scope }: Wanted,
): Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body' | 'certificate'> {
  const parameters: Record<string, string> = { grant_type: 'client_credentials' };
  if (tokenFormat === 'jwt') parameters.token_format = 'jwt';
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
 * @throws RelayError `TOKEN_REFUSED` (400, 401, 403), `TOKEN_UNAVAILABLE` (408, 429, 5xx), `TOKEN_RESPONSE_INVALID`
 * (redirects, HTML, no Bearer token in it), each naming the token endpoint and who must act
 */
export function readTokenResponse(
  answer: HttpAnswer,
  credentials: Credentials,
  { maxLifetimeMs }: Pick<Wanted, 'maxLifetimeMs'>,
  now: number,
): Token {
  const { origin, pathname } = new URL(credentials.tokenUrl);
  const at = `token endpoint ${origin}${pathname}`;
  const { status } = answer;
  if (status !== 200) throw unsuccessful(answer, at, now);

  const invalid = (problem: string) =>
    new RelayError('TOKEN_RESPONSE_INVALID', `${at}: ${problem}; the operator must check the token URL in the secret`, {
      status,
    });
  if (answer.truncated) throw invalid(`answered 200 with more than ${answer.body.byteLength} bytes`);
  const json = parseJson(answer.body);
  if (json === undefined) throw invalid('answered 200 with something that is no JSON object');
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
  const known = lifetimeMs(accessToken, json.expires_in, dateOf(answer.headers) ?? now);
  if (known === 0) throw invalid('gave a token that has expired already');
  const lifetime = known ?? UNKNOWN_LIFETIME_MS;
  return {
    accessToken,
    issuedAt: now,
    expiresAt: now + Math.min(lifetime, maxLifetimeMs),
    expiryKnown: known !== undefined && known <= maxLifetimeMs,
    ...(credentials.serviceUrl === undefined ? {} : { serviceUrl: credentials.serviceUrl }),
  };
}

/**
 * The smaller of what the JWT's `exp` and a positive `expires_in` leave; undefined where neither tells. `expires_in: 0` is
 * in SAP's own sample and means neither "expired" nor "for ever".
 *
 * @param issuerNow the authorization server's clock (its `Date`): a clock of ours that is off changes nothing
 */
function lifetimeMs(accessToken: string, expiresIn: unknown, issuerNow: number): number | undefined {
  const seconds = typeof expiresIn === 'number' || typeof expiresIn === 'string' ? Number(expiresIn) : 0;
  const told = seconds > 0 && Number.isFinite(seconds) ? seconds * 1000 : undefined;
  const exp = expiryOf(accessToken);
  if (exp === undefined) return told;
  return Math.min(Math.max(0, exp - issuerNow), told ?? Number.POSITIVE_INFINITY);
}

/** Reads without verifying: the relay is not the token's audience. Undefined for an opaque token. */
function expiryOf(accessToken: string): number | undefined {
  try {
    const { exp } = decodeJwt(accessToken);
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined;
  } catch {
    // An opaque token is no JWT; that is no error.
    return undefined;
  }
}

function unsuccessful(answer: HttpAnswer, at: string, now: number): RelayError {
  const { status } = answer;
  const said = errorCode(answer.body);
  const words = `${at}: answered ${status}${said === undefined ? '' : ` ${said}`}`;
  if (status === 400 || status === 401 || status === 403) {
    const message = `${words}; the operator must check that the client is registered there and that the secret holds its id and secret`;
    return new RelayError('TOKEN_REFUSED', message, { status });
  }
  if (status === 408 || status === 429 || status >= 500) {
    const waitMs = retryAfterMs(answer.headers, now);
    const evidence = { status, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
    return new RelayError('TOKEN_UNAVAILABLE', `${words}; a later try may help`, evidence);
  }
  const message = `${words}; the operator must check the token URL in the secret`;
  return new RelayError('TOKEN_RESPONSE_INVALID', message, { status });
}

/** Of RFC 6749 section 5.2, and what SAP's servers were seen to say; anything else could repeat what was sent. */
const KNOWN_ERRORS = new Set(
  'invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope unauthorized access_denied server_error temporarily_unavailable'.split(
    ' ',
  ),
);

/** Its code alone: a description could repeat what was sent. */
function errorCode(body: Buffer): string | undefined {
  const error = parseJson(body)?.error;
  return typeof error === 'string' && KNOWN_ERRORS.has(error) ? error : undefined;
}

function parseJson(body: Buffer): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(body.toString());
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined;
  } catch {
    // Its message would quote the answer, and with it a token.
    return undefined;
  }
}
