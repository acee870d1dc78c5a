/**
 * What all four senders have in common: each row of the status table, allowed headers, sizes, worker nodes, what HTTPS
 * may return.
 */

import { request as sendRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { nginxPage, serviceUnavailable, unknownRoute } from '../../infra/local/sap/front.ts';
import { type Deployment, endpointPath, type FlowResult } from '../../infra/local/sap/runtime-node/integration-flow.ts';
import type { RuntimeNodeOptions } from '../../infra/local/sap/runtime-node/runtime-node.ts';
import type { Answer } from '../../infra/local/server/server.ts';
import { cookiesOf, page, type Reply, role, type Sending, startTenant, stopTenants } from './sap-tenant.ts';

const soapEnvelope = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>';

/** A flow of each sender, and a message that it takes. */
const senders = [
  { sender: 'https', below: '', contentType: 'application/json', body: '{}', success: 200 },
  { sender: 'soap', below: '', contentType: 'text/xml', body: soapEnvelope, success: 200 },
  { sender: 'soap-rm', below: '?MessageId=1', contentType: 'text/xml', body: soapEnvelope, success: 202 },
  { sender: 'odata', below: '/Orders', contentType: 'application/json', body: '{}', success: 201 },
] as const;
type SenderCase = (typeof senders)[number];

afterEach(stopTenants);

const pathOf = ({ sender, below }: SenderCase): string => `${endpointPath({ sender, address: '/flow' })}${below}`;

/** A tenant with one flow of that sender, `Flow` at /flow without CSRF protection, and a way to send its message. */
async function flowOf(
  { sender, below, contentType, body }: SenderCase,
  more: Partial<Deployment> = {},
  options: Partial<RuntimeNodeOptions & { bodyGapMs: number }> = {},
) {
  const tenant = await startTenant('cf', options);
  const deployment = { name: 'Flow', sender, address: '/flow', csrfProtected: false, ...more };
  const deploy = (settings: Partial<Deployment>): void => tenant.node.deploy({ ...deployment, ...settings });
  deploy({});
  const bearer = await tenant.token();
  const path = `${endpointPath(deployment)}${below}`;
  const post = ({
    headers = {},
    ...sending
  }: Sending & { token?: string | undefined; path?: string } = {}): Promise<Reply> => {
    const token = 'token' in sending ? sending.token : bearer;
    return tenant.send(sending.path ?? path, token, {
      body,
      ...sending,
      headers: { 'content-type': contentType, accept: 'application/json', ...headers },
    });
  };
  return { ...tenant, bearer, deploy, path, post };
}

describe.each(senders)('the status table at the sender $sender', (at) => {
  type Stage = Awaited<ReturnType<typeof flowOf>>;
  interface Row {
    readonly situation: string;
    readonly flow?: Partial<Deployment>;
    readonly options?: Partial<RuntimeNodeOptions>;
    readonly cause?: (stage: Stage) => void;
    readonly sending?: Sending & { readonly token?: string | undefined; readonly path?: string };
    readonly status: number;
    readonly body: RegExp;
  }
  const late = ({ clock }: Stage): void => {
    clock.advance(3_660_000);
  };
  const html = {
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'Not Found',
    405: 'Method Not Allowed',
    500: 'Internal Server Error',
  };
  const tomcat = (status: keyof typeof html) => ({ status, body: page(status, html[status]) });
  const fault = (answer: Answer) => ({
    status: answer.status,
    cause: ({ node }: Stage) => node.server.fail({ fault: answer }),
  });
  const unauthenticated = {
    status: 401,
    body: /"error":"unauthorized","error_description":"An Authentication object was not found/,
  };
  const elsewhere = at.sender === 'https' ? '/cxf/flow' : '/http/flow';
  const rows: Row[] = [
    { situation: 'no token', sending: { token: undefined }, ...unauthenticated },
    { situation: 'a malformed token', sending: { token: 'a.b.c' }, ...unauthenticated },
    { situation: 'an unknown token', sending: { token: '0'.repeat(32) }, ...unauthenticated },
    {
      situation: 'no token, to who accepts XML',
      sending: { token: undefined, headers: { accept: 'text/xml' } },
      status: 401,
      body: /^<UnauthorizedException>/,
    },
    { situation: 'an expired token', cause: late, ...unauthenticated },
    {
      situation: 'an expired token, before patch 6.76.44',
      options: { expiredTokenStatus: 500 },
      cause: late,
      ...tomcat(500),
    },
    { situation: 'no role', cause: ({ account }) => account.unassignRole(role), ...tomcat(403) },
    { situation: 'no CSRF token', flow: { csrfProtected: true }, ...tomcat(403) },
    { situation: 'a flow that is not deployed', cause: ({ node }) => node.undeploy('Flow'), ...tomcat(404) },
    {
      situation: 'the address in another case',
      flow: { address: '/Flow' },
      sending: { path: pathOf(at) },
      ...tomcat(404),
    },
    { situation: 'the address under another servlet', sending: { path: elsewhere }, ...tomcat(404) },
    {
      situation: 'a route that is gone',
      ...fault(unknownRoute('it.example')),
      body: /Requested route \('it\.example'\) does not/,
    },
    { situation: 'a node that is down', ...fault(serviceUnavailable()), body: /nginx/ },
    { situation: 'a gateway without a node', ...fault(nginxPage(502, 'Bad Gateway')), body: /nginx/ },
    {
      situation: 'no capacity',
      options: { maxConcurrentMessages: 0 },
      status: 503,
      body: page(503, 'Service Unavailable'),
    },
    {
      situation: 'throttling',
      options: { maxConcurrentMessages: 0, exhaustedStatus: 429 },
      status: 429,
      body: page(429, 'Too Many Requests'),
    },
    { situation: 'too large', flow: { maxBodyBytes: 1 }, status: 413, body: /MPL ID/ },
    { situation: 'a method that is not allowed', flow: { methods: ['GET'] }, ...tomcat(405) },
  ];

  test.each(rows)(
    'a call with $situation is $status, and no flow runs',
    async ({ flow = {}, options, cause, sending, status, body }) => {
      const stage = await flowOf(at, flow, options);
      cause?.(stage);
      const reply = await stage.post(sending);
      expect(reply.status).toBe(status);
      expect(reply.body).toMatch(body);
      expect(stage.node.messages).toHaveLength(0);
      const csrf = at.sender === 'odata' ? 'Required' : 'required';
      expect(reply.headers['x-csrf-token']).toBe(flow.csrfProtected ? csrf : undefined);
      expect(reply.headers).not.toHaveProperty('x-landscape-notice');
    },
  );

  test('a message runs its flow, and an exception is 500 with the MPL id', async () => {
    const results: FlowResult[] = [undefined, 'exception'];
    const { node, post } = await flowOf(at, { answer: () => results.shift() });
    expect((await post()).status).toBe(at.success);
    const reply = await post();
    expect(reply).toMatchObject({ status: 500, body: expect.stringContaining(node.messages[1]?.mplId ?? 'none') });
    expect(node.messages.map(({ sender, mplStatus }) => [sender, mplStatus])).toEqual([
      [at.sender, 'COMPLETED'],
      [at.sender, 'FAILED'],
    ]);
  });

  test('a body that lets no byte come for too long is 408', async () => {
    const { node, path } = await flowOf(at, {}, { bodyGapMs: 50 });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = sendRequest(
        `${node.url}${path}`,
        { method: 'POST', agent: false, headers: { 'content-length': 9 } },
        (incoming) => {
          incoming.resume();
          resolve(incoming.statusCode);
          outgoing.destroy();
        },
      );
      outgoing.once('error', reject);
      outgoing.write('half');
    });
    expect(status).toBe(408);
    expect(node.requests).toHaveLength(0);
  });

  test('a message of exactly the largest size is accepted', async () => {
    const { node, post } = await flowOf(at, { maxBodyBytes: at.body.length });
    expect((await post()).status).toBe(at.success);
    expect((await post({ body: `${at.body} ` })).status).toBe(413);
    expect(node.messages).toHaveLength(1);
  });

  test('a header that is not allowed is dropped, and named in the log', async () => {
    const allowedHeaders = ['TraceParent'];
    const { node, post } = await flowOf(at, { allowedHeaders });
    const headers = {
      SAP_ApplicationID: '7',
      traceparent: '00-1',
      'sap-passport': '2A',
      CamelHttpUri: 'x',
      camelfileName: 'y',
    };
    const reply = await post({ headers });
    expect(reply.headers['x-landscape-notice']).toBe(
      [
        'SAP_ApplicationID dropped: not among Allowed Headers',
        'sap-passport dropped: not among Allowed Headers',
        'CamelHttpUri dropped: headers that begin with camel are always removed',
        'camelfileName dropped: headers that begin with camel are always removed',
      ].join('; '),
    );
    const [message] = node.messages;
    expect(message?.droppedHeaders).toEqual(['SAP_ApplicationID', 'sap-passport']);
    expect(message?.headers).toMatchObject({ traceparent: '00-1', CamelHttpMethod: 'POST' });
    for (const name of [
      'sap_applicationid',
      'sap-passport',
      'camelhttpuri',
      'camelfilename',
      'authorization',
      'cookie',
    ]) {
      expect(message?.headers).not.toHaveProperty(name);
    }
  });

  test('a header that is allowed, of the protocol or a credential is named to nobody', async () => {
    const { node, post } = await flowOf(at, { allowedHeaders: ['sap_applicationid'] });
    const reply = await post({
      headers: { SAP_ApplicationID: '7', cookie: 'a=b', 'x-csrf-token': 'Fetch', soapaction: '""' },
    });
    expect(reply.headers).not.toHaveProperty('x-landscape-notice');
    expect(node.messages[0]?.droppedHeaders).toEqual([]);
    expect(node.messages[0]?.headers.sap_applicationid).toBe('7');
  });

  test('all headers may be allowed, but never Camel’s own or credentials', async () => {
    const { node, post } = await flowOf(at, { allowedHeaders: ['*', 'CamelHttpUri', 'Authorization'] });
    await post({
      headers: { 'x-order': '7', CamelHttpUri: 'x', cookie: 'a=b' },
      path: `${pathOf(at)}${at.below === '?MessageId=1' ? '&' : '?'}camelX=1&shop=9`,
    });
    expect(node.messages[0]?.headers).toMatchObject({ 'x-order': '7', shop: '9' });
    for (const name of ['camelhttpuri', 'camelX', 'authorization', 'cookie']) {
      expect(node.messages[0]?.headers).not.toHaveProperty(name);
    }
  });

  test('the exchange’s headers may leak into the answer, and the MPL id be in one', async () => {
    const { node, post } = await flowOf(at, {
      leaksHeaders: true,
      returnMplId: 'header',
      allowedHeaders: ['traceparent'],
    });
    const reply = await post({ headers: { traceparent: '00-1' } });
    expect(reply.headers).toMatchObject({ traceparent: '00-1', sapauthenticatedusername: 'oauth_client_orders' });
    expect(reply.headers.sap_messageprocessinglogid).toBe(node.messages[0]?.mplId);
    node.deploy({ name: 'Flow', sender: at.sender, address: '/flow', csrfProtected: false });
    const { headers } = await post();
    expect(headers).not.toHaveProperty('sapauthenticatedusername');
    expect(headers).not.toHaveProperty('sap_messageprocessinglogid');
  });
});

describe.each(senders)('an answer of the flow’s own with any status, at the sender $sender', (at) => {
  const statuses = [200, 202, 302, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 501, 502, 503, 504];
  // A 2xx without a payload is an error of its own at OData; one-way, SAP RM answers a 2xx without a body.
  const textless = (status: number) => status < 300 && (at.sender === 'odata' || at.sender === 'soap-rm');

  test.each(statuses)(
    'a flow’s own answer of %i has the MPL id in a header, in its body, or not at all',
    async (status) => {
      const body = at.sender === 'odata' && status < 300 ? { body: '{}' } : {};
      const { node, post, deploy } = await flowOf(at);
      for (const returnMplId of ['header', 'body', false] as const) {
        deploy({ returnMplId, answer: () => ({ status, ...body }) });
        const reply = await post();
        const mplId = node.messages.at(-1)?.mplId ?? 'none';
        expect(reply.status).toBe(status);
        expect(reply.headers.sap_messageprocessinglogid).toBe(returnMplId === 'header' ? mplId : undefined);
        const told = status >= 400 ? /MPL ID[^:]* ?:? ?(A[\w-]{27})/ : /The MPL ID for the message is : (A[\w-]{27})/;
        expect(told.exec(reply.body)?.[1]).toBe(returnMplId === 'body' && !textless(status) ? mplId : undefined);
        expect(node.requests.at(-1)).toMatchObject({ status, flowRan: true });
      }
      expect(node.messages.map((message) => message.status)).toEqual([status, status, status]);
    },
  );

  test('a flow’s own answer with a body keeps it, and a failure may have the id in a header as well', async () => {
    const results: FlowResult[] = [{ status: 403, body: '<own/>' }, 'exception', { fault: 'client', text: 'no' }];
    const { node, post, deploy } = await flowOf(at);
    deploy({ returnMplId: 'body', answer: () => results.shift() });
    expect((await post()).body).toContain(at.sender === 'soap-rm' ? 'MPL ID' : '<own/>');
    deploy({ returnMplId: 'header', answer: () => results.shift() });
    for (const _failure of [...results]) {
      const { headers } = await post();
      expect(headers.sap_messageprocessinglogid).toBe(node.messages.at(-1)?.mplId);
    }
    expect(node.messages).toHaveLength(3);
  });
});

describe.each(senders)('what the container refuses before any flow, at the sender $sender', (at) => {
  const refused = { status: 400, headers: { connection: 'close' }, body: page(400, 'Bad Request') };
  const refusal = { ...refused, body: expect.stringMatching(refused.body) };

  test.each([...'[]|^{}"<>\\`#'])(
    'a raw %s in path or query is 400 with a page; percent-encoded it is accepted',
    async (character) => {
      const { node, post, path } = await flowOf(at);
      const [endpoint = '', query = ''] = path.split('?');
      expect(await post({ path: `${endpoint}/${character}` })).toMatchObject(refusal);
      expect(await post({ path: `${endpoint}?${query}&x=${character}` })).toMatchObject(refusal);
      expect(node.requests).toMatchObject([
        { status: 400, flowRan: false },
        { status: 400, flowRan: false },
      ]);
      expect((await post({ path: `${endpoint}?${query}&x=${encodeURIComponent(character)}` })).status).toBe(at.success);
    },
  );

  test('a request line and headers of more than 8,192 bytes in all are 400, a token among them', async () => {
    const { node, post, path } = await flowOf(at);
    const { port } = node.server;
    const head = (padding: number) =>
      [
        `POST ${path} HTTP/1.1`,
        `Host: 127.0.0.1:${port}`,
        `Content-Type: ${at.contentType}`,
        `Content-Length: ${at.body.length}`,
        'Connection: close',
        `Authorization: Bearer ${'a'.repeat(padding)}`,
        '\r\n',
      ].join('\r\n');
    const status = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(`${text}${at.body}`));
        socket.once('error', reject).once('data', (data) => {
          resolve(data.toString().split(' ')[1] ?? '');
          socket.destroy();
        });
      });
    const room = 8192 - head(0).length;
    expect(await status(head(room))).toBe('401');
    expect(await status(head(room + 1))).toBe('400');
    expect(await post({ token: 'a'.repeat(9000) })).toMatchObject(refusal);
    expect(node.messages).toHaveLength(0);
  });
});

describe.each(senders)('worker nodes behind one host, at the sender $sender', (at) => {
  test('calls without a session go round the worker nodes', async () => {
    const { node, post } = await flowOf(at, {}, { workers: 3 });
    for (let calls = 0; calls < 6; calls += 1) await post();
    expect(node.requests.map(({ worker }) => worker)).toEqual([0, 1, 2, 0, 1, 2]);
  });

  test('a worker node that refuses every token shows as 401 now and then, with a token that is good', async () => {
    const { node, post } = await flowOf(at, {}, { workers: 2 });
    node.refuseTokens(1);
    const statuses = async (): Promise<number[]> => [
      (await post()).status,
      (await post()).status,
      (await post()).status,
    ];
    expect(await statuses()).toEqual([at.success, 401, at.success]);
    node.refuseTokens(1, false);
    expect(await statuses()).toEqual([at.success, at.success, at.success]);
    expect(() => node.refuseTokens(2)).toThrow(/^worker: there is no worker 2/);
  });

  test('a session with its cookies stays at its worker, without them it is refused at the others', async () => {
    const { node, post } = await flowOf(at, { csrfProtected: true }, { workers: 3 });
    const refused = await post();
    const cookie = cookiesOf(refused);
    const fetched = await post({ method: 'GET', body: '', headers: { 'x-csrf-token': 'Fetch', cookie } });
    const token = String(fetched.headers['x-csrf-token']);
    const withSession = { headers: { 'x-csrf-token': token, cookie } };
    for (let calls = 0; calls < 4; calls += 1) expect((await post(withSession)).status).toBe(at.success);
    expect(node.requests.map(({ worker }) => worker)).toEqual([0, 0, 0, 0, 0, 0]);
    const unrouted = { headers: { 'x-csrf-token': token, cookie: cookie.slice(0, cookie.lastIndexOf('; ')) } };
    const statuses = [(await post(unrouted)).status, (await post(unrouted)).status, (await post(unrouted)).status];
    expect(statuses).toEqual([403, 403, at.success]);
  });

  test('a session’s own worker may come to refuse tokens', async () => {
    const { node, post } = await flowOf(at, { csrfProtected: true }, { workers: 2 });
    const cookie = cookiesOf(await post());
    node.refuseTokens(0);
    expect((await post({ headers: { cookie } })).status).toBe(401);
  });
});

test('a body that comes slowly, but comes, is accepted', async () => {
  const { node, path, bearer } = await flowOf(senders[0], {}, { bodyGapMs: 400 });
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { authorization: `Bearer ${bearer}` };
    const outgoing = sendRequest(`${node.url}${path}`, { method: 'POST', agent: false, headers }, (incoming) => {
      incoming.resume();
      resolve(incoming.statusCode);
    });
    outgoing.once('error', reject);
    let pieces = 0;
    const trickle = setInterval(() => {
      outgoing.write('piece');
      pieces += 1;
      if (pieces < 5) return;
      clearInterval(trickle);
      outgoing.end();
    }, 150);
  });
  expect(status).toBe(200);
  expect(String(node.messages[0]?.body)).toBe('piece'.repeat(5));
});

describe('HTTPS alone', () => {
  const [https] = senders;
  test.each([
    ['GET', 405],
    ['DELETE', 405],
    ['PUT', 200],
    ['PATCH', 200],
  ])('a call by %s to a flow that takes PUT and PATCH is %i', async (method, status) => {
    const { post } = await flowOf(https, { methods: ['PUT', 'PATCH'] });
    const reply = await post({ method, ...(method === 'GET' || method === 'DELETE' ? { body: '' } : {}) });
    expect(reply.status).toBe(status);
    if (status === 405) expect(reply.headers.allow).toBe('PUT, PATCH');
  });

  test.each([200, 201, 202, 204, 299, 302, 400, 409, 422, 500, 503])(
    'a CamelHttpResponseCode of %i is the status of the answer',
    async (status) => {
      const { node, post } = await flowOf(https, { answer: () => ({ status, body: status === 204 ? '' : 'text' }) });
      expect(await post()).toMatchObject({ status, body: status === 204 ? '' : 'text' });
      expect(node.messages).toMatchObject([{ status, mplStatus: 'COMPLETED', error: undefined }]);
    },
  );

  test.each([
    [true, 'An internal server error occured: Order 7. The MPL ID for the failed message is : '],
    [false, 'An internal server error occured: The MPL ID for the failed message is : '],
  ])('an HTTPS flow follows Return Exception to Sender: %s', async (returnException, text) => {
    const { node, post } = await flowOf(https, { returnException, answer: () => ({ exception: 'Order 7.' }) });
    expect((await post()).body).toBe(`${text}${node.messages[0]?.mplId}`);
    expect(node.messages).toMatchObject([{ mplStatus: 'FAILED', error: 'Order 7.' }]);
  });

  test('the MPL id may be the text of an answer that has none', async () => {
    const results: FlowResult[] = [undefined, { status: 202, body: 'own' }];
    const { node, post } = await flowOf(https, { returnMplId: 'body', runtime: 8, answer: () => results.shift() });
    expect(await post()).toMatchObject({
      status: 200,
      body: `The MPL ID for the message is : ${node.messages[0]?.mplId}`,
    });
    expect(await post()).toMatchObject({ status: 202, body: 'own' });
  });

  test('a wildcard address takes what is below, and a longer address its own', async () => {
    const { node, post } = await flowOf(https, { address: '/flow/*' });
    node.deploy({ name: 'Urgent', address: '/flow/urgent', csrfProtected: false });
    for (const path of ['/http/flow', '/http/flow/2026/7', '/http/flow/urgent', '/http/flow/urgent/7'])
      await post({ path });
    expect(node.messages.map(({ flow }) => flow)).toEqual(['Flow', 'Flow', 'Urgent', 'Flow']);
    expect(endpointPath({ address: '/flow/*' })).toBe('/http/flow');
  });

  test('an HTTPS flow takes as many messages at once as there is capacity for', async () => {
    const done = Promise.withResolvers<FlowResult>();
    const begun = Promise.withResolvers<void>();
    const answer = (): Promise<FlowResult> => {
      begun.resolve();
      return done.promise;
    };
    const { node, post } = await flowOf(https, { answer }, { maxConcurrentMessages: 1 });
    const first = post();
    await begun.promise;
    expect((await post()).status).toBe(503);
    done.resolve(undefined);
    expect((await first).status).toBe(200);
    expect((await post()).status).toBe(200);
    expect(node.messages).toHaveLength(2);
  });
});
