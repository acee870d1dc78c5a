import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../../infra/local/server/server.ts';
import { GATEWAY_NAMES } from '../gateway.ts';
import { setStage, sha256, WEBHOOK_USER } from '../stage.ts';

const PLAN = { name: 'orders', webhook: WEBHOOK_USER } as const;
const BINARY = randomBytes(20_000);

describe.each(GATEWAY_NAMES)('behind %s', (gateway) => {
  test.each<{ what: string; answer: Answer; contentType: string | null }>([
    {
      what: 'JSON',
      answer: { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"größe":"42 ✓"}' },
      contentType: 'application/json',
    },
    {
      what: 'XML, accepted',
      answer: { status: 202, headers: { 'Content-Type': 'application/xml;charset=UTF-8' }, body: '<a>ä</a>' },
      contentType: 'application/xml;charset=UTF-8',
    },
    {
      what: 'XML in ISO-8859-1',
      answer: {
        status: 200,
        headers: { 'Content-Type': 'application/xml; charset=iso-8859-1' },
        body: Buffer.from('<a>ä</a>', 'latin1'),
      },
      contentType: 'application/xml; charset=iso-8859-1',
    },
    {
      what: 'bytes',
      answer: { status: 201, headers: { 'Content-Type': 'application/pdf' }, body: BINARY },
      contentType: 'application/pdf',
    },
    {
      what: 'bytes that are called text',
      answer: { status: 200, headers: { 'Content-Type': 'text/plain' }, body: BINARY },
      contentType: 'text/plain',
    },
  ])('the caller gets the flow’s status, content type and body: $what', async ({ answer, contentType }) => {
    const stage = await setStage({ gateway, plans: [{ ...PLAN, flow: { answer: () => answer } }] });

    const response = await stage.post('/webhooks/orders', { headers: { 'X-Request-Id': 'r-1' } });

    expect(response.status).toBe(answer.status);
    expect(response.headers.get('content-type')).toBe(contentType);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(answer.body ?? ''));
    expect(stage.attempts).toMatchObject([
      { destination: 'orders', messageId: 'r-1', attempt: 1, outcome: 'delivered', status: answer.status },
    ]);
    expect(stage.tally()).toMatchObject({
      tokenRequests: [200],
      secretReads: { 'webhooks/orders': 1, 'cpi/orders': 1 },
      flowRuns: 1,
    });
  });

  test('a 204 to the caller has no body', async () => {
    const stage = await setStage({ gateway, plans: [{ ...PLAN, flow: { runtime: 8 } }] });

    const response = await stage.post('/webhooks/orders');

    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
  });

  test('the flow’s headers that belong to the body come back, the listed ones, and no cookies', async () => {
    const body = gzipSync('{"compressed":true}');
    const answer = {
      status: 200,
      headers: {
        'Content-Type': 'application/json',
        'Content-Encoding': 'gzip',
        'Content-Language': 'de',
        'X-Order': '4711',
        'X-Internal': 'stays',
        'Set-Cookie': ['a=1'],
      },
      body,
    };
    const webhook = {
      verify: 'basic',
      secret: 'webhooks/orders',
      mode: 'direct',
      returnHeaders: ['X-Order', 'x-corr*'],
    };
    const stage = await setStage({
      gateway,
      plans: [{ ...PLAN, flow: { answer: () => answer }, settings: { webhook } }],
    });

    const response = await stage.post('/webhooks/orders');

    const { headers } = response;
    expect(await response.json()).toEqual({ compressed: true });
    const names = ['content-encoding', 'content-language', 'x-order', 'x-internal', 'set-cookie'];
    expect(names.map((name) => headers.get(name))).toEqual(['gzip', 'de', '4711', null, null]);
    expect(headers.get('x-correlationid')).toMatch(/^[\w-]{36}$/);
  });

  test.each([
    {
      what: 'random bytes, 1 MB',
      body: new Uint8Array(randomBytes(1_000_000)),
      contentType: 'application/octet-stream',
    },
    { what: 'umlauts and a byte order mark', body: '\u{FEFF}<a>äöü😀</a>\r\n', contentType: 'text/xml; charset=utf-8' },
    { what: 'no bytes', body: '', contentType: 'text/plain' },
  ])('the flow gets the caller’s bytes and content type: $what', async ({ body, contentType }) => {
    const stage = await setStage({ gateway, plans: [PLAN] });
    const response = await stage.post('/webhooks/orders', { body, headers: { 'Content-Type': contentType } });

    const [message] = stage.runtimeNode.messages;
    expect(response.status).toBe(200);
    expect(message?.headers['content-type']).toBe(contentType);
    expect(message?.bodySha256).toBe(sha256(body));
    expect(stage.attempts[0]?.bytes).toBe(message?.body.byteLength);
  });

  test('a compressed body stays compressed', async () => {
    const stage = await setStage({ gateway, plans: [PLAN] });
    const body = new Uint8Array(gzipSync('<order/>'));
    const headers = { 'Content-Type': 'application/xml', 'Content-Encoding': 'gzip' };

    await stage.post('/webhooks/orders', { body, headers });

    expect(stage.runtimeNode.messages[0]).toMatchObject({
      bodySha256: sha256(body),
      headers: { 'content-type': 'application/xml', 'content-encoding': 'gzip' },
    });
  });

  test('the second request finds secret and token in memory', async () => {
    const stage = await setStage({ gateway, plans: [PLAN] });

    await stage.post('/webhooks/orders');
    await stage.post('/webhooks/orders');

    expect(stage.tally()).toMatchObject({
      tokenRequests: [200],
      secretReads: { 'webhooks/orders': 1, 'cpi/orders': 1 },
      calls: { 'POST 403': 1, 'HEAD 200': 1, 'POST 200': 2 },
    });
    expect(stage.outcomes('outcome', 'token', 'calls')).toEqual({ 'delivered new 2': 1, 'delivered warm 1': 1 });
    expect(stage.deployed.webhookFunction.coldStarts).toBe(1);
  });
});
