/**
 * A token that expires while the call is under way, at runtime nodes of both ages: 401, or 500 before patch 6.76.44.
 */
import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';

test.each([401, 500] as const)(
  'a %i for a token that has expired on its way leads to a new one, and the flow runs once',
  async (expiredTokenStatus) => {
    const stage = await setStage({
      environment: 'cf',
      plans: [{ name: 'orders', flow: { csrfProtected: false } }],
      runtimeNode: { leewaySeconds: 0, expiredTokenStatus },
    });
    stage.account.setTokenLifetime(stage.orders.clientId, 2);
    stage.runtimeNode.server.slowDown(2_500);
    const rejected = stage.runtimeNode.waitForRequests(1, { timeoutMs: 20_000 }).then(() => {
      stage.account.setTokenLifetime(stage.orders.clientId, 3_600);
      stage.runtimeNode.server.slowDown(0);
    });
    const id = stage.send(stage.orders);

    const [invocation] = await stage.poll();
    await rejected;

    expect(invocation?.kept).toEqual([]);
    expect(stage.arrivals()).toEqual([id]);
    expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'delivered', calls: 2, token: 'new' }]);
    expect(stage.tally()).toMatchObject({
      tokenRequests: [200, 200],
      calls: { [`POST ${expiredTokenStatus}`]: 1, 'POST 200': 1 },
      flowRuns: 1,
      left: 0,
    });
  },
);
