/** The authorization server over HTTP: how a token is asked for on Neo and on Cloud Foundry, and what it answers. */

import { generateKeyPairSync } from 'node:crypto';
import { request as sendRequest } from 'node:http';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type AuthorizationServer,
  createAuthorizationServer,
  startAuthorizationServer,
} from '../../infra/local/sap/authorization-server/authorization-server.ts';
import { createSigningKeys } from '../../infra/local/sap/authorization-server/signing-keys.ts';
import { type Account, createAccount } from '../../infra/local/sap/cockpit/account.ts';
import type { Environment } from '../../infra/local/sap/cockpit/oauth-client.ts';
import { nginxPage, serviceUnavailable, tooManyRequests } from '../../infra/local/sap/front.ts';
import { requestTo } from '../../infra/local/sap/http-call.ts';
import { generateKeyPair } from '../doubles/key-pair.ts';
import { createSimulatedTime, type SimulatedTime } from '../doubles/time.ts';

const hourS = 3600;
const secret = '11111111-1111-4111-8111-111111111111$AbC_dEf-01+é%2B=';
const clientId = 'sb-00000000-0000-4000-8000-000000000000!b1234|it-rt-acme-dev!b56';
const form = 'application/x-www-form-urlencoded';
const grant = { grant_type: 'client_credentials' };

const running: AuthorizationServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ server }) => server.stop()));
});

interface Setup {
  readonly account: Account;
  readonly authorizationServer: AuthorizationServer;
  readonly clock: SimulatedTime;
  readonly announced: readonly string[];
  /** Asks for a token; the defaults are the form that the environment's clients use. */
  token(change?: {
    query?: object;
    form?: object;
    headers?: Record<string, string>;
    method?: string;
  }): Promise<TokenAnswer>;
}

interface TokenAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

const basic = (id: string, password: string): string => `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`;

async function setUp(environment: Environment): Promise<Setup> {
  const clock = createSimulatedTime(Date.UTC(2026, 0, 1, 12));
  const now = clock.now;
  const announced: string[] = [];
  const confidential = (value: string): void => void announced.push(value);
  const account = createAccount({ environment, now, confidential });
  account.addSubscription({ vmName: 'acme-dev.iflmap', nodeType: 'iflmap' });
  const subscription = 'acme-dev.iflmap';
  account.registerClient({
    clientId,
    clientSecret: secret,
    subscription,
    authorizationGrant: 'client_credentials',
    tokenLifetimeSeconds: hourS,
  });
  account.assignRole({ user: `oauth_client_${clientId}`, role: 'ESBMessaging.send', subscription });
  const authorizationServer = await startAuthorizationServer({
    account,
    now,
    confidential,
    signingKeys: createSigningKeys({ generateKeyPair }),
  });
  running.push(authorizationServer);

  async function token(change: Parameters<Setup['token']>[0] = {}): Promise<TokenAnswer> {
    const query = new URLSearchParams({ ...(change.query ?? (change.form ? {} : grant)) });
    const response = await fetch(`${authorizationServer.tokenEndpoint}?${query}`, {
      method: change.method ?? 'POST',
      headers: {
        ...(change.form ? { 'content-type': form } : {}),
        ...(change.headers ?? { authorization: basic(clientId, secret) }),
      },
      ...(change.form ? { body: new URLSearchParams({ ...change.form }).toString() } : {}),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : {} };
  }
  return { account, authorizationServer, clock, announced, token };
}

const accessToken = ({ json }: TokenAnswer): string => String(json.access_token);

describe('Neo', () => {
  test('the token endpoint of Neo stands at the path of the guide', async () => {
    const { authorizationServer, account } = await setUp('neo');
    expect(authorizationServer.tokenEndpoint).toBe(`${authorizationServer.url}/oauth2/api/v1/token`);
    expect(account.tokenEndpoint).toBe(authorizationServer.tokenEndpoint);
    expect((await fetch(`${authorizationServer.url}/oauth/token`, { method: 'POST' })).status).toBe(404);
  });

  test('the token endpoint of Neo answers as SAP’s sample, dated by its own clock', async () => {
    const { token } = await setUp('neo');
    const answer = await token();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('date')).toBe('Thu, 01 Jan 2026 12:00:00 GMT');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.json).toEqual({
      access_token: expect.stringMatching(/^[0-9a-f]{32}$/),
      token_type: 'Bearer',
      expires_in: hourS,
      scopes: [],
    });
  });

  test.each([
    ['query, jwt', { query: { ...grant, token_format: 'jwt' } }, 'jwt'],
    ['query, jwtrfc', { query: { ...grant, token_format: 'jwtrfc' } }, 'jwt'],
    ['query, nothing', { query: grant }, 'opaque'],
    ['query, unknown', { query: { ...grant, token_format: 'saml' } }, 'opaque'],
    ['body, jwt', { form: { ...grant, token_format: 'jwt' } }, 'jwt'],
    ['grant in the query, format in the body', { query: grant, form: { token_format: 'jwt' } }, 'jwt'],
  ] as const)('the token endpoint of Neo accepts grant and format: %s', async (_form, change, format) => {
    const { token, authorizationServer } = await setUp('neo');
    const answer = await token(change);
    expect(answer.status).toBe(200);
    expect(accessToken(answer).split('.')).toHaveLength(format === 'jwt' ? 3 : 1);
    const at = Date.UTC(2026, 0, 1, 12);
    expect(authorizationServer.tokenRequests).toEqual([
      { at, clientId, clientAuthentication: 'secret', status: 200, format, expiresAt: at + 3_600_000 },
    ]);
  });

  test.each([
    [
      'credentials in the body',
      { form: { ...grant, client_id: clientId, client_secret: secret }, headers: {} },
      401,
      'unauthorized_client',
    ],
    ['no credentials', { headers: {} }, 401, 'unauthorized_client'],
    ['a wrong secret', { headers: { authorization: basic(clientId, 'wrong') } }, 401, 'invalid_client'],
    ['an unknown client', { headers: { authorization: basic('nobody', secret) } }, 401, 'invalid_client'],
    [
      'a secret that was URL-encoded',
      { headers: { authorization: basic(clientId, encodeURIComponent(secret)) } },
      401,
      'invalid_client',
    ],
    ['no grant', { query: {} }, 400, 'invalid_request'],
    ['another grant', { query: { grant_type: 'password' } }, 400, 'unsupported_grant_type'],
    ['GET', { method: 'GET' }, 405, 'invalid_request'],
  ])('the token endpoint of Neo refuses %s', async (_what, change, status, error) => {
    const { token, authorizationServer } = await setUp('neo');
    const answer = await token(change);
    expect([answer.status, answer.json]).toEqual([status, { error }]);
    expect(authorizationServer.tokenRequests).toMatchObject([{ status, format: undefined }]);
  });

  test('a JWT of Neo names user and subscription, and lives at most 12 hours', async () => {
    const { token, account, authorizationServer } = await setUp('neo');
    account.setTokenLifetime(clientId, 86_400);
    const answer = await token({ query: { ...grant, token_format: 'jwt' } });
    const iat = Date.UTC(2026, 0, 1, 12) / 1000;
    expect(answer.json.expires_in).toBe(43_200);
    expect(decodeJwt(accessToken(answer))).toEqual({
      iss: authorizationServer.url,
      sub: `oauth_client_${clientId}`,
      aud: 'acme-dev.iflmap',
      iat,
      exp: iat + 43_200,
      jti: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  test.each(['jwt', 'opaque'])('an old client of Neo gets expires_in 0: %s', async (format) => {
    const { token, account } = await setUp('neo');
    account.setTokenLifetime(clientId, 0);
    const answer = await token({ query: { ...grant, token_format: format } });
    expect(answer.json.expires_in).toBe(0);
    if (format === 'jwt') expect(decodeJwt(accessToken(answer)).exp).toBe(Date.UTC(2026, 0, 2) / 1000);
  });
});

describe('Cloud Foundry', () => {
  const credentials = { client_id: clientId, client_secret: secret };
  const header = { authorization: basic(clientId, secret) };
  const encoded = basic(encodeURIComponent(clientId), encodeURIComponent(secret));

  test('the token endpoint of Cloud Foundry answers as XSUAA, with a second less of lifetime', async () => {
    const { token, authorizationServer } = await setUp('cf');
    expect(authorizationServer.tokenEndpoint).toBe(`${authorizationServer.url}/oauth/token`);
    const answer = await token();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json;charset=UTF-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('pragma')).toBe('no-cache');
    expect(answer.json).toEqual({
      access_token: expect.stringMatching(/^eyJ/),
      token_type: 'bearer',
      expires_in: 3599,
      scope: 'it-rt-acme-dev!b56.ESBMessaging.send uaa.resource',
      jti: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  test.each([
    ['header, grant in the query, no body', { query: grant, headers: header }],
    ['header and form', { form: grant, headers: header }],
    ['form alone', { form: { ...grant, ...credentials }, headers: {} }],
    ['URL-encoded header, announced', { headers: { authorization: encoded, 'X-CF-ENCODED-CREDENTIALS': 'true' } }],
  ])('the token endpoint of Cloud Foundry accepts credentials: %s', async (_form, change) => {
    expect((await (await setUp('cf')).token(change)).status).toBe(200);
  });

  test.each([
    ['a wrong secret in the header', { headers: { authorization: basic(clientId, 'wrong') } }],
    ['a wrong secret in the form', { form: { ...grant, ...credentials, client_secret: 'wrong' }, headers: {} }],
    ['an unknown client', { headers: { authorization: basic('nobody', secret) } }],
    ['no credentials', { headers: {} }],
    ['a URL-encoded header that is not announced', { headers: { authorization: encoded } }],
    ['a raw header that is announced as encoded', { headers: { ...header, 'X-CF-ENCODED-CREDENTIALS': 'true' } }],
    ['a header that is not Basic', { headers: { authorization: 'Bearer abc' } }],
    ['a header without a colon', { headers: { authorization: `Basic ${Buffer.from('abc').toString('base64')}` } }],
    ['credentials in the query', { query: { ...grant, ...credentials }, headers: {} }],
    ['wrong credentials and no grant', { query: {}, headers: { authorization: basic(clientId, 'wrong') } }],
  ])('the token endpoint of Cloud Foundry refuses %s as bad credentials', async (_what, change) => {
    const answer = await (await setUp('cf')).token(change);
    expect([answer.status, answer.json]).toEqual([
      401,
      { error: 'invalid_client', error_description: 'Bad credentials' },
    ]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'www-authenticate': 'Basic realm="UAA/client", error="unauthorized", error_description="Bad credentials"',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'content-type': 'application/json',
      server: 'nginx',
      'x-vcap-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'strict-transport-security': expect.stringContaining('max-age='),
    });
  });

  test.each([
    ['no grant', { query: {} }, 400, { error: 'invalid_request', error_description: 'Missing grant type' }],
    [
      'a body that is not announced as a form',
      { query: {}, form: grant, headers: { ...header, 'content-type': 'text/plain' } },
      400,
      { error: 'invalid_request' },
    ],
    ['another grant', { form: { grant_type: 'password' } }, 400, { error: 'unsupported_grant_type' }],
    ['GET', { method: 'GET' }, 405, { error: 'method_not_allowed' }],
  ])('the token endpoint of Cloud Foundry refuses %s', async (_what, change, status, body) => {
    const answer = await (await setUp('cf')).token(change);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject(body);
  });

  test.each([
    ['query', { query: { ...grant, token_format: 'opaque' } }],
    ['body', { form: { ...grant, token_format: 'opaque' } }],
  ])(
    'the token endpoint of Cloud Foundry gives an opaque token for token_format=opaque in the %s',
    async (_place, change) => {
      expect(accessToken(await (await setUp('cf')).token(change))).toMatch(/^[0-9a-f]{32}$/);
    },
  );

  test.each(['/oauth/tokn', '/oauth2/api/v1/token', '/'])(
    'a wrong path on Cloud Foundry is answered by UAA’s filter against forged requests: %s',
    async (path) => {
      const { authorizationServer } = await setUp('cf');
      const post = (headers: Record<string, string>) =>
        fetch(`${authorizationServer.url}${path}`, { method: 'POST', headers: { ...header, ...headers } });
      const json = await post({ accept: 'application/json' });
      expect(json.status).toBe(403);
      expect(json.headers.get('content-type')).toBe('application/json');
      expect(await json.json()).toEqual({
        error: expect.stringMatching(/^Could not verify the provided CSRF token because /),
      });
      const forPeople = await post({ accept: 'text/html' });
      expect([forPeople.status, forPeople.headers.get('content-type')]).toEqual([403, 'text/html;charset=utf-8']);
      expect((await fetch(`${authorizationServer.url}${path}`)).status).toBe(404);
      expect(authorizationServer.tokenRequests).toHaveLength(0);
    },
  );

  const send = 'it-rt-acme-dev!b56.ESBMessaging.send';
  const narrowed: readonly (readonly [string, string, string])[] = [
    ['one of its scopes', send, send],
    ['one that opens no flow', 'uaa.resource', 'uaa.resource'],
    ['all of its scopes, in another order', `uaa.resource ${send}`, `${send} uaa.resource`],
    ['none, which stands for all', ' ', `${send} uaa.resource`],
  ];

  test.each(narrowed)(
    'the token endpoint of Cloud Foundry gives a token of no more scopes than it is asked for: %s',
    async (_what, scope, told) => {
      const { token, authorizationServer } = await setUp('cf');
      const answer = await token({ form: { ...grant, scope }, headers: header });
      expect([answer.status, answer.json.scope]).toEqual([200, told]);
      expect(decodeJwt(accessToken(answer))).toMatchObject({ scope: told.split(' '), authorities: told.split(' ') });
      const inQuery = await token({ query: { ...grant, scope } });
      expect(inQuery.json.scope).toBe(told);
      authorizationServer.issueSameTokenAgain(true);
      const all = await token();
      expect(all.json.scope).toBe(`${send} uaa.resource`);
    },
  );

  test.each(['jwt', 'opaque'])(
    'the token endpoint of Cloud Foundry refuses a scope that the client has not, as UAA does: %s',
    async (format) => {
      const { token } = await setUp('cf');
      const answer = await token({ form: { ...grant, token_format: format, scope: `${send} admin` }, headers: header });
      expect([answer.status, answer.json]).toEqual([
        400,
        {
          error: 'invalid_scope',
          error_description: 'admin is invalid. Please use a valid scope name in the request',
        },
      ]);
      expect(answer.headers.get('content-type')).toBe('application/json');
    },
  );

  test('the token endpoint of Cloud Foundry says nothing of scopes before it knows the client', async () => {
    const { token } = await setUp('cf');
    const wrong = { authorization: basic(clientId, 'wrong') };
    expect((await token({ form: { ...grant, scope: 'admin' }, headers: wrong })).status).toBe(401);
  });

  test.each([0, 1, 999])(
    'the token endpoint of Cloud Foundry announces a token of an hour as 3599, written %i ms after it was issued',
    async (ms) => {
      const { token, clock, authorizationServer } = await setUp('cf');
      await token();
      authorizationServer.issueSameTokenAgain(true);
      clock.advance(ms);
      expect((await token()).json.expires_in).toBe(3599);
    },
  );

  test('a JWT of Cloud Foundry has the header and claims of XSUAA', async () => {
    const { token, account, authorizationServer } = await setUp('cf');
    const answer = await token();
    const jwt = accessToken(answer);
    const iat = Date.UTC(2026, 0, 1, 12) / 1000;
    const scope = ['it-rt-acme-dev!b56.ESBMessaging.send', 'uaa.resource'];
    expect(decodeProtectedHeader(jwt)).toEqual({
      alg: 'RS256',
      jku: `${authorizationServer.url}/token_keys`,
      kid: expect.stringMatching(/^default-jwt-key-[0-9a-f]{10}$/),
      typ: 'JWT',
    });
    expect(decodeJwt(jwt)).toEqual({
      jti: answer.json.jti,
      ext_attr: { enhancer: 'XSUAA', subaccountid: account.id, serviceinstanceid: expect.any(String), zdn: 'acme-dev' },
      sub: clientId,
      authorities: scope,
      scope,
      client_id: clientId,
      cid: clientId,
      azp: clientId,
      grant_type: 'client_credentials',
      rev_sig: expect.stringMatching(/^[0-9a-f]{8}$/),
      iat,
      exp: iat + hourS,
      iss: authorizationServer.tokenEndpoint,
      zid: account.id,
      aud: ['uaa', clientId, 'it-rt-acme-dev!b56'],
    });
  });

  test('a role that the client lacks is not in its token of Cloud Foundry', async () => {
    const { token, account } = await setUp('cf');
    account.unassignRole({
      user: `oauth_client_${clientId}`,
      role: 'ESBMessaging.send',
      subscription: 'acme-dev.iflmap',
    });
    expect((await token()).json.scope).toBe('uaa.resource');
  });

  test('Cloud Foundry publishes its keys as UAA, with an ETag', async () => {
    const { authorizationServer } = await setUp('cf');
    const url = `${authorizationServer.url}/token_keys`;
    const first = await fetch(url);
    const key = { kty: 'RSA', alg: 'RS256', use: 'sig', e: 'AQAB', n: expect.any(String), kid: expect.any(String) };
    expect(await first.json()).toEqual({
      keys: [{ ...key, value: expect.stringMatching(/^-----BEGIN PUBLIC KEY-----/) }],
    });
    const etag = first.headers.get('etag') ?? '';
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    authorizationServer.rotateSigningKey({ keepOld: true });
    const second = await fetch(url, { headers: { 'if-none-match': etag } });
    expect(second.status).toBe(200);
    expect(await second.json()).toMatchObject({ keys: [key, key] });
  });
});

describe.each(['neo', 'cf'] as const)('both environments: %s', (environment) => {
  const jwtQuery = { query: { ...grant, token_format: 'jwt' } };
  const opaqueQuery = { query: { ...grant, token_format: 'opaque' } };

  async function verifies(setup: Setup, jwt: string): Promise<boolean> {
    const { trust, url } = setup.authorizationServer;
    const jwks = createRemoteJWKSet(new URL(url + trust.keysPath));
    const options = { issuer: trust.issuer, currentDate: new Date(setup.clock.now()) };
    return jwtVerify(jwt, jwks, options).then(
      () => true,
      () => false,
    );
  }

  test('old signing keys are kept by a gentle rotation, once, and dropped by a forced one', async () => {
    const setup = await setUp(environment);
    const first = accessToken(await setup.token(jwtQuery));
    expect(await verifies(setup, first)).toBe(true);
    setup.authorizationServer.rotateSigningKey({ keepOld: true });
    const second = accessToken(await setup.token(jwtQuery));
    expect(decodeProtectedHeader(second).kid).not.toBe(decodeProtectedHeader(first).kid);
    expect([await verifies(setup, first), await verifies(setup, second)]).toEqual([true, true]);
    setup.authorizationServer.rotateSigningKey({ keepOld: true });
    expect([await verifies(setup, first), await verifies(setup, second)]).toEqual([false, true]);
    setup.authorizationServer.rotateSigningKey();
    expect(await verifies(setup, second)).toBe(false);
  });

  test('a rotated secret is refused from now on, and the new one accepted', async () => {
    const { account, token } = await setUp(environment);
    const renewed = account.rotateClientSecret(clientId);
    expect((await token()).status).toBe(401);
    expect((await token({ headers: { authorization: basic(clientId, renewed) } })).status).toBe(200);
    account.deleteClient(clientId);
    expect((await token({ headers: { authorization: basic(clientId, renewed) } })).status).toBe(401);
  });

  test('every token is another one, unless the same is to be issued again while it is valid', async () => {
    const setup = await setUp(environment);
    const next = async (): Promise<string> => accessToken(await setup.token(jwtQuery));
    expect(await next()).not.toBe(await next());
    setup.authorizationServer.issueSameTokenAgain(true);
    const kept = await next();
    setup.clock.advance(1_000_000);
    const again = await setup.token(jwtQuery);
    expect(accessToken(again)).toBe(kept);
    expect(again.json.expires_in).toBe(environment === 'cf' ? 2599 : 2600);
    expect(accessToken(await setup.token(opaqueQuery))).not.toBe(kept);
    setup.clock.advance(2_600_000);
    const renewed = await next();
    expect(renewed).not.toBe(kept);
    setup.authorizationServer.rotateSigningKey();
    expect(await next()).not.toBe(renewed);
    setup.authorizationServer.issueSameTokenAgain(false);
    expect(await next()).not.toBe(await next());
  });

  test('an expires_in can be made another than the true lifetime', async () => {
    const { authorizationServer, token } = await setUp(environment);
    authorizationServer.setExpiresIn(0);
    expect((await token()).json.expires_in).toBe(0);
    authorizationServer.setExpiresIn('absent');
    expect(Object.keys((await token()).json)).not.toContain('expires_in');
    authorizationServer.setExpiresIn('true');
    expect((await token()).json.expires_in).toBe(environment === 'cf' ? 3599 : 3600);
  });

  test('a clock that is ahead dates tokens and answers', async () => {
    const { authorizationServer, token } = await setUp(environment);
    authorizationServer.setClockSkew(90_000);
    const answer = await token(jwtQuery);
    expect(answer.headers.get('date')).toBe('Thu, 01 Jan 2026 12:01:30 GMT');
    expect(decodeJwt(accessToken(answer)).iat).toBe(Date.UTC(2026, 0, 1, 12, 1, 30) / 1000);
  });

  test.each([
    ['a rate limit', tooManyRequests({ retryAfterSeconds: 7 }), 429, '7', '<h1>429 Too Many Requests</h1>'],
    ['a restart', serviceUnavailable(), 503, null, '<h1>503 Service Temporarily Unavailable</h1>'],
    ['a restart with an end', serviceUnavailable({ retryAfterSeconds: 3 }), 503, '3', '<h1>503'],
    ['an error page', nginxPage(502, 'Bad Gateway'), 502, null, '<h1>502 Bad Gateway</h1>'],
  ])('a failure %s is a page, counted among the requests', async (_what, fault, status, retryAfter, text) => {
    const { authorizationServer, token } = await setUp(environment);
    authorizationServer.failTokenRequests(fault, { times: 2 });
    const answers = [await token(), await token(), await token()];
    expect(answers.map((answer) => answer.status)).toEqual([status, status, 200]);
    expect(answers[0]?.headers.get('retry-after')).toBe(retryAfter);
    expect(answers[0]?.headers.get('content-type')).toBe('text/html');
    expect(answers[0]?.text).toContain(text);
    expect(authorizationServer.tokenRequests.map((entry) => entry.status)).toEqual([status, status, 200]);
  });

  test('a wait for token requests ends with the last of them, or says how many there are', async () => {
    const { authorizationServer, token } = await setUp(environment);
    const waiting = authorizationServer.waitForTokenRequests(2);
    await token();
    await token();
    expect(await waiting).toHaveLength(2);
    const inVain = authorizationServer.waitForTokenRequests(3, { timeoutMs: 1 });
    await expect(inVain).rejects.toThrow('waited 1 ms in vain: 3 token requests, saw 2');
  });

  test('credentials and tokens are announced', async () => {
    const { announced, token } = await setUp(environment);
    const issued = [accessToken(await token(jwtQuery)), accessToken(await token(opaqueQuery))];
    await token({ headers: { authorization: basic(clientId, 'typed wrong') } });
    expect(announced).toEqual(
      expect.arrayContaining([...issued, secret, 'typed wrong', basic(clientId, secret).slice(6)]),
    );
    expect(announced).not.toContain('');
  });

  test('only the runtime node may introspect', async () => {
    const { authorizationServer } = await setUp(environment);
    const url = authorizationServer.url + authorizationServer.trust.introspectionPath;
    const body = new URLSearchParams({ token: 'x', access_token: 'x' });
    expect((await fetch(url, { method: 'POST', body })).status).toBe(401);
    const authorization = basic(clientId, secret);
    expect((await fetch(url, { method: 'POST', body, headers: { authorization } })).status).toBe(401);
    expect(authorizationServer.introspections).toBe(2);
  });

  test('a JWT cannot be revoked', async () => {
    const { authorizationServer, token } = await setUp(environment);
    const jwt = accessToken(await token(jwtQuery));
    expect(() => authorizationServer.revoke(jwt)).toThrow(/only an opaque token/);
  });
});

describe('a server that issues the same token again', () => {
  test.each([
    ['revoked', ({ authorizationServer }: Setup, token: string) => authorizationServer.revoke(token)],
    ['expired', ({ authorizationServer }: Setup) => authorizationServer.expireAllTokens()],
  ])('a server that issues the same token again does not issue one that was %s', async (_how, withdraw) => {
    const setup = await setUp('neo');
    setup.authorizationServer.issueSameTokenAgain(true);
    const first = accessToken(await setup.token());
    expect(accessToken(await setup.token())).toBe(first);
    withdraw(setup, first);
    expect(accessToken(await setup.token())).not.toBe(first);
  });
});

describe('introspection of opaque tokens', () => {
  type Lookup = (parameters: string) => Promise<{ status: number; body: unknown }>;

  async function introspecting(environment: Environment): Promise<Setup & { ask: Lookup; opaque: string }> {
    const setup = await setUp(environment);
    const { trust, url } = setup.authorizationServer;
    const { clientId: id, clientSecret } = trust.resourceServer;
    const headers = { authorization: basic(id, clientSecret), 'content-type': form };
    const ask: Lookup = async (body) => {
      const response = await fetch(url + trust.introspectionPath, { method: 'POST', headers, body });
      return { status: response.status, body: await response.json() };
    };
    const opaque = accessToken(await setup.token({ query: { ...grant, token_format: 'opaque' } }));
    return { ...setup, ask, opaque };
  }

  const refused = {
    neo: { status: 401, body: { error: 'invalid_token' } },
    cf: { status: 200, body: { active: false } },
  };
  const parameter = { neo: 'access_token', cf: 'token' };

  test('introspection of opaque tokens on Neo answers by status', async () => {
    const { ask, opaque } = await introspecting('neo');
    expect(await ask(`access_token=${opaque}`)).toEqual({
      status: 200,
      body: { client_id: clientId, aud: 'acme-dev.iflmap' },
    });
  });

  test('introspection of opaque tokens on CF answers as RFC 7662', async () => {
    const { ask, opaque } = await introspecting('cf');
    const aud = ['uaa', clientId, 'it-rt-acme-dev!b56'];
    const body = { active: true, client_id: clientId, aud, scope: 'it-rt-acme-dev!b56.ESBMessaging.send' };
    expect(await ask(`token=${opaque}`)).toEqual({ status: 200, body });
  });

  describe.each(['neo', 'cf'] as const)('%s', (environment) => {
    test.each([
      [
        'expired',
        ({ clock }: Setup) => {
          clock.advance(hourS * 1000);
        },
      ],
      ['revoked', ({ authorizationServer }: Setup, token: string) => authorizationServer.revoke(token)],
      ['expired before its time', ({ authorizationServer }: Setup) => authorizationServer.expireAllTokens()],
      ['orphaned', ({ account }: Setup) => account.deleteClient(clientId)],
    ])('a token that is %s does not count in the introspection', async (_how, change) => {
      const setup = await introspecting(environment);
      const asked = `${parameter[environment]}=${setup.opaque}`;
      expect((await setup.ask(asked)).body).toMatchObject({ client_id: clientId });
      change(setup, setup.opaque);
      expect(await setup.ask(asked)).toEqual(refused[environment]);
    });

    test.each([
      ['none', () => ''],
      ['an empty one', (name: string) => `${name}=`],
      ['two', (name: string) => `${name}=a&${name}=b`],
    ])('an introspection with %s is a bad request', async (_what, parameters) => {
      const { ask } = await introspecting(environment);
      expect((await ask(parameters(parameter[environment]))).status).toBe(400);
    });

    test('an unknown token does not count in the introspection', async () => {
      const { ask } = await introspecting(environment);
      expect(await ask(`${parameter[environment]}=${'0'.repeat(32)}`)).toEqual(refused[environment]);
    });
  });

  test('an unlimited token lives on, until a lifetime dates it anew', async () => {
    const { account, token, ask, clock } = await introspecting('neo');
    account.setTokenLifetime(clientId, 0);
    const unlimited = accessToken(await token());
    clock.advance(365 * 86_400_000);
    expect((await ask(`access_token=${unlimited}`)).status).toBe(200);
    account.setTokenLifetime(clientId, 180 * 86_400);
    expect((await ask(`access_token=${unlimited}`)).status).toBe(401);
  });
});

describe('without a socket', () => {
  test('the same requests at the same times with the same randomness and keys give the same tokens', async () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const run = async (): Promise<string> => {
      let seed = 0;
      const random = (size: number): Uint8Array =>
        Uint8Array.from({ length: size }, () => (seed = (seed * 73 + 41) % 251));
      const now = (): number => 1_800_000_000_000;
      const account = createAccount({ environment: 'cf', random, now });
      const { vmName: subscription } = account.addSubscription({ vmName: 'acme-dev.iflmap', nodeType: 'iflmap' });
      const client = account.registerClient({ clientId: 'c', subscription, authorizationGrant: 'client_credentials' });
      const signingKeys = createSigningKeys({ random, generateKeyPair: () => pair });
      const core = createAuthorizationServer({ account, url: 'https://auth.example', random, now, signingKeys });
      const authorization = basic('c', client.clientSecret);
      const request = requestTo('POST', '/oauth/token?grant_type=client_credentials', { headers: { authorization } });
      return String((await core.answer(request)).body);
    };
    const first = await run();
    expect(JSON.parse(first)).toMatchObject({ token_type: 'bearer' });
    expect(await run()).toBe(first);
  });
});

describe('faults of the network', () => {
  test.each(['reset-before', 'reset-after', 'half-answer'] as const)(
    'a fault of the network, %s, reaches the client as a broken connection',
    async (fault) => {
      const { authorizationServer, token } = await setUp('neo');
      authorizationServer.server.fail({ fault });
      await expect(token()).rejects.toThrow();
      expect(authorizationServer.tokenRequests).toHaveLength(fault === 'reset-before' ? 0 : 1);
      expect((await token()).status).toBe(200);
    },
  );

  test('a server that was stopped comes back at the same address with its memory', async () => {
    const { authorizationServer, token } = await setUp('neo');
    await authorizationServer.server.stop();
    await expect(token()).rejects.toThrow();
    await authorizationServer.server.start();
    expect((await token()).status).toBe(200);
    expect(authorizationServer.tokenRequests).toHaveLength(1);
  });

  test('a token request without a body or any header but the credentials is enough', async () => {
    const { authorizationServer } = await setUp('neo');
    const url = `${authorizationServer.tokenEndpoint}?grant_type=client_credentials&token_format=jwt`;
    const status = await new Promise((resolve, reject) => {
      const headers = { authorization: basic(clientId, secret) };
      sendRequest(url, { method: 'POST', headers, agent: false }, (response) => resolve(response.resume().statusCode))
        .once('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });
});
