/**
 * The client certificate itself in place of a token: what of the secret it takes, how long it is good, when it is read
 * anew.
 */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { type Credentials, readCredentials } from '../../functions/token/credentials.ts';
import { NOON } from '../doubles/time.ts';
import { flat } from '../settings/secrets.ts';
import { flatKey, other, startCertificateAccess, VALID_UNTIL } from './client-certificate.ts';
import { cf, relayError } from './clients.ts';

const orders = readCredentials({ text: JSON.stringify(flatKey), versionId: 'v1' }, 'cpi/orders');
const others = readCredentials({ text: JSON.stringify({ ...flatKey, ...other }), versionId: 'v2' }, 'cpi/orders');
const certificateOf = ({ clientAuthentication }: Credentials) =>
  'certificate' in clientAuthentication ? clientAuthentication.certificate : undefined;

const start = (secret: Credentials | RelayError = orders) => startCertificateAccess(secret);

describe('A certificate in place of a token', () => {
  test('a certificate in place of a token comes from the service key, and no token is requested', async () => {
    const { access } = start();
    expect(await access.get()).toStrictEqual({
      accessToken: '',
      certificate: certificateOf(orders),
      issuedAt: NOON,
      expiresAt: VALID_UNTIL,
      expiryKnown: true,
      serviceUrl: flat.url,
    });
  });

  test('a certificate in place of a token is read once for all who want it, and kept', async () => {
    const { access, state } = start();
    const got = await Promise.all(Array.from({ length: 20 }, () => access.get()));
    expect(new Set([...got, await access.get()]).size).toBe(1);
    expect(state.reads).toBe(1);
  });

  test('a rejected certificate is replaced by the one that the secret holds now', async () => {
    const { access, state } = start();
    access.forget(await access.get());
    state.secret = others;
    expect((await access.get()).certificate).toBe(certificateOf(others));
    expect(state.reads).toBe(2);
  });

  test('a certificate that ends is replaced by the one that the secret holds then', async () => {
    const { access, state, clock } = start();
    const first = await access.get();
    clock.moveTo(VALID_UNTIL - 1);
    expect(await access.get()).toBe(first);
    clock.moveTo(VALID_UNTIL);
    const certificate = { cert: 'renewed', key: 'renewed', validUntil: VALID_UNTIL + 1_000 };
    state.secret = { ...orders, clientAuthentication: { certificate } };
    expect(await access.get()).toMatchObject({ certificate, issuedAt: VALID_UNTIL, expiresAt: VALID_UNTIL + 1_000 });
  });

  test('a certificate that was read long ago and renewed in time does not count as expired', async () => {
    const { access, credentials, state, clock } = start();
    await credentials.get();
    const certificate = { cert: 'renewed', key: 'renewed', validUntil: VALID_UNTIL + 1_000 };
    state.secret = { ...orders, clientAuthentication: { certificate } };
    clock.moveTo(VALID_UNTIL);
    expect(await access.get()).toMatchObject({ certificate });
    expect(state.reads).toBe(2);
  });

  test('a certificate that has expired in the secret, too, costs one reading of the secret', async () => {
    const { access, credentials, state, clock } = start();
    await credentials.get();
    clock.moveTo(VALID_UNTIL);
    await expect(access.get()).rejects.toMatchObject({ code: 'CERTIFICATE_EXPIRED' });
    expect(state.reads).toBe(2);
  });

  test('a certificate in place of a token uses a secret that somebody else has just read', async () => {
    const { access, credentials, state } = start();
    await credentials.get();
    await access.get();
    expect(state.reads).toBe(1);
  });
});

describe('No certificate is had', () => {
  test('a certificate that has expired, with no other in the secret, is refused with its date', async () => {
    const { access, state, clock } = start();
    clock.moveTo(VALID_UNTIL);
    const error = relayError(await access.get().catch((thrown: unknown) => thrown));
    expect(error).toMatchObject({ code: 'CERTIFICATE_EXPIRED', message: expect.stringContaining('2026-02-28') });
    expect(state.reads, 'what has just been read is not read again').toBe(1);
  });

  test('a service key with a client secret alone gives no certificate', async () => {
    const { access } = start(cf);
    const error = relayError(await access.get().catch((thrown: unknown) => thrown));
    expect(error.code).toBe('SECRET_MALFORMED');
    expect(error.message).toBe(
      'secret "cpi/orders": expected a service key with certificate and key, since the destination authenticates with the certificate; the operator must correct the secret',
    );
  });

  test('a secret that cannot be read gives no certificate', async () => {
    const { access, state } = start(new RelayError('SECRET_UNAVAILABLE', 'not now'));
    await expect(access.get()).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    state.secret = orders;
    expect((await access.get()).certificate).toBe(certificateOf(orders));
  });
});
