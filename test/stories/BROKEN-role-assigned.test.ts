/** On Cloud Foundry the role is in the token: the warm one was issued without it, and a 403 does not make it be forgotten. */
import { expect, test } from 'vitest';
import { setStage } from './stage.ts';

test('once the role is assigned, what was kept is delivered on a later try (cf)', async () => {
  const stage = await setStage({ environment: 'cf', plans: [{ name: 'orders', assignRole: false }] });
  const ids = stage.sendMany(10);
  await stage.poll();

  stage.orders.assignRole();
  await stage.pollAgain();

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.tally()).toMatchObject({ tokenRequests: [200, 200], flowRuns: 10, left: 0 });
});
