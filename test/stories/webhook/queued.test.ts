/** Mode `queued`: the caller is answered once the message is safe, and the queue function delivers it. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { GATEWAY_NAMES } from '../gateway.ts';
import { BUCKET, setPayloadStage } from '../payload-store.ts';
import { orderPayload, setStage, sha256, WEBHOOK_USER } from '../stage.ts';

const WEBHOOK = { ...WEBHOOK_USER, mode: 'queued' } as const;
const PLAN = { name: 'orders', webhook: WEBHOOK } as const;
const ENCODED = { 'Content-Type': 'application/xml', 'Content-Encoding': 'gzip', 'Content-Language': 'de' };
const LARGE = randomBytes(1_500_000);

describe.each(GATEWAY_NAMES)('behind %s', (gateway) => {
  test('the caller gets 202 and the id before SAP is called, and what is delivered is what was sent', async () => {
    const stage = await setStage({ gateway, plans: [PLAN] });
    const body = orderPayload();

    const response = await stage.post('/webhooks/orders', { body, headers: { 'X-Request-Id': 'r-1' } });

    expect(response.status).toBe(202);
    expect(await response.text()).toBe('{"messageId":"r-1"}');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(response.headers.has('location')).toBe(false);
    expect(stage.tally()).toMatchObject({
      tokenRequests: [],
      secretReads: { 'webhooks/orders': 1 },
      flowRuns: 0,
      left: 1,
    });
    expect(stage.told('webhook.queued')).toMatchObject([
      { level: 'INFO', destination: 'orders', messageId: 'r-1', bytes: Buffer.byteLength(body) },
    ]);

    await stage.poll();
    expect(stage.runtimeNode.messages).toMatchObject([
      { messageId: 'r-1', bodySha256: sha256(body), headers: { 'content-type': 'application/json' } },
    ]);
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], flowRuns: 1, left: 0, dead: 0 });
  });

  test.each([
    { what: 'a compressed body', body: new Uint8Array(gzipSync('<order/>')), headers: ENCODED },
    { what: 'any bytes', body: new Uint8Array(randomBytes(3_000)), headers: { 'Content-Type': 'application/pdf' } },
    {
      what: 'text with a byte order mark',
      body: '\uFEFF<größe>😀</größe>\r\n',
      headers: { 'Content-Type': 'text/xml; charset=utf-8' },
    },
    {
      what: 'Latin-1',
      body: new Uint8Array(Buffer.from('<größe/>', 'latin1')),
      // What is not among an HTTP API's textual types comes to the function as it is.
      headers: { 'Content-Type': 'application/vnd.legacy+xml; charset=iso-8859-1' },
    },
    { what: 'no bytes', body: '', headers: { 'Content-Type': 'application/json' } },
  ])('the body $what arrives byte for byte, with what belongs to it', async ({ body, headers }) => {
    // A flow sees no other headers than those of its integration flow's "Allowed Headers".
    const flow = { allowedHeaders: ['SAP_ApplicationID', 'Content-Language'] };
    const stage = await setStage({ gateway, plans: [{ ...PLAN, flow }] });

    const response = await stage.post('/webhooks/orders', { body, headers: { ...headers, Traceparent: '00-a-b-01' } });
    await stage.poll();

    expect(response.status).toBe(202);
    const [message] = stage.runtimeNode.messages;
    expect(message?.bodySha256).toBe(sha256(body));
    const arrived = message?.headers ?? {};
    for (const [name, value] of Object.entries(headers)) expect(arrived[name.toLowerCase()]).toBe(value);
    expect(stage.outcomes()).toEqual({ 'delivered 200 yes 2': 1 });
  });
});

test('umlauts that the gateway has lost are not queued: 415, and the sender learns what to do', async () => {
  const stage = await setStage({ plans: [PLAN] });
  const body = new Uint8Array(Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><größe/>', 'latin1'));
  const post = (type: string) => stage.post('/webhooks/orders', { body, headers: { 'Content-Type': type } });

  const refused = await post('application/xml');
  expect(refused.status).toBe(415);
  expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('Send UTF-8, or a content type') });
  expect(stage.orders.queue.size).toBe(0);

  expect((await post('application/octet-stream')).status, 'as the detail says').toBe(202);
  await stage.poll();
  expect(stage.runtimeNode.messages).toMatchObject([{ bodySha256: sha256(body) }]);
});

test('a 202 is sent only when SQS has the message; the sender’s next try has the same id', async () => {
  const stage = await setStage({ plans: [PLAN] });
  const headers = { 'X-Request-Id': 'r-1' };
  await stage.sqsServer.stop();
  const refused = await stage.post('/webhooks/orders', { headers });

  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('30');
  expect(await refused.json()).toEqual({
    type: 'urn:problem-type:token-relay:unavailable',
    title: 'The message cannot be taken now',
    status: 503,
  });
  expect(stage.told('webhook.queued')).toEqual([]);
  expect(stage.told('webhook.not-queued')).toMatchObject([{ level: 'ERROR', destination: 'orders', messageId: 'r-1' }]);

  await stage.sqsServer.start();
  const taken = await stage.post('/webhooks/orders', { headers });
  expect(await taken.json()).toEqual({ messageId: 'r-1' });
  expect(stage.orders.queue.messages.map(({ attributes }) => attributes.messageId?.stringValue)).toEqual(['r-1']);
});

test('a refusal of SQS is a 503, and the reason is in the log without the payload', async () => {
  const stage = await setStage({ plans: [PLAN] });
  const body = '{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}';
  stage.sqsServer.fail({ fault: { status: 403, body }, times: 10 });

  expect((await stage.post('/webhooks/orders')).status).toBe(503);
  expect(stage.told('webhook.not-queued')).toMatchObject([{ reason: expect.stringContaining('AccessDenied') }]);
});

test('queued and refused messages are counted by destination', async () => {
  const stage = await setStage({ plans: [PLAN] });
  const counted = (name: string) =>
    stage.output.flatMap((line) => (line.includes(`"${name}":`) ? [JSON.parse(line)] : []));

  await stage.post('/webhooks/orders');
  expect(counted('Queued')).toMatchObject([{ destination: 'orders', Queued: 1 }]);
  expect(counted('NotQueued')).toEqual([]);

  await stage.sqsServer.stop();
  await stage.post('/webhooks/orders');
  expect(counted('Queued')).toHaveLength(1);
  expect(counted('NotQueued')).toMatchObject([{ destination: 'orders', NotQueued: 1 }]);
});

describe('when SQS’s answer is lost', () => {
  test('a message on FIFO is there once when SQS’s answer is lost: each try has its deduplication id', async () => {
    const stage = await setStage({ plans: [{ ...PLAN, fifo: true }] });
    stage.sqsServer.fail({ fault: 'reset-after', times: 1 });

    const sent = { headers: { 'X-Request-Id': 'r-1' }, body: orderPayload() };
    const response = await stage.post('/webhooks/orders', sent);
    // The sender, too, never saw the answer.
    const again = await stage.post('/webhooks/orders', sent);

    expect([response.status, again.status]).toEqual([202, 202]);
    expect(stage.orders.queue.size).toBe(1);
  });

  test('a message on a standard queue is there again with the same id when SQS’s answer is lost', async () => {
    const stage = await setStage({ plans: [PLAN] });
    stage.sqsServer.fail({ fault: 'reset-after', times: 1 });

    const response = await stage.post('/webhooks/orders', { headers: { 'X-Request-Id': 'r-1' } });

    expect(response.status).toBe(202);
    const ids = stage.orders.queue.messages.map(({ attributes }) => attributes.messageId?.stringValue);
    expect(ids).toEqual(['r-1', 'r-1']);
  });
});

describe('on FIFO', () => {
  test('another body, or another source, under an id already used on FIFO displaces nothing', async () => {
    const stage = await setStage({ plans: [{ ...PLAN, fifo: true }] });
    const [captured, order] = [orderPayload(), orderPayload()];
    const tries = [
      { body: captured, headers: { 'X-Request-Id': 'order-2' } },
      { body: order, headers: { 'X-Request-Id': 'order-2' } },
      { body: order, headers: { 'X-Request-Id': 'order-2', 'ce-source': '/erp' } },
      { body: order, headers: { 'X-Request-Id': 'order-2', traceparent: '00-a-b-01' } },
    ];
    const answers = [];
    for (const sent of tries) answers.push(await (await stage.post('/webhooks/orders', sent)).json());

    expect(answers, 'the message id stays the sender’s').toEqual(Array(4).fill({ messageId: 'order-2' }));
    await stage.poll();
    expect(stage.runtimeNode.messages.map(({ bodySha256 }) => bodySha256)).toEqual(
      [captured, order, order].map(sha256),
    );
  });

  const ask = async (messageGroupId: string | undefined, headers: Record<string, string>, body: string) => {
    const webhook = { verify: 'basic', secret: 'webhooks/orders', ...(messageGroupId && { messageGroupId }) };
    const stage = await setStage({ plans: [{ ...PLAN, fifo: true, settings: { webhook } }] });
    expect((await stage.post('/webhooks/orders', { headers, body })).status).toBe(202);
    return stage.orders.queue.messages.map(({ groupId }) => groupId);
  };

  test.each([
    ['a header says', 'X-Customer', { 'X-Customer': '4711' }, '{}', '4711'],
    ['the payload says', '/customer/id', {}, '{"customer":{"id":4711}}', '4711'],
    ['is the destination, where nothing says', 'X-Customer', {}, '{}', 'orders'],
    ['is the destination, where an empty header says nothing', 'X-Customer', { 'X-Customer': '' }, '{}', 'orders'],
    ['is the destination, where nothing is asked for', undefined, { 'X-Customer': '4711' }, '{}', 'orders'],
    ['of a name that SQS does not take is its SHA-256', 'X-Customer', { 'X-Customer': 'a b' }, '{}', sha256('a b')],
  ])('the message group on FIFO %s', async (_, setting, headers, body, expected) => {
    expect(await ask(setting, headers, body)).toEqual([expected]);
  });
});

describe('a body beyond 1 MiB', () => {
  test('a body beyond 1 MiB goes through S3, and arrives byte for byte', async () => {
    const stage = await setPayloadStage({ webhook: WEBHOOK, settings: { payloadBucket: BUCKET } });
    const response = await stage.post('/webhooks/orders', {
      body: new Uint8Array(LARGE),
      headers: { 'Content-Type': 'application/pdf' },
    });

    expect(response.status).toBe(202);
    expect(stage.orders.queue.messages[0]?.attributes.ExtendedPayloadSize?.stringValue).toBe(String(LARGE.byteLength));
    await stage.poll();
    expect(stage.runtimeNode.messages).toMatchObject([{ bodySha256: sha256(LARGE) }]);
  });

  test('a body beyond 1 MiB is 413 without a bucket, and nothing is stored', async () => {
    const stage = await setStage({ plans: [PLAN] });
    const response = await stage.post('/webhooks/orders', { body: new Uint8Array(LARGE) });

    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ type: 'urn:problem-type:token-relay:content-too-large' });
    expect(stage.tally()).toMatchObject({ left: 0, flowRuns: 0 });
  });

  test('a body beyond 1 MiB is 503 where S3 does not store it, and nothing lies in the queue', async () => {
    const stage = await setStage({ s3: true, plans: [{ ...PLAN, settings: { payloadBucket: 'no-such-bucket' } }] });
    const response = await stage.post('/webhooks/orders', { body: new Uint8Array(LARGE) });

    expect(response.status).toBe(503);
    expect(stage.orders.queue.size).toBe(0);
  });
});

test('a queue that is only named is found beside the function', async () => {
  const settings = { queue: 'token-relay-local-orders', queueUrl: undefined };
  const stage = await setStage({ plans: [{ ...PLAN, settings }] });

  expect((await stage.post('/webhooks/orders')).status).toBe(202);
  expect(stage.orders.queue.size).toBe(1);
});
