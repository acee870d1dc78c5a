import { expect, test } from 'vitest';
import { setStage } from './stage.ts';

test.each(['neo', 'cf'] as const)(
  'ten messages on a cold start make one token request and ten deliveries (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [{ name: 'orders' }], deploy: { polling: false } });
    const [orders] = stage.destinations;
    if (orders === undefined) throw new Error('no destination');
    const ids = Array.from({ length: 10 }, () => stage.send(orders));

    orders.trigger?.resume();
    await stage.runtimeNode.waitForMessages(10);
    await orders.trigger?.waitUntilIdle();

    expect(stage.runtimeNode.messages.map(({ messageId }) => messageId).sort()).toEqual(ids.sort());
    expect(stage.authorizationServer.tokenRequests.map(({ status, format }) => ({ status, format }))).toEqual([
      { status: 200, format: 'jwt' },
    ]);
    expect(stage.secretsManager.reads).toHaveLength(1);
    expect(orders.queue.size).toBe(0);
    expect(stage.deployed.queueFunction.coldStarts).toBe(1);
  },
);
