/** A gateway's route that lets through what a known identity has signed; the signatures are curl's (`--aws-sigv4`). */
import { describe, expect, test } from 'vitest';
import { createGateway, type Event, type HttpApiOptions } from '../../infra/local/aws/http-api/http-api.ts';
import type { Request } from '../../infra/local/server/server.ts';

const USER = {
  accessKeyId: 'AKIASYNTHETIC',
  secretAccessKey: 'synthetic-secret-access-key',
  userArn: 'arn:aws:iam::123456789012:user/legacy-erp',
};
const DATE = '20261123T225937Z';
const AT = Date.UTC(2026, 10, 23, 22, 59, 37);
const SIGNATURE = 'be1db142c6e4047429ebee7027df3f773608ab1289e12641bd6daf1892bf798f';
const authorization = (signature: string, scope = '20261123/eu-central-1/execute-api') =>
  `AWS4-HMAC-SHA256 Credential=AKIASYNTHETIC/${scope}/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=${signature}`;

function request(overrides: Partial<Request> & { headers?: Record<string, string> } = {}): Request {
  const headers = {
    host: 'webhooks.example.com',
    'x-amz-date': DATE,
    'content-type': 'application/json',
    authorization: authorization(SIGNATURE),
    ...overrides.headers,
  };
  const { path = '/webhooks/orders', query = new URLSearchParams() } = overrides;
  return {
    method: 'POST',
    path,
    target: `${path}${query.size > 0 ? `?${query}` : ''}`,
    body: Buffer.from('{"order":4711}'),
    ...overrides,
    query,
    headers,
    rawHeaders: Object.entries(headers).flat(),
  };
}

async function ask(asked: Request, options: Partial<HttpApiOptions> = {}) {
  const events: Event[] = [];
  const gateway = createGateway({
    invoke: async (event) => {
      events.push(event);
      return { ok: true, requestId: 'r', payload: { statusCode: 202, body: '' } } as never;
    },
    routes: [
      { methods: 'ANY', path: '/webhooks/{destination}' },
      { methods: ['POST'], path: '/webhooks/orders', authorization: 'AWS_IAM' },
    ],
    payloadFormat: '2.0',
    identities: [USER],
    now: () => AT,
    ...options,
  });
  const { status, body } = await gateway(asked);
  return { status, body, contexts: events.map(({ requestContext }) => requestContext) };
}

const FORBIDDEN = { status: 403, body: '{"message":"Forbidden"}', contexts: [] };

describe('What a known identity has signed', () => {
  test('a request signed by a known identity reaches the function, which learns who it was', async () => {
    const { status, contexts } = await ask(request());
    expect(status).toBe(202);
    const { userArn, accessKeyId: accessKey } = USER;
    expect(contexts).toMatchObject([{ authorizer: { iam: { userArn, accessKey, accountId: '123456789012' } } }]);
  });

  test('a request signed by a known identity names it in payload 1.0 at another place', async () => {
    const { contexts } = await ask(request(), { payloadFormat: '1.0', gateway: 'http-api' });
    expect(contexts).toMatchObject([{ identity: { userArn: USER.userArn } }]);
  });

  test('a request signed by a known identity is good for five minutes, before and after', async () => {
    const statusAt = async (now: number) => (await ask(request(), { now: () => now })).status;
    expect(await statusAt(AT + 300_000)).toBe(202);
    expect(await statusAt(AT - 300_000)).toBe(202);
    expect(await statusAt(AT + 300_001)).toBe(403);
    expect(await statusAt(AT - 300_001)).toBe(403);
  });
});

describe('What does not come through:', () => {
  const headers = (more: Record<string, string>) => request({ headers: more });
  test.each<[string, Request]>([
    ['no signature', headers({ authorization: '' })],
    ['other credentials', headers({ authorization: 'Basic bm86bm8=' })],
    ['another signature', headers({ authorization: authorization('0'.repeat(64)) })],
    ['another body', request({ body: Buffer.from('{"order":4712}') })],
    ['another query', request({ query: new URLSearchParams('a=1') })],
    ['another signed header', headers({ 'content-type': 'text/plain' })],
    ['another host', headers({ host: 'elsewhere.example.com' })],
    ['another date', headers({ 'x-amz-date': '20261123T225938Z' })],
    ['a date that is none', headers({ 'x-amz-date': '20261123 now' })],
    ['another region', headers({ authorization: authorization(SIGNATURE, '20261123/us-east-1/execute-api') })],
    ['another service', headers({ authorization: authorization(SIGNATURE, '20261123/eu-central-1/lambda') })],
  ])('a request with a bad signature does not come through: %s', async (_, asked) => {
    expect(await ask(asked)).toEqual(FORBIDDEN);
  });

  test('a request of an unknown identity does not come through', async () => {
    expect(await ask(request(), { identities: [] })).toEqual(FORBIDDEN);
    expect(await ask(request(), { identities: [{ ...USER, secretAccessKey: 'another' }] })).toEqual(FORBIDDEN);
  });
});

test('a request by another method finds the route for all, where no identity is known', async () => {
  const { status, contexts } = await ask(request({ method: 'PUT' }));
  expect(status).toBe(202);
  expect(contexts).toMatchObject([{ routeKey: 'ANY /webhooks/{destination}' }]);
  expect(contexts[0]).not.toHaveProperty('authorizer');
});
