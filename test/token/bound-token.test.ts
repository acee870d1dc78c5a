/** A JWT that is bound to the client's certificate (RFC 8705 section 3): it goes out with that, and with no other. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Credentials, readCredentials } from '../../functions/token/credentials.ts';
import { readTokenResponse } from '../../functions/token/token-endpoint.ts';
import { granted } from '../doubles/answer.ts';
import { NOON } from '../doubles/time.ts';
import { jwt } from '../doubles/token.ts';
import { flatKey, orders, other, VALID_UNTIL } from './client-certificate.ts';
import { cf, errorOf, jwtWanted } from './clients.ts';

const client = readCredentials({ text: JSON.stringify(flatKey), versionId: 'v1' }, 'cpi/orders');
const certificate = 'certificate' in client.clientAuthentication ? client.clientAuthentication.certificate : undefined;

/** As an authorization server works it out: from the fingerprint that OpenSSL prints, not from the bytes. */
function thumbprint({ certificate: pem }: { certificate: string }): string {
  const hex = new X509Certificate(pem).fingerprint256.replaceAll(':', '');
  return Buffer.from(hex, 'hex').toString('base64url');
}

const read = (claims: object, credentials: Credentials = client, now = NOON) =>
  readTokenResponse(granted(jwt(claims), { expires_in: 3_600 }), credentials, jwtWanted, now);
const boundTo = (issued: { certificate: string }) => ({ cnf: { 'x5t#S256': thumbprint(issued) } });

describe('A token that is bound to the client’s certificate', () => {
  test('a token that is bound to the client’s certificate is kept with that certificate of the secret', () => {
    const token = read(boundTo(orders));
    expect(token.certificate).toBe(certificate);
    expect(token.accessToken).toBe(jwt(boundTo(orders)));
    expect(token.expiresAt).toBe(NOON + 3_600_000);
  });

  test('a token that is bound to the client’s certificate ends with the certificate, where that ends first', () => {
    const now = VALID_UNTIL - 1_000;
    expect(read(boundTo(orders), client, now)).toMatchObject({ expiresAt: VALID_UNTIL, expiryKnown: true });
  });
});

describe('A token is none that is bound to', () => {
  const words =
    "token endpoint https://acme-dev.authentication.eu10.hana.ondemand.com/oauth/token: gave a token that is bound to another certificate than the client's (RFC 8705); the operator must check which certificate reaches the authorization server, since a proxy on the way may present its own";

  test.each<[string, unknown]>([
    ['another certificate', thumbprint(other)],
    ['nothing', ''],
    ['the same in hex', Buffer.from(thumbprint(orders), 'base64url').toString('hex')],
    ['the same with padding', `${thumbprint(orders)}=`],
  ])('a token that is bound to %s is refused, and the error says who must act', (_, bound) => {
    const error = errorOf(() => read({ cnf: { 'x5t#S256': bound } }), [orders.key, thumbprint(other)]);
    expect(error).toMatchObject({ code: 'TOKEN_RESPONSE_INVALID', status: 200, executed: 'no' });
    expect(error.message).toBe(words);
  });
});

describe('A token goes out alone', () => {
  test.each<[string, object]>([
    ['that is bound to nothing', {}],
    ['that is bound to a key (DPoP, RFC 9449)', { cnf: { jkt: 'thumbprint' } }],
    ['whose binding is no text', { cnf: { 'x5t#S256': 7 } }],
    ['whose confirmation is no object', { cnf: thumbprint(orders) }],
    ['whose confirmation is nothing', { cnf: null }],
    ['whose confirmation is a list', { cnf: [{ 'x5t#S256': thumbprint(orders) }] }],
  ])('a token %s is sent without a certificate', (_, claims) => {
    expect(read(claims)).not.toHaveProperty('certificate');
  });

  test('a token of a client with a secret is sent without a certificate', () => {
    expect(read(boundTo(orders), cf)).not.toHaveProperty('certificate');
  });

  test('an opaque token is sent without a certificate', () => {
    const { certificate: none } = readTokenResponse(granted('8271a067126f0aa9'), client, jwtWanted, NOON);
    expect(none).toBeUndefined();
  });
});
