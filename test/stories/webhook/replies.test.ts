/**
 * Every reply that a caller may get, row by row of the table in functions/webhook/README.md, for each way in which AWS
 * wakes a function by HTTP: the published sample events, with a request of ours in them, through the built bundle.
 */
import { describe, expect, test } from 'vitest';
import type { WebhookPlan } from '../../../infra/local/landscape.ts';
import type { Answer, LocalServer } from '../../../infra/local/server/server.ts';
import {
  functionUrl,
  httpApi1,
  httpApi2,
  loadBalancer,
  loadBalancerMultiValue,
  restApi,
} from '../../webhook/aws-http-events.ts';
import { type Stage, setStage, WEBHOOK_USER } from '../stage.ts';

interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

const lists = (headers: Request['headers']) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));

const version2 =
  (sample: typeof httpApi2 | typeof functionUrl) =>
  ({ method, path, ...rest }: Request) => ({
    ...sample,
    cookies: undefined,
    ...rest,
    rawPath: path,
    requestContext: { ...sample.requestContext, http: { ...sample.requestContext.http, method, path } },
  });
const version1 =
  (sample: typeof restApi) =>
  ({ method, headers, ...rest }: Request) => ({
    ...sample,
    ...rest,
    httpMethod: method,
    headers,
    multiValueHeaders: lists(headers),
  });

const FORMS = {
  'HTTP API, payload 2.0': { toEvent: version2(httpApi2), hasLists: false },
  'function URL': { toEvent: version2(functionUrl), hasLists: false },
  'HTTP API, payload 1.0': { toEvent: version1(httpApi1), hasLists: true },
  'REST API': { toEvent: version1(restApi), hasLists: true },
  'load balancer': {
    toEvent: ({ method, ...rest }: Request) => ({ ...loadBalancer, ...rest, httpMethod: method }),
    hasLists: false,
  },
  'load balancer with header lists': {
    toEvent: ({ method, headers, ...rest }: Request) => ({
      ...loadBalancerMultiValue,
      ...rest,
      httpMethod: method,
      multiValueHeaders: lists(headers),
    }),
    hasLists: true,
  },
} as const;

const { username, password } = WEBHOOK_USER;
const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const GOOD: Request = {
  method: 'POST',
  path: '/webhooks/orders',
  headers: { authorization, 'content-type': 'application/json', 'x-request-id': 'r-1' },
  body: '{"order":4711}',
  isBase64Encoded: false,
};
const anonymous = { 'content-type': 'application/json' };

interface Expected {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded?: boolean;
}

const OWN = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };
const TITLES = {
  unauthorized: 'Credentials are missing or wrong',
  'not-found': 'There is nothing at this path',
  'malformed-request': 'The request cannot be read',
  'method-not-allowed': 'The method is not allowed',
  'content-too-large': 'The body is too large',
  'unsupported-media-type': 'The content type is not taken',
  'header-fields-too-large': 'The headers are too large',
  rejected: 'The receiver will never take this message',
  'bad-gateway': 'The receiver could not take the message',
  'answer-too-large': 'The answer of the receiver is too large',
  unavailable: 'The message cannot be taken now',
  'gateway-timeout': 'The receiver did not answer in time',
} as const;
const problem = (
  status: number,
  name: keyof typeof TITLES,
  headers: Record<string, string> = {},
  detail?: string,
): Expected => ({
  status,
  headers: { 'Content-Type': 'application/problem+json', ...OWN, ...headers },
  body: JSON.stringify({ type: `urn:problem-type:token-relay:${name}`, title: TITLES[name], status, detail }),
});
const UNAUTHORIZED = problem(401, 'unauthorized', {
  'WWW-Authenticate': 'Basic realm="webhooks", charset="UTF-8"',
});
const accepted = (messageId: string): Expected => ({
  status: 202,
  headers: { 'Content-Type': 'application/json', ...OWN },
  body: JSON.stringify({ messageId }),
});

interface Row {
  readonly when: string;
  readonly mode?: WebhookPlan['mode'];
  /** Of the webhook, beside its mode. */
  readonly webhook?: Readonly<Record<string, unknown>>;
  readonly request?: Partial<Request>;
  readonly cause?: (stage: Stage) => unknown;
  readonly expected: Expected;
}

const times = Object.keys(FORMS).length;
const answering = (answer: Answer) => (stage: Stage) => stage.runtimeNode.server.fail({ fault: answer, times });
const saying = (status: number, headers = {}) => answering({ status, headers, body: 'words of the flow' });
/** Not stopped: a landscape of another test may get its port. */
const silence = (server: LocalServer) => server.fail({ fault: 'reset-before', times: Number.POSITIVE_INFINITY });
const wait = (seconds: number) => ({ 'Retry-After': String(seconds) });

const REFUSED: readonly Row[] = [
  { when: 'the destination is unknown', request: { path: '/webhooks/nobody' }, expected: UNAUTHORIZED },
  { when: 'the destination has no webhook', request: { path: '/webhooks/invoices' }, expected: UNAUTHORIZED },
  { when: 'there are no credentials', request: { headers: anonymous }, expected: UNAUTHORIZED },
  {
    when: 'the credentials are wrong',
    request: { headers: { ...anonymous, authorization: 'Basic bm86bm8=' } },
    expected: UNAUTHORIZED,
  },
  {
    when: 'the path ends in something else',
    request: { path: '/webhooks/orders/more' },
    expected: problem(404, 'not-found'),
  },
  {
    when: 'the body is not the base64 it is said to be',
    request: { body: 'no base64!', isBase64Encoded: true },
    expected: problem(400, 'malformed-request'),
  },
  {
    when: 'the path cannot be decoded',
    request: { path: '/webhooks/%zz' },
    expected: problem(400, 'malformed-request'),
  },
  {
    when: 'the method is that of no webhook',
    request: { method: 'GET', headers: anonymous },
    expected: problem(405, 'method-not-allowed', { Allow: 'POST' }),
  },
  {
    when: 'the method is not one of this webhook',
    webhook: { methods: ['PUT', 'DELETE'] },
    expected: problem(405, 'method-not-allowed', { Allow: 'PUT, DELETE' }),
  },
  {
    when: 'the body is over maxBodyBytes',
    webhook: { maxBodyBytes: GOOD.body.length - 1 },
    expected: problem(413, 'content-too-large'),
  },
  {
    when: 'the content type is not taken',
    webhook: { contentTypes: ['text/xml'] },
    expected: problem(415, 'unsupported-media-type'),
  },
  {
    when: 'the gateway has read it as UTF-8, and it was none',
    request: { headers: { ...GOOD.headers, 'content-type': 'text/xml; charset=iso-8859-1' }, body: '<gr\uFFFDße/>' },
    expected: problem(
      415,
      'unsupported-media-type',
      {},
      'The gateway has read the body as UTF-8, and it was in another charset. Send UTF-8, or a content type that gateways pass on as bytes, such as application/octet-stream',
    ),
  },
  {
    when: 'the headers are over maxHeaderBytes',
    webhook: { maxHeaderBytes: 1_000 },
    request: { headers: { ...GOOD.headers, 'x-long': 'x'.repeat(1_000) } },
    expected: problem(431, 'header-fields-too-large'),
  },
  {
    when: 'the secret cannot be read',
    cause: ({ secretsManager }) => silence(secretsManager.server),
    expected: problem(503, 'unavailable', wait(30)),
  },
];

const QUEUED: readonly Row[] = [
  { when: 'SQS has taken the message', mode: 'queued', expected: accepted('r-1') },
  {
    when: 'SQS has taken the message in place of the flow',
    mode: 'direct-else-queued',
    cause: saying(404),
    expected: accepted('r-1'),
  },
  {
    when: 'SQS did not take it',
    mode: 'queued',
    cause: ({ sqsServer }) => silence(sqsServer),
    expected: problem(503, 'unavailable', wait(30)),
  },
  {
    when: 'neither the flow nor SQS took it',
    mode: 'direct-else-queued',
    cause: (stage) => [saying(404)(stage), silence(stage.sqsServer)],
    expected: problem(503, 'unavailable', wait(30)),
  },
  {
    when: 'it is beyond SQS’s 1 MiB, and there is no bucket',
    mode: 'queued',
    request: { body: 'x'.repeat(1_048_577) },
    expected: problem(413, 'content-too-large'),
  },
];

const rejected = (said: number, status: number): Row => ({
  when: `the flow says ${said}`,
  cause: saying(said, { 'Retry-After': '5' }),
  expected: problem(status, 'rejected'),
});
const PDF = Buffer.from([0x25, 0x50, 0x44, 0x46, 0xff, 0x00]);

const DIRECT: readonly Row[] = [
  ...[400, 413, 415, 422].map((status) => rejected(status, status)),
  ...[409, 410, 412].map((status) => rejected(status, 422)),
  ...[500, 502, 504].map((said) => ({
    when: `the flow says ${said}`,
    cause: saying(said),
    expected: problem(502, 'bad-gateway', wait(30)),
  })),
  {
    when: 'the connection breaks',
    cause: ({ runtimeNode }) => runtimeNode.server.fail({ fault: 'half-answer', times }),
    expected: problem(502, 'bad-gateway', wait(30)),
  },
  {
    when: 'no token is to be had',
    cause: ({ authorizationServer }) => silence(authorizationServer.server),
    expected: problem(502, 'bad-gateway', wait(30)),
  },
  { when: 'the endpoint is not there', cause: saying(404), expected: problem(502, 'bad-gateway') },
  { when: 'the endpoint redirects', cause: saying(302), expected: problem(502, 'bad-gateway') },
  { when: 'the role is missing', cause: ({ orders }) => orders.unassignRole(), expected: problem(502, 'bad-gateway') },
  {
    when: 'the flow says 429',
    cause: saying(429, { 'Retry-After': '11' }),
    expected: problem(503, 'unavailable', wait(11)),
  },
  { when: 'the flow says 503', cause: saying(503), expected: problem(503, 'unavailable', wait(30)) },
  { when: 'the flow says 408', cause: saying(408), expected: problem(504, 'gateway-timeout', wait(30)) },
  {
    when: 'the flow does not answer within timeoutSeconds',
    cause: ({ runtimeNode }) => runtimeNode.server.fail({ fault: 'hang', times }),
    expected: problem(504, 'gateway-timeout', wait(30)),
  },
  {
    when: 'the flow took it and answers a text',
    webhook: { returnHeaders: ['X-Order'] },
    cause: answering({
      status: 201,
      headers: {
        'Content-Type': 'text/xml; charset=utf-8',
        'Content-Language': 'de',
        'X-Order': '4711',
        'X-Internal': 'stays',
        'Set-Cookie': 'a=1',
      },
      body: '<größe/>',
    }),
    expected: {
      status: 201,
      headers: { 'Content-Type': 'text/xml; charset=utf-8', 'Content-Language': 'de', 'x-order': '4711' },
      body: '<größe/>',
    },
  },
  {
    when: 'the flow took it and answers bytes',
    cause: answering({ status: 200, headers: { 'Content-Type': 'application/pdf' }, body: PDF }),
    expected: {
      status: 200,
      headers: { 'Content-Type': 'application/pdf' },
      body: PDF.toString('base64'),
      isBase64Encoded: true,
    },
  },
  {
    when: 'the flow took it and answers 5 MB of text',
    cause: answering({ status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'a'.repeat(5_000_000) }),
    expected: { status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'a'.repeat(5_000_000) },
  },
  {
    when: 'the flow took it and answers more than a reply can carry',
    cause: answering({ status: 200, headers: { 'Content-Type': 'application/pdf' }, body: Buffer.alloc(5_000_000) }),
    expected: problem(502, 'answer-too-large', {}, 'The message was carried out'),
  },
  {
    when: 'the flow took it and has nothing to say',
    cause: answering({ status: 204 }),
    expected: { status: 204, headers: {}, body: '' },
  },
];

describe.each([
  ['a request that is turned away', REFUSED],
  ['a webhook that is queued', QUEUED],
  ['a webhook that is direct', DIRECT],
] as const)('The reply to %s', (_, rows) => {
  test.each(rows)('the reply is $expected.status when $when, in the form of each event', async (row) => {
    const { mode = 'direct', webhook, request, cause, expected } = row;
    const settings = {
      timeoutSeconds: 1,
      webhook: { verify: 'basic', secret: 'webhooks/orders', mode, ...webhook },
    };
    const stage = await setStage({
      plans: [
        { name: 'orders', webhook: WEBHOOK_USER, flow: { csrfProtected: false }, settings },
        { name: 'invoices' },
      ],
    });
    await cause?.(stage);

    for (const [form, { toEvent, hasLists }] of Object.entries(FORMS)) {
      const event = toEvent({ ...GOOD, ...request });
      const result = await stage.deployed.webhookFunction.invoke(event);
      const { status, headers, body, isBase64Encoded = false } = expected;
      expect(result.ok && result.payload, form).toEqual({
        statusCode: status,
        ...(hasLists ? { multiValueHeaders: lists(headers) } : { headers }),
        body,
        isBase64Encoded,
      });
    }
  });
});

test('an event that is none of HTTP is answered 400, as single headers', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', webhook: WEBHOOK_USER }] });
  const { status, headers, body } = problem(400, 'malformed-request');
  for (const event of [{}, { Records: [] }, null, 'text', { version: '2.0' }, { httpMethod: 'POST' }]) {
    const result = await stage.deployed.webhookFunction.invoke(event);
    expect(result.ok && result.payload).toEqual({ statusCode: status, headers, body, isBase64Encoded: false });
  }
});
