/** The landscape's certificate authority, judged by OpenSSL's own reading and by real TLS connections on loopback. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createCertificateAuthority,
  describeCertificate,
  type KeyType,
} from '../../infra/local/server/certificates.ts';
import { startServer } from '../../infra/local/server/server.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';
import { httpsCall } from './https-call.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

describe.each<KeyType>(['rsa', 'ec'])('an authority with %s keys', (keyType) => {
  test('an authority signs itself, and is an authority', () => {
    const ca = new X509Certificate(createCertificateAuthority({ keyType, name: 'Somebody' }).caPem);
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(ca.subject).toBe('C=DE\nO=Local Landscape\nCN=Somebody');
    expect(ca.issuer).toBe(ca.subject);
  });

  test('an authority certifies a server for loopback, always the same', async () => {
    const authority = createCertificateAuthority({ keyType });
    const { cert, key } = authority.serverCertificate();
    expect(authority.serverCertificate()).toEqual({ cert, key });
    const server = new X509Certificate(cert);
    expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(server.checkHost('localhost')).toBe('localhost');
    expect(server.checkHost('example.com')).toBeUndefined();
    expect(server.checkPrivateKey(createPrivateKey(key))).toBe(true);

    const local = await startServer(() => ({ status: 200, body: 'secure' }), { tls: { cert, key } });
    onTestFinished(() => local.stop());
    await expect(httpsCall(local.url, { ca: authority.caPem })).resolves.toMatchObject({ body: 'secure' });
    const stranger = createCertificateAuthority({ keyType: 'ec' });
    await expect(httpsCall(local.url, { ca: stranger.caPem })).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
  });

  test('an authority certifies a client by a chain, with the key that belongs to it', () => {
    const authority = createCertificateAuthority({ keyType });
    const { certificate, key } = authority.clientCertificate({ commonName: 'orders' });
    const [leafPem = '', caPem] = certificate.split(/(?<=-----END CERTIFICATE-----\n)/);
    expect(caPem).toBe(authority.caPem);
    const leaf = new X509Certificate(leafPem);
    const ca = new X509Certificate(authority.caPem);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(leaf.publicKey.asymmetricKeyType).toBe(keyType);
    expect(key).toMatch(keyType === 'rsa' ? /^-----BEGIN RSA PRIVATE KEY-----\n/ : /^-----BEGIN PRIVATE KEY-----\n/);
  });

  test.each([
    ['a client', 'clientAuth', undefined],
    ['a server, which is not let in as a client', 'serverAuth', 'INVALID_PURPOSE'],
  ] as const)(
    'a certificate of the authority is accepted by TLS itself as that of %s',
    async (_, purpose, expected) => {
      const authority = createCertificateAuthority({ keyType });
      const client = authority.clientCertificate({ commonName: 'orders', purpose });
      const judged = Promise.withResolvers<string | undefined>();
      const tls = {
        ...authority.serverCertificate(),
        ca: authority.caPem,
        requestCert: true,
        rejectUnauthorized: false,
      };
      const server = createTlsServer(tls, (socket) => {
        judged.resolve(socket.authorized ? undefined : String(socket.authorizationError));
        socket.end();
      });
      onTestFinished(() => void server.close());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const socket = tlsConnect({
        port,
        host: '127.0.0.1',
        ca: authority.caPem,
        cert: client.certificate,
        key: client.key,
      });
      onTestFinished(() => void socket.destroy());
      expect(await judged.promise).toBe(expected);
    },
  );
});

describe('the certificate of a client', () => {
  const clock = createSimulatedTime();
  const authority = createCertificateAuthority({ keyType: 'ec', now: clock.now });

  test('a client certificate says who it is, by whom and for how long', () => {
    const issued = authority.clientCertificate({ commonName: 'orders', validDays: 30 });
    expect(issued).toMatchObject({
      subject: 'CN=orders,O=Local Landscape,C=DE',
      issuer: 'CN=Local Landscape CA,O=Local Landscape,C=DE',
      serialNumber: expect.stringMatching(/^[0-9A-F]{2,32}$/),
      validUntil: NOON + 30 * dayMs,
    });
    const { certificate, key, ...description } = issued;
    expect(describeCertificate(certificate)).toEqual(description);
    expect(key).not.toBe('');
  });

  test.each([
    ['365 days unless it is told otherwise', {}, NOON + 365 * dayMs],
    ['until a day that is over', { notAfter: NOON - 60_000 }, NOON - 60_000],
    ['until a day that UTCTime cannot say', { notAfter: Date.UTC(2051, 1, 1) }, Date.UTC(2051, 1, 1)],
    [
      'until the last second that UTCTime can say',
      { notAfter: Date.UTC(2049, 11, 31, 23, 59, 59) },
      Date.UTC(2049, 11, 31, 23, 59, 59),
    ],
  ])('a client certificate is valid %s', (_, wanted, validUntil) => {
    expect(authority.clientCertificate({ commonName: 'orders', ...wanted }).validUntil).toBe(validUntil);
  });

  test('a client certificate can be told from its successor, though both are made in the same moment', () => {
    const [first, second] = [1, 2].map(() => authority.clientCertificate({ commonName: 'orders' }));
    expect(second?.validFrom).toBe(Number(first?.validFrom) + 1000);
    expect(second?.validFrom).toBeLessThan(clock.now());
    expect(second?.serialNumber).not.toBe(first?.serialNumber);
    expect([second?.subject, second?.issuer]).toEqual([first?.subject, first?.issuer]);
    clock.advance(dayMs);
    expect(authority.clientCertificate({ commonName: 'orders' }).validFrom).toBe(clock.now() - hourMs);
  });

  test.each([
    [0xff, 'FF'.repeat(16)],
    [0x7f, '7F'.repeat(16)],
    [0x80, '80'.repeat(16)],
  ])('a client certificate has a serial number above 0, made of bytes %i', (byte, serialNumber) => {
    const numbered = createCertificateAuthority({ keyType: 'ec', random: (size) => Buffer.alloc(size, byte) });
    const [caPem, issued] = [numbered.caPem, numbered.clientCertificate({ commonName: 'orders' })];
    expect([describeCertificate(caPem).serialNumber, issued.serialNumber]).toEqual([serialNumber, serialNumber]);
  });

  test.each(['', 'x'.repeat(65)])('a client certificate has a name of 1 to 64 characters, not %j', (commonName) => {
    expect(() => authority.clientCertificate({ commonName })).toThrow(/^commonName: /);
  });

  test('a client certificate keeps characters that mean something in a distinguished name', () => {
    expect(authority.clientCertificate({ commonName: 'a,b+c=d' }).subject).toBe(
      'CN=a\\,b\\+c=d,O=Local Landscape,C=DE',
    );
    expect(authority.clientCertificate({ commonName: 'ä' }).subject).toBe('CN=ä,O=Local Landscape,C=DE');
  });
});

test('servers are trusted on the clock of the machine, whatever the clock of the landscape says', async () => {
  for (const ms of [0, Date.UTC(2045, 0)]) {
    const authority = createCertificateAuthority({ keyType: 'ec', now: () => ms });
    const local = await startServer(() => ({ status: 200 }), { tls: authority.serverCertificate() });
    onTestFinished(() => local.stop());
    await expect(httpsCall(local.url, { ca: authority.caPem })).resolves.toMatchObject({ status: 200 });
  }
});

test('every private key is announced, and no certificate', () => {
  const announced: string[] = [];
  const authority = createCertificateAuthority({ keyType: 'ec', confidential: (value) => void announced.push(value) });
  const { key: serverKey } = authority.serverCertificate();
  const { key } = authority.clientCertificate({ commonName: 'orders' });
  expect(announced).toEqual([serverKey.trimEnd(), key.trimEnd()]);
});
