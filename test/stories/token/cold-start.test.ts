import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';

test.each(['neo', 'cf'] as const)(
  'ten messages on a cold start make one token request and ten deliveries (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [{ name: 'orders' }] });
    const ids = stage.sendMany(10);

    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids);
    expect(stage.authorizationServer.tokenRequests.map(({ status, format }) => ({ status, format }))).toEqual([
      { status: 200, format: 'jwt' },
    ]);
    expect(stage.tally()).toMatchObject({ secretReads: { 'cpi/orders': 1 }, flowRuns: 10, left: 0, dead: 0 });
    expect(stage.deployed.queueFunction.coldStarts).toBe(1);
  },
);

test.each(['neo', 'cf'] as const)(
  'the next batch finds the frozen process thawed and its token warm: no secret is read, no token requested (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [{ name: 'orders', flow: { csrfProtected: false } }] });
    const ids = stage.sendMany(10);
    await stage.poll();
    const [first] = stage.deployed.queueFunction.running;

    ids.push(...stage.sendMany(10));
    await stage.poll();

    expect(stage.tally()).toEqual({
      tokenRequests: [200],
      secretReads: { 'cpi/orders': 1 },
      calls: { 'POST 200': 20 },
      flowRuns: 20,
      left: 0,
      dead: 0,
    });
    expect(stage.arrivals().sort()).toEqual(ids.sort());
    expect(stage.outcomes('outcome', 'status', 'executed', 'calls', 'token')).toEqual({
      'delivered 200 yes 1 new': 10,
      'delivered 200 yes 1 warm': 10,
    });
    expect(stage.deployed.queueFunction).toMatchObject({ coldStarts: 1, running: [{ pid: first?.pid, busy: false }] });
  },
);

test('an attempt is one log line, with every field that alarms and queries are built on', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: { csrfProtected: false, returnMplId: true } }] });
  const id = stage.send(stage.orders, { body: '{"order":"4711"}' });

  await stage.poll();

  const [processed] = stage.runtimeNode.messages;
  expect(stage.told('delivery.attempted')).toEqual([
    expect.objectContaining({
      level: 'INFO',
      service: 'token-relay',
      function_request_id: expect.any(String),
      destination: 'orders',
      messageId: id,
      mplId: processed?.mplId,
      attempt: 1,
      status: 200,
      outcome: 'delivered',
      executed: 'yes',
      durationMs: expect.any(Number),
      calls: 1,
      token: 'new',
      tokenAgeMs: expect.any(Number),
      bytes: 16,
    }),
  ]);
  expect(stage.attempts[0]).not.toHaveProperty('reason');
  expect(stage.attempts[0]).not.toHaveProperty('resent');
  expect(stage.attempts[0]).not.toHaveProperty('ageSeconds');
});
