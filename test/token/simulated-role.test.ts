/** Answers that may be the token's fault though they are no 401: 403 for a role, 500 of old runtime nodes. */
import { describe, expect, test } from 'vitest';
import { createTenant, type Tenant } from './simulated-tenant.ts';

const MINUTE = 60_000;
const requestsOf = (tenant: Tenant) => tenant.counts().tokenRequests.length;

describe.each(['neo', 'cf'] as const)('A role that is missing (%s)', (environment) => {
  test('a missing role blocks at the first message, with its own words, and no second token is requested', async () => {
    const tenant = createTenant({ environment, assignRole: false });
    const attempts = await tenant.invoke({ messages: 10 });
    for (const { outcome, calls } of attempts) {
      expect([outcome.kind, outcome.status, outcome.executed, calls]).toEqual(['blocked', 403, 'no', 1]);
      expect(outcome).toHaveProperty(
        'reason',
        expect.stringMatching(/the operator must assign the role.*ESBMessaging\.send/),
      );
    }
    expect(tenant.counts()).toMatchObject({ tokenRequests: [200], calls: Array(10).fill(403) });
  });

  test('a role that is taken away costs one new token for ten messages, then none for ten minutes', async () => {
    const tenant = createTenant({ environment });
    await tenant.invoke();
    tenant.unassignRole();
    await tenant.time.pass(1);
    const attempts = await tenant.invoke({ messages: 10 });
    expect(attempts.map(({ outcome, calls }) => [outcome.kind, calls])).toEqual(Array(10).fill(['blocked', 2]));
    expect(requestsOf(tenant)).toBe(2);
    for (let second = 10; second < 600; second += 10) {
      await tenant.time.pass(10_000);
      expect((await tenant.invoke())[0]).toMatchObject({ outcome: { kind: 'blocked', status: 403 }, calls: 1 });
    }
    expect(requestsOf(tenant)).toBe(2);
    await tenant.time.pass(10_000);
    expect((await tenant.invoke())[0]?.calls).toBe(2);
    expect(requestsOf(tenant)).toBe(3);
  });

  test('a role that is missing for an hour costs six token requests beside the renewals', async () => {
    const tenant = createTenant({
      environment,
      tokenLifetimeSeconds: 86_400,
      destinations: { orders: { maxTokenUseSeconds: 86_400 } },
    });
    await tenant.invoke();
    tenant.unassignRole();
    await tenant.time.pass(1);
    for (let message = 0; message < 360; message += 1) {
      await tenant.invoke();
      await tenant.time.pass(10_000);
    }
    expect(requestsOf(tenant)).toBe(1 + 6);
  });
});

test('a role that is assigned again counts on Neo at once, on Cloud Foundry with the next new token', async () => {
  const [neo, cf] = [createTenant({ environment: 'neo' }), createTenant({ environment: 'cf' })];
  for (const tenant of [neo, cf]) {
    await tenant.invoke();
    tenant.unassignRole();
    await tenant.time.pass(1);
    await tenant.invoke();
    tenant.assignRole();
    await tenant.time.pass(MINUTE);
  }
  expect((await neo.invoke())[0]).toMatchObject({ outcome: { kind: 'delivered' }, calls: 1 });
  expect((await cf.invoke())[0]).toMatchObject({ outcome: { kind: 'blocked' }, calls: 1 });
  await cf.time.pass(9 * MINUTE);
  expect((await cf.invoke())[0]).toMatchObject({ outcome: { kind: 'delivered' }, calls: 2 });
  expect([requestsOf(neo), requestsOf(cf)]).toEqual([2, 3]);
});

test('a 403 stays a 403 where no new token can be had: the endpoint’s words stand', async () => {
  const tenant = createTenant();
  await tenant.invoke();
  tenant.unassignRole();
  tenant.toAuthorizationServer.refusals = 100;
  await tenant.time.pass(1);
  const [attempt] = await tenant.invoke();
  expect(attempt).toMatchObject({ outcome: { kind: 'blocked', status: 403, executed: 'no' }, calls: 1 });
});

describe('A 500 without an id of the log, for a token that has expired on its way,', () => {
  const options = { tokenLifetimeSeconds: 61, runtimeNode: { leewaySeconds: 0, expiredTokenStatus: 500 } } as const;

  async function expiring(ownOptions = {}): Promise<Tenant> {
    const tenant = createTenant({ ...options, ...ownOptions });
    await tenant.invoke();
    // Used until six seconds before its end, then ten seconds under way.
    await tenant.time.pass(53_000);
    tenant.toRuntimeNode.travelMs = () => 10_000;
    return tenant;
  }

  test('a 500 without an MPL id, for a token that expired on its way, counts as a 401', async () => {
    const tenant = await expiring();
    const attempts = await tenant.invoke({ messages: 5 });
    expect(attempts.map(({ outcome, calls }) => [outcome.kind, calls])).toEqual(Array(5).fill(['delivered', 2]));
    expect(tenant.counts().calls).toEqual([200, ...Array(5).fill(500), ...Array(5).fill(200)]);
  });

  test('a 500 is no 401 where the flow itself has failed: it ran, and is not run again', async () => {
    let runs = 0;
    const tenant = await expiring({
      runtimeNode: { leewaySeconds: 60 },
      flow: { answer: () => (runs++ === 0 ? undefined : 'exception') },
    });
    const [attempt] = await tenant.invoke();
    expect(attempt).toMatchObject({ outcome: { kind: 'failed', status: 500, executed: 'unknown' }, calls: 1 });
    expect(runs).toBe(2);
  });

  test('a 500 is no 401 where nothing says when the token ends', async () => {
    const destinations = { orders: { maxTokenUseSeconds: 60 } };
    const tenant = createTenant({
      ...options,
      tokenLifetimeSeconds: 3600,
      destinations,
      flow: { answer: () => ({ status: 500 }) },
    });
    tenant.toRuntimeNode.travelMs = () => 10_000;
    await tenant.invoke();
    await tenant.time.pass(43_000);
    const [attempt] = await tenant.invoke();
    expect(attempt).toMatchObject({ outcome: { kind: 'failed', status: 500 }, calls: 1 });
  });
});
