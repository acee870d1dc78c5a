/**
 * The landscape with `tls`: SAP's side over HTTPS alone, clients of each credential type, and the relay's functions
 * trusting it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type DestinationPlan,
  type Landscape,
  type LandscapeOptions,
  startLandscape,
} from '../../infra/local/landscape.ts';
import { httpsCall, tokenForm } from './https-call.ts';

async function start(options: LandscapeOptions = {}): Promise<Landscape & { readonly announced: readonly string[] }> {
  const announced: string[] = [];
  const confidential = (value: string): void => void announced.push(value);
  const landscape = await startLandscape({ tls: true, confidential, ...options });
  onTestFinished(landscape.stop);
  return { ...landscape, announced };
}

/** The fields of a secret that a sender with a certificate goes by. */
interface StoredKey {
  readonly clientid: string;
  readonly certificate: string;
  readonly key: string;
  readonly tokenurl: string;
  readonly url: string;
}

/** Read as the relay does it, with the SDK. */
async function storedText(landscape: Landscape, secret: string): Promise<string> {
  const client = new SecretsManagerClient({
    region: 'eu-central-1',
    endpoint: String(landscape.endpoints.AWS_ENDPOINT_URL_SECRETS_MANAGER),
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
  return SecretString;
}

async function stored(landscape: Landscape, secret: string): Promise<StoredKey> {
  const { oauth, ...beside } = JSON.parse(await storedText(landscape, secret));
  const fields: StoredKey = { ...oauth, ...beside };
  return {
    ...fields,
    certificate: fields.certificate.replaceAll('\\n', '\n'),
    key: fields.key.replaceAll('\\n', '\n'),
  };
}

async function askForToken(landscape: Landscape, sender: StoredKey): Promise<{ status: number; token: string }> {
  const ca = String(landscape.certificateAuthority?.caPem);
  const { status, body } = await httpsCall(sender.tokenurl, { ca, client: sender, ...tokenForm(sender.clientid) });
  return { status, token: String((JSON.parse(body) as { access_token?: unknown }).access_token) };
}

const plan = (
  client: NonNullable<DestinationPlan['client']>,
  more: Partial<DestinationPlan> = {},
): DestinationPlan => ({
  name: 'orders',
  flow: { csrfProtected: false },
  client,
  ...more,
});

describe.each(['certificate', 'certificate_external'] as const)('a client of type %s', (credentialType) => {
  test.each([
    ['a nested service key', {}, {}],
    ['a flat service key', {}, { nestedKey: false }],
    ['literal line breaks', { literalLineBreaks: true }, {}],
  ])(
    'a client with a certificate gets a token by its secret, and calls its flow with it: %s',
    async (_, client, more) => {
      const landscape = await start();
      const orders = landscape.connect(plan({ credentialType, ...client }, more));
      const sender = await stored(landscape, orders.secret);
      const { status, token } = await askForToken(landscape, sender);
      expect(status).toBe(200);
      const ca = String(landscape.certificateAuthority?.caPem);
      const called = await httpsCall(`${sender.url}${orders.settings.path}`, {
        ca,
        headers: { authorization: `Bearer ${token}` },
        body: '{"order":1}',
      });
      expect(called.status).toBe(200);
      expect((await httpsCall(`${sender.url}${orders.settings.path}`, { ca, client: sender })).status).toBe(200);
      expect(landscape.runtimeNode.messages.map(({ body }) => body.toString())).toEqual(['{"order":1}', '']);
      expect(landscape.announced).toEqual(expect.arrayContaining([sender.key.trimEnd(), token]));
    },
  );

  test('a client is refused with the old certificate after a renewal, and let in with the stored one', async () => {
    const landscape = await start();
    const orders = landscape.connect(plan({ credentialType }));
    const before = await stored(landscape, orders.secret);
    orders.renewCertificate({ store: false });
    expect(await stored(landscape, orders.secret)).toEqual(before);
    expect((await askForToken(landscape, before)).status).toBe(401);
    orders.renewCertificate();
    const after = await stored(landscape, orders.secret);
    expect(after.key).not.toBe(before.key);
    expect((await askForToken(landscape, after)).status).toBe(200);
    expect(landscape.authorizationServer.tokenRequests).toMatchObject([
      { status: 401, clientAuthentication: 'certificate' },
      { status: 200, clientAuthentication: 'certificate' },
    ]);
  });

  test('a client with a certificate needs a landscape with tls', async () => {
    const landscape = await start({ tls: false });
    expect(() => landscape.connect(plan({ credentialType }))).toThrow(/^(credentialType|certificateAuthority): /);
  });

  test('a client with a certificate shares the landscape with others of its type', async () => {
    const landscape = await start();
    const senders = ['orders', 'invoices'].map((name) =>
      landscape.connect({ ...plan({ credentialType, pinned: false }), name, flow: { address: `/${name}` } }),
    );
    for (const { secret } of senders) {
      expect((await askForToken(landscape, await stored(landscape, secret))).status).toBe(200);
    }
  });
});

test('the sender’s own key lies beside the service key, which has none', async () => {
  const landscape = await start();
  const orders = landscape.connect(plan({ credentialType: 'certificate_external' }));
  const { oauth, key } = JSON.parse(await storedText(landscape, orders.secret));
  expect(key).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
  expect(Object.keys(oauth)).toEqual(['clientid', 'certificate', 'tokenurl', 'url', 'createdate']);
});

test('nothing of SAP’s side listens any more when the landscape has stopped', async () => {
  const landscape = await startLandscape({ tls: true });
  const { account, runtimeNode, certificateAuthority } = landscape;
  const urls = [account.tokenEndpoint, account.certificateTokenEndpoint, runtimeNode.url].map(String);
  const call = (url: string) => httpsCall(url, { ca: String(certificateAuthority?.caPem) });
  for (const url of urls) await expect(call(url)).resolves.toMatchObject({ status: expect.any(Number) });
  await landscape.stop();
  for (const url of urls) await expect(call(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('the file that makes a process trust the landscape holds no key, and is gone after the stop', async () => {
  const landscape = await startLandscape({ tls: true });
  const file = String(landscape.endpoints.NODE_EXTRA_CA_CERTS);
  const written = existsSync(file) ? readFileSync(file, 'utf8') : '';
  await landscape.stop();
  expect(written).toBe(landscape.certificateAuthority?.caPem);
  expect(existsSync(dirname(file))).toBe(false);
});

test('without tls everything is plain HTTP, and there is no authority', async () => {
  const landscape = await start({ tls: false });
  const { certificateAuthority, endpoints, runtimeNode, authorizationServer } = landscape;
  expect(certificateAuthority).toBeUndefined();
  expect(endpoints.NODE_EXTRA_CA_CERTS).toBeUndefined();
  expect(authorizationServer.certificateServer).toBeUndefined();
  for (const { url } of [runtimeNode, authorizationServer]) expect(url).toMatch(/^http:/);
});

test('a client with a secret has no certificate to renew', async () => {
  const landscape = await start();
  expect(() => landscape.connect(plan({})).renewCertificate()).toThrow(/^certificate: /);
});

describe.each(['neo', 'cf'] as const)('the relay with a client secret on %s', (environment) => {
  test('the relay delivers over HTTPS with a client secret, by the authority that its functions trust', async () => {
    const output: string[] = [];
    const landscape = await start({ environment, onOutput: (line) => output.push(line) });
    const orders = landscape.connect({ name: 'orders' });
    await landscape.deploy();
    orders.queue.send({ body: '{"order":1}' });
    const [message] = await landscape.runtimeNode.waitForMessages(1);
    expect(message?.body.toString()).toBe('{"order":1}');
    expect(landscape.authorizationServer.tokenRequests).toMatchObject([
      { status: 200, clientAuthentication: 'secret' },
    ]);
    for (const url of [landscape.runtimeNode.url, landscape.authorizationServer.url, landscape.account.tokenEndpoint]) {
      expect(url).toMatch(/^https:\/\/127\.0\.0\.1:/);
    }
    expect(output.join('\n')).not.toMatch(/self-signed|unable to verify/);
  });
});

test('endpoints of the other senders name themselves with https: the WSDL, and an entity’s Location', async () => {
  const landscape = await start();
  const client = { credentialType: 'certificate' } as const;
  const soap = landscape.connect(plan(client, { flow: { sender: 'soap' } }));
  const odata = landscape.connect(plan(client, { name: 'ORDERS', flow: { sender: 'odata', csrfProtected: false } }));
  expect([soap.settings.path, odata.settings.path]).toEqual(['/cxf/orders', '/gw/odata/SAP/ORDERS;v=1']);
  const ca = String(landscape.certificateAuthority?.caPem);
  const sender = await stored(landscape, odata.secret);
  const { port } = landscape.runtimeNode.server;
  const call = { ca, client: sender, headers: { 'content-type': 'application/json', accept: 'application/json' } };
  const wsdl = await httpsCall(`${sender.url}/cxf/orders?wsdl`, { ...call, method: 'GET' });
  expect(wsdl.body).toContain(`location="https://127.0.0.1:${port}/cxf/orders"`);
  const created = await httpsCall(`${sender.url}${odata.settings.path}/Orders`, { ...call, body: '{"OrderID":"7"}' });
  expect(created.status).toBe(201);
  expect(created.headers.location).toBe(`https://127.0.0.1:${port}/gw/odata/SAP/ORDERS;v=1/Orders('7')`);
});
