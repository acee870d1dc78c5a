import { expect, test } from 'vitest';
import { type Stage, setStage } from './stage.ts';

const PLANS = [{ name: 'orders', flow: { csrfProtected: false } }, { name: 'invoices' }] as const;

/** Deploys with what `change` makes of the settings that follow from the plans. */
async function setStageWith(change: (settings: Record<string, unknown>) => unknown): Promise<Stage> {
  const deploy: { DESTINATIONS?: string } = {};
  return setStage({
    plans: PLANS,
    deploy,
    before: (_landscape, destinations) => {
      const settings = Object.fromEntries(destinations.map(({ name, settings: own }) => [name, own]));
      const changed = change(structuredClone(settings));
      deploy.DESTINATIONS = typeof changed === 'string' ? changed : JSON.stringify(changed);
    },
  });
}

test.each([
  { mistake: { pth: '/http/invoices' }, field: 'invoices.pth' },
  { mistake: { timeoutSeconds: 0 }, field: 'invoices.timeoutSeconds' },
  { mistake: { secret: undefined }, field: 'invoices.secret' },
  { mistake: { webhook: { verify: 'basic', secret: 'x', verfy: 1 } }, field: 'invoices.webhook.verfy' },
])('the mistake at $field leaves the other destination working, and all messages in the queue', async ({ mistake }) => {
  const stage = await setStageWith(({ orders, invoices }) => ({
    orders,
    invoices: { ...(invoices as object), ...mistake },
  }));
  const [orders = stage.orders, invoices = stage.orders] = stage.destinations;
  const bad = stage.sendMany(3, invoices);
  const good = stage.sendMany(3, orders);

  const [invocation] = await stage.poll(invoices);
  await stage.poll(orders);

  expect([...(invocation?.kept ?? [])].sort()).toEqual(bad);
  expect(stage.arrivals().sort()).toEqual(good);
  expect(stage.tally()).toMatchObject({ tokenRequests: [200], calls: { 'POST 200': 3 }, left: 3, dead: 0 });
});

test('a single destination that is invalid blocks each of its messages, with the field in every line', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', settings: { timeoutSeconds: 'long' } }],
    tokenDuringInit: true,
  });
  const ids = stage.sendMany(3);

  const [invocation] = await stage.poll();

  expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
  expect(stage.outcomes('destination', 'outcome', 'executed', 'calls')).toEqual({ 'orders blocked no 0': 3 });
  for (const id of ids)
    expect(stage.attemptsOf(id)[0]?.reason).toMatch(/^DESTINATIONS: orders\.timeoutSeconds: expected/);
  expect(stage.tally()).toMatchObject({ tokenRequests: [], secretReads: {}, calls: {}, left: 3 });
});

test.each([
  { what: 'is no JSON', DESTINATIONS: '{"orders":', reason: 'DESTINATIONS: expected JSON' },
  { what: 'is a list', DESTINATIONS: '[]', reason: 'DESTINATIONS: expected a JSON object' },
  { what: 'is empty', DESTINATIONS: '{}', reason: 'at least one destination' },
  {
    what: 'names a file that is not there',
    DESTINATIONS: '@destinations.json',
    reason: 'expected a readable JSON file',
  },
])('DESTINATIONS that $what fails the start with the reason, and nothing is lost', async ({ DESTINATIONS, reason }) => {
  const stage = await setStage({ plans: [{ name: 'orders' }], deploy: { DESTINATIONS } });
  const ids = stage.sendMany(3);

  const [invocation] = await stage.poll();

  expect(invocation?.reply.ok).toBe(false);
  expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
  expect(stage.output.join('\n')).toContain(reason);
  expect(stage.output.join('\n')).toContain('the operator must correct custom.destinations');
  expect(stage.tally()).toMatchObject({ secretReads: {}, calls: {}, left: 3, dead: 0 });
});

test('messages of a queue that no destination has are kept, and logged', async () => {
  const stage = await setStageWith(({ orders, invoices }) => ({
    orders,
    invoices: { ...(invoices as object), queue: 'another-queue' },
  }));
  const [orders = stage.orders, invoices = stage.orders] = stage.destinations;
  const ids = stage.sendMany(3, invoices);
  const good = stage.sendMany(1, orders);

  const [invocation] = await stage.poll(invoices);
  await stage.poll(orders);

  expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
  expect(stage.told('queue.unknown')).toMatchObject([
    { level: 'ERROR', queueArn: invoices.queue.arn, messages: 3, reason: expect.stringContaining('"queue"') },
  ]);
  expect(stage.arrivals()).toEqual(good);
});

test.each([
  { what: 'its name alone', queueOf: (arn: string) => arn.split(':').at(-1) },
  {
    what: 'an ARN of another account and region',
    queueOf: (arn: string) => arn.replace('eu-central-1:123456789012', 'us-east-1:210987654321'),
  },
])('a queue is found by $what', async ({ queueOf }) => {
  const stage = await setStageWith(({ orders, invoices }) => {
    const { queue } = orders as { queue: string };
    return { orders: { ...(orders as object), queue: queueOf(queue) }, invoices };
  });
  const id = stage.send(stage.orders);

  await stage.poll();

  expect(stage.arrivals()).toEqual([id]);
  expect(stage.attempts).toMatchObject([{ destination: 'orders' }]);
});

test('every log line of a message for an invalid destination beside a valid one names the field', async () => {
  const stage = await setStage({ plans: [{ name: 'orders' }, { name: 'invoices', settings: { timeoutSeconds: 0 } }] });
  const invoices = stage.destinations[1] ?? stage.orders;
  const ids = stage.sendMany(3, invoices);

  await stage.poll(invoices);

  expect(stage.told('queue.unknown')).toEqual([]);
  expect(stage.attempts.map(({ messageId }) => messageId).sort()).toEqual(ids);
  for (const attempt of stage.attempts) {
    expect(attempt).toMatchObject({ destination: 'invoices', outcome: 'blocked', executed: 'no', calls: 0 });
    expect(attempt.reason).toContain('invoices.timeoutSeconds');
  }
});
