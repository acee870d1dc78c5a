import { describe, expect, test } from 'vitest';
import { setStage, WEBHOOK_USER } from '../stage.ts';

describe('Of an address with a wildcard the message says the rest', () => {
  const WILDCARD = { name: 'orders', flow: { address: '/orders/*' }, settings: { pathFrom: 'X-Order-Path' } } as const;

  test('the rest of a wildcard address comes from an attribute, and is no part of the CSRF fetch', async () => {
    const stage = await setStage({ plans: [WILDCARD] });
    const id = stage.send(stage.orders, { attributes: { 'X-Order-Path': 'de/Größe 5' } });

    await stage.poll();

    expect(stage.arrivals()).toEqual([id]);
    expect(stage.runtimeNode.requests.map(({ method, path, status }) => [method, path, status])).toEqual([
      ['POST', '/http/orders/de/Gr%C3%B6%C3%9Fe%205', 403],
      ['HEAD', '/http/orders', 200],
      ['POST', '/http/orders/de/Gr%C3%B6%C3%9Fe%205', 200],
    ]);
  });

  test('the rest of a wildcard address is encoded where it has characters that no path may have', async () => {
    const stage = await setStage({ plans: [WILDCARD] });
    const id = stage.send(stage.orders, { attributes: { 'X-Order-Path': 'de/a[1]|b^{c}"%5B' } });

    await stage.poll();

    expect(stage.arrivals()).toEqual([id]);
    expect(stage.runtimeNode.messages).toMatchObject([{ path: '/http/orders/de/a%5B1%5D%7Cb%5E%7Bc%7D%22%5B' }]);
  });

  test('the rest of a wildcard address comes from a header among those of the queue’s message', async () => {
    const stage = await setStage({ plans: [WILDCARD] });
    stage.send(stage.orders, { attributes: { headers: '{"x-order-path":"de/4711"}' } });

    await stage.poll();

    expect(stage.runtimeNode.messages).toMatchObject([{ path: '/http/orders/de/4711' }]);
  });

  test('the rest of a wildcard address comes from a header of the webhook’s request, forwarded or not', async () => {
    const stage = await setStage({ plans: [{ ...WILDCARD, webhook: WEBHOOK_USER }] });

    const reply = await stage.post('/webhooks/orders', { headers: { 'X-Order-Path': '/de/4711' } });

    expect(reply.status).toBe(200);
    expect(stage.runtimeNode.messages).toMatchObject([{ path: '/http/orders/de/4711' }]);
  });

  test('the rest of a wildcard address comes from a header of a webhook’s request that is queued', async () => {
    const settings = { ...WILDCARD.settings, webhook: { verify: 'basic', secret: 'webhooks/orders', mode: 'queued' } };
    const stage = await setStage({ plans: [{ ...WILDCARD, webhook: WEBHOOK_USER, settings }] });

    const reply = await stage.post('/webhooks/orders', { headers: { 'X-Order-Path': 'de/4711' } });
    await stage.poll();

    expect(reply.status).toBe(202);
    expect(stage.runtimeNode.messages).toMatchObject([{ path: '/http/orders/de/4711' }]);
  });

  test.each([
    ['by a webhook: 422', { 'X-Order-Path': '../../invoices' }, 422, []],
    ['and may say none', {}, 200, ['/http/orders']],
  ])('the rest of a wildcard address is used or refused: %s', async (_, headers, status, paths) => {
    const stage = await setStage({ plans: [{ ...WILDCARD, webhook: WEBHOOK_USER }] });

    const reply = await stage.post('/webhooks/orders', { headers });

    expect(reply.status).toBe(status);
    expect(stage.runtimeNode.messages.map(({ path }) => path)).toEqual(paths);
  });
});

test.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
  'the flow is called by %s, with static query and headers',
  async (method) => {
    const stage = await setStage({
      plans: [
        {
          name: 'orders',
          flow: { csrfProtected: false, allowedHeaders: ['SAP_ApplicationID', 'X-Plant'] },
          settings: { method, query: { mode: 'a b&c' }, headers: { 'X-Plant': '0001' } },
        },
      ],
    });
    const id = stage.send(stage.orders);

    await stage.poll();

    expect(stage.arrivals()).toEqual([id]);
    expect(stage.runtimeNode.messages).toMatchObject([
      { method, headers: { 'x-plant': '0001', mode: 'a b&c', sap_applicationid: id }, droppedHeaders: [] },
    ]);
  },
);

test.each([
  ['200 and empty', { runtime: 6 }, 200],
  ['204 on runtime 8', { runtime: 8 }, 204],
  ['202', { answer: () => ({ status: 202 }) }, 202],
  ['299, as CamelHttpResponseCode says', { answer: () => ({ status: 299 }) }, 299],
] as const)('a message that the flow accepted is delivered, whatever it answers: %s', async (_, flow, status) => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: { csrfProtected: false, ...flow } }] });
  stage.send(stage.orders);

  await stage.poll();

  expect(stage.outcomes()).toEqual({ [`delivered ${status} yes 1`]: 1 });
});

test.each(['header', 'body'] as const)('the MPL id stands in the log line, from the %s', async (place) => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: { csrfProtected: false, returnMplId: place } }] });
  stage.send(stage.orders);

  await stage.poll();

  const [message] = stage.runtimeNode.messages;
  expect(stage.attempts).toMatchObject([{ outcome: 'delivered', mplId: message?.mplId }]);
});

test('SAP’s passport and the trace reach the flow that allows them, and are named where it does not', async () => {
  const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'sap-passport': '2A54482A' };
  const allowedHeaders = ['SAP_ApplicationID', 'traceparent', 'SAP-PASSPORT'];
  const stage = await setStage({
    plans: [
      { name: 'orders', flow: { csrfProtected: false, allowedHeaders }, webhook: WEBHOOK_USER },
      {
        name: 'strict',
        flow: { csrfProtected: false, allowedHeaders: [] },
        settings: {
          webhook: {
            verify: 'basic',
            secret: 'webhooks/orders',
            mode: 'direct',
            returnHeaders: ['x-landscape-notice'],
          },
        },
      },
    ],
  });

  await stage.post('/webhooks/orders', { headers: trace });
  const reply = await stage.post('/webhooks/strict', { headers: trace });

  const [allowed, dropped] = stage.runtimeNode.messages;
  expect(allowed).toMatchObject({ headers: trace, droppedHeaders: [] });
  expect(dropped?.droppedHeaders.map((name) => name.toLowerCase()).sort()).toEqual([
    'sap-passport',
    'sap_applicationid',
    'traceparent',
  ]);
  expect(reply.headers.get('x-landscape-notice')).toContain('SAP_ApplicationID dropped: not among Allowed Headers');
});
