import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';

const DAY_MS = 86_400_000;

test.each([
  { what: 'made by SAP, nested', client: { credentialType: 'certificate' }, nestedKey: true },
  { what: 'made by SAP, flat', client: { credentialType: 'certificate' }, nestedKey: false },
  {
    what: 'made by SAP, with literal \\n for line ends',
    client: { credentialType: 'certificate', literalLineBreaks: true },
    nestedKey: true,
  },
  {
    what: 'of the sender’s own, its key beside it',
    client: { credentialType: 'certificate_external' },
    nestedKey: true,
  },
] as const)('a client certificate $what gets a token by mutual TLS', async ({ client, nestedKey }) => {
  const stage = await setStage({ tls: true, plans: [{ name: 'orders', client, nestedKey }] });
  const ids = stage.sendMany(10);

  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.authorizationServer.tokenRequests).toMatchObject([{ status: 200, clientAuthentication: 'certificate' }]);
  expect(stage.tally()).toMatchObject({ secretReads: { 'cpi/orders': 1 }, left: 0 });
});

test('a renewed certificate is picked up with the secret, without a new environment', async () => {
  const stage = await setStage({ tls: true, plans: [{ name: 'orders', client: { credentialType: 'certificate' } }] });
  const ids = [stage.send(stage.orders)];
  await stage.poll();

  stage.orders.renewCertificate();
  stage.authorizationServer.expireAllTokens();
  ids.push(stage.send(stage.orders));
  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids.sort());
  expect(stage.tally()).toMatchObject({ tokenRequests: [200, 401, 200], secretReads: { 'cpi/orders': 2 }, left: 0 });
  expect(stage.deployed.queueFunction.coldStarts).toBe(1);
});

test.each([false, true])(
  'a token that is bound to the certificate goes out with it, over one connection after the other (CSRF: %s)',
  async (csrfProtected) => {
    const stage = await setStage({
      tls: true,
      plans: [{ name: 'orders', flow: { csrfProtected }, client: { credentialType: 'certificate' } }],
    });
    stage.authorizationServer.bindTokensToCertificates(true);
    const ids = stage.sendMany(10);
    await stage.poll();

    // A renewed certificate, and a token that is bound to that.
    stage.orders.renewCertificate();
    stage.authorizationServer.expireAllTokens();
    ids.push(...stage.sendMany(2));
    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids.sort());
    expect(stage.tally()).toMatchObject({ tokenRequests: [200, 401, 200], flowRuns: 12, left: 0 });
    expect(new Set(stage.runtimeNode.requests.map(({ callerAuthentication }) => callerAuthentication))).toEqual(
      new Set(['token']),
    );
  },
);

test('an expired certificate is named with its date before any call is made', async () => {
  const stage = await setStage({
    tls: true,
    plans: [{ name: 'orders', client: { credentialType: 'certificate' } }],
    before: (landscape, [orders]) => {
      const { certificateAuthority: authority } = landscape;
      const old = authority?.clientCertificate({ commonName: 'old', notAfter: Date.now() - 3 * DAY_MS });
      const key = { clientid: orders?.clientId, tokenurl: landscape.account.certificateTokenEndpoint };
      landscape.secretsManager.put('cpi/orders', { oauth: { ...key, url: 'https://127.0.0.1', ...old } });
    },
  });
  stage.sendMany(2);

  await stage.poll();

  const date = new Date(Date.now() - 3 * DAY_MS).toISOString().slice(0, 10);
  expect(stage.attempts).toMatchObject([
    { outcome: 'blocked', executed: 'no', calls: 0 },
    { outcome: 'blocked', executed: 'no', calls: 0 },
  ]);
  expect(stage.attempts[0]?.reason).toContain(`expired on ${date}`);
  expect(stage.tally()).toMatchObject({ tokenRequests: [], calls: {}, left: 2 });
});

test.each([false, true])(
  'a flow can be called with the certificate itself, and no token is asked for (CSRF: %s)',
  async (csrfProtected) => {
    const stage = await setStage({
      tls: true,
      plans: [
        {
          name: 'orders',
          flow: { csrfProtected },
          client: { credentialType: 'certificate' },
          settings: { authentication: 'certificate' },
        },
      ],
    });
    const ids = stage.sendMany(10);

    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids);
    expect(stage.tally()).toMatchObject({ tokenRequests: [], flowRuns: 10, left: 0 });
  },
);

test('a certificate that the flow no longer takes is replaced by what the secret now holds', async () => {
  const stage = await setStage({
    tls: true,
    plans: [{ name: 'orders', client: { credentialType: 'certificate' }, settings: { authentication: 'certificate' } }],
  });
  const ids = [stage.send(stage.orders)];
  await stage.poll();

  stage.orders.renewCertificate();
  ids.push(stage.send(stage.orders));
  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids.sort());
  expect(stage.tally()).toMatchObject({ tokenRequests: [], secretReads: { 'cpi/orders': 2 }, left: 0 });
});

test('authentication: certificate with a key that has none blocks with a reason', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', settings: { authentication: 'certificate' } }] });
  stage.send(stage.orders);

  await stage.poll();

  expect(stage.attempts).toMatchObject([{ outcome: 'blocked', calls: 0 }]);
  expect(stage.attempts[0]?.reason).toContain('expected a service key with certificate and key');
});
