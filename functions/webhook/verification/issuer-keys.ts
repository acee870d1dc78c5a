/**
 * The keys that an issuer signs with, fetched by our own client within the invocation's time; jose chooses among them.
 *
 * jose's `createRemoteJWKSet` is not used, although its `customFetch` would take our client. It builds a global
 * `Headers`, which loads undici (31 ms at a cold start); it fetches again for every token while the issuer cannot be
 * reached; and it uses the process's clock and timers instead of the invocation's.
 *
 * @see OpenID Connect Discovery 1.0 section 4; RFC 7517 section 5 (JWK Set)
 */
import type { JWTVerifyGetKey } from 'jose';
import { createLocalJWKSet } from 'jose/jwks/local';
import type { Deadline } from '../../deadline.ts';
import { RelayError } from '../../error.ts';
import type { Send } from '../../http/http.ts';
import { isSafeUrl } from '../../http/safe-url.ts';
import type { JwtVerification } from '../../settings/verification.ts';
import { isRecord, parseJson } from '../../untrusted.ts';

export interface IssuerKeys {
  readonly keys: JWTVerifyGetKey;
}

/** For each of the two calls, in milliseconds. */
const TIMEOUT_MS = 5_000;
/** Key sets of the large issuers are 30 KB at the most. */
const KEEP_BYTES = 262_144;

/** @throws RelayError `KEYS_UNAVAILABLE`, `CONNECTION_FAILED`, `TIMED_OUT`, `DEADLINE` */
export async function fetchIssuerKeys(settings: JwtVerification, send: Send, deadline: Deadline): Promise<IssuerKeys> {
  const url = settings.jwksUri ?? (await discoveredUri(settings.issuer));
  const keySet = await fetchJson(url);
  try {
    return { keys: createLocalJWKSet(keySet as never) };
  } catch (cause) {
    throw unavailable(url, 'the answer is no set of keys', cause);
  }

  async function discoveredUri(issuer: string): Promise<string> {
    const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
    const { issuer: named, jwks_uri: uri } = await fetchJson(url);
    if (named !== issuer) throw unavailable(url, 'it names another issuer than the setting; set jwksUri');
    if (typeof uri !== 'string' || !isSafeUrl(uri)) throw unavailable(url, 'it names no jwks_uri that can be called');
    return uri;
  }

  async function fetchJson(url: string): Promise<Record<string, unknown>> {
    const answer = await send({
      method: 'GET',
      url: new URL(url),
      headers: { Accept: 'application/json, application/jwk-set+json' },
      timeoutMs: Math.max(1, Math.min(TIMEOUT_MS, deadline.remainingMs())),
      keepBytes: KEEP_BYTES,
      signal: deadline.signal,
    });
    if (answer.status !== 200) throw unavailable(url, `status ${answer.status}`);
    const json = answer.truncated ? undefined : parseJson(answer.body.toString());
    if (!isRecord(json)) throw unavailable(url, 'the answer is no JSON object');
    return json;
  }
}

function unavailable(url: string, problem: string, cause?: unknown): RelayError {
  const { origin, pathname } = new URL(url);
  return new RelayError('KEYS_UNAVAILABLE', `keys of the issuer, GET ${origin}${pathname}: ${problem}`, { cause });
}
