/** CSRF protection of the HTTPS sender over HTTP: fetching a token, its session's cookies, and what breaks the pair. */
import { afterEach, describe, expect, test } from 'vitest';
import type { RuntimeNodeOptions } from '../../infra/local/sap/runtime-node/runtime-node.ts';
import { environments, page, type Reply, role, type Sending, startTenant, stopTenants } from './sap-tenant.ts';

afterEach(stopTenants);

describe.each(environments)('CSRF protection: %s', (environment) => {
  const cookieNames = [
    'JSESSIONID',
    'JTENANTSESSIONID_acme-dev',
    environment === 'cf' ? '__VCAP_ID__' : 'BIGipServeracme-dev-iflmap.hana.ondemand.com',
  ];
  const path = '/http/safe';

  async function protectedFlow(options: Partial<RuntimeNodeOptions> = {}) {
    const setup = await startTenant(environment, options);
    setup.node.deploy({ name: 'Safe', address: '/safe' });
    const bearer = await setup.token();
    const send = (sending: Sending): Promise<Reply> => setup.send(path, bearer, sending);
    const fetchToken = async (method = 'HEAD'): Promise<{ csrf: string; cookie: string; reply: Reply }> => {
      const reply = await send({ method, headers: { 'X-CSRF-Token': 'Fetch' } });
      return { csrf: String(reply.headers['x-csrf-token']), cookie: cookiesOf(reply), reply };
    };
    const post = (csrf: string, cookie: string): Promise<Reply> =>
      send({ headers: { 'x-csrf-token': csrf, cookie }, body: '{}' });
    return { ...setup, bearer, send, fetchToken, post };
  }

  const setCookies = ({ headers }: Reply): readonly string[] => (headers['set-cookie'] as string[] | undefined) ?? [];
  const cookiesOf = (reply: Reply): string =>
    setCookies(reply)
      .map((line) => line.split(';')[0])
      .join('; ');
  const names = (reply: Reply): string[] => setCookies(reply).map((line) => line.slice(0, line.indexOf('=')));

  test.each(['HEAD', 'GET'])('a CSRF token is fetched by %s, and the flow does not run', async (method) => {
    const { node, fetchToken, post } = await protectedFlow();
    const { csrf, cookie, reply } = await fetchToken(method);
    expect(reply.status).toBe(200);
    expect(csrf).toMatch(/^[0-9A-F]{32}$/);
    expect(names(reply)).toEqual(cookieNames);
    expect(setCookies(reply).every((line) => line.endsWith('; Path=/; Secure; HttpOnly'))).toBe(true);
    expect(node.messages).toHaveLength(0);
    expect((await post(csrf, cookie)).status).toBe(200);
    expect((await post(csrf, cookie)).status).toBe(200);
    expect(node.requests.map(({ csrf: intent, flowRan }) => [intent, flowRan])).toEqual([
      ['fetch', false],
      ['sent', true],
      ['sent', true],
    ]);
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])(
    'a request by %s without a CSRF token is 403, and says why in a header',
    async (method) => {
      const { node, send } = await protectedFlow();
      const reply = await send({ method });
      expect(reply).toMatchObject({ status: 403, body: expect.stringMatching(page(403, 'Forbidden')) });
      expect(reply.headers['x-csrf-token']).toBe('required');
      expect(names(reply)).toEqual(cookieNames);
      expect(node.messages).toHaveLength(0);
      expect(node.requests).toMatchObject([{ csrf: 'none', flowRan: false }]);
    },
  );

  test('a GET that fetches nothing runs the flow', async () => {
    const { node, send } = await protectedFlow();
    expect((await send({ method: 'GET' })).status).toBe(200);
    expect(node.messages).toHaveLength(1);
  });

  const spoiled: [
    string,
    (csrf: string, cookie: string, other: { csrf: string; cookie: string }) => [string, string],
  ][] = [
    ['a wrong token', (_csrf, cookie) => ['0'.repeat(32), cookie]],
    ['the word Fetch', (_csrf, cookie) => ['Fetch', cookie]],
    ['no cookies', (csrf) => [csrf, '']],
    ['cookies of another session', (csrf, _cookie, other) => [csrf, other.cookie]],
    ['the token of another session', (_csrf, cookie, other) => [other.csrf, cookie]],
    [
      'cookies that were URL-encoded',
      (csrf, cookie) => [csrf, cookie.replace(/=([^;]*)/g, (_, value) => `=${encodeURIComponent(value)}`)],
    ],
    [
      'cookies that were URL-decoded',
      (csrf, cookie) => [csrf, cookie.replace(/=([^;]*)/g, (_, value) => `=${decodeURIComponent(value)}`)],
    ],
    [
      'a JSESSIONID that was URL-encoded',
      (csrf, cookie) => [
        csrf,
        cookie.replace(/^JSESSIONID=([^;]*)/, (_, value) => `JSESSIONID=${encodeURIComponent(value)}`),
      ],
    ],
    ['no JSESSIONID', (csrf, cookie) => [csrf, cookie.replace(/^JSESSIONID=[^;]*; /, '')]],
    ['no JTENANTSESSIONID', (csrf, cookie) => [csrf, cookie.replace(/JTENANTSESSIONID[^;]*; /, '')]],
    [
      'a JTENANTSESSIONID of another session',
      (csrf, cookie, other) => [csrf, cookie.replace(/JTENANT[^;]*/, /JTENANT[^;]*/.exec(other.cookie)?.[0] ?? '')],
    ],
  ];

  test.each(spoiled)('a message with %s is 403', async (_what, spoil) => {
    const { node, fetchToken, post } = await protectedFlow();
    const [one, other] = [await fetchToken(), await fetchToken()];
    expect(other.csrf).not.toBe(one.csrf);
    const reply = await post(...spoil(one.csrf, one.cookie, other));
    expect(reply.status).toBe(403);
    expect(reply.headers['x-csrf-token']).toBe('required');
    expect(node.messages).toHaveLength(0);
    expect((await post(one.csrf, one.cookie)).status).toBe(200);
  });

  test('a session goes on: no new cookies, the same CSRF token', async () => {
    const { send, fetchToken, post } = await protectedFlow();
    const refused = await send({});
    const cookie = cookiesOf(refused);
    const again = await send({ method: 'GET', headers: { 'x-csrf-token': 'fetch', cookie } });
    expect(setCookies(again)).toEqual([]);
    expect((await post(String(again.headers['x-csrf-token']), cookie)).status).toBe(200);
    expect(setCookies(await post('wrong', cookie))).toEqual([]);
    expect((await fetchToken()).csrf).not.toBe(again.headers['x-csrf-token']);
  });

  test('a dropped session and one that was idle for 20 minutes are 403; use keeps a session alive', async () => {
    const { node, clock, fetchToken, post } = await protectedFlow();
    const first = await fetchToken();
    for (const waitedMs of [0, 1_199_999, 1_199_999]) {
      clock.advance(waitedMs);
      expect((await post(first.csrf, first.cookie)).status).toBe(200);
    }
    clock.advance(1_200_000);
    expect((await post(first.csrf, first.cookie)).status).toBe(403);
    const second = await fetchToken();
    node.dropCsrfSessions();
    expect((await post(second.csrf, second.cookie)).status).toBe(403);
    const third = await fetchToken();
    expect((await post(third.csrf, third.cookie)).status).toBe(200);
  });

  test('a session can get a new id with each message: the CSRF token stays, and the old id is gone', async () => {
    const { node, fetchToken, post } = await protectedFlow();
    node.renewSessionIds();
    const { csrf, cookie } = await fetchToken();
    const first = await post(csrf, cookie);
    expect(first.status).toBe(200);
    expect(names(first)).toEqual(['JSESSIONID']);
    expect((await post(csrf, cookie)).status).toBe(403);
    const followed = cookie.replace(/^JSESSIONID=[^;]*/, cookiesOf(first));
    expect((await post(csrf, followed)).status).toBe(200);
    node.renewSessionIds(false);
    const { csrf: other, cookie: kept } = await fetchToken();
    expect(setCookies(await post(other, kept))).toEqual([]);
    expect((await post(other, kept)).status).toBe(200);
  });

  test('a session lives in one of several workers, to which its routing cookie leads', async () => {
    const { fetchToken, post } = await protectedFlow({ workers: 2 });
    const { csrf, cookie } = await fetchToken();
    const unrouted = cookie.slice(0, cookie.lastIndexOf('; '));
    const statuses: number[] = [];
    for (const sent of [cookie, cookie, cookie, unrouted, unrouted]) statuses.push((await post(csrf, sent)).status);
    expect(statuses.slice(0, 3)).toEqual([200, 200, 200]);
    expect(statuses.slice(3).toSorted()).toEqual([200, 403]);
  });

  test('the routing cookie is not needed with one worker', async () => {
    const { fetchToken, post } = await protectedFlow();
    const { csrf, cookie } = await fetchToken();
    expect((await post(csrf, cookie.slice(0, cookie.lastIndexOf('; ')))).status).toBe(200);
  });

  test('token and role are judged before CSRF, and size after', async () => {
    const { account, node, send, fetchToken, post } = await protectedFlow();
    node.deploy({ name: 'Safe', address: '/safe', maxBodyBytes: 1 });
    expect((await send({ headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect((await send({ body: 'too long' })).headers['x-csrf-token']).toBe('required');
    const { csrf, cookie } = await fetchToken();
    expect((await post(csrf, cookie)).status).toBe(413);
    account.unassignRole(role);
    const refused = await send({});
    expect(refused.status).toBe(403);
    expect(refused.headers).not.toHaveProperty('x-csrf-token');
    expect((await send({ method: 'HEAD', headers: { 'x-csrf-token': 'Fetch' } })).status).toBe(403);
  });

  test('fetching a CSRF token with an opaque access token costs an introspection as well', async () => {
    const { authorizationServer, token, send, fetchToken } = await protectedFlow();
    await fetchToken();
    expect(authorizationServer.introspections).toBe(0);
    await send({
      method: 'HEAD',
      headers: { 'x-csrf-token': 'Fetch', authorization: `Bearer ${await token('opaque')}` },
    });
    expect(authorizationServer.introspections).toBe(1);
  });

  test('the secrets of a session are announced', async () => {
    const { announced, bearer, fetchToken, post } = await protectedFlow();
    const { csrf, cookie } = await fetchToken();
    await post(csrf, cookie);
    const values = cookie
      .split('; ')
      .slice(0, 2)
      .map((pair) => pair.slice(pair.indexOf('=') + 1));
    expect(announced).toEqual(expect.arrayContaining([bearer, csrf, '{}', ...values]));
    expect(announced).not.toContain('');
  });
});
