import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';

test.each([
  { status: 503, outcome: 'failed', leastMs: 1_000, mostMs: 2_000 },
  // As many messages would else be received 1,000 times within eight days, and be moved away by SQS without a reason.
  { status: 404, outcome: 'blocked', leastMs: 900_000, mostMs: 1_800_000 },
])(
  'five answers of $status in a row return the rest unsent; then one is tried in each invocation',
  async ({ status, outcome, leastMs, mostMs }) => {
    let answered = status;
    const stage = await setStage({
      plans: [
        {
          name: 'orders',
          flow: { csrfProtected: false, answer: () => ({ status: answered }) },
          settings: { concurrency: 1 },
        },
      ],
    });
    const ids = stage.sendMany(10);

    const [first] = await stage.poll();
    expect([...(first?.kept ?? [])].sort()).toEqual(ids);
    expect(stage.outcomes('outcome', 'status')).toEqual({ [`${outcome} ${status}`]: 5 });
    expect(stage.told('delivery.postponed')).toMatchObject([
      { destination: 'orders', messages: 5, reason: 'not tried: the messages before them failed one after another' },
    ]);
    const comingBack = stage.orders.queue.messages.map(({ visibleAt }) => visibleAt - (first?.at ?? 0));
    expect(Math.min(...comingBack), 'nobody comes back before its time, tried or not').toBeGreaterThanOrEqual(leastMs);
    // SQS counts from the call, and in whole seconds.
    expect(Math.max(...comingBack)).toBeLessThanOrEqual(mostMs + 20_000);

    for (const invocation of [1, 2]) {
      await stage.pollAgain();
      expect(stage.attempts).toHaveLength(5 + invocation);
      expect(stage.orders.queue.size).toBe(10);
    }

    answered = 200;
    await stage.pollAgain();
    expect(stage.arrivals().sort()).toEqual(ids);
    expect(stage.outcomes('outcome')).toEqual({ [outcome]: 7, delivered: 10 });
    expect(stage.tally()).toMatchObject({ left: 0, dead: 0, tokenRequests: [200] });
  },
);

test('the failures of one destination do not affect another', async () => {
  const stage = await setStage({
    plans: [
      { name: 'orders', flow: { csrfProtected: false, answer: () => ({ status: 503 }) } },
      { name: 'invoices', flow: { csrfProtected: false } },
    ],
  });
  const [orders, invoices] = stage.destinations;
  if (orders === undefined || invoices === undefined) throw new Error('expected two destinations');
  stage.sendMany(10, orders);
  await stage.poll(orders);

  const ids = stage.sendMany(10, invoices);
  await stage.poll(invoices);

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.deployed.queueFunction.coldStarts, 'in the same process').toBe(1);
});

test('rejected messages between the others show that the endpoint is well', async () => {
  const answer = ({ body }: { body: Buffer }) => ({ status: body.toString().startsWith('bad') ? 422 : 503 });
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false, answer }, settings: { concurrency: 1 } }],
  });
  for (const body of ['1', '2', '3', '4', 'bad', '5', '6', '7', '8', 'bad too']) stage.send(stage.orders, { body });

  await stage.poll();

  expect(stage.outcomes('outcome')).toEqual({ failed: 8, rejected: 2 });
  expect(stage.told('delivery.postponed')).toEqual([]);
});
