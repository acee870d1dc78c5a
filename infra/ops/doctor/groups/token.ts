/** An access token, asked for and read as the relay does it, and what it says of itself. */
import { decodeJwt } from 'jose/jwt/decode';
import { RelayError } from '../../../../functions/error.ts';
import type { HttpAnswer } from '../../../../functions/http/http.ts';
import { dateOf } from '../../../../functions/http/retry-after.ts';
import type { Destination } from '../../../../functions/settings/destination.ts';
import { thumbprintOf } from '../../../../functions/token/certificate.ts';
import type { Credentials } from '../../../../functions/token/credentials.ts';
import {
  readTokenResponse,
  TOKEN_TIMEOUT_MS,
  type Token,
  TokenRefused,
  tokenRequest,
} from '../../../../functions/token/token-endpoint.ts';
import { isRecord, parseJson } from '../../../../functions/untrusted.ts';
import { finding, fine, type Line } from '../line.ts';
import type { Looking } from '../looking.ts';
import { EXPECTED_TOKEN_BYTES } from './endpoint.ts';

/** Beyond this the relay refuses it. */
const MAX_TOKEN_BYTES = 16_384;
/** SAP advises 30 min at least; below ten, tokens are asked for so often that limits come into sight. */
const SHORT_LIFE_SECONDS = 600;
/** SAP's own libraries take a token for so long after its end. */
const CLOCK_TOLERANCE_MS = 60_000;

export interface LookedAtToken {
  readonly lines: readonly Line[];
  readonly token?: Token;
}

export async function lookAtToken(
  destination: Destination,
  credentials: Credentials,
  { send, now, signal }: Looking,
): Promise<LookedAtToken> {
  const { tokenFormat, scope, maxTokenUseSeconds } = destination;
  const wanted = { tokenFormat, maxLifetimeMs: maxTokenUseSeconds * 1000, ...(scope === undefined ? {} : { scope }) };
  let answer: HttpAnswer;
  try {
    answer = await send({ ...tokenRequest(credentials, wanted), timeoutMs: TOKEN_TIMEOUT_MS, signal });
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    signal.throwIfAborted();
    return { lines: [noAnswer(error, credentials)] };
  }
  const clock = clockOf(answer, now());
  try {
    const token = readTokenResponse(answer, credentials, wanted, now());
    return { lines: [...clock, ...readings(answer, token, destination, credentials)], token };
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return { lines: [...clock, refusal(error, answer, credentials)] };
  }
}

/** From TLS 1.3 on a server refuses a certificate after the handshake, as a connection that breaks with the request. */
function noAnswer({ message, cause }: RelayError, { clientAuthentication }: Credentials): Line {
  const { code = '' } = (cause ?? {}) as NodeJS.ErrnoException;
  const isCut = 'certificate' in clientAuthentication && /^(ECONNRESET|EPIPE|EPROTO|ERR_SSL)/.test(code);
  if (!isCut) return finding('token-endpoint-failing', message);
  return finding('certificate-refused', `${message}, after TLS with the client certificate: it is not taken`);
}

function clockOf({ headers }: HttpAnswer, nowMs: number): Line[] {
  const theirs = dateOf(headers);
  if (theirs === undefined || Math.abs(theirs - nowMs) <= CLOCK_TOLERANCE_MS) return [];
  const seconds = Math.round(Math.abs(theirs - nowMs) / 1000);
  const which = theirs > nowMs ? 'behind' : 'ahead of';
  return [finding('clock-differs', `this machine's clock is ${seconds} s ${which} the authorization server's`)];
}

function refusal(error: RelayError, answer: HttpAnswer, credentials: Credentials): Line {
  if (error instanceof TokenRefused) return finding('token-refused', error.message);
  if (error.code === 'TOKEN_UNAVAILABLE') return finding('token-endpoint-failing', error.message);
  const accessToken = accessTokenIn(answer);
  if (Buffer.byteLength(accessToken) > MAX_TOKEN_BYTES) return finding('token-too-large', error.message);
  const bound = claimsOf(accessToken)?.thumbprint;
  const { clientAuthentication } = credentials;
  if (
    bound !== undefined &&
    'certificate' in clientAuthentication &&
    bound !== thumbprintOf(clientAuthentication.certificate)
  ) {
    return finding('token-binding', error.message);
  }
  return finding('token-url-wrong', error.message);
}

function readings(
  answer: HttpAnswer,
  { accessToken }: Token,
  { tokenFormat }: Destination,
  { environment, clientId, clientAuthentication }: Credentials,
): Line[] {
  const claims = claimsOf(accessToken);
  const bytes = Buffer.byteLength(accessToken);
  const seconds = lifetimeSeconds(answer, claims);
  const lines: Line[] = [];
  if (claims === undefined && tokenFormat === 'jwt') {
    lines.push(
      finding('token-opaque', 'it is opaque, not a JWT: the runtime node asks the authorization server each time'),
    );
  }
  if (bytes > EXPECTED_TOKEN_BYTES) {
    lines.push(
      finding('token-too-large', `${bytes} bytes; servlet containers take ${EXPECTED_TOKEN_BYTES} of headers`),
    );
  }
  if (seconds !== undefined && seconds < SHORT_LIFE_SECONDS) {
    lines.push(finding('token-short-lived', `it lives ${seconds} s; SAP advises half an hour at least`));
  }
  if (environment === 'cf' && claims !== undefined) {
    const roles = claims.scopes.filter((one) => one !== 'uaa.resource');
    if (roles.length === 0) lines.push(finding('token-scope', 'it has no role in it, not even ESBMessaging.send'));
    const [, application] = clientId.split('|');
    if (application !== undefined && !claims.audience.includes(application)) {
      lines.push(finding('token-audience', `it is not for ${application}, to which the client belongs`));
    }
  }
  if (claims?.thumbprint !== undefined && !('certificate' in clientAuthentication)) {
    lines.push(finding('token-binding', 'it is bound to a certificate, and the client has a secret and presents none'));
  }
  return [fine('token', 'token', described(claims, bytes, seconds)), ...lines];
}

function described(claims: Claims | undefined, bytes: number, seconds: number | undefined): string {
  const life = seconds === undefined ? 'of unknown life, used for an hour at most' : `for ${seconds} s`;
  if (claims === undefined) return `opaque, ${bytes} bytes, ${life}`;
  const bound = claims.thumbprint === undefined ? '' : ', bound to the certificate';
  const scopes = claims.scopes.length === 0 ? '' : `, scopes ${claims.scopes.join(' ')}`;
  return `JWT, ${bytes} bytes, ${life}${bound}, subject ${claims.subject}, audience ${claims.audience.join(' ')}${scopes}`;
}

interface Claims {
  readonly subject: string;
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  readonly lifeSeconds?: number;
  /** Of the certificate that it is bound to (RFC 8705 section 3.1). */
  readonly thumbprint?: string;
}

/** Undefined of an opaque token. */
function claimsOf(accessToken: string): Claims | undefined {
  try {
    const { sub = 'nobody', aud = [], scope, iat, exp, cnf } = decodeJwt(accessToken);
    const thumbprint = isRecord(cnf) ? cnf['x5t#S256'] : undefined;
    return {
      subject: sub,
      audience: [aud].flat(),
      scopes: Array.isArray(scope) ? scope.map(String) : typeof scope === 'string' ? scope.split(' ') : [],
      ...(iat === undefined || exp === undefined ? {} : { lifeSeconds: exp - iat }),
      ...(typeof thumbprint === 'string' ? { thumbprint } : {}),
    };
  } catch {
    // An opaque token is no JWT; that is no error.
    return undefined;
  }
}

function lifetimeSeconds({ body }: HttpAnswer, claims: Claims | undefined): number | undefined {
  const json = parseJson(body.toString());
  const told = isRecord(json) ? Number(json.expires_in ?? 0) : 0;
  const all = [claims?.lifeSeconds, told > 0 ? told : undefined].filter((seconds) => seconds !== undefined);
  return all.length === 0 ? undefined : Math.min(...all);
}

function accessTokenIn({ body }: HttpAnswer): string {
  const json = parseJson(body.toString());
  return isRecord(json) && typeof json.access_token === 'string' ? json.access_token : '';
}
