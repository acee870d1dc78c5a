import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';

const FLOW = { csrfProtected: false } as const;

test('two destinations with the same secret share one token', async () => {
  const stage = await setStage({
    plans: [
      { name: 'orders', flow: FLOW },
      { name: 'invoices', flow: FLOW, settings: { secret: 'cpi/orders' } },
    ],
  });
  const [orders = stage.orders, invoices = stage.orders] = stage.destinations;
  const ids = [...stage.sendMany(3, orders), ...stage.sendMany(3, invoices)].sort();

  await stage.poll(orders);
  await stage.poll(invoices);

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.runtimeNode.messages.map(({ flow }) => flow).sort()).toEqual([
    ...Array(3).fill('invoices'),
    ...Array(3).fill('orders'),
  ]);
  expect(stage.tally()).toEqual({
    tokenRequests: [200],
    secretReads: { 'cpi/orders': 1 },
    calls: { 'POST 200': 6 },
    flowRuns: 6,
    left: 0,
    dead: 0,
  });
  expect(stage.outcomes('destination', 'token')).toEqual({ 'orders new': 3, 'invoices warm': 3 });
  expect(new Set(stage.runtimeNode.requests.map(({ tokenFingerprint }) => tokenFingerprint)).size).toBe(1);
});

test('two destinations with different secrets have a token each', async () => {
  const stage = await setStage({
    plans: [
      { name: 'orders', flow: FLOW },
      { name: 'invoices', flow: FLOW },
    ],
  });
  const [orders = stage.orders, invoices = stage.orders] = stage.destinations;
  const ids = [...stage.sendMany(3, orders), ...stage.sendMany(3, invoices)].sort();

  await stage.poll(orders);
  await stage.poll(invoices);

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.tally()).toMatchObject({
    tokenRequests: [200, 200],
    secretReads: { 'cpi/orders': 1, 'cpi/invoices': 1 },
    calls: { 'POST 200': 6 },
    left: 0,
  });
  expect(stage.authorizationServer.tokenRequests.map(({ clientId }) => clientId)).toEqual([
    orders.clientId,
    invoices.clientId,
  ]);
  expect(stage.outcomes('destination', 'token')).toEqual({ 'orders new': 3, 'invoices new': 3 });
});

test('the same secret gives two tokens where one is opaque and one a JWT', async () => {
  const stage = await setStage({
    environment: 'neo',
    plans: [
      { name: 'orders', flow: FLOW },
      { name: 'invoices', flow: FLOW, settings: { secret: 'cpi/orders', tokenFormat: 'opaque' } },
    ],
  });
  for (const destination of stage.destinations) {
    stage.send(destination);
    await stage.poll(destination);
  }

  expect(stage.authorizationServer.tokenRequests.map(({ format }) => format)).toEqual(['jwt', 'opaque']);
  expect(stage.outcomes('destination', 'outcome')).toEqual({ 'orders delivered': 1, 'invoices delivered': 1 });
});

test('a destination whose client lost its role does not disturb the one beside it', async () => {
  const stage = await setStage({ plans: [{ name: 'orders' }, { name: 'invoices', assignRole: false }] });
  for (const destination of stage.destinations) {
    stage.sendMany(3, destination);
    await stage.poll(destination);
  }

  expect(stage.outcomes('destination', 'outcome', 'status')).toEqual({
    'orders delivered 200': 3,
    'invoices blocked 403': 3,
  });
  expect(stage.destinations.map(({ queue }) => queue.size)).toEqual([0, 3]);
});
