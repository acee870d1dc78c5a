/**
 * Renewal ahead, beside the forwarding: when, how often, how long the reply waits for it, and what its failure costs.
 */
import { describe, expect, test } from 'vitest';
import { NOON } from '../doubles/time.ts';
import { createTenant, type Tenant, type TenantOptions } from './simulated-tenant.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const at = (tenant: Tenant) => tenant.time.now() - NOON;

/** One message every so often for so long; when token requests were made. */
async function traffic(tenant: Tenant, everyMs: number, forMs: number): Promise<readonly number[]> {
  const until = at(tenant) + forMs;
  while (at(tenant) < until) {
    const [attempt] = await tenant.invoke();
    expect(attempt).toMatchObject({ outcome: { kind: 'delivered' }, calls: 1 });
    await tenant.time.pass(everyMs);
  }
  return tenant.tokenRequestsAt;
}

describe('Steady traffic renews a token', () => {
  /** Its lifetime as in the response, and when it is renewed in a day and a half, in minutes. */
  test.each<[string, TenantOptions, number]>([
    ['of an hour at its half (Cloud Foundry)', { environment: 'cf' }, 30],
    ['of a day after an hour, since two hours are the longest use', { tokenLifetimeSeconds: 86_400 }, 60],
    ['of twelve hours after an hour (Neo)', { environment: 'neo' }, 60],
    [
      'of six months after an hour (Neo, opaque)',
      { environment: 'neo', tokenLifetimeSeconds: 15_552_000, destinations: { orders: { tokenFormat: 'opaque' } } },
      60,
    ],
    [
      'without end after half an hour, since an hour is assumed (Neo, opaque)',
      { environment: 'neo', tokenLifetimeSeconds: 0, destinations: { orders: { tokenFormat: 'opaque' } } },
      30,
    ],
    ['used for ten minutes at most after five', { destinations: { orders: { maxTokenUseSeconds: 600 } } }, 5],
    ['of ten minutes after five', { tokenLifetimeSeconds: 600 }, 5],
  ])('steady traffic renews a token %s', async (_, options, everyMinutes) => {
    const tenant = createTenant(options);
    const requests = await traffic(tenant, MINUTE, 6 * everyMinutes * MINUTE + MINUTE);
    // UAA announces a second less than it means, so the half may come half a second early: within the minute before.
    const expected = Array.from({ length: 7 }, (_, n) => n * everyMinutes * MINUTE);
    expect(requests).toHaveLength(expected.length);
    for (const [n, ms] of requests.entries()) expect(Math.abs(ms - (expected[n] ?? 0))).toBeLessThanOrEqual(MINUTE);
    expect(tenant.secretReads).toEqual(['AWSCURRENT']);
    expect(tenant.renewalFailures).toEqual([]);
  });
});

describe('Rare traffic', () => {
  test('one message in three hours requests one token each time, and meets no 401', async () => {
    const tenant = createTenant();
    expect(await traffic(tenant, 3 * HOUR, 30 * HOUR)).toHaveLength(10);
    expect(tenant.counts().calls).toEqual(Array(10).fill(200));
  });
});

describe('A token is used until a margin before its end, which is told by no renewal', () => {
  /** Lifetime in the response: one second less than meant. */
  test.each([
    [3600, 60],
    [601, 60],
    [301, 30],
    [11, 1],
  ])(
    'a token is used until a margin before its end, which no renewal has reached, of %i s: %i s',
    async (lifetimeSeconds, marginSeconds) => {
      const tenant = createTenant({ tokenLifetimeSeconds: lifetimeSeconds });
      await tenant.invoke();
      tenant.toAuthorizationServer.refusals = 1_000;
      await tenant.time.pass((lifetimeSeconds - 1 - marginSeconds) * SECOND - at(tenant) - 1);
      expect((await tenant.invoke())[0]?.outcome.kind).toBe('delivered');
      await tenant.time.pass((lifetimeSeconds - 1 - marginSeconds) * SECOND - at(tenant));
      expect((await tenant.invoke())[0]?.outcome.kind).toBe('failed');
      expect(tenant.counts().calls).toEqual([200, 200]);
    },
  );
});

/** A token that is due for renewal, with a way to the authorization server that takes so long. */
async function due(travelMs: number, options?: TenantOptions): Promise<Tenant> {
  const tenant = createTenant(options);
  await tenant.invoke();
  tenant.toAuthorizationServer.travelMs = () => travelMs;
  await tenant.time.pass(31 * MINUTE);
  return tenant;
}

describe('A renewal', () => {
  test('a renewal is joined by a hundred messages: one request, and none of them waits', async () => {
    const tenant = await due(900);
    const before = at(tenant);
    tenant.toRuntimeNode.travelMs = () => 50;
    const attempts = await tenant.invoke({ messages: 100 });
    expect(attempts.map(({ tokenAgeMs }) => tokenAgeMs)).toEqual(Array(100).fill(31 * MINUTE + 50));
    expect(tenant.counts().tokenRequests).toEqual([200, 200]);
    expect(at(tenant) - before).toBe(900);
    const [next] = await tenant.invoke();
    expect(next?.tokenAgeMs).toBe(50);
  });

  test.each([
    ['shorter than the work costs nothing', 400, 500, 500, 0],
    ['a little longer than the work is awaited', 1_400, 500, 1_400, 0],
    ['a second longer is ended a second after the work', 5_000, 500, 1_500, 1],
    ['that never ends is ended a second after the work', 3_600_000, 2_000, 3_000, 1],
  ])('a renewal %s', async (_, renewalMs, workMs, invocationMs, failures) => {
    const tenant = await due(renewalMs);
    tenant.toRuntimeNode.travelMs = () => workMs;
    const before = at(tenant);
    const attempts = await tenant.invoke({ messages: 10 });
    expect(new Set(attempts.map(({ outcome }) => outcome.kind))).toEqual(new Set(['delivered']));
    expect(at(tenant) - before).toBe(invocationMs);
    expect(tenant.renewalFailures).toHaveLength(failures);
    // Nothing runs after the reply.
    expect([tenant.time.timers, tenant.toAuthorizationServer.open]).toEqual([0, 0]);
  });

  test('a renewal that was ended with its invocation keeps the token, and begins again after 30 s', async () => {
    const tenant = await due(HOUR);
    const began = at(tenant);
    await tenant.invoke();
    expect(tenant.renewalFailures).toHaveLength(1);
    for (let second = 1; second < 30; second += 2) {
      await tenant.time.pass(began + second * SECOND - at(tenant));
      expect((await tenant.invoke())[0]).toMatchObject({ outcome: { kind: 'delivered' }, calls: 1 });
    }
    expect(tenant.tokenRequestsAt).toEqual([0, began]);
    tenant.toAuthorizationServer.travelMs = () => 100;
    await tenant.time.pass(began + 30 * SECOND - at(tenant));
    await tenant.invoke();
    expect(tenant.tokenRequestsAt).toEqual([0, began, began + 30 * SECOND]);
    expect((await tenant.invoke())[0]?.tokenAgeMs).toBeLessThan(SECOND);
  });

  test('a renewal that fails for the rest of a token’s life is tried every half minute, unnoticed', async () => {
    const tenant = createTenant();
    await tenant.invoke();
    tenant.authorizationServer.failTokenRequests({ status: 400 }, { times: 10_000 });
    await tenant.time.pass(30 * MINUTE);
    const requests = await traffic(tenant, 10 * SECOND, 29 * MINUTE);
    // A refusal's pauses are longer than half a minute: 30 s, 1, 2, 4, 5 min.
    const gaps = requests.slice(1).map((ms, index) => (index === 0 ? 0 : (ms - (requests[index] ?? 0)) / SECOND));
    expect(gaps).toEqual([0, 30, 60, 120, 240, 300, 300, 300, 300].slice(0, gaps.length));
    expect(gaps.length).toBeGreaterThanOrEqual(7);
    expect(tenant.renewalFailures).toHaveLength(gaps.length);
  });

  test('a renewal whose server is down is begun every half minute, not for each message', async () => {
    const tenant = createTenant({ environment: 'neo' });
    await tenant.invoke();
    tenant.toAuthorizationServer.refusals = 1_000_000;
    await tenant.time.pass(61 * MINUTE);
    const began = at(tenant);
    await traffic(tenant, SECOND, 10 * MINUTE);
    const [, ...requests] = tenant.tokenRequestsAt;
    // Two requests each on Neo, and the reply waits for the second, 300 ms later.
    const renewals = requests.filter((_, index) => index % 2 === 0);
    expect(renewals[0]).toBe(began);
    for (const [index, ms] of renewals.entries()) {
      expect(requests[2 * index + 1]).toBe(ms + 300);
      if (index > 0) expect(ms - (renewals[index - 1] ?? 0)).toBeGreaterThanOrEqual(30 * SECOND);
    }
    expect(renewals.length).toBeGreaterThanOrEqual(18);
    expect(renewals.length).toBeLessThanOrEqual(20);
    expect(tenant.counts().calls.every((status) => status === 200)).toBe(true);
  });

  test('a renewal that is refused after a rotation brings a new token, and no message waits', async () => {
    const tenant = await due(10);
    tenant.rotateClientSecret();
    const attempts = await tenant.invoke({ messages: 10 });
    expect(new Set(attempts.map(({ calls }) => calls))).toEqual(new Set([1]));
    expect(tenant.counts()).toMatchObject({
      tokenRequests: [200, 401, 200],
      secretReads: ['AWSCURRENT', 'AWSCURRENT'],
    });
    expect(tenant.renewalFailures).toEqual([]);
  });
});

test('an invocation that ends while others go on leaves their renewal alone', async () => {
  const tenant = await due(3_000);
  tenant.toRuntimeNode.travelMs = () => 100;
  const short = tenant.start();
  await tenant.time.pass(0);
  tenant.toRuntimeNode.travelMs = () => 4_000;
  const long = tenant.start();
  const before = at(tenant);
  await tenant.time.run(short);
  expect(at(tenant) - before).toBe(100);
  await tenant.time.run(long);
  expect(tenant.renewalFailures).toEqual([]);
  expect(tenant.counts().tokenRequests).toEqual([200, 200]);
});
