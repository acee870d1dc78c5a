/**
 * Verification `jwt`: a bearer token of an issuer that the settings name. Keeps the issuer's keys warm and fetches them
 * again when a token names another key. `jwt.ts` verifies the token; it is loaded when the first token comes.
 */
import type { Clock } from '../../deadline.ts';
import type { Send } from '../../http/http.ts';
import type { JwtVerification } from '../../settings/verification.ts';
import { isRecord, parseJson } from '../../untrusted.ts';
import { createRereadable, type Rereadable } from '../../warm/rereadable.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { Verifier } from './verifier.ts';

/** Age at which the keys are fetched again in the background, which finds out a withdrawn one; in milliseconds. */
const KEYS_DUE_AFTER_MS = 600_000;
/** Age at which they are no longer trusted, even if the issuer cannot be reached; in milliseconds. */
const KEYS_MAX_AGE_MS = 3_600_000;
/** A compact JWS (RFC 7515 section 7.1). For anything else no keys are fetched. */
const BEARER = /^bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i;

export function createIssuer(
  settings: JwtVerification,
  send: Send,
  clock: Clock & { readonly now: () => number },
): Rereadable<IssuerKeys> {
  return createRereadable({
    load: async (deadline) => (await import('./issuer-keys.ts')).fetchIssuerKeys(settings, send, deadline),
    maxAgeMs: KEYS_MAX_AGE_MS,
    dueAfterMs: KEYS_DUE_AFTER_MS,
    clock,
  });
}

export function jwtVerifier(settings: JwtVerification, known: Rereadable<IssuerKeys>, now: () => number): Verifier {
  return {
    type: 'jwt',
    async check({ headers: { authorization = '' } }, deadline) {
      if (!/^bearer\b/i.test(authorization)) return { judgement: 'no-credentials' };
      const token = BEARER.exec(authorization)?.[1];
      if (token === undefined) return { judgement: 'wrong-credentials' };
      // This claim is not verified yet. It only saves fetching keys for tokens of another issuer.
      if (issuerIn(token) !== settings.issuer) return { judgement: 'issuer' };
      const { verifyToken } = await import('./jwt.ts');
      const keys = await known.get(deadline);
      const judgement = await verifyToken(token, keys, settings, now());
      if (judgement !== 'unknown-key') return { judgement };
      return {
        judgement,
        async again() {
          const newer = await known.newerThan(keys, deadline);
          return newer === undefined ? judgement : verifyToken(token, newer, settings, now());
        },
      };
    },
  };
}

/** The claim `iss`, unverified. */
function issuerIn(token: string): unknown {
  const [, payload = ''] = token.split('.', 2);
  const claims = parseJson(Buffer.from(payload, 'base64url').toString());
  return isRecord(claims) ? claims.iss : undefined;
}
