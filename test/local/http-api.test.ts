import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type Event,
  type HttpApi,
  type HttpApiOptions,
  startHttpApi,
} from '../../infra/local/aws/http-api/http-api.ts';
import { createLambdaFunction, type InvokeResult } from '../../infra/local/aws/lambda/lambda.ts';

const AT = Date.parse('2020-03-12T19:03:58Z');
const apis: HttpApi[] = [];
afterEach(() => Promise.all(apis.splice(0).map(({ server }) => server.stop())));

type Kind = 'HTTP API 2.0' | 'HTTP API 1.0' | 'REST API';

const KINDS: Record<Kind, Pick<HttpApiOptions, 'payloadFormat' | 'gateway'>> = {
  'HTTP API 2.0': { payloadFormat: '2.0' },
  'HTTP API 1.0': { payloadFormat: '1.0', gateway: 'http-api' },
  'REST API': { payloadFormat: '1.0' },
};

/** A gateway in front of a function that returns `payload`, and the events that the function got. */
async function start(
  kind: Kind,
  payload: unknown = { statusCode: 204 },
  options: Partial<HttpApiOptions> = {},
): Promise<HttpApi & { events: Event[] }> {
  const events: Event[] = [];
  const api = await startHttpApi({
    invoke: async (event) => {
      events.push(event);
      return { ok: true, payload, requestId: 'r' };
    },
    routes: [{ methods: ['POST', 'GET'], path: '/webhooks/{destination}' }],
    now: () => AT,
    random: () => 0.5,
    ...KINDS[kind],
    ...options,
  });
  apis.push(api);
  return { ...api, events };
}

interface Sent {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  readonly body: Buffer;
  readonly text: string;
}

/** Sends the target as it stands; fetch would rewrite it. */
function send(
  { url }: HttpApi,
  target: string,
  {
    method = 'POST',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string | string[]>; body?: string | Buffer } = {},
): Promise<Sent> {
  const { hostname, port, pathname } = new URL(url);
  const path = `${pathname === '/' ? '' : pathname}${target}`;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ hostname, port, path, method, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const { statusCode = 0, rawHeaders } = incoming;
        resolve({ status: statusCode, headers: incoming.headers, rawHeaders, body: bytes, text: bytes.toString() });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const json = { 'content-type': 'application/json' };

describe('the event of an HTTP API, format 2.0', () => {
  test('the event of an HTTP API, format 2.0, has the shape of the published sample', async () => {
    const api = await start('HTTP API 2.0');
    await send(api, '/webhooks/orders?parameter1=value1&parameter1=value2&parameter2=a%20b', {
      headers: {
        'Content-Type': 'text/plain',
        Header1: 'value1',
        Header2: ['value1', 'value2'],
        Cookie: 'cookie1; cookie2',
        'User-Agent': 'agent',
      },
      body: 'Hello from Lambda',
    });
    const { port } = api.server;
    expect(api.events).toEqual([
      {
        version: '2.0',
        routeKey: 'POST /webhooks/{destination}',
        rawPath: '/webhooks/orders',
        rawQueryString: 'parameter1=value1&parameter1=value2&parameter2=a%20b',
        cookies: ['cookie1', 'cookie2'],
        headers: {
          'content-length': '17',
          'content-type': 'text/plain',
          header1: 'value1',
          header2: 'value1,value2',
          host: `127.0.0.1:${port}`,
          'user-agent': 'agent',
          'x-amzn-trace-id': `Root=1-5e6a879e-${'8'.repeat(24)}`,
          'x-forwarded-for': '127.0.0.1',
          'x-forwarded-port': '443',
          'x-forwarded-proto': 'https',
        },
        queryStringParameters: { parameter1: 'value1,value2', parameter2: 'a b' },
        requestContext: {
          accountId: '123456789012',
          apiId: 'a1b2c3d4e5',
          domainName: 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
          domainPrefix: 'a1b2c3d4e5',
          http: {
            method: 'POST',
            path: '/webhooks/orders',
            protocol: 'HTTP/1.1',
            sourceIp: '127.0.0.1',
            userAgent: 'agent',
          },
          requestId: expect.stringMatching(/^[A-Za-z0-9+/]{15}=$/),
          routeKey: 'POST /webhooks/{destination}',
          stage: '$default',
          time: '12/Mar/2020:19:03:58 +0000',
          timeEpoch: AT,
        },
        pathParameters: { destination: 'orders' },
        body: 'Hello from Lambda',
        isBase64Encoded: false,
      },
    ]);
  });

  test('the event of an HTTP API, format 2.0, leaves out what the request does not have', async () => {
    const api = await start('HTTP API 2.0', {}, { routes: [{ methods: 'ANY', path: '/webhooks' }] });
    await send(api, '/webhooks', { method: 'GET' });
    const [event = {}] = api.events;
    expect(Object.keys(event).sort()).toEqual(
      ['version', 'routeKey', 'rawPath', 'rawQueryString', 'headers', 'requestContext', 'isBase64Encoded'].sort(),
    );
    expect(event).toMatchObject({ routeKey: 'ANY /webhooks', rawQueryString: '', isBase64Encoded: false });
  });

  test('the event of an HTTP API, format 2.0, keeps the stage in the path', async () => {
    const api = await start('HTTP API 2.0', {}, { stage: 'prod' });
    expect(api.url).toBe(`${api.server.url}/prod`);
    await send(api, '/webhooks/orders');
    expect(api.events).toMatchObject([
      {
        rawPath: '/prod/webhooks/orders',
        pathParameters: { destination: 'orders' },
        requestContext: { stage: 'prod' },
      },
    ]);
  });
});

describe('the event of an HTTP API, format 1.0', () => {
  test('the event of an HTTP API, format 1.0, has the shape of the published sample', async () => {
    const api = await start('HTTP API 1.0');
    await send(api, '/webhooks/orders?parameter1=value1&parameter1=value2', {
      headers: { Header2: ['value1', 'value2'], ...json },
      body: '{}',
    });
    expect(api.events).toMatchObject([
      {
        version: '1.0',
        resource: '/webhooks/{destination}',
        path: '/webhooks/orders',
        httpMethod: 'POST',
        headers: { header2: 'value2' },
        multiValueHeaders: { header2: ['value1', 'value2'] },
        queryStringParameters: { parameter1: 'value2' },
        multiValueQueryStringParameters: { parameter1: ['value1', 'value2'] },
        requestContext: {
          authorizer: { claims: null, scopes: null },
          identity: { accessKey: null, sourceIp: '127.0.0.1' },
          path: '/webhooks/orders',
          resourceId: null,
          resourcePath: '/webhooks/{destination}',
          requestTime: '12/Mar/2020:19:03:58 +0000',
          requestTimeEpoch: AT,
          stage: '$default',
        },
        pathParameters: { destination: 'orders' },
        stageVariables: null,
        body: '{}',
        isBase64Encoded: false,
      },
    ]);
  });
});

describe('the event of a REST API', () => {
  test('the event of a REST API has header names as sent, no version, and the path without the stage', async () => {
    const api = await start('REST API');
    await send(api, '/webhooks/orders', { headers: { 'X-Signature': 'a', hEADER: ['1', '2'] }, body: '{"a":1}' });
    const [event = {}] = api.events;
    expect(event).not.toHaveProperty('version');
    expect(event).toMatchObject({
      resource: '/webhooks/{destination}',
      path: '/webhooks/orders',
      headers: { 'X-Signature': 'a', hEADER: '2', 'X-Forwarded-Proto': 'https' },
      multiValueHeaders: { 'X-Signature': ['a'], hEADER: ['1', '2'] },
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      requestContext: {
        path: '/dev/webhooks/orders',
        stage: 'dev',
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
      body: '{"a":1}',
    });
  });

  test('the event of a REST API has null for an empty body', async () => {
    const api = await start('REST API');
    await send(api, '/webhooks/orders');
    expect(api.events).toMatchObject([{ body: null, isBase64Encoded: false }]);
  });
});

describe('a body', () => {
  test.each([
    ['application/json', undefined, false],
    ['Application/JSON; charset=utf-8', undefined, false],
    ['application/xml', undefined, false],
    ['application/javascript', undefined, false],
    ['text/xml; charset=utf-8', undefined, false],
    ['text/plain', undefined, false],
    ['application/problem+json', undefined, true],
    ['application/cloudevents+json', undefined, true],
    ['application/soap+xml', undefined, true],
    ['application/x-www-form-urlencoded', undefined, true],
    ['application/octet-stream', undefined, true],
    ['application/json', 'gzip', true],
    ['application/json', 'identity', false],
    [undefined, undefined, true],
  ])(
    'a body of type %s and encoding %s reaches the function of an HTTP API base64: %s',
    async (type, encoding, isBase64Encoded) => {
      const bytes = encoding === 'gzip' ? gzipSync('{"ä":1}') : Buffer.from('{"ä":1}');
      for (const kind of ['HTTP API 2.0', 'HTTP API 1.0'] as const) {
        const api = await start(kind);
        await send(api, '/webhooks/orders', {
          headers: {
            ...(type === undefined ? {} : { 'content-type': type }),
            ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
          },
          body: bytes,
        });
        expect(api.events).toMatchObject([
          { body: bytes.toString(isBase64Encoded ? 'base64' : 'utf8'), isBase64Encoded },
        ]);
      }
    },
  );

  test.each([
    [[], 'application/octet-stream', false],
    [['application/octet-stream'], 'application/octet-stream', true],
    [['image/*'], 'image/png', true],
    [['image/*'], 'application/json', false],
    [['*/*'], 'application/json', true],
  ])(
    "a body reaches a REST API's function by its binary media types %j: %s, %s",
    async (binaryMediaTypes, type, isBase64Encoded) => {
      const api = await start('REST API', {}, { binaryMediaTypes });
      await send(api, '/webhooks/orders', { headers: { 'content-type': type }, body: 'a' });
      expect(api.events).toMatchObject([{ body: isBase64Encoded ? 'YQ==' : 'a', isBase64Encoded }]);
    },
  );
});

describe('headers on the way in', () => {
  test('headers of the connection end at the gateway, and the senders in X-Forwarded-For stay', async () => {
    const api = await start('HTTP API 2.0');
    await send(api, '/webhooks/orders', {
      headers: {
        te: 'trailers',
        'keep-alive': 'timeout=5',
        'transfer-encoding': 'chunked',
        'x-forwarded-for': '203.0.113.7',
        ...json,
      },
      body: '{}',
    });
    const headers = api.events[0]?.headers as Record<string, string>;
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['te']));
    expect(headers).not.toHaveProperty('connection');
    expect(headers).not.toHaveProperty('transfer-encoding');
    expect(headers).not.toHaveProperty('keep-alive');
    expect(headers).toMatchObject({ 'content-length': '2', 'x-forwarded-for': '203.0.113.7, 127.0.0.1' });
  });
});

describe('a path', () => {
  test.each([
    ['HTTP API 2.0', 'rawPath', '/webhooks/a%40b', '/webhooks/a@b', 'a@b'],
    ['HTTP API 2.0', 'rawPath', '/webhooks/a%2541', '/webhooks/a%41', 'a%41'],
    ['HTTP API 2.0', 'rawPath', '/webhooks/a%3Fb', '/webhooks/a', 'a'],
    ['HTTP API 1.0', 'path', '/webhooks/a%40b', '/webhooks/a@b', 'a@b'],
    ['REST API', 'path', '/webhooks/a%40b', '/webhooks/a%40b', 'a%40b'],
    ['REST API', 'path', '/webhooks/a%2Fb', '/webhooks/a%2Fb', 'a%2Fb'],
  ] as const)('a path in an event of a %s (%s): %s arrives as %s', async (kind, field, sent, path, destination) => {
    const api = await start(kind);
    await send(api, sent);
    expect(api.events).toMatchObject([{ [field]: path, pathParameters: { destination } }]);
  });

  test.each([
    ['/webhooks', undefined],
    ['/webhooks/', undefined],
    ['/webhooks/orders/more', undefined],
    ['/webhooks/orders', 'POST /webhooks/{destination}'],
    ['/webhooks/fixed', 'ANY /webhooks/fixed'],
    ['/files/a/b', 'ANY /files/{name+}'],
    ['/files/a', 'POST /files/{name}'],
    ['/webhooks/a%2Fb', undefined],
    ['/webhooks/%', undefined],
  ])('a path takes the most specific route: %s goes to %s', async (target, routeKey) => {
    const api = await start('HTTP API 2.0', undefined, {
      routes: [
        { methods: 'ANY', path: '/files/{name+}' },
        { methods: 'ANY', path: '/files/{name}' },
        { methods: ['POST'], path: '/files/{name}' },
        { methods: ['POST'], path: '/webhooks/{destination}' },
        { methods: 'ANY', path: '/webhooks/fixed' },
      ],
    });
    const { status } = await send(api, target);
    expect([status, api.events[0]?.routeKey]).toEqual(routeKey === undefined ? [404, undefined] : [204, routeKey]);
  });

  test('a path without a route of its own goes to $default', async () => {
    const api = await start('HTTP API 2.0', undefined, {
      routes: [
        { methods: 'ANY', path: '$default' },
        { methods: ['POST'], path: '/a' },
      ],
    });
    await send(api, '/b');
    await send(api, '/a');
    expect(api.events).toMatchObject([{ routeKey: '$default' }, { routeKey: 'POST /a' }]);
    expect(api.events[0]).not.toHaveProperty('pathParameters');
  });
});

describe('a reply', () => {
  test.each([
    ['text', 'Hello from Lambda!', 'Hello from Lambda!'],
    ['an object', { message: 'Hello' }, '{"message":"Hello"}'],
    ['nothing', null, 'null'],
    ['a list', [1], '[1]'],
  ])('a reply of format 2.0 without statusCode (%s) is the body of a 200', async (_, payload, text) => {
    const answer = await send(await start('HTTP API 2.0', payload), '/webhooks/orders');
    expect(answer).toMatchObject({ status: 200, text, headers: { 'content-type': 'application/json' } });
  });

  test('a reply of format 2.0 has status, headers, cookies and body', async () => {
    const api = await start('HTTP API 2.0', {
      statusCode: 202,
      headers: {
        'Content-Type': 'application/problem+json',
        'WWW-Authenticate': 'Basic',
        'Content-Length': '999',
        'X-Count': 3,
      },
      cookies: ['a=1', 'b=2'],
      body: '{"ü":1}',
    });
    const answer = await send(api, '/webhooks/orders');
    expect(answer).toMatchObject({ status: 202, text: '{"ü":1}' });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'content-length': '8',
      'www-authenticate': 'Basic',
      'x-count': '3',
      'set-cookie': ['a=1', 'b=2'],
      'apigw-requestid': expect.any(String),
    });
  });

  test.each([
    ['HTTP API 2.0', 'text/plain;charset=UTF-8'],
    ['HTTP API 1.0', 'text/plain;charset=UTF-8'],
    ['REST API', 'application/json'],
  ] as const)('a reply of a %s without Content-Type is %s', async (kind, type) => {
    const answer = await send(await start(kind, { statusCode: '201', body: 'x' }), '/webhooks/orders');
    expect(answer).toMatchObject({ status: 201, headers: { 'content-type': type } });
  });

  test('a reply with a base64 body is sent as bytes', async () => {
    const bytes = Buffer.from([0, 255, 128, 10]);
    const payload = { statusCode: 200, body: bytes.toString('base64'), isBase64Encoded: true };
    for (const kind of ['HTTP API 2.0', 'HTTP API 1.0'] as const) {
      expect((await send(await start(kind, payload), '/webhooks/orders')).body).toEqual(bytes);
    }
  });

  test.each([
    ['image/png', true],
    ['image/png,*/*', true],
    ['*/*,image/png', false],
    [undefined, false],
  ])(
    'a reply of a REST API with a base64 body is decoded only where the first Accept is a binary type: %s',
    async (accept, isDecoded) => {
      const payload = { statusCode: 200, body: 'YQ==', isBase64Encoded: true };
      const api = await start('REST API', payload, { binaryMediaTypes: ['image/*'] });
      const { text } = await send(api, '/webhooks/orders', { headers: accept === undefined ? {} : { accept } });
      expect(text).toBe(isDecoded ? 'a' : 'YQ==');
    },
  );

  test.each(['HTTP API 1.0', 'REST API'] as const)(
    'a reply of a %s merges headers and multiValueHeaders',
    async (kind) => {
      const api = await start(kind, {
        statusCode: 200,
        headers: { 'x-one': '1', 'X-Many': 'b' },
        multiValueHeaders: { 'x-many': ['a', 'b'], 'Set-Cookie': ['a=1', 'b=2'] },
        body: '',
      });
      const { headers } = await send(api, '/webhooks/orders');
      expect(headers).toMatchObject({ 'x-one': '1', 'x-many': 'a, b', 'set-cookie': ['a=1', 'b=2'] });
    },
  );

  test('a reply of a REST API has its WWW-Authenticate renamed', async () => {
    const api = await start('REST API', {
      statusCode: 401,
      headers: { 'WWW-Authenticate': 'Basic realm="webhooks"', Date: 'never' },
      body: '',
    });
    const { status, headers, rawHeaders } = await send(api, '/webhooks/orders');
    expect(status).toBe(401);
    expect(headers).not.toHaveProperty('www-authenticate');
    expect(headers).toMatchObject({
      'x-amzn-remapped-www-authenticate': 'Basic realm="webhooks"',
      'x-amzn-remapped-date': 'never',
      'x-amzn-requestid': expect.any(String),
    });
    expect(rawHeaders).toContain('x-amzn-Remapped-WWW-Authenticate');
  });

  const malformed: readonly [what: string, payload: unknown, kinds: readonly Kind[]][] = [
    ['a body that is no text', { statusCode: 200, body: { a: 1 } }, ['HTTP API 2.0', 'HTTP API 1.0', 'REST API']],
    ['a status that is none', { statusCode: 'OK', body: '' }, ['HTTP API 2.0', 'HTTP API 1.0', 'REST API']],
    ['a status out of range', { statusCode: 99, body: '' }, ['HTTP API 2.0', 'HTTP API 1.0', 'REST API']],
    ['a header with an object', { statusCode: 200, headers: { a: {} } }, ['HTTP API 2.0', 'HTTP API 1.0', 'REST API']],
    [
      'a header with a line break',
      { statusCode: 200, headers: { a: 'b\r\nc: d' } },
      ['HTTP API 2.0', 'HTTP API 1.0', 'REST API'],
    ],
    [
      'a header name with a space',
      { statusCode: 200, headers: { 'a b': 'c' } },
      ['HTTP API 2.0', 'HTTP API 1.0', 'REST API'],
    ],
    ['base64 that is none', { statusCode: 200, body: '!', isBase64Encoded: true }, ['HTTP API 2.0', 'HTTP API 1.0']],
    [
      'multiValueHeaders without lists',
      { statusCode: 200, multiValueHeaders: { a: 'b' } },
      ['HTTP API 1.0', 'REST API'],
    ],
    ['cookies that are no list', { statusCode: 200, cookies: 'a=1' }, ['HTTP API 2.0']],
    ['no statusCode', { body: 'x' }, ['HTTP API 1.0']],
    ['nothing', null, ['HTTP API 1.0', 'REST API']],
    ['text alone', 'x', ['HTTP API 1.0', 'REST API']],
    ['an unknown field', { statusCode: 200, status: 200 }, ['REST API']],
  ];
  test.each(malformed)('a reply with %s is not valid', async (_, payload, kinds) => {
    for (const kind of kinds) {
      const { status, text } = await send(await start(kind, payload), '/webhooks/orders');
      expect([kind, status, text]).toEqual(
        kind === 'REST API'
          ? [kind, 502, '{"message":"Internal server error"}']
          : [kind, 500, '{"message":"Internal Server Error"}'],
      );
    }
  });
});

describe('answers of the gateway itself', () => {
  const failed = (errorType: string) => async (): Promise<InvokeResult> => ({
    ok: false,
    errorType,
    errorMessage: 'secret detail',
    requestId: 'r',
  });
  const timeout: Partial<HttpApiOptions> = { invoke: () => new Promise(() => undefined), wait: async () => undefined };
  const big = { headers: json, body: Buffer.alloc(10_485_761, 'a') };

  test.each<[string, Partial<HttpApiOptions>, string, Parameters<typeof send>[2], [number, string], [number, string]]>([
    ['no route for the path', {}, '/other', {}, [404, 'Not Found'], [403, 'Missing Authentication Token']],
    [
      'no route for the method',
      {},
      '/webhooks/orders',
      { method: 'DELETE' },
      [404, 'Not Found'],
      [403, 'Missing Authentication Token'],
    ],
    [
      'an error of the function',
      { invoke: failed('OrderError') },
      '/webhooks/orders',
      {},
      [500, 'Internal Server Error'],
      [502, 'Internal server error'],
    ],
    [
      'a timeout of the function',
      { invoke: failed('Sandbox.Timedout') },
      '/webhooks/orders',
      {},
      [500, 'Internal Server Error'],
      [502, 'Internal server error'],
    ],
    [
      'no free concurrency',
      { invoke: failed('TooManyRequestsException') },
      '/webhooks/orders',
      {},
      [503, 'Service Unavailable'],
      [500, 'Internal server error'],
    ],
    [
      'an event too large for Lambda',
      { invoke: failed('RequestEntityTooLargeException') },
      '/webhooks/orders',
      {},
      [413, 'Request Entity Too Large'],
      [413, 'Request Too Long'],
    ],
    [
      'a timeout of the gateway',
      timeout,
      '/webhooks/orders',
      {},
      [503, 'Service Unavailable'],
      [504, 'Endpoint request timed out'],
    ],
    [
      'a body over 10 MB',
      {},
      '/webhooks/orders',
      big,
      [413, 'Request Entity Too Large'],
      [413, 'HTTP content length exceeded 10485760 bytes.'],
    ],
  ])('the gateway itself answers %s', async (_, options, target, request, httpApi, restApi) => {
    for (const kind of ['HTTP API 2.0', 'HTTP API 1.0', 'REST API'] as const) {
      const api = await start(kind, undefined, options);
      const answer = await send(api, target, request);
      const [status, message] = kind === 'REST API' ? restApi : httpApi;
      expect([kind, answer.status, answer.text]).toEqual([kind, status, JSON.stringify({ message })]);
      expect(answer.headers['content-type']).toBe('application/json');
      expect(api.events).toEqual([]);
    }
  });

  test('the gateway itself answers headers beyond 10240 bytes with the request line, not earlier', async () => {
    const api = await start('HTTP API 2.0');
    const lines = [
      'POST /webhooks/orders HTTP/1.1',
      `Host: 127.0.0.1:${api.server.port}`,
      'Connection: close',
      'Content-Length: 0',
      'X-Pad: ',
    ];
    const rest = 10_240 - lines.reduce((sum, line) => sum + line.length + 2, 0);
    const headers = (length: number) => ({
      Host: `127.0.0.1:${api.server.port}`,
      Connection: 'close',
      'Content-Length': '0',
      'X-Pad': 'x'.repeat(length),
    });
    expect((await send(api, '/webhooks/orders', { headers: headers(rest) })).status).toBe(204);
    expect((await send(api, '/webhooks/orders', { headers: headers(rest + 1) })).status).toBe(431);
  });

  test('a reply in time is passed on, and its timer ended', async () => {
    let aborted = false;
    const wait = (ms: number, signal: AbortSignal): Promise<unknown> =>
      new Promise((_, reject) => {
        expect(ms).toBe(30_000);
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(signal.reason);
        });
      });
    const api = await start('HTTP API 2.0', { statusCode: 200 }, { wait });
    expect((await send(api, '/webhooks/orders')).status).toBe(200);
    expect(aborted).toBe(true);
  });
});

test('answered requests are recorded and can be waited for', async () => {
  const api = await start('HTTP API 2.0');
  const two = api.waitForRequests(2);
  await send(api, '/webhooks/orders?token=1');
  await send(api, '/nowhere', { method: 'GET' });
  await two;
  expect(api.requests).toEqual([
    { at: AT, method: 'POST', path: '/webhooks/orders', status: 204 },
    { at: AT, method: 'GET', path: '/nowhere', status: 404 },
  ]);
  await expect(api.waitForRequests(3, { timeoutMs: 10 })).rejects.toThrow(/saw 2/);
});

test('a REST API has no format 2.0', async () => {
  await expect(start('HTTP API 2.0', undefined, { gateway: 'rest-api' })).rejects.toThrow(/no payload format 2\.0/);
});

test('a request reaches the function on the Lambda host, and its reply the client', async () => {
  const bundle = join(import.meta.dirname, 'lambda-host', 'echo.mjs');
  const fn = await createLambdaFunction({ name: 'webhook', bundle, environment: {} });
  const api = await start('HTTP API 2.0', undefined, { invoke: fn.invoke });
  const answer = await send(api, '/webhooks/orders', { headers: json, body: '{"a":1}' });
  expect(JSON.parse(answer.text)).toMatchObject({ functionName: 'webhook', event: { body: '{"a":1}' } });
  // 4.8 MB in base64 are beyond Lambda's 6 MB, though not beyond the gateway's 10.
  const binary = { headers: { 'content-type': 'application/octet-stream' }, body: Buffer.alloc(4_800_000) };
  expect((await send(api, '/webhooks/orders', binary)).status).toBe(413);
  await fn.stop();
});
