/**
 * Verification `jwt`: a bearer token of an issuer that the settings name. Knows the issuer's keys, warm, and asks for them
 * again when a token names one that is not among them; what makes a token good is for `jwt.ts`, which is loaded when the
 * first token comes.
 */
import type { Clock } from '../../deadline.ts';
import type { Send } from '../../http/http.ts';
import type { JwtVerification } from '../../settings/verification.ts';
import { createKnown, type Known } from '../../warm/rereadable.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { Verifier } from './verifier.ts';

/** After this the keys are asked for again beside the work, so that a withdrawn one is found out; in milliseconds. */
const KEYS_DUE_AFTER_MS = 600_000;
/** After this they are no good any more, though the issuer cannot be asked. */
const KEYS_MAX_AGE_MS = 3_600_000;
/** A compact JWS (RFC 7515 section 7.1): anything else is no token, and the issuer is not asked for its keys. */
const BEARER = /^bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i;

export function createIssuer(
  settings: JwtVerification,
  send: Send,
  clock: Clock & { readonly now: () => number },
): Known<IssuerKeys> {
  return createKnown({
    load: async (deadline) => (await import('./issuer-keys.ts')).fetchIssuerKeys(settings, send, deadline),
    maxAgeMs: KEYS_MAX_AGE_MS,
    dueAfterMs: KEYS_DUE_AFTER_MS,
    clock,
  });
}

export function jwtVerifier(settings: JwtVerification, known: Known<IssuerKeys>): Verifier {
  return {
    type: 'jwt',
    async check({ headers: { authorization = '' } }, { deadline, now }) {
      if (!/^bearer\b/i.test(authorization)) return { judgement: 'no-credentials' };
      const token = BEARER.exec(authorization)?.[1];
      if (token === undefined) return { judgement: 'wrong-credentials' };
      // Whoever it is of, it is only believed once its signature is checked; for a stranger's no issuer is asked.
      if (issuerIn(token) !== settings.issuer) return { judgement: 'issuer' };
      const { verifyToken } = await import('./jwt.ts');
      const keys = await known.get(deadline);
      const judgement = await verifyToken(token, keys, settings, now());
      if (judgement !== 'unknown-key') return { judgement };
      return {
        judgement,
        async again() {
          const newer = await known.beyond(keys, deadline);
          return newer === undefined ? judgement : verifyToken(token, newer, settings, now());
        },
      };
    },
  };
}

/** What the token says of itself, unverified. */
function issuerIn(token: string): unknown {
  const [, payload = ''] = token.split('.', 2);
  try {
    return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iss?: unknown } | null)?.iss;
  } catch {
    // It names nobody; the error would quote it.
    return undefined;
  }
}
