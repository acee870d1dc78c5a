/**
 * Verifies a token: signed by one of the issuer's keys with an asymmetric algorithm, for our audience, valid now, and
 * with the scope that the setting demands. Loaded with jose when the first token comes.
 *
 * @see RFC 7519 (JWT), RFC 8725 (JWT best current practices), RFC 8693 section 4.2 (`scope`); Microsoft and Okta write
 * `scp`
 */
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import {
  JWKSMultipleMatchingKeys,
  JWKSNoMatchingKey,
  JWSSignatureVerificationFailed,
  JWTClaimValidationFailed,
  JWTExpired,
} from 'jose/errors';
import { jwtVerify } from 'jose/jwt/verify';
import type { JwtVerification } from '../../settings/verification.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { Judgement, Why } from './verifier.ts';

/** No `HS…`, since a public key must not serve as the secret of a MAC (RFC 8725 section 2.1), and no `none`. */
const ALGORITHMS = `RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519`.split(' ');
const LEEWAY_SECONDS = 60;

export async function verifyToken(
  token: string,
  { keys }: IssuerKeys,
  { issuer, audience, scope }: JwtVerification,
  nowMs: number,
): Promise<Judgement> {
  try {
    const payload = await verify(token, keys, { issuer, audience, nowMs });
    return scope === undefined || scopesOf(payload).includes(scope) ? 'holds' : 'wrong-credentials';
  } catch (error) {
    // Any error means the same: the token is not verified.
    return whyNot(error);
  }
}

function whyNot(error: unknown): Why {
  if (error instanceof JWKSNoMatchingKey) return 'unknown-key';
  if (error instanceof JWSSignatureVerificationFailed) return 'wrong-signature';
  if (error instanceof JWTExpired) return 'timestamp';
  if (!(error instanceof JWTClaimValidationFailed)) return 'wrong-credentials';
  return error.claim === 'iss' ? 'issuer' : error.claim === 'aud' ? 'audience' : 'timestamp';
}

async function verify(
  token: string,
  keys: JWTVerifyGetKey,
  { issuer, audience, nowMs }: { readonly issuer: string; readonly audience: string; readonly nowMs: number },
): Promise<JWTPayload> {
  const options = {
    algorithms: ALGORITHMS,
    issuer,
    audience,
    requiredClaims: ['exp'],
    clockTolerance: LEEWAY_SECONDS,
    currentDate: new Date(nowMs),
  };
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (!(error instanceof JWKSMultipleMatchingKeys)) throw error;
    // The token has no `kid` and several keys may be the one: each is tried.
    for await (const key of error) {
      const payload = await jwtVerify(token, key, options).then((verified) => verified.payload, unlessSignatureFailed);
      if (payload !== undefined) return payload;
    }
    throw new JWKSNoMatchingKey();
  }
}

function unlessSignatureFailed(error: unknown): undefined {
  if (!(error instanceof JWSSignatureVerificationFailed)) throw error;
}

function scopesOf({ scope, scp }: JWTPayload): unknown[] {
  return [scope, scp].flatMap((value) =>
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [],
  );
}
