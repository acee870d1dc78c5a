/**
 * The endpoint rejects a token: forgotten by identity, one new one for all, sent once more, and never the same again.
 */
import { describe, expect, test } from 'vitest';
import { createTenant, numberOf, type Tenant, type TenantOptions } from './simulated-tenant.ts';

const KINDS: readonly (readonly [name: string, options: TenantOptions])[] = [
  ['Cloud Foundry, JWT', { environment: 'cf' }],
  ['Cloud Foundry, opaque', { environment: 'cf', destinations: { orders: { tokenFormat: 'opaque' } } }],
  ['Neo, JWT', { environment: 'neo' }],
  ['Neo, opaque', { environment: 'neo', destinations: { orders: { tokenFormat: 'opaque' } } }],
];
const CURRENT = 'AWSCURRENT';
const of = (status: number, times: number) => Array<number>(times).fill(status);

describe.each(KINDS)('A token that the endpoint rejects (%s)', (_, options) => {
  test.each([1, 2, 10, 100])(
    'a rejected token is replaced once for %i messages at once, and each goes out once more',
    async (messages) => {
      const tenant = createTenant(options);
      await tenant.invoke();
      tenant.authorizationServer.expireAllTokens();
      const attempts = await tenant.invoke({ messages });
      expect(attempts.map(({ outcome, calls }) => [outcome.kind, calls])).toEqual(
        Array.from({ length: messages }, () => ['delivered', 2]),
      );
      const { calls, ...counts } = tenant.counts();
      expect(counts).toEqual({ tokenRequests: [200, 200], secretReads: [CURRENT] });
      expect(calls.toSorted()).toEqual([...of(200, messages + 1), ...of(401, messages)]);
      expect(tenant.toAuthorizationServer.mostOpen).toBe(1);
    },
  );

  test('a rejected token that comes back as the very same is not sent again', async () => {
    const tenant = createTenant(options);
    await tenant.invoke();
    tenant.authorizationServer.issueSameTokenAgain(true);
    trustNoToken(tenant);
    const attempts = await tenant.invoke({ messages: 5 });
    expect(attempts.map(({ outcome, calls }) => [outcome.kind, calls])).toEqual(Array(5).fill(['blocked', 1]));
    expect(attempts[0]?.outcome).toMatchObject({
      executed: 'no',
      status: 401,
      reason: expect.stringMatching(/the very same again.*operator/),
    });
    expect(tenant.counts()).toMatchObject({ tokenRequests: [200, 200], calls: [200, ...of(401, 5)] });

    // While the pause lasts nobody is asked for anything.
    await tenant.time.pass(29_000);
    expect((await tenant.invoke())[0]).toMatchObject({ calls: 0, outcome: { kind: 'blocked' } });
    expect(tenant.counts()).toMatchObject({ tokenRequests: [200, 200], calls: [200, ...of(401, 5)] });
  });

  test('a new token that is rejected blocks, and later messages cost one request for each pause', async () => {
    const tenant = createTenant(options);
    await tenant.invoke();
    trustNoToken(tenant);
    const attempts = await tenant.invoke({ messages: 10 });
    expect(attempts.map(({ outcome, calls }) => [outcome.kind, calls])).toEqual(Array(10).fill(['blocked', 2]));
    expect(attempts[0]?.outcome).toMatchObject({
      executed: 'no',
      status: 401,
      reason: expect.stringMatching(/operator must check/),
    });
    expect(tenant.counts()).toMatchObject({ tokenRequests: [200, 200], secretReads: [CURRENT] });

    // Pauses of 30 s, 1, 2, 4, 5, 5 min: an hour of messages every ten seconds.
    const since = tenant.time.now();
    const knocks: number[] = [];
    for (let second = 0; second < 3600; second += 10) {
      const before = tenant.counts().tokenRequests.length;
      await tenant.invoke();
      if (tenant.counts().tokenRequests.length > before) knocks.push((tenant.time.now() - since) / 1000);
      await tenant.time.pass(10_000);
    }
    const pauses = knocks.map((at, index) => at - (knocks[index - 1] ?? 0));
    expect(pauses).toEqual([30, 60, 120, 240, ...of(300, 10)]);
    expect(tenant.counts().tokenRequests).toHaveLength(2 + knocks.length);
  });
});

/** From now on the endpoint rejects every token: to its node they are another tenant's. */
function trustNoToken({ toRuntimeNode }: Tenant): void {
  const { answer } = toRuntimeNode;
  toRuntimeNode.answer = (request) =>
    answer({ ...request, headers: { ...request.headers, authorization: 'Bearer of-another-tenant' } });
}

describe('A 401 that comes late', () => {
  test('a late 401 for a token that has been replaced neither drops its successor nor requests another', async () => {
    const tenant = createTenant();
    await tenant.invoke();
    // The first message's call is five seconds on its way, with the token of before.
    tenant.toRuntimeNode.travelMs = (request) => (numberOf(request) === 0 ? 5_000 : 100);
    const slow = tenant.start({ messages: 1 });
    await tenant.time.pass(1_000);
    tenant.authorizationServer.expireAllTokens();
    tenant.toRuntimeNode.travelMs = (request) => (numberOf(request) === 0 ? 100 : 200);
    const quick = await tenant.invoke({ messages: 3 });
    const tokens = () => new Set(tenant.runtimeNode.requests.map(({ tokenFingerprint }) => tokenFingerprint));
    expect(quick.map(({ calls }) => calls)).toEqual([2, 2, 2]);
    expect(tokens().size).toBe(2);
    const [late] = await tenant.time.run(slow);
    expect(late).toMatchObject({ outcome: { kind: 'delivered' }, calls: 2 });
    expect(tenant.counts().tokenRequests).toEqual([200, 200]);
    await tenant.invoke({ messages: 3 });
    expect(tenant.counts().tokenRequests).toEqual([200, 200]);
    expect(tokens().size).toBe(2);
  });

  test.each([1, 2, 3, 4, 5])(
    'late 401s to ten calls, in whichever order they come back (%i), cause one new token',
    async (seed) => {
      const tenant = createTenant();
      await tenant.invoke();
      tenant.authorizationServer.expireAllTokens();
      // Ways of unlike length, some longer than getting the new token and being rejected again would take.
      tenant.toRuntimeNode.travelMs = (request) => ((numberOf(request) * 7919 * seed) % 13) * 400;
      tenant.toAuthorizationServer.travelMs = () => 700;
      const attempts = await tenant.invoke({ messages: 10 });
      expect(new Set(attempts.map(({ outcome }) => outcome.kind))).toEqual(new Set(['delivered']));
      expect(tenant.counts().tokenRequests).toEqual([200, 200]);
    },
  );
});

test.each([
  ['jwt', 'cf'],
  ['jwt', 'neo'],
] as const)(
  'a signing key that is rotated while the old one stays valid costs nothing (%s, %s)',
  async (tokenFormat, environment) => {
    const tenant = createTenant({ environment, destinations: { orders: { tokenFormat } } });
    await tenant.invoke();
    tenant.authorizationServer.rotateSigningKey({ keepOld: true });
    await tenant.invoke({ messages: 5 });
    expect(tenant.counts()).toEqual({ tokenRequests: [200], secretReads: [CURRENT], calls: of(200, 6) });
  },
);
