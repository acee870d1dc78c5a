/** A certificate in place of a token: which version of the secret it goes by, and when the secret is left alone. */
import { generate } from 'selfsigned';
import { describe, expect, test } from 'vitest';
import { RelayError, type RelayErrorCode } from '../../functions/error.ts';
import { type Credentials, readCredentials } from '../../functions/token/credentials.ts';
import { flatKey, startCertificateAccess } from './client-certificate.ts';
import { cf, relayError } from './clients.ts';

const keyOf = (fields: object, versionId = 'v1') =>
  readCredentials({ text: JSON.stringify(fields), versionId }, 'cpi/orders');

const start = (secret: Credentials | RelayError = keyOf(flatKey)) => startCertificateAccess(secret);

describe('A certificate', () => {
  test('a certificate is not kept when a newer version of the secret has been read, by whomever', async () => {
    const { state, credentials, access } = start();
    const first = await access.get();
    state.secret = keyOf(flatKey, 'v2');
    await credentials.renew(await credentials.get());
    expect(await access.get()).not.toBe(first);
  });

  test('a certificate from a service key without a host names no host', async () => {
    const { url: _url, ...hostless } = flatKey;
    expect(await start(keyOf(hostless)).access.get()).not.toHaveProperty('serviceUrl');
  });
});

describe('The secret is left alone for half a minute', () => {
  test.each<[string, Credentials | RelayError, RelayErrorCode]>([
    ['where it holds no certificate', cf, 'SECRET_MALFORMED'],
    ['where it does not exist', new RelayError('SECRET_NOT_FOUND', 'why'), 'SECRET_NOT_FOUND'],
  ])('the secret is left alone for half a minute %s, then read again', async (_, secret, code) => {
    const { state, access, clock } = start(secret);
    const errorOf = () => access.get().then(String, relayError);
    const first = await errorOf();
    expect(first).toMatchObject({ code });
    state.secret = keyOf(flatKey);
    clock.advance(29_999);
    expect(await errorOf()).toBe(first);
    expect(state.reads).toBe(1);
    clock.advance(1);
    expect(await access.get()).toHaveProperty('certificate');
    expect(state.reads).toBe(2);
  });

  test('the pause of the secret is half a minute again once there was a certificate', async () => {
    const { state, access, clock } = start(cf);
    await expect(access.get()).rejects.toMatchObject({ code: 'SECRET_MALFORMED' });
    state.secret = keyOf(flatKey);
    clock.advance(30_000);
    access.forget(await access.get());
    state.secret = cf;
    await expect(access.get()).rejects.toMatchObject({ code: 'SECRET_MALFORMED' });
    state.secret = keyOf(flatKey);
    clock.advance(30_000);
    expect(await access.get()).toHaveProperty('certificate');
  });

  test.each<RelayErrorCode>(['SECRET_UNAVAILABLE', 'DEADLINE'])(
    'the secret is read again at once where the failure may pass by itself: %s',
    async (code) => {
      const { state, access } = start(new RelayError(code, 'not now'));
      await expect(access.get()).rejects.toMatchObject({ code });
      state.secret = keyOf(flatKey);
      expect(await access.get()).toHaveProperty('certificate');
    },
  );
});

test('a certificate too weak for TLS is refused as it is read, in words without OpenSSL’s', async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'weak' }], { keySize: 1024 });
  const { certificate: _certificate, key: _key, ...rest } = flatKey;
  expect(() => keyOf({ ...rest, certificate: cert, key })).toThrow(
    'secret "cpi/orders": "certificate": is refused by TLS, which wants 2048 bits of RSA or more; the operator must correct the secret',
  );
});
