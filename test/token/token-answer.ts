/** Answers of a token endpoint and tokens, as SAP's servers give them, from which the tests of the token begin. */
import type { IncomingHttpHeaders } from 'node:http';
import { expect } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer } from '../../functions/http/http.ts';
import type { Credentials } from '../../functions/token/credentials.ts';
import type { Wanted } from '../../functions/token/token-endpoint.ts';

/** Noon of our own clock. */
export const NOON = Date.UTC(2026, 0, 1, 12);
/** Stands in every secret and token, so that none can be told unseen. */
export const MARK = 'hunter22';

export const CF_SECRET = `s3cret$${MARK}=`;
export const NEO_SECRET = `s3cret-${MARK}`;

export const cf: Credentials = {
  clientId: `sb-orders!b1|it-rt-${MARK}!b5`,
  proof: { clientSecret: CF_SECRET },
  tokenUrl: 'https://acme-dev.authentication.eu10.hana.ondemand.com/oauth/token',
  environment: 'cf',
  versionId: 'v1',
};

export const neo: Credentials = {
  clientId: `orders-${MARK}`,
  proof: { clientSecret: NEO_SECRET },
  tokenUrl: 'https://oauthasservices-a1b2c3.eu2.hana.ondemand.com/oauth2/api/v1/token',
  environment: 'neo',
  versionId: 'v1',
};

/** What is asked for by default: a JWT, used for two hours at most. */
export const jwtWanted: Wanted = { tokenFormat: 'jwt', maxLifetimeMs: 7_200_000 };
export const opaqueWanted: Wanted = { ...jwtWanted, tokenFormat: 'opaque' };

export const CF_AT = 'token endpoint https://acme-dev.authentication.eu10.hana.ondemand.com/oauth/token';

export function answer(status: number, body: string | object = '', headers: IncomingHttpHeaders = {}): HttpAnswer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers, body: Buffer.from(text), truncated: false, resent: false };
}

/** A token as UAA signs one; nobody here verifies it. */
export function jwt(claims: object = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = { alg: 'RS256', kid: 'default-jwt-key-0123456789', typ: 'JWT' };
  return `${part(header)}.${part({ client_id: MARK, ...claims })}.${MARK}c2lnbmF0dXJl`;
}

/** 200 with a token. */
export function granted(accessToken: string, fields: object = {}, headers: IncomingHttpHeaders = {}): HttpAnswer {
  return answer(200, { access_token: accessToken, token_type: 'bearer', ...fields }, headers);
}

/** Calls, and hands back the error, which tells nothing that is secret in any form in which errors are printed. */
export function errorOf(call: () => unknown, secrets: readonly string[] = []): RelayError {
  try {
    call();
  } catch (error) {
    return relayError(error, secrets);
  }
  throw new Error('expected an error');
}

export function relayError(error: unknown, secrets: readonly string[] = []): RelayError {
  if (!(error instanceof RelayError)) throw error;
  const { message, stack, cause } = error;
  expect(message).not.toMatch(/[\r\n]/);
  const printed = `${message} ${stack} ${cause instanceof Error ? cause.stack : String(cause)}`;
  for (const secret of [MARK, CF_SECRET, NEO_SECRET, ...secrets]) {
    expect(printed).not.toContain(secret);
    expect(printed).not.toContain(encodeURIComponent(secret));
    expect(printed).not.toContain(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
  }
  return error;
}
