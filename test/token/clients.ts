/**
 * Two OAuth clients, one of each environment, what is asked for by default, and errors that show no secret of theirs.
 */
import { expect } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { type Credentials, readCredentials } from '../../functions/token/credentials.ts';
import type { TokenWish } from '../../functions/token/token-endpoint.ts';
import { MARK } from '../doubles/token.ts';

export const CF_SECRET = `s3cret$${MARK}=`;
export const NEO_SECRET = `s3cret-${MARK}`;

export const cf: Credentials = {
  clientId: `sb-orders!b1|it-rt-${MARK}!b5`,
  clientAuthentication: { clientSecret: CF_SECRET },
  tokenUrl: 'https://acme-dev.authentication.eu10.hana.ondemand.com/oauth/token',
  environment: 'cf',
  versionId: 'v1',
};

export const neo: Credentials = {
  clientId: `orders-${MARK}`,
  clientAuthentication: { clientSecret: NEO_SECRET },
  tokenUrl: 'https://oauthasservices-a1b2c3.eu2.hana.ondemand.com/oauth2/api/v1/token',
  environment: 'neo',
  versionId: 'v1',
};

/** What is asked for by default: a JWT, used for two hours at most. */
export const jwtWanted: TokenWish = { tokenFormat: 'jwt', maxLifetimeMs: 7_200_000 };
export const opaqueWanted: TokenWish = { ...jwtWanted, tokenFormat: 'opaque' };

export const CF_AT = 'token endpoint https://acme-dev.authentication.eu10.hana.ondemand.com/oauth/token';

/** Calls, and hands back the error, after a check that it shows no secret in any form in which errors are printed. */
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

/** Credentials from a secret with this content. */
export function read(content: object): Credentials {
  return readCredentials({ text: JSON.stringify(content), versionId: 'v7' }, 'cpi/orders');
}
