/**
 * Verification `jwt`: a bearer token of an issuer that the settings name. Knows the issuer's keys, warm, and asks for them
 * again when a token names one that is not among them; what makes a token good is for `jwt.ts`, which is loaded when the
 * first token comes.
 */
import type { Send } from '../../http-client.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { createKnown, type Known } from './known.ts';
import type { JwtVerification } from './settings.ts';
import type { Verifier } from './verifier.ts';

/** A key that the issuer has withdrawn is refused after this, while the issuer can be asked; in milliseconds. */
const KEYS_DUE_AFTER_MS = 600_000;
/** And after this, even while it cannot. */
const KEYS_MAX_AGE_MS = 3_600_000;
/** A compact JWS (RFC 7515 section 7.1): anything else is no token, and the issuer is not asked for its keys. */
const BEARER = /^bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i;

/** @param now epoch milliseconds */
export function createIssuer(settings: JwtVerification, send: Send, now: () => number): Known<IssuerKeys> {
  return createKnown({
    load: async (deadline) => (await import('./issuer-keys.ts')).fetchIssuerKeys(settings, send, deadline),
    maxAgeMs: KEYS_MAX_AGE_MS,
    dueAfterMs: KEYS_DUE_AFTER_MS,
    now,
  });
}

export function jwtVerifier(settings: JwtVerification, known: Known<IssuerKeys>): Verifier {
  return {
    async check({ headers }, { deadline, now }) {
      const token = BEARER.exec(headers.authorization ?? '')?.[1];
      if (token === undefined) return { holds: false };
      const { verifyToken } = await import('./jwt.ts');
      const keys = await known.get(deadline);
      const verdict = await verifyToken(token, keys, settings, now());
      if (verdict !== 'unknown-key') return { holds: verdict === 'good' };
      return {
        holds: false,
        async again() {
          const newer = await known.beyond(keys, deadline);
          return newer !== undefined && (await verifyToken(token, newer, settings, now())) === 'good';
        },
      };
    },
  };
}
