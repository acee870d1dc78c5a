/** Client certificates in a secret: each form in which SAP hands them out is read, and they are good until they end. */

import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { assertValid } from '../../functions/token/certificate.ts';
import type { Credentials } from '../../functions/token/credentials.ts';
import { createCertificateAuthority } from '../../infra/local/server/certificates.ts';
import { flat } from '../settings/secrets.ts';
import { createAuthorization } from './authorization.ts';
import { escaped, externalKey, flatKey, nestedKey, orders, VALID_UNTIL } from './client-certificate.ts';
import { cf, errorOf, read, relayError } from './clients.ts';

const clientAuthentication = { certificate: { cert: orders.certificate, key: orders.key, validUntil: VALID_UNTIL } };

describe('A certificate is read', () => {
  test.each([
    ['a flat service key', flatKey],
    ['a nested one', nestedKey],
    ['a nested one with the key of an external certificate beside it', externalKey],
    ['one whose line ends are a backslash and an n', { oauth: lineEndsEscaped(flatKey) }],
    ['one with an external certificate, all line ends escaped', { ...externalKey, ...lineEndsEscaped(externalKey) }],
    ['one that names the environment', { ...nestedKey, environment: 'cf' }],
  ])('a certificate is read from %s', (_, content) => {
    expect(read(content)).toStrictEqual({
      clientId: flat.clientid,
      clientAuthentication,
      tokenUrl: flat.tokenurl,
      environment: 'cf',
      serviceUrl: flat.url,
      versionId: 'v7',
    });
  });

  test('a certificate is read with its whole chain, the end of which is not the client’s', () => {
    const { clientAuthentication } = read(flatKey);
    const cert = 'certificate' in clientAuthentication ? clientAuthentication.certificate.cert : '';
    expect(cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(new X509Certificate(cert).subject).toContain('CN=orders');
  });

  test('a certificate is read with an RSA key, as SAP makes them', () => {
    const issued = createCertificateAuthority({ keyType: 'rsa' }).clientCertificate({ commonName: 'orders' });
    const { certificate, key, validUntil } = issued;
    expect(key).toContain('BEGIN RSA PRIVATE KEY');
    expect(read({ ...flatKey, certificate, key }).clientAuthentication).toEqual({
      certificate: { cert: certificate, key, validUntil },
    });
  });

  test('a certificate is read with the key in the service key, where there is another beside it', () => {
    expect(read({ ...nestedKey, key: 'of somebody else' }).clientAuthentication).toEqual(clientAuthentication);
  });
});

describe('A certificate', () => {
  test.each([
    ['before its last second', VALID_UNTIL - 1_000],
    ['just before its end', VALID_UNTIL - 1],
  ])('a certificate is good %s', (_, now) => {
    expect(() => assertValid(clientAuthentication.certificate, now)).not.toThrow();
  });

  test.each([
    ['at its end', VALID_UNTIL],
    ['years after', VALID_UNTIL + 1e11],
  ])('a certificate has expired %s: the error gives its date and says who must act', (_, now) => {
    const error = errorOf(() => assertValid(clientAuthentication.certificate, now), [orders.key]);
    expect(error).toMatchObject({ code: 'CERTIFICATE_EXPIRED', executed: 'no' });
    expect(error.message).toBe(
      'the client certificate expired on 2026-02-28; the operator must create a new service key and store it in the secret',
    );
  });

  test('an expired certificate is not sent, and one in a new version of the secret is', async () => {
    const authorization = createAuthorization();
    const { token, clock, counts, requests } = authorization;
    const client: Credentials = { ...cf, clientAuthentication };
    authorization.secret = client;
    clock.moveTo(VALID_UNTIL);
    const error = await token.get().catch((thrown: unknown) => relayError(thrown));
    expect(error).toMatchObject({ code: 'CERTIFICATE_EXPIRED' });
    expect(counts).toMatchObject({ secretReads: 1, onRequest: 0 });

    const renewed = { ...clientAuthentication.certificate, validUntil: VALID_UNTIL + 1 + 30_000 };
    authorization.secret = { ...client, clientAuthentication: { certificate: renewed } };
    clock.advance(30_000);
    expect((await token.get()).accessToken).toBe('token-1');
    expect(requests[0]?.certificate).toBe(renewed);
  });

  test('a certificate that was renewed in time is no false alarm: the secret is read first', async () => {
    const authorization = createAuthorization();
    const { token, clock, counts, requests } = authorization;
    authorization.secret = { ...cf, clientAuthentication };
    await token.get();
    const renewed = { ...clientAuthentication.certificate, validUntil: VALID_UNTIL + 1e9 };
    authorization.secret = {
      ...cf,
      clientAuthentication: { certificate: { ...renewed, cert: 'renewed' } },
      versionId: 'v2',
    };
    clock.moveTo(VALID_UNTIL);
    expect((await token.get()).accessToken).toBe('token-2');
    expect(requests[1]?.certificate).toMatchObject({ cert: 'renewed' });
    expect(counts).toMatchObject({ secretReads: 2, previousReads: 0, onRequest: 2 });
  });

  test('a certificate that has expired in the secret, too, is reported after one reading', async () => {
    const authorization = createAuthorization();
    const { token, clock, counts } = authorization;
    authorization.secret = { ...cf, clientAuthentication };
    await token.get();
    clock.moveTo(VALID_UNTIL);
    const error = await token.get().catch((thrown: unknown) => relayError(thrown));
    expect(error).toMatchObject({ code: 'CERTIFICATE_EXPIRED' });
    expect(await token.get().catch((thrown: unknown) => thrown)).toBe(error);
    expect(counts).toMatchObject({ secretReads: 2, previousReads: 0, onRequest: 1 });
    clock.advance(30_000);
    await expect(token.get()).rejects.toMatchObject({ code: 'CERTIFICATE_EXPIRED' });
    expect(counts).toMatchObject({ secretReads: 3, previousReads: 0, onRequest: 1 });
  });

  test('an expired certificate is not reported while the secret, which may have a good one, is unread', async () => {
    const authorization = createAuthorization();
    const { token, clock } = authorization;
    authorization.secret = { ...cf, clientAuthentication };
    await token.get();
    clock.moveTo(VALID_UNTIL);
    authorization.secret = new RelayError('SECRET_UNAVAILABLE', 'not now');
    await expect(token.get()).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
  });

  test('a good certificate is sent with the request, and the token may outlive it', async () => {
    const authorization = createAuthorization();
    const { token, clock, requests } = authorization;
    authorization.secret = { ...cf, clientAuthentication };
    clock.moveTo(VALID_UNTIL - 1);
    const { expiresAt } = await token.get();
    expect(requests[0]).toMatchObject({ method: 'POST', certificate: clientAuthentication.certificate });
    expect(expiresAt).toBeGreaterThan(VALID_UNTIL);
  });
});

/** The PEM texts of a key, as a copy out of JSON text leaves them. */
function lineEndsEscaped<T extends object>(content: T): T {
  const entries = Object.entries(content).map(([name, value]) => [
    name,
    typeof value === 'object' ? lineEndsEscaped(value) : escaped(String(value)),
  ]);
  return Object.fromEntries(entries);
}
