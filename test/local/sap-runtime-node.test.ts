/**
 * The runtime node over HTTP: whose messages reach an integration flow, in which order a call is judged, and its words.
 */

import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type AuthorizationServerCore,
  createAuthorizationServer,
} from '../../infra/local/sap/authorization-server/authorization-server.ts';
import { createSigningKeys } from '../../infra/local/sap/authorization-server/signing-keys.ts';
import { createAccount } from '../../infra/local/sap/cockpit/account.ts';
import { serviceUnavailable, unknownRoute } from '../../infra/local/sap/front.ts';
import { requestTo } from '../../infra/local/sap/http-call.ts';
import type { FlowResult, Received } from '../../infra/local/sap/runtime-node/integration-flow.ts';
import { createRuntimeNode, type RuntimeNodeCore } from '../../infra/local/sap/runtime-node/runtime-node.ts';
import type { Request } from '../../infra/local/server/server.ts';
import { NOON } from '../doubles/time.ts';
import {
  environments,
  formats,
  page,
  role,
  type Sending,
  startTenant,
  stopTenants,
  subscription,
  type Tenant,
} from './sap-tenant.ts';

const mplIdForm = /^A[A-Za-z0-9_-]{27}$/;

afterEach(stopTenants);

describe.each(environments)('a message to a flow without CSRF protection: %s', (environment) => {
  test.each(formats)('a message to a flow without CSRF protection runs the flow, with a %s token', async (format) => {
    const { node, token, send } = await startTenant(environment);
    const bearer = await token(format);
    const body = Buffer.from([0, 255, 13, 10, 200]);
    const headers = { 'content-type': 'application/octet-stream', sap_applicationid: 'order-1' };
    const reply = await send('/http/orders', bearer, { headers, body });
    expect(reply).toMatchObject({ status: 200, body: '', headers: { date: 'Thu, 01 Jan 2026 12:00:00 GMT' } });
    expect(reply.headers['x-correlationid']).toMatch(/^[0-9a-f-]{36}$/);
    expect(reply.headers).not.toHaveProperty('sap_messageprocessinglogid');
    expect(reply.headers).not.toHaveProperty('set-cookie');
    const bodySha256 = createHash('sha256').update(body).digest('hex');
    expect(node.messages).toMatchObject([
      {
        flow: 'Orders',
        at: NOON,
        method: 'POST',
        path: '/http/orders',
        body,
        bodySha256,
        messageId: 'order-1',
        status: 200,
      },
    ]);
    expect(node.messages[0]?.mplId).toMatch(mplIdForm);
    const tokenFingerprint = createHash('sha256').update(bearer).digest('hex').slice(0, 12);
    expect(node.requests).toEqual([
      {
        at: NOON,
        method: 'POST',
        path: '/http/orders',
        status: 200,
        tokenFingerprint,
        callerAuthentication: 'token',
        csrf: 'none',
        flowRan: true,
        worker: 0,
      },
    ]);
  });

  test('a JWT costs the authorization server no call, an opaque token one for each message', async () => {
    const { authorizationServer, token, send } = await startTenant(environment);
    const [jwt, opaque] = [await token('jwt'), await token('opaque')];
    for (const bearer of [jwt, jwt, jwt]) expect((await send('/http/orders', bearer)).status).toBe(200);
    expect(authorizationServer.introspections).toBe(0);
    for (const bearer of [opaque, opaque, opaque]) expect((await send('/http/orders', bearer)).status).toBe(200);
    expect(authorizationServer.introspections).toBe(3);
  });

  test('an outage of the authorization server is 500 with an opaque token, and not seen with a JWT', async () => {
    const { authorizationServer, node, token, send } = await startTenant(environment);
    const [jwt, opaque] = [await token('jwt'), await token('opaque')];
    await send('/http/orders', jwt);
    await authorizationServer.server.stop();
    const refused = await send('/http/orders', opaque);
    expect(refused).toMatchObject({ status: 500, body: expect.stringMatching(page(500, 'Internal Server Error')) });
    expect(refused.body).not.toContain('MPL');
    expect((await send('/http/orders', jwt)).status).toBe(200);
    expect(node.messages).toHaveLength(1 + 1);
    await authorizationServer.server.start();
    expect((await send('/http/orders', opaque)).status).toBe(200);
  });

  test('an error of the authorization server shows as 500, for its keys too, and is not remembered', async () => {
    const { authorizationServer, token, send } = await startTenant(environment);
    const [jwt, opaque] = [await token('jwt'), await token('opaque')];
    for (const bearer of [opaque, jwt]) {
      authorizationServer.server.fail({ fault: serviceUnavailable() });
      expect((await send('/http/orders', bearer)).status).toBe(500);
      expect((await send('/http/orders', bearer)).status).toBe(200);
    }
  });

  test.each(formats)('a missing role is 403, at once and until it is assigned again: %s', async (format) => {
    const { account, node, token, send } = await startTenant(environment);
    const bearer = await token(format);
    account.unassignRole(role);
    const refused = await send('/http/orders', bearer);
    expect(refused).toMatchObject({ status: 403, body: expect.stringMatching(page(403, 'Forbidden')) });
    expect(refused.headers['content-type']).toBe('text/html;charset=utf-8');
    expect(refused.headers).not.toHaveProperty('x-csrf-token');
    account.assignRole(role);
    expect((await send('/http/orders', bearer)).status).toBe(200);
    expect(node.messages).toHaveLength(1);
  });

  test.each(formats)('a role given later works at once on Neo, and with the next token on CF: %s', async (format) => {
    const { account, token, send } = await startTenant(environment);
    account.unassignRole(role);
    const early = await token(format);
    account.assignRole(role);
    expect((await send('/http/orders', early)).status).toBe(environment === 'neo' ? 200 : 403);
    expect((await send('/http/orders', await token(format))).status).toBe(200);
  });

  test.each(formats)('a flow can ask for a role of its own: %s', async (format) => {
    const { account, node, token, send } = await startTenant(environment);
    node.deploy({ name: 'Invoices', address: '/invoices', csrfProtected: false, userRole: 'Invoices.send' });
    expect((await send('/http/invoices', await token(format))).status).toBe(403);
    account.assignRole({ ...role, role: 'Invoices.send' });
    expect((await send('/http/invoices', await token(format))).status).toBe(200);
  });
});

describe.each(environments)('a token that does not count is 401: %s', (environment) => {
  const refusals: [string, (setup: Tenant) => Promise<[string | undefined, Sending?]>][] = [
    ['none', async () => [undefined]],
    ['an empty one', async () => ['']],
    ['an unknown opaque one', async () => ['0'.repeat(32)]],
    ['a thing with two dots', async () => ['a.b.c']],
    [
      'one given twice',
      async ({ token }) => [
        undefined,
        { headers: { authorization: [`Bearer ${await token()}`, `Bearer ${await token()}`] } },
      ],
    ],
    [
      'one under another scheme',
      async ({ token }) => [undefined, { headers: { authorization: `Basic ${await token()}` } }],
    ],
    ['a JWT with a changed signature', async ({ token }) => [(await token()).replace(/.{8}$/, 'AAAAAAAA')]],
    ['a JWT without a signature', async ({ token }) => [unsigned(await token())]],
    ['a JWT for another subscription', async ({ token }) => [await token('jwt', 'elsewhere')]],
    ['an opaque one for another subscription', async ({ token }) => [await token('opaque', 'elsewhere')]],
    ['a JWT of another authorization server', async () => [await (await startTenant(environment)).token()]],
    ['an expired JWT', async (setup) => [await expired(setup, 'jwt')]],
    ['an expired opaque one', async (setup) => [await expired(setup, 'opaque')]],
    ['a revoked opaque one', async (setup) => [await revoked(setup)]],
    ['a JWT that was expired before its time', async (setup) => [await expiredEarly(setup, 'jwt')]],
    ['an opaque one that was expired before its time', async (setup) => [await expiredEarly(setup, 'opaque')]],
  ];

  test.each(refusals)('a token that does not count is 401: %s', async (_what, prepare) => {
    const setup = await startTenant(environment);
    expect((await setup.send('/http/orders', await setup.token())).status).toBe(200);
    const reply = await setup.send('/http/orders', ...(await prepare(setup)));
    expect(reply.status).toBe(401);
    expect(reply.headers['www-authenticate']).toMatch(/^Bearer/);
    if (environment === 'neo') expect(reply.body).toMatch(page(401, 'Unauthorized'));
    else {
      const error_description = 'An Authentication object was not found in the SecurityContext';
      expect(JSON.parse(reply.body)).toEqual({ error: 'unauthorized', error_description });
    }
    expect(setup.node.messages).toHaveLength(1);
    expect(setup.node.requests).toMatchObject([{ flowRan: true }, { status: 401, flowRan: false }]);
  });

  function unsigned(jwt: string): string {
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    return `${header}.${jwt.split('.')[1]}.`;
  }
  async function expired({ token, clock }: Tenant, format: 'jwt' | 'opaque'): Promise<string> {
    const issued = await token(format);
    clock.advance(3_660_000);
    return issued;
  }
  async function revoked({ token, authorizationServer }: Tenant): Promise<string> {
    const issued = await token('opaque');
    authorizationServer.revoke(issued);
    return issued;
  }
  async function expiredEarly({ token, authorizationServer }: Tenant, format: 'jwt' | 'opaque'): Promise<string> {
    const issued = await token(format);
    authorizationServer.expireAllTokens();
    return issued;
  }
});

describe('the 401 of Cloud Foundry', () => {
  test.each([
    ['application/json', 'application/json;charset=UTF-8'],
    ['*/*', 'application/json;charset=UTF-8'],
    ['application/xml, application/json', 'application/json;charset=UTF-8'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9', 'application/xml;charset=UTF-8'],
  ])('the 401 of Cloud Foundry to a client that accepts %s is %s', async (accept, contentType) => {
    const { send } = await startTenant('cf');
    const reply = await send('/http/orders', undefined, { headers: { accept } });
    expect([reply.status, reply.headers['content-type']]).toEqual([401, contentType]);
    if (contentType.includes('xml')) expect(reply.body).toMatch(/^<Unauthorized.*<error>unauthorized<\/error>/);
  });
});

describe.each(environments)('the life of a JWT: %s', (environment) => {
  test.each([
    ['its last second of leeway', 3_659_000, {}, 200],
    ['after the leeway', 3_660_000, {}, 401],
    ['its last second, no leeway', 3_599_000, { leewaySeconds: 0 }, 200],
    ['its end, no leeway', 3_600_000, { leewaySeconds: 0 }, 401],
    ['after the leeway, at a node before 6.76.44', 3_660_000, { expiredTokenStatus: 500 }, 500],
  ] as const)('a JWT counts as long as its claims say: %s', async (_when, ageMs, options, status) => {
    const { clock, node, token, send } = await startTenant(environment, options);
    const bearer = await token();
    clock.advance(ageMs);
    const reply = await send('/http/orders', bearer);
    expect(reply.status).toBe(status);
    expect(reply.body).not.toContain('MPL');
    expect(node.messages).toHaveLength(status === 200 ? 1 : 0);
  });

  test('an authorization server whose clock is behind issues tokens that are old when they are new', async () => {
    const { authorizationServer, token, send } = await startTenant(environment);
    authorizationServer.setClockSkew(-3_700_000);
    expect((await send('/http/orders', await token())).status).toBe(401);
  });

  test('a gentle rotation of keys lets tokens live, a forced one ends them at once', async () => {
    const { authorizationServer, token, send } = await startTenant(environment);
    const status = async (bearer: string): Promise<number> => (await send('/http/orders', bearer)).status;
    const first = await token();
    expect(await status(first)).toBe(200);
    authorizationServer.rotateSigningKey({ keepOld: true });
    const second = await token();
    expect([await status(first), await status(second)]).toEqual([200, 200]);
    authorizationServer.rotateSigningKey();
    expect([await status(first), await status(second), await status(await token())]).toEqual([401, 401, 200]);
  });

  test('the signing keys that cannot be had after a forced rotation are 500', async () => {
    const { authorizationServer, token, send } = await startTenant(environment);
    const bearer = await token();
    expect((await send('/http/orders', bearer)).status).toBe(200);
    authorizationServer.rotateSigningKey();
    await authorizationServer.server.stop();
    expect((await send('/http/orders', bearer)).status).toBe(500);
  });

  test('a deleted client’s JWT still counts until it expires', async () => {
    const { account, token, send } = await startTenant(environment);
    const [jwt, opaque] = [await token('jwt'), await token('opaque')];
    account.deleteClient('orders');
    expect((await send('/http/orders', jwt)).status).toBe(200);
    expect((await send('/http/orders', opaque)).status).toBe(401);
  });
});

describe('addresses', () => {
  test.each([
    ['/http/orders', 200],
    ['/http/orders?x=1', 200],
    ['/http/Orders', 404],
    ['/http/orders/1', 404],
    ['/http/nothing', 404],
    ['/http/', 404],
    ['/orders', 404],
    ['/cxf/orders', 404],
    ['/http/invoices', 200],
    ['/http/invoices/2026/1', 200],
    ['/http/invoices2', 404],
  ])('the address %s is %i', async (path, status) => {
    const { node, token, send } = await startTenant('neo');
    node.deploy({ name: 'Invoices', address: '/invoices/*', csrfProtected: false });
    const reply = await send(path, await token());
    expect(reply.status).toBe(status);
    if (status === 404) expect(reply.body).toMatch(page(404, 'Not Found'));
    expect(node.messages).toHaveLength(status === 200 ? 1 : 0);
  });

  test('a flow that is undeployed is not found, and to a stranger nothing is', async () => {
    const { node, token, send } = await startTenant('neo');
    expect((await send('/http/nothing', undefined)).status).toBe(401);
    node.undeploy('Orders');
    expect((await send('/http/orders', await token())).status).toBe(404);
    expect(() => node.undeploy('Orders')).toThrow(/^name: /);
  });

  test('an address belongs to one flow, which may be deployed again', async () => {
    const { node, token, send } = await startTenant('neo');
    expect(() => node.deploy({ name: 'Other', address: '/orders' })).toThrow(
      /^address: \/orders is already served by Orders/,
    );
    expect(() => node.deploy({ name: 'Other', address: 'other' })).toThrow(/^address: must be a path/);
    node.deploy({ name: 'Orders', address: '/orders', csrfProtected: false, answer: () => ({ status: 202 }) });
    expect((await send('/http/orders', await token())).status).toBe(202);
  });
});

describe('methods', () => {
  test.each([
    ['GET', 200],
    ['POST', 200],
    ['PUT', 200],
    ['DELETE', 200],
    ['PATCH', 200],
    ['HEAD', 405],
    ['OPTIONS', 405],
  ])('a call by %s to a flow without CSRF protection is %i', async (method, status) => {
    const { node, token, send } = await startTenant('neo');
    expect((await send('/http/orders', await token(), { method })).status).toBe(status);
    expect(node.messages.map(({ headers }) => headers.CamelHttpMethod)).toEqual(status === 200 ? [method] : []);
  });

  test('a HEAD to fetch a CSRF token that the flow does not have is 405', async () => {
    const { token, send } = await startTenant('neo');
    const reply = await send('/http/orders', await token(), { method: 'HEAD', headers: { 'x-csrf-token': 'Fetch' } });
    expect(reply).toMatchObject({ status: 405, headers: { allow: 'GET, POST, PUT, DELETE, PATCH' } });
    expect(reply.headers).not.toHaveProperty('x-csrf-token');
  });

  test('a GET to fetch a CSRF token that the flow does not have runs the flow', async () => {
    const { node, token, send } = await startTenant('neo');
    await send('/http/orders', await token(), { method: 'GET', headers: { 'x-csrf-token': 'Fetch' } });
    expect(node.messages).toHaveLength(1);
  });
});

describe('what a flow answers', () => {
  const failedWith = (text: string): RegExp =>
    new RegExp(`^An internal server error occured: ${text}The MPL ID for the failed message is : A[A-Za-z0-9_-]{27}$`);

  test.each([
    ['no content, Camel 2', 6, undefined, 200, /^$/],
    ['no content, Camel 3', 8, undefined, 204, /^$/],
    ['content, Camel 3', 8, { status: 200, body: 'done' }, 200, /^done$/],
    ['any status', 6, { status: 202, headers: { 'x-step': '3' } }, 202, /^$/],
    ['an exception', 6, 'exception', 500, failedWith('')],
    [
      'an exception that is returned to the sender',
      6,
      { exception: 'Order 7 is unknown.' },
      500,
      failedWith('Order 7 is unknown. '),
    ],
  ] as const)('a flow answers %s', async (_what, runtime, result: FlowResult, status, body) => {
    const { node, token, send } = await startTenant('neo');
    node.deploy({ name: 'Orders', address: '/orders', csrfProtected: false, runtime, answer: () => result });
    const reply = await send('/http/orders', await token());
    expect(reply).toMatchObject({ status, body: expect.stringMatching(body) });
    expect(node.messages).toMatchObject([{ status, mplId: expect.stringMatching(mplIdForm) }]);
    expect(node.requests).toMatchObject([{ status, flowRan: true }]);
    if (status === 202) expect(reply.headers['x-step']).toBe('3');
    if (status !== 500) return;
    expect(reply.headers['content-type']).toBe('text/plain');
    expect(reply.body.endsWith(`: ${node.messages[0]?.mplId}`)).toBe(true);
    expect(reply.headers).not.toHaveProperty('x-correlationid');
  });

  test('a flow may return the MPL id in a header', async () => {
    const { node, token, send } = await startTenant('neo');
    node.deploy({ name: 'Orders', address: '/orders', csrfProtected: false, returnMplId: true });
    const reply = await send('/http/orders', await token());
    expect(reply.headers.sap_messageprocessinglogid).toBe(node.messages[0]?.mplId);
  });

  test('a flow’s answer may take its time, and depend on the message', async () => {
    const { node, token, send } = await startTenant('neo');
    const arrived = Promise.withResolvers<Received>();
    const done = Promise.withResolvers<FlowResult>();
    const answer = (received: Received): Promise<FlowResult> => {
      arrived.resolve(received);
      return done.promise;
    };
    node.deploy({ name: 'Orders', address: '/orders', csrfProtected: false, answer });
    const reply = send('/http/orders', await token(), { body: 'slow' });
    expect(String((await arrived.promise).body)).toBe('slow');
    expect(node.messages).toHaveLength(0);
    done.resolve({ status: 201 });
    expect((await reply).status).toBe(201);
    expect(node.messages).toMatchObject([{ status: 201 }]);
  });
});

describe('headers that reach a flow', () => {
  const sent = {
    'content-type': 'text/plain',
    traceparent: '00-1-2-01',
    'X-Order': '7',
    CamelHttpUri: 'http://elsewhere.example',
    SAP_ApplicationID: 'order-7',
  };

  test.each([
    ['none but the protocol’s own', [], {}],
    ['those that are allowed, in any case', ['TraceParent', 'x-order'], { traceparent: '00-1-2-01', 'x-order': '7' }],
    ['all', ['*'], { traceparent: '00-1-2-01', 'x-order': '7', sap_applicationid: 'order-7' }],
    ['never Camel’s or credentials', ['camelhttpuri', 'authorization'], {}],
  ])('headers reach a flow as follows: %s', async (_what, allowedHeaders, custom) => {
    const { node, token, send } = await startTenant('neo');
    node.deploy({ name: 'Orders', address: '/orders', csrfProtected: false, allowedHeaders });
    await send('/http/orders?shop=9&camelX=1', await token(), { headers: sent });
    const { host, 'content-length': _length, ...headers } = node.messages[0]?.headers ?? {};
    expect(host).toMatch(/^127\.0\.0\.1:/);
    delete (headers as Record<string, string>).connection;
    expect(headers).toEqual({
      'content-type': 'text/plain',
      shop: '9',
      CamelHttpMethod: 'POST',
      SapAuthenticatedUserName: 'oauth_client_orders',
      ...custom,
    });
    expect(node.messages[0]?.messageId).toBe('order-7');
  });
});

describe('size', () => {
  test.each([
    [40 * 1024 * 1024, undefined, 200],
    [40 * 1024 * 1024 + 1, undefined, 413],
    [1024 * 1024, 1024 * 1024, 200],
    [1024 * 1024 + 1, 1024 * 1024, 413],
  ])('a message of %i bytes of at most %s is %i', async (bytes, maxBodyBytes, status) => {
    const { node, token, send } = await startTenant('neo');
    const limit = maxBodyBytes === undefined ? {} : { maxBodyBytes };
    node.deploy({ name: 'Orders', address: '/orders', csrfProtected: false, ...limit });
    const reply = await send('/http/orders', await token(), { body: Buffer.alloc(bytes) });
    expect(reply.status).toBe(status);
    expect(node.messages).toHaveLength(status === 200 ? 1 : 0);
    if (status === 200) return;
    const megabytes = maxBodyBytes === undefined ? '40.0' : '1.0';
    expect(reply.body).toContain(`Message body exceeds configured size limit (${megabytes} MB)`);
    expect(reply.body).toMatch(/The MPL ID for the failed message is : A[A-Za-z0-9_-]{27}$/);
  });
});

describe('waits and faults', () => {
  test.each(formats)(
    'an authorization server that hangs is 500 when the node has waited long enough: %s',
    async (format) => {
      const { authorizationServer, token, send } = await startTenant('neo', { authorizationTimeoutMs: 300 });
      const bearer = await token(format);
      authorizationServer.server.fail({ fault: 'hang' });
      expect((await send('/http/orders', bearer)).status).toBe(500);
      expect((await send('/http/orders', bearer)).status).toBe(200);
    },
  );

  test('a wait for messages or calls ends with the last of them, or says how many there are', async () => {
    const { node, token, send } = await startTenant('neo');
    const [messages, requests] = [node.waitForMessages(1), node.waitForRequests(2)];
    await send('/http/nothing', await token());
    await send('/http/orders', await token());
    expect([(await messages).length, (await requests).length]).toEqual([1, 2]);
    const inVain = node.waitForMessages(2, { timeoutMs: 1 });
    await expect(inVain).rejects.toThrow('waited 1 ms in vain: 2 messages, saw 1');
  });

  test('a route that is gone answers in the words of the router', async () => {
    const { node, token, send } = await startTenant('cf');
    node.server.fail({ fault: unknownRoute('acme-dev.example') });
    expect(await send('/http/orders', await token())).toMatchObject({
      status: 404,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-cf-routererror': 'unknown_route' },
      body: "404 Not Found: Requested route ('acme-dev.example') does not exist.\n",
    });
    expect(node.requests).toHaveLength(0);
  });

  test('an answer that is lost leaves a message that was processed', async () => {
    const { node, token, send } = await startTenant('neo');
    node.server.fail({ fault: 'reset-after' });
    await expect(send('/http/orders', await token())).rejects.toThrow();
    expect(node.messages).toMatchObject([{ status: 200 }]);
  });

  test('a node that was stopped comes back with its flows', async () => {
    const { node, token, send } = await startTenant('neo');
    await node.server.stop();
    await expect(send('/http/orders', await token())).rejects.toThrow();
    await node.server.start();
    expect((await send('/http/orders', await token())).status).toBe(200);
  });

  test('keys are fetched once for calls that need them at the same time', async () => {
    const { authorizationServer, token, send } = await startTenant('neo');
    const [first, second] = [await token(), await token()];
    // The second fetch, if there were one, would fail.
    authorizationServer.server.fail({ fault: serviceUnavailable(), when: () => fetches++ > 0 });
    let fetches = 0;
    const replies = await Promise.all([send('/http/orders', first), send('/http/orders', second)]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    expect(fetches).toBe(1);
  });
});

describe('without a socket', () => {
  const now = (): number => NOON;

  /** A Neo account whose client `orders` has the role, and its token requests, both in memory. */
  function inMemory() {
    const account = createAccount({ environment: 'neo', now });
    account.addSubscription({ vmName: subscription, nodeType: 'iflmap' });
    const { clientSecret } = account.registerClient({
      clientId: 'orders',
      subscription,
      authorizationGrant: 'client_credentials',
    });
    account.assignRole(role);
    const basic = `Basic ${Buffer.from(`orders:${clientSecret}`).toString('base64')}`;
    const bearer = async ({ answer }: AuthorizationServerCore, format: string): Promise<string> => {
      const target = `/oauth2/api/v1/token?grant_type=client_credentials&token_format=${format}`;
      const issued = await answer(requestTo('POST', target, { headers: { authorization: basic } }));
      return `Bearer ${JSON.parse(String(issued.body)).access_token}`;
    };
    const nodeTrusting = ({ trust, answer: call }: AuthorizationServerCore): RuntimeNodeCore => {
      const node = createRuntimeNode({ trust, call, subscription, now });
      node.deploy({ name: 'Orders', address: '/orders', csrfProtected: false });
      return node;
    };
    return { account, bearer, nodeTrusting };
  }

  const order = (authorization: string): Request => requestTo('POST', '/http/orders', { headers: { authorization } });

  test('authorization server and node work in memory, on one clock', async () => {
    const { account, bearer, nodeTrusting } = inMemory();
    const authorizationServer = createAuthorizationServer({ account, url: 'https://auth.example', now });
    const node = nodeTrusting(authorizationServer);
    for (const format of formats) {
      const reply = await node.answer(order(await bearer(authorizationServer, format)));
      expect(reply).toMatchObject({ status: 200, headers: { Date: 'Thu, 01 Jan 2026 12:00:00 GMT' } });
    }
    expect(node.messages).toHaveLength(2);
    expect(authorizationServer.introspections).toBe(1);
  });

  test('a JWT of another issuer is 401, though its key is known', async () => {
    const { account, bearer, nodeTrusting } = inMemory();
    const signingKeys = createSigningKeys();
    const own = createAuthorizationServer({ account, url: 'https://auth.example', now, signingKeys });
    const other = createAuthorizationServer({ account, url: 'https://elsewhere.example', now, signingKeys });
    const node = nodeTrusting(own);
    expect((await node.answer(order(await bearer(own, 'jwt')))).status).toBe(200);
    expect((await node.answer(order(await bearer(other, 'jwt')))).status).toBe(401);
  });
});
