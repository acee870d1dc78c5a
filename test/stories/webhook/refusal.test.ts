import { describe, expect, test } from 'vitest';
import { GATEWAY_NAMES, type GatewayName } from '../gateway.ts';
import { type PostOptions, type Stage, setStage, WEBHOOK_USER } from '../stage.ts';

const PLANS = [{ name: 'orders', webhook: WEBHOOK_USER }, { name: 'invoices' }] as const;
const BASIC = { verify: 'basic', secret: 'webhooks/orders', mode: 'direct' } as const;
const CHALLENGE = 'Basic realm="webhooks", charset="UTF-8"';

function setDoor(gateway: GatewayName, webhook: Record<string, unknown> = {}): Promise<Stage> {
  const [orders, invoices] = PLANS;
  return setStage({ gateway, plans: [{ ...orders, settings: { webhook: { ...BASIC, ...webhook } } }, invoices] });
}

/** Everything of a response but what is each one's own: its time and the gateway's ids. */
async function fingerprint(response: Response) {
  const own = /^(date|apigw-requestid|x-amzn-requestid|x-amz-apigw-id)$/;
  const headers = [...response.headers].filter(([name]) => !own.test(name));
  return { status: response.status, headers, body: await response.text() };
}

/** A refusal of the relay's own making, exactly: nothing of what was sent is in it. */
async function expectProblem(response: Response, status: number, name: string, title: string) {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(await response.json()).toEqual({ type: `urn:problem-type:token-relay:${name}`, title, status });
}

describe.each(GATEWAY_NAMES)('behind %s', (gateway) => {
  const challenge = gateway === 'REST API' ? 'x-amzn-remapped-www-authenticate' : 'www-authenticate';

  test('a stranger learns nothing: one 401 for every path and every wrong credential, byte for byte', async () => {
    const stage = await setDoor(gateway);
    const wrong = { ...WEBHOOK_USER, password: 'not the password' };
    const tries: [string, PostOptions][] = [
      ['/webhooks/orders', { user: wrong }],
      ['/webhooks/orders', { user: null }],
      ['/webhooks/orders', { user: { username: 'somebody', password: WEBHOOK_USER.password } }],
      ['/webhooks/orders', { user: null, headers: { Authorization: 'Bearer something' } }],
      ['/webhooks/orders', { user: null, headers: { Authorization: 'Basic !!!not base64!!!' } }],
      ['/webhooks/orders', { user: wrong, method: 'DELETE' }],
      ['/webhooks/orders', { user: wrong, headers: { 'Content-Type': 'text/unheard-of' }, body: 'x'.repeat(100_000) }],
      ['/webhooks/nobody', { user: wrong }],
      ['/webhooks/nobody', {}],
      ['/webhooks/nobody', { user: null }],
      ['/webhooks/invoices', {}],
      ['/webhooks/Orders', {}],
      ['/webhooks/__proto__', {}],
    ];

    const seen = [];
    for (const [path, options] of tries) seen.push(await fingerprint(await stage.post(path, options)));

    const [first] = seen;
    expect(first?.status).toBe(401);
    expect(Object.fromEntries(first?.headers ?? [])[challenge]).toBe(CHALLENGE);
    expect(JSON.parse(first?.body ?? '')).toEqual({
      type: 'urn:problem-type:token-relay:unauthorized',
      title: 'Credentials are missing or wrong',
      status: 401,
    });
    for (const [index, other] of seen.entries()) expect(other, tries[index]?.join(' ')).toEqual(first);
    expect(stage.tally()).toMatchObject({ tokenRequests: [], calls: {}, flowRuns: 0 });
    expect(stage.attempts).toEqual([]);
    // Twice in all: wrong passwords read it again at most once in 30 s.
    expect(stage.tally().secretReads).toEqual({ 'webhooks/orders': 2 });
  });

  test.each([
    { what: 'GET', path: '/webhooks/orders', method: 'GET' },
    { what: 'OPTIONS', path: '/webhooks/orders', method: 'OPTIONS' },
    { what: 'GET of an unknown destination', path: '/webhooks/nobody', method: 'GET' },
  ])('the method $what is not allowed, whoever asks', async ({ path, method }) => {
    const stage = await setDoor(gateway);

    const response = await stage.post(path, { method, user: null });

    expect(response.headers.get('allow')).toBe('POST');
    await expectProblem(response, 405, 'method-not-allowed', 'The method is not allowed');
    expect(stage.tally().secretReads).toEqual({});
  });

  test('the methods after verification are the destination’s', async () => {
    const stage = await setDoor(gateway, { methods: ['PUT', 'PATCH'] });

    const response = await stage.post('/webhooks/orders');
    expect(response.headers.get('allow')).toBe('PUT, PATCH');
    await expectProblem(response, 405, 'method-not-allowed', 'The method is not allowed');

    const put = await stage.post('/webhooks/orders', { method: 'PUT' });
    expect(put.status).toBe(200);
    expect(
      stage.runtimeNode.messages.map(({ method }) => method),
      'the destination’s method',
    ).toEqual(['POST']);
  });

  test.each([
    {
      what: 'a body over maxBodyBytes',
      webhook: { maxBodyBytes: 1_000 },
      request: { body: 'x'.repeat(1_001) },
      taken: { body: 'x'.repeat(1_000) },
      problem: [413, 'content-too-large', 'The body is too large'],
    },
    {
      what: 'headers over maxHeaderBytes',
      webhook: { maxHeaderBytes: 2_000 },
      request: { headers: { 'X-Long': 'x'.repeat(2_000) } },
      taken: { headers: { 'X-Long': 'x'.repeat(200) } },
      problem: [431, 'header-fields-too-large', 'The headers are too large'],
    },
    {
      what: 'a content type that is not among contentTypes',
      webhook: { contentTypes: ['application/json', 'text/*'] },
      request: { headers: { 'Content-Type': 'application/xml' } },
      taken: { headers: { 'Content-Type': 'Text/Plain; charset=utf-8' } },
      problem: [415, 'unsupported-media-type', 'The content type is not taken'],
    },
  ] as const)(
    'a request with $what is refused after verification, and one just within is accepted',
    async ({ webhook, request, taken, problem }) => {
      const stage = await setDoor(gateway, webhook);

      await expectProblem(await stage.post('/webhooks/orders', request), ...(problem as [number, string, string]));
      expect((await stage.post('/webhooks/orders', { ...request, user: null })).status).toBe(401);
      expect(stage.tally()).toMatchObject({ tokenRequests: [], flowRuns: 0 });

      expect((await stage.post('/webhooks/orders', taken)).status).toBe(200);
      expect(stage.tally()).toMatchObject({ tokenRequests: [200], flowRuns: 1 });
    },
  );

  test('a path whose percent-encoding is malformed cannot be read', async () => {
    const stage = await setDoor(gateway);

    // An HTTP API decodes once before the function sees it.
    const path = gateway === 'REST API' ? '/webhooks/%zz' : '/webhooks/%25zz';
    await expectProblem(await stage.post(path), 400, 'malformed-request', 'The request cannot be read');
  });

  test('a path without a destination never reaches the function', async () => {
    const stage = await setDoor(gateway);

    const statuses = [];
    for (const path of ['/webhooks', '/webhooks/', '/']) statuses.push((await stage.post(path)).status);

    expect(statuses).toEqual(Array(3).fill(gateway === 'REST API' ? 403 : 404));
    expect(stage.deployed.webhookFunction.invocations).toBe(0);
  });
});

describe('what verification turns away', () => {
  const wrong = { ...WEBHOOK_USER, password: 'not the password' };
  const counted = (stage: Stage) =>
    stage.output.flatMap((line) => (line.includes('"Refused":') ? [JSON.parse(line)] : []));

  async function knock(stage: Stage): Promise<void> {
    for (let times = 0; times < 3; times += 1) await stage.post('/webhooks/orders', { user: wrong });
    await stage.post('/webhooks/nobody-4711', { user: null });
    await stage.post('/webhooks/invoices', { user: null });
    expect((await stage.post('/webhooks/orders')).status).toBe(200);
    await stage.post('/webhooks/orders', { method: 'GET', user: null });
  }

  test('the refusals of verification are counted by destination, in one line a minute', async () => {
    const stage = await setStage({ plans: PLANS });
    await knock(stage);

    expect(counted(stage).map(({ destination, Refused }) => [destination, Refused])).toEqual([
      ...Array(3).fill(['orders', 1]),
      ...Array(2).fill(['unknown', 1]),
    ]);
    expect(stage.told('webhook.refused')).toMatchObject([
      { level: 'WARN', destination: 'orders', count: 1, verify: 'basic', why: 'wrong-credentials' },
      { level: 'WARN', destination: 'unknown', count: 1 },
    ]);
    expect(stage.output.join('\n')).not.toContain('nobody-4711');
    expect(stage.told('webhook.turned-away')).toEqual([]);
  });

  test('the refusals of verification are logged request by request at level debug', async () => {
    const stage = await setStage({ plans: PLANS, deploy: { webhookLogLevel: 'DEBUG' } });
    await knock(stage);

    expect(stage.told('webhook.turned-away').map(({ destination, verify, why }) => [destination, verify, why])).toEqual(
      [...Array(3).fill(['orders', 'basic', 'wrong-credentials']), ...Array(2).fill(['unknown', undefined, undefined])],
    );
    expect(stage.output.join('\n')).not.toContain('nobody-4711');
  });
});

describe('a destination whose settings are invalid', () => {
  test('an invalid destination answers its webhook 503, so that senders try again, and logs one line', async () => {
    const stage = await setStage({
      plans: [
        { name: 'orders', webhook: WEBHOOK_USER },
        { name: 'invoices', webhook: WEBHOOK_USER, settings: { timeoutSeconds: 'long' } },
        { name: 'deliveries', settings: { timeoutSeconds: 'long' } },
      ],
    });

    for (const user of [WEBHOOK_USER, null]) {
      const response = await stage.post('/webhooks/invoices', { user });
      expect(response.headers.get('retry-after')).toBe('30');
      await expectProblem(response, 503, 'unavailable', 'The message cannot be taken now');
    }
    expect((await stage.post('/webhooks/orders')).status).toBe(200);
    expect((await stage.post('/webhooks/deliveries')).status, 'one that was to have none').toBe(401);
    expect((await stage.post('/webhooks/invoices', { method: 'GET' })).status).toBe(405);
    expect(stage.told('webhook.unavailable')).toMatchObject([
      {
        level: 'ERROR',
        destination: 'invoices',
        reason: expect.stringMatching(/^DESTINATIONS: invoices\.timeoutSeconds: expected .*the operator must/),
      },
    ]);
    expect(stage.tally().secretReads).not.toHaveProperty('webhooks/invoices');
  });
});

test('a function that is reached by another path says that nothing is there', async () => {
  const stage = await setStage({ plans: PLANS });
  const event = { version: '2.0', requestContext: { http: { method: 'POST' } }, headers: {} };

  for (const rawPath of ['/', '/webhooks', '/webhooks/', '/orders', '/webhooks/orders/more']) {
    const result = await stage.deployed.webhookFunction.invoke({ ...event, rawPath });
    expect(result, rawPath).toMatchObject({ ok: true, payload: { statusCode: 404, isBase64Encoded: false } });
  }
  expect(await stage.deployed.webhookFunction.invoke({ ...event, rawPath: '/prod/webhooks/orders' })).toMatchObject({
    payload: { statusCode: 401 },
  });
});

test.each(['direct', 'queued'])(
  'headers that no request can carry are answered 422 in mode %s if they would be forwarded',
  async (mode) => {
    const settings = { webhook: { ...BASIC, mode, forwardHeaders: ['x-a*'] } };
    const stage = await setStage({ plans: [{ ...PLANS[0], flow: { csrfProtected: false }, settings }] });
    const { username, password } = WEBHOOK_USER;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const answerTo = async (headers: object) => {
      const requestContext = { http: { method: 'POST' } };
      const event = { version: '2.0', rawPath: '/webhooks/orders', requestContext, body: '{}', isBase64Encoded: false };
      const result = await stage.deployed.webhookFunction.invoke({ ...event, headers: { authorization, ...headers } });
      return result.ok ? result.payload : result;
    };

    for (const headers of [{ 'x-a b': 'c' }, { 'x-a': '5 €' }, { 'x-a': 'b\u0000' }]) {
      expect(await answerTo(headers)).toMatchObject({
        statusCode: 422,
        body: expect.stringContaining('urn:problem-type:token-relay:rejected'),
      });
    }
    expect(await answerTo({ 'x b': 'c', 'x-c': '5 €' })).toMatchObject({ statusCode: mode === 'direct' ? 200 : 202 });
    expect(stage.tally()).toMatchObject({ flowRuns: mode === 'direct' ? 1 : 0, left: mode === 'direct' ? 0 : 1 });
  },
);

test.each([
  { what: 'no event of HTTP', event: { Records: [] } },
  {
    what: 'a body that is not the base64 it is said to be',
    event: {
      version: '2.0',
      rawPath: '/webhooks/orders',
      requestContext: { http: { method: 'POST' } },
      headers: {},
      body: 'no base64!',
      isBase64Encoded: true,
    },
  },
])('a request with $what is answered 400', async ({ event }) => {
  const stage = await setStage({ plans: PLANS });

  const result = await stage.deployed.webhookFunction.invoke(event);

  expect(result).toMatchObject({ ok: true, payload: { statusCode: 400 } });
});
