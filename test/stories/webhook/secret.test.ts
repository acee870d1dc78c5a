import { describe, expect, test } from 'vitest';
import { type Stage, setStage, WEBHOOK_USER } from '../stage.ts';

const PLAN = { name: 'orders', webhook: WEBHOOK_USER } as const;

describe('rotation of the password', () => {
  test('a new password is accepted at once, and the old one no more', async () => {
    const stage = await setStage({ plans: [PLAN] });
    expect((await stage.post('/webhooks/orders')).status).toBe(200);

    const user = { ...WEBHOOK_USER, password: 'the new password' };
    stage.secretsManager.put('webhooks/orders', user);

    expect((await stage.post('/webhooks/orders', { user })).status).toBe(200);
    expect((await stage.post('/webhooks/orders')).status).toBe(401);
    expect(stage.tally().secretReads).toEqual({ 'webhooks/orders': 2, 'cpi/orders': 1 });
  });

  test('both passwords are accepted while a list holds both', async () => {
    const stage = await setStage({ plans: [PLAN] });
    const user = { username: 'legacy-2', password: 'the new password' };
    stage.secretsManager.put('webhooks/orders', [WEBHOOK_USER, user]);

    expect((await stage.post('/webhooks/orders', { user })).status).toBe(200);
    expect((await stage.post('/webhooks/orders')).status).toBe(200);
  });
});

test.each([
  { what: 'denied', trouble: (stage: Stage) => stage.secretsManager.denyAccess('webhooks/orders', true) },
  {
    what: 'malformed',
    trouble: (stage: Stage) => stage.secretsManager.put('webhooks/orders', '{"username":"legacy-erp"}'),
  },
  { what: 'down', trouble: (stage: Stage) => stage.secretsManager.server.stop() },
])('a webhook whose secret is $what is unavailable, and the log says why', async ({ trouble }) => {
  const stage = await setStage({ plans: [PLAN] });
  await trouble(stage);

  const response = await stage.post('/webhooks/orders');

  expect(response.headers.get('retry-after')).toBe('30');
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({
    type: 'urn:problem-type:token-relay:unavailable',
    title: 'The message cannot be taken now',
    status: 503,
  });
  expect(stage.told('webhook.unavailable')).toMatchObject([
    { reason: expect.stringContaining('secret "webhooks/orders"') },
  ]);
  expect(stage.tally()).toMatchObject({ tokenRequests: [], calls: {} });
});
