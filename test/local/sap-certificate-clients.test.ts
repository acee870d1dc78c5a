/** Clients with certificates, over HTTPS: registered, asking for tokens by mutual TLS, and calling a flow. */

import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { decodeJwt } from 'jose';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type AuthorizationServer,
  type AuthorizationServerSockets,
  startAuthorizationServer,
} from '../../infra/local/sap/authorization-server/authorization-server.ts';
import { createSigningKeys } from '../../infra/local/sap/authorization-server/signing-keys.ts';
import { type Account, createAccount } from '../../infra/local/sap/cockpit/account.ts';
import { type RuntimeNode, startRuntimeNode } from '../../infra/local/sap/runtime-node/runtime-node.ts';
import { type CertificateAuthority, createCertificateAuthority } from '../../infra/local/server/certificates.ts';
import { generateKeyPair } from '../doubles/key-pair.ts';
import { createSimulatedTime, NOON, type SimulatedTime } from '../doubles/time.ts';
import { type HttpsReply, httpsCall, tokenForm } from './https-call.ts';
import { role, subscription } from './sap-tenant.ts';

const dayMs = 86_400_000;
const clientId = 'orders';
const registration = { clientId, subscription, authorizationGrant: 'client_credentials' };

/** What a client presents. */
interface Presented {
  readonly certificate: string;
  readonly key: string;
}

interface Tenant {
  readonly authority: CertificateAuthority;
  readonly account: Account;
  readonly authorizationServer: AuthorizationServer;
  readonly node: RuntimeNode;
  readonly clock: SimulatedTime;
  readonly announced: readonly string[];
  /** Asks the certificate host. */
  token(client: Presented | undefined, id?: string, more?: Readonly<Record<string, string>>): Promise<HttpsReply>;
  /** Calls the flow; `credentials` stand in the header. */
  call(client: Presented | undefined, authorization?: string): Promise<HttpsReply>;
  /** Of `token`, for comparisons. */
  status(client: Presented | undefined, id?: string): Promise<number>;
}

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function startTenant(sockets: AuthorizationServerSockets = {}): Promise<Tenant> {
  const clock = createSimulatedTime();
  const now = clock.now;
  const announced: string[] = [];
  const confidential = (value: string): void => void announced.push(value);
  const authority = createCertificateAuthority({ keyType: 'ec', now, confidential });
  const account = createAccount({ environment: 'cf', now, certificateAuthority: authority, confidential });
  account.addSubscription({ vmName: subscription, nodeType: 'iflmap' });
  account.addSubscription({ vmName: 'acme-test.iflmap', nodeType: 'iflmap' });
  account.assignRole(role);
  const signingKeys = createSigningKeys({ generateKeyPair });
  const authorizationServer = await startAuthorizationServer({
    account,
    now,
    signingKeys,
    confidential,
    tls: true,
    ...sockets,
  });
  const node = await startRuntimeNode({ authorizationServer, subscription, now, tls: true });
  node.deploy({ name: 'Orders', address: '/orders', csrfProtected: false });
  running.push(node.server, authorizationServer.server);
  if (authorizationServer.certificateServer !== undefined) running.push(authorizationServer.certificateServer);
  const ca = authority.caPem;
  const token: Tenant['token'] = (client, id = clientId, more = {}) =>
    httpsCall(String(account.certificateTokenEndpoint), { ca, client, ...tokenForm(id, more) });
  return {
    authority,
    account,
    authorizationServer,
    node,
    clock,
    announced,
    token,
    call: (client, authorization) =>
      httpsCall(`${node.url}/http/orders`, {
        ca,
        client,
        headers: authorization === undefined ? {} : { authorization },
      }),
    status: async (client, id) => (await token(client, id)).status,
  };
}

/** The credentials of a service key with the certificate that SAP has made. */
function issuedBySap(account: Account, id = clientId): Presented {
  const key = account.serviceKey(id, 'https://rt.example', { nested: false });
  if (!('certificate' in key) || key.key === undefined) throw new Error('no key in the service key');
  return { certificate: key.certificate, key: key.key };
}

const leafOf = (certificate: string): string => new X509Certificate(certificate).toString();
const accessToken = ({ body }: HttpsReply): string => (JSON.parse(body) as { access_token: string }).access_token;

const validity = {
  notBeforeDate: new Date(NOON - dayMs),
  notAfterDate: new Date(NOON + 365 * dayMs),
  algorithm: 'sha256',
};

/** A certificate that has signed itself, made by another tool. */
async function foreign(commonName: string): Promise<Presented> {
  const made = await generate([{ name: 'commonName', value: commonName }], { ...validity, keyType: 'ec' });
  return { certificate: made.cert, key: made.private };
}

/** A certificate by an authority that has taken the name of the landscape's, and says nothing of its key. */
async function forged(commonName: string): Promise<Presented> {
  const name = [
    { name: 'countryName', value: 'DE' },
    { name: 'organizationName', value: 'Local Landscape' },
    { name: 'commonName', value: 'Local Landscape CA' },
  ];
  const basicConstraints = { name: 'basicConstraints', cA: true } as const;
  const impostor = await generate(name, { ...validity, keyType: 'ec', extensions: [basicConstraints] });
  const ca = { key: impostor.private, cert: impostor.cert };
  const made = await generate([{ name: 'commonName', value: commonName }], { ...validity, keyType: 'ec', ca });
  return { certificate: made.cert, key: made.private };
}

async function registered({ account }: Tenant, made: Promise<Presented>): Promise<Presented> {
  const own = await made;
  account.renewCertificate(clientId, { certificate: own.certificate });
  return own;
}

describe('a client whose certificate SAP has made', () => {
  test('a client with SAP’s certificate gets a token by mutual TLS and calls a flow with it', async () => {
    const { account, authorizationServer, node, token, call } = await startTenant();
    account.registerCertificateClient(registration);
    const issued = await token(issuedBySap(account));
    expect(issued.status).toBe(200);
    expect(JSON.parse(issued.body)).toMatchObject({ token_type: 'bearer', expires_in: 3599 });
    expect((await call(undefined, `Bearer ${accessToken(issued)}`)).status).toBe(200);
    expect(authorizationServer.tokenRequests).toEqual([
      {
        at: NOON,
        clientId,
        clientAuthentication: 'certificate',
        status: 200,
        format: 'jwt',
        expiresAt: NOON + 3_600_000,
      },
    ]);
    expect(node.requests).toMatchObject([{ callerAuthentication: 'token', flowRan: true }]);
  });

  test('a client with SAP’s certificate finds everything in its service key', async () => {
    const { account, authority, authorizationServer, clock } = await startTenant();
    account.registerCertificateClient({ ...registration, validDays: 30 });
    clock.advance(1000);
    const key = account.serviceKey(clientId, 'https://rt.example');
    expect(key).toEqual({
      oauth: {
        clientid: clientId,
        certificate: expect.stringMatching(/^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n-----BEGIN/),
        key: expect.stringMatching(/^-----BEGIN RSA PRIVATE KEY-----\n/),
        certificatedetails: {
          issuerdn: 'CN=Local Landscape CA,O=Local Landscape,C=DE',
          subjectdn: expect.stringMatching(/^CN=[0-9a-f-]{36},O=Local Landscape,C=DE$/),
          serialnumber: expect.stringMatching(/^[0-9A-F]{2,32}$/),
          validuntil: '2026-01-31T12:00:00.000Z',
        },
        tokenurl: `${authorizationServer.certificateServer?.url}/oauth/token`,
        url: 'https://rt.example',
        createdate: '2026-01-01T12:00:01.000Z',
      },
    });
    expect(issuedBySap(account).certificate.endsWith(authority.caPem)).toBe(true);
    expect(new X509Certificate(issuedBySap(account).certificate).publicKey.asymmetricKeyDetails?.modulusLength).toBe(
      2048,
    );
  });

  test('a client with SAP’s certificate finds it and its key on one line each, if copied so', async () => {
    const { account } = await startTenant();
    account.registerCertificateClient(registration);
    const { certificate, key } = issuedBySap(account);
    const copied = account.serviceKey(clientId, 'https://rt.example', { nested: false, literalLineBreaks: true });
    expect(copied).toMatchObject({ key: key.replace(/\n/g, '\\n'), certificate: certificate.replace(/\n/g, '\\n') });
    expect(JSON.stringify(copied)).toContain('-----BEGIN RSA PRIVATE KEY-----\\\\nMII');
  });

  test.each([
    [{}, [401, 200]],
    [{ keepOld: true }, [200, 200]],
  ])(
    'a client with SAP’s certificate, renewed with %j, is answered for the old and the new key pair %j',
    async (options, expected) => {
      const { account, status } = await startTenant();
      account.registerCertificateClient(registration);
      const before = issuedBySap(account);
      account.renewCertificate(clientId, options);
      const after = issuedBySap(account);
      expect(after.key).not.toBe(before.key);
      expect([await status(before), await status(after)]).toEqual(expected);
    },
  );

  test('a client with SAP’s certificate has lost its token endpoint and its flows when it is deleted', async () => {
    const { account, status, call } = await startTenant();
    account.registerCertificateClient(registration);
    const held = issuedBySap(account);
    expect([await status(held), (await call(held)).status]).toEqual([200, 200]);
    account.deleteClient(clientId);
    expect([await status(held), (await call(held)).status]).toEqual([401, 401]);
  });

  test('a client with SAP’s certificate is refused before its validity and after it', async () => {
    const { account, clock, status, call } = await startTenant();
    account.registerCertificateClient({ ...registration, validDays: 1 });
    const held = issuedBySap(account);
    const statuses = [];
    for (const at of [NOON - 2 * 3_600_000, NOON, NOON + dayMs, NOON + dayMs + 1]) {
      clock.moveTo(at);
      statuses.push([await status(held), (await call(held)).status]);
    }
    expect(statuses).toEqual([
      [401, 401],
      [200, 200],
      [200, 200],
      [401, 401],
    ]);
  });
});

describe('a client with a certificate of its own', () => {
  test('a client with a certificate of its own is known by it, and its service key has no private key', async () => {
    const { account, authority, status } = await startTenant();
    const own = authority.clientCertificate({ commonName: 'legacy-erp' });
    const certificate = leafOf(own.certificate);
    account.registerCertificateClient({ ...registration, certificate });
    const { oauth } = account.serviceKey(clientId, 'https://rt.example') as { oauth: object };
    expect(oauth).toMatchObject({ clientid: clientId, certificate });
    expect(Object.keys(oauth)).toEqual(['clientid', 'certificate', 'tokenurl', 'url', 'createdate']);
    expect(await status(own)).toBe(200);
  });

  /** The statuses of the registered certificate and of an older and a newer one with its names, in this order. */
  test.each([
    ['pinned, which is the default: exactly that one', {}, [200, 401, 401, 200, 401]],
    ['not pinned: a newer one too, and then the older no more', { pinned: false }, [200, 401, 200, 401, 200]],
  ])('a client with a certificate of its own is %s', async (_, pinning, expected) => {
    const { account, authority, status } = await startTenant();
    const [older, registered, newer] = [1, 2, 3].map(() => authority.clientCertificate({ commonName: 'legacy-erp' }));
    account.registerCertificateClient({
      ...registration,
      ...pinning,
      certificate: leafOf(registered?.certificate ?? ''),
    });
    const statuses = [];
    for (const presented of [registered, older, newer, registered, newer]) statuses.push(await status(presented));
    expect(statuses).toEqual(expected);
  });

  test('a certificate that is not pinned is not replaced by one that was presented for somebody else', async () => {
    const { account, authority, status } = await startTenant();
    const [registered, newer] = [1, 2].map(() => authority.clientCertificate({ commonName: 'legacy-erp' }));
    account.registerCertificateClient({
      ...registration,
      pinned: false,
      certificate: leafOf(registered?.certificate ?? ''),
    });
    expect(await status(newer, 'somebody-else')).toBe(401);
    expect(await status(registered)).toBe(200);
  });

  test('a client with a pinned certificate of its own must register the new one, and stays pinned', async () => {
    const { account, authority, status } = await startTenant();
    const [first, second, third] = [1, 2, 3].map(() => authority.clientCertificate({ commonName: 'legacy-erp' }));
    account.registerCertificateClient({ ...registration, certificate: leafOf(first?.certificate ?? '') });
    account.renewCertificate(clientId, { certificate: leafOf(second?.certificate ?? '') });
    expect([await status(first), await status(second), await status(third)]).toEqual([401, 200, 401]);
  });

  test.each([
    ['two that are not pinned', [false, false], [401, 401]],
    ['one that is pinned and one that is not', [true, false], [401, 401]],
    ['two that are pinned', [true, true], [200, 200]],
  ])(
    'a client with a certificate of its own is rejected while it conflicts with another client: %s',
    async (_, pinned, expected) => {
      const { account, authority, status } = await startTenant();
      const own = [1, 2].map(() => authority.clientCertificate({ commonName: 'legacy-erp' }));
      for (const [index, { certificate }] of own.entries()) {
        const client = { ...registration, clientId: `client-${index}`, pinned: pinned[index] === true };
        account.registerCertificateClient({ ...client, certificate: leafOf(certificate) });
      }
      expect([await status(own[0], 'client-0'), await status(own[1], 'client-1')]).toEqual(expected);
      account.deleteClient('client-0');
      expect(await status(own[1], 'client-1')).toBe(200);
    },
  );
});

describe('at the host that asks for certificates', () => {
  test.each<[string, (tenant: Tenant) => Presented | undefined | Promise<Presented>]>([
    ['without a certificate', () => undefined],
    ['with a certificate of the same name by an authority that nobody knows', () => foreign('legacy-erp')],
    [
      'with a certificate that nobody has registered',
      ({ authority }) => authority.clientCertificate({ commonName: 'x' }),
    ],
    ['with the certificate of another client', ({ account }) => issuedBySap(account, 'other')],
    [
      'with a registered certificate that is for servers alone',
      ({ account, authority }) => {
        const own = authority.clientCertificate({ commonName: 'legacy-erp', purpose: 'serverAuth' });
        account.renewCertificate(clientId, { certificate: own.certificate });
        return own;
      },
    ],
    ['with a registered certificate that has signed itself', (tenant) => registered(tenant, foreign('legacy-erp'))],
    ['with a registered certificate by an impostor', (tenant) => registered(tenant, forged('legacy-erp'))],
  ])('a client %s is refused at the certificate host like one with bad credentials', async (_, present) => {
    const tenant = await startTenant();
    const { account, authority, authorizationServer, token } = tenant;
    const own = authority.clientCertificate({ commonName: 'legacy-erp' });
    account.registerCertificateClient({ ...registration, certificate: leafOf(own.certificate) });
    account.registerCertificateClient({ ...registration, clientId: 'other' });
    const { status, headers, body } = await token(await present(tenant));
    expect({ status, ...JSON.parse(body) }).toEqual({
      status: 401,
      error: 'invalid_client',
      error_description: 'Bad credentials',
    });
    expect(headers['www-authenticate']).toMatch(/^Basic realm="UAA\/client"/);
    expect(authorizationServer.tokenRequests).toEqual([
      {
        at: NOON,
        clientId,
        clientAuthentication: 'certificate',
        status: 401,
        format: undefined,
        refusal: 'bad credentials',
      },
    ]);
  });

  test('a request with two ways of authentication is refused, one without a client id too', async () => {
    const { account, authority, token } = await startTenant();
    account.registerCertificateClient(registration);
    const client = issuedBySap(account);
    expect((await token(client, clientId, { client_secret: 'x' })).status).toBe(401);
    const form = tokenForm(clientId);
    const url = String(account.certificateTokenEndpoint);
    for (const authorization of [`Basic ${Buffer.from(`${clientId}:`).toString('base64')}`, 'Bearer of-somebody']) {
      const both = { ...form, headers: { ...form.headers, authorization } };
      expect((await httpsCall(url, { ca: authority.caPem, client, ...both })).status).toBe(401);
    }
    const anonymous = { ...form, body: 'grant_type=client_credentials' };
    expect((await httpsCall(url, { ca: authority.caPem, client, ...anonymous })).status).toBe(401);
    expect((await httpsCall(url, { ca: authority.caPem, client, ...form })).status).toBe(200);
  });

  test('a client with a secret gets no token at the certificate host, whatever certificate it shows', async () => {
    const { account, token } = await startTenant();
    const { clientSecret } = account.registerClient({ ...registration, clientId: 'secretive' });
    account.registerCertificateClient(registration);
    for (const client of [undefined, issuedBySap(account)]) {
      expect((await token(client, 'secretive', { client_secret: clientSecret })).status).toBe(401);
    }
  });

  test.each([
    ['Missing grant type', { grant_type: '' }, 400],
    ['another grant', { grant_type: 'password' }, 400],
    ['an opaque token', { token_format: 'opaque' }, 200],
  ])('a request %s is answered at the certificate host as at the other host', async (_, more, status) => {
    const { account, token } = await startTenant();
    account.registerCertificateClient(registration);
    expect((await token(issuedBySap(account), clientId, more)).status).toBe(status);
  });

  test('the client certificate counts on a connection that resumes an earlier one too', async () => {
    const { account, authority } = await startTenant();
    account.registerCertificateClient(registration);
    const client = issuedBySap(account);
    const resumed: boolean[] = [];
    const agent = new Agent({ keepAlive: false });
    const create = agent.createConnection.bind(agent);
    agent.createConnection = (...args) => {
      const socket = create(...args) as TLSSocket;
      socket.once('secureConnect', () => resumed.push(socket.isSessionReused()));
      return socket;
    };
    const url = String(account.certificateTokenEndpoint);
    for (const _ of [1, 2]) {
      const reply = await httpsCall(url, { ca: authority.caPem, client, agent, ...tokenForm(clientId) });
      expect(reply.status).toBe(200);
    }
    expect(resumed).toEqual([false, true]);
  });

  test('a load balancer that checks in the handshake lets nobody in without a certificate that it trusts', async () => {
    const { account, authority, authorizationServer, token } = await startTenant({ certificateCheck: 'handshake' });
    const expired = authority.clientCertificate({ commonName: 'expired', notAfter: NOON - 60_000 });
    account.registerCertificateClient({ ...registration, certificate: leafOf(expired.certificate) });
    await expect(token(undefined)).rejects.toMatchObject({
      code: expect.stringMatching(/CERTIFICATE_REQUIRED|ECONNRESET/),
    });
    for (const client of [await foreign('legacy-erp'), expired]) {
      await expect(token(client)).rejects.toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
    }
    expect(authorizationServer.tokenRequests).toEqual([]);
  });
});

test('the host for secrets refuses a client with a certificate, and serves the others', async () => {
  const { account, authority, authorizationServer } = await startTenant();
  const { clientSecret } = account.registerClient({ ...registration, clientId: 'secretive' });
  account.registerCertificateClient(registration);
  const ask = async (id: string, more: Readonly<Record<string, string>>, client?: Presented): Promise<number> => {
    const options = { ca: authority.caPem, client, ...tokenForm(id, more) };
    return (await httpsCall(authorizationServer.tokenEndpoint, options)).status;
  };
  expect(authorizationServer.tokenEndpoint).toMatch(/^https:/);
  expect(await ask(clientId, {}, issuedBySap(account))).toBe(401);
  expect(await ask(clientId, { client_secret: '' }, issuedBySap(account))).toBe(401);
  expect(await ask(clientId, { client_secret: 'undefined' })).toBe(401);
  expect(await ask('secretive', { client_secret: clientSecret })).toBe(200);
  expect(authorizationServer.tokenRequests.map((entry) => entry.clientAuthentication)).toEqual(Array(4).fill('secret'));
});

describe('a token that is bound to a certificate (RFC 8705 section 3)', () => {
  async function bound(format = 'jwt') {
    const tenant = await startTenant();
    const { account, authorizationServer, token } = tenant;
    account.registerCertificateClient(registration);
    account.registerCertificateClient({ ...registration, clientId: 'other' });
    authorizationServer.bindTokensToCertificates(true);
    const client = issuedBySap(account);
    const issued = await token(client, clientId, { token_format: format });
    return { ...tenant, client, bearer: `Bearer ${accessToken(issued)}`, jwt: accessToken(issued) };
  }

  test('a bound token (RFC 8705 section 3) names its certificate by its SHA-256', async () => {
    const { client, jwt } = await bound();
    const hex = new X509Certificate(client.certificate).fingerprint256.replaceAll(':', '');
    expect(decodeJwt(jwt).cnf).toEqual({ 'x5t#S256': Buffer.from(hex, 'hex').toString('base64url') });
  });

  test.each(['jwt', 'opaque'])('a bound token opens a flow with its certificate alone: %s', async (format) => {
    const { account, call, client, bearer } = await bound(format);
    expect((await call(client, bearer)).status).toBe(200);
    expect((await call(undefined, bearer)).status).toBe(401);
    expect((await call(issuedBySap(account, 'other'), bearer)).status).toBe(401);
  });

  test('a bound token is what a client with a certificate gets only where the server binds', async () => {
    const { authorizationServer, token, call, client } = await bound();
    authorizationServer.bindTokensToCertificates(false);
    const issued = accessToken(await token(client));
    expect(decodeJwt(issued)).not.toHaveProperty('cnf');
    expect((await call(undefined, `Bearer ${issued}`)).status).toBe(200);
  });
});

describe('a flow that is called with a certificate alone', () => {
  test('a flow that is called with a certificate alone runs for the client whose certificate it is', async () => {
    const { account, authorizationServer, node, call } = await startTenant();
    account.registerCertificateClient(registration);
    expect((await call(issuedBySap(account))).status).toBe(200);
    expect(node.messages[0]?.headers.SapAuthenticatedUserName).toBe('oauth_client_orders');
    expect(node.requests).toMatchObject([
      { callerAuthentication: 'certificate', tokenFingerprint: undefined, flowRan: true },
    ]);
    expect(authorizationServer.tokenRequests).toEqual([]);
  });

  test('a flow that is called with a certificate alone asks for the role as with a token', async () => {
    const { account, call } = await startTenant();
    account.registerCertificateClient(registration);
    account.unassignRole(role);
    expect((await call(issuedBySap(account))).status).toBe(403);
    account.assignRole(role);
    expect((await call(issuedBySap(account))).status).toBe(200);
  });

  test.each<[string, (tenant: Tenant) => Presented | undefined | Promise<Presented>, string]>([
    ['without one', () => undefined, 'none'],
    ['that is not registered', ({ authority }) => authority.clientCertificate({ commonName: 'x' }), 'certificate'],
    ['of an authority that nobody knows', () => foreign('orders'), 'certificate'],
    [
      'of a client for another runtime node',
      ({ account }) => {
        account.registerCertificateClient({ ...registration, clientId: 'elsewhere', subscription: 'acme-test.iflmap' });
        account.assignRole({ ...role, user: 'oauth_client_elsewhere' });
        return issuedBySap(account, 'elsewhere');
      },
      'certificate',
    ],
  ])('a flow that is called with a certificate alone does not run: %s', async (_, present, callerAuthentication) => {
    const tenant = await startTenant();
    expect((await tenant.call(await present(tenant))).status).toBe(401);
    expect(tenant.node.requests).toMatchObject([{ status: 401, callerAuthentication, flowRan: false }]);
  });

  test('a flow that is called with a certificate follows the header Authorization where there is one', async () => {
    const { account, authority, call, token } = await startTenant();
    account.registerCertificateClient(registration);
    const client = issuedBySap(account);
    expect((await call(client, 'Bearer of-nobody')).status).toBe(401);
    expect((await call(client, 'Basic eDp5')).status).toBe(401);
    const unknown = authority.clientCertificate({ commonName: 'x' });
    expect((await call(unknown, `Bearer ${accessToken(await token(client))}`)).status).toBe(200);
  });
});

describe('registering and renewing', () => {
  const authority = createCertificateAuthority({ keyType: 'ec' });
  const own = authority.clientCertificate({ commonName: 'legacy-erp' });
  const withNode = (options: Partial<Parameters<typeof createAccount>[0]> = {}): Account => {
    const account = createAccount({ environment: 'cf', certificateAuthority: authority, ...options });
    account.addSubscription({ vmName: subscription, nodeType: 'iflmap' });
    return account;
  };

  test.each<[string, () => unknown, RegExp]>([
    ['on Neo', () => withNode({ environment: 'neo' }).registerCertificateClient(registration), /^credentialType: /],
    [
      'a validity of 0 days',
      () => withNode().registerCertificateClient({ ...registration, validDays: 0 }),
      /^validDays: .*1 to 365, not 0$/,
    ],
    [
      'a validity of 366 days',
      () => withNode().registerCertificateClient({ ...registration, validDays: 366 }),
      /^validDays: /,
    ],
    [
      'without an authority',
      () => {
        const account = createAccount({ environment: 'cf' });
        account.addSubscription({ vmName: subscription, nodeType: 'iflmap' });
        return account.registerCertificateClient(registration);
      },
      /^certificateAuthority: /,
    ],
    [
      'a certificate that another client has',
      () => {
        const account = withNode();
        account.registerCertificateClient({ ...registration, certificate: own.certificate });
        return account.registerCertificateClient({
          ...registration,
          clientId: 'b',
          certificate: leafOf(own.certificate),
        });
      },
      /^certificate: is registered for orders already/,
    ],
    [
      'a client id that is taken',
      () => {
        const account = withNode();
        account.registerClient(registration);
        return account.registerCertificateClient(registration);
      },
      /^clientId: /,
    ],
    [
      'a new certificate for a client that has a secret',
      () => {
        const account = withNode();
        account.registerClient(registration);
        return account.renewCertificate(clientId);
      },
      /^certificate: orders has a client secret/,
    ],
    [
      'a new secret for a client that has a certificate',
      () => {
        const account = withNode();
        account.registerCertificateClient({ ...registration, certificate: own.certificate });
        return account.rotateClientSecret(clientId);
      },
      /^clientSecret: orders has a certificate/,
    ],
    [
      'the renewal of a certificate that SAP does not make',
      () => {
        const account = withNode();
        account.registerCertificateClient({ ...registration, certificate: own.certificate });
        return account.renewCertificate(clientId);
      },
      /^certificate: orders must bring its own/,
    ],
    [
      'a certificate of its own for a client whose certificate SAP makes',
      () => {
        const account = withNode();
        account.registerCertificateClient(registration);
        return account.renewCertificate(clientId, { certificate: own.certificate });
      },
      /^certificate: the one of orders is made by SAP/,
    ],
  ])('registering and renewing a certificate refuses %s', (_, act, message) => {
    expect(act).toThrow(message);
  });

  test('a service key with a certificate waits for the host that asks for certificates', () => {
    const account = withNode();
    account.registerCertificateClient({ ...registration, certificate: own.certificate });
    account.tokenEndpoint = 'https://auth.example/oauth/token';
    expect(() => account.serviceKey(clientId, 'https://rt.example')).toThrow(/^tokenEndpoint: /);
  });

  test('servers do not start with TLS where the account has no authority', async () => {
    const account = createAccount({ environment: 'cf' });
    account.addSubscription({ vmName: subscription, nodeType: 'iflmap' });
    await expect(startAuthorizationServer({ account, tls: true })).rejects.toThrow(/^tls: /);
    const authorizationServer = await startAuthorizationServer({ account });
    running.push(authorizationServer.server);
    expect(authorizationServer).toMatchObject({ certificateServer: undefined, certificateTokenEndpoint: undefined });
    await expect(startRuntimeNode({ authorizationServer, subscription, tls: true })).rejects.toThrow(/^tls: /);
  });
});

test('private keys and tokens are announced as they come up', async () => {
  const { account, announced, token } = await startTenant();
  account.registerCertificateClient(registration);
  const first = issuedBySap(account);
  const issued = accessToken(await token(first));
  account.renewCertificate(clientId);
  const second = issuedBySap(account);
  expect(announced).toEqual(expect.arrayContaining([first.key.trimEnd(), second.key.trimEnd(), issued]));
});
