import { expect, test } from 'vitest';
import type { Received } from '../../../infra/local/sap/runtime-node/integration-flow.ts';
import { setStage } from '../stage.ts';

test.each([
  { concurrency: 10, quick: 3, cut: 7, untried: 0 },
  { concurrency: 2, quick: 0, cut: 2, untried: 8 },
])(
  'the reply leaves in time: $quick delivered, $cut cut off and logged, $untried not tried ($concurrency at a time)',
  async ({ concurrency, quick, cut, untried }) => {
    let slow = true;
    const answer = ({ body }: Received) =>
      slow && body.toString().includes('"slow"') ? new Promise<undefined>(() => undefined) : undefined;
    const stage = await setStage({
      plans: [{ name: 'orders', flow: { csrfProtected: false, answer }, settings: { concurrency } }],
      deploy: { queueTimeoutSeconds: 3 },
    });
    const delivered = stage.sendMany(quick);
    const kept = Array.from({ length: 10 - quick }, (_, order) =>
      stage.send(stage.orders, { body: JSON.stringify({ order, kind: 'slow' }) }),
    ).sort();

    const [invocation] = await stage.poll();

    expect(invocation?.reply.ok, 'a reply, and no timeout').toBe(true);
    expect([...(invocation?.kept ?? [])].sort()).toEqual(kept);
    expect([...(invocation?.deleted ?? [])].sort()).toEqual(delivered);
    expect(stage.output.filter((line) => /Sandbox\.Timedout|Task timed out/.test(line))).toEqual([]);
    expect(stage.outcomes()).toEqual({
      ...(quick === 0 ? {} : { 'delivered 200 yes 1': quick }),
      'failed - unknown 1': cut,
    });
    expect(stage.told('delivery.postponed').map(({ messages }) => messages)).toEqual(untried === 0 ? [] : [untried]);
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], flowRuns: quick, left: 10 - quick, dead: 0 });

    slow = false;
    await stage.pollAgain();
    expect(stage.arrivals().sort()).toEqual([...delivered, ...kept].sort());
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], left: 0, dead: 0 });
    expect(stage.deployed.queueFunction.coldStarts).toBe(1);
  },
);

test('a token that does not come before the deadline keeps the messages, unsent', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false } }],
    deploy: { queueTimeoutSeconds: 3 },
  });
  stage.authorizationServer.server.fail({ fault: 'hang' });
  const ids = stage.sendMany(10);

  const [invocation] = await stage.poll();
  expect(invocation?.reply.ok).toBe(true);
  expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
  expect(stage.outcomes()).toEqual({ 'failed - no 0': 10 });

  await stage.pollAgain();
  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.tally()).toMatchObject({ calls: { 'POST 200': 10 }, left: 0 });
});
