/** Who shares a token and who never does, and many invocations in one environment at once. */
import { describe, expect, test } from 'vitest';
import { createTenant } from './simulated-tenant.ts';

const [CURRENT] = ['AWSCURRENT'];
/** Scopes that the client has. */
const SEND = 'it-rt-acme-dev!b56.ESBMessaging.send';
const SEND_AND_MORE = `${SEND} uaa.resource`;

describe('Two destinations', () => {
  test.each<[string, object, object, number, number]>([
    ['with the same of everything share one token', {}, {}, 1, 1],
    ['whose endpoints alone differ share one', { timeoutSeconds: 5 }, { method: 'PUT' }, 1, 1],
    ['with the default named share one', {}, { tokenFormat: 'jwt', maxTokenUseSeconds: 7200 }, 1, 1],
    ['with the same scope share one', { scope: SEND_AND_MORE }, { scope: SEND_AND_MORE }, 1, 1],
    ['with another format have one each', {}, { tokenFormat: 'opaque' }, 2, 1],
    ['with another scope have one each', { scope: SEND }, { scope: SEND_AND_MORE }, 2, 1],
    ['of which one has a scope have one each', {}, { scope: SEND }, 2, 1],
    ['with another longest use have one each', {}, { maxTokenUseSeconds: 600 }, 2, 1],
    ['with another secret have one each, though the same is in it', {}, { secret: 'cpi/copy' }, 2, 2],
  ])('two destinations %s', async (_, one, other, tokenRequests, secretReads) => {
    const tenant = createTenant({ destinations: { orders: one, invoices: other } });
    tenant.store(undefined, 'cpi/copy');
    const both = [tenant.start({ messages: 10 }), tenant.start({ messages: 10, destination: 'invoices' })];
    const attempts = (await tenant.time.run(Promise.all(both))).flat();
    expect(attempts.map(({ outcome }) => outcome.kind)).toEqual(Array(20).fill('delivered'));
    expect(tenant.counts()).toMatchObject({
      tokenRequests: Array(tokenRequests).fill(200),
      secretReads: Array(secretReads).fill(CURRENT),
    });
    const fingerprints = tenant.runtimeNode.requests.map(({ path, tokenFingerprint }) => `${path} ${tokenFingerprint}`);
    expect(new Set(fingerprints).size, 'each endpoint sees one token').toBe(2);
    expect(new Set(tenant.runtimeNode.requests.map(({ tokenFingerprint }) => tokenFingerprint)).size).toBe(
      tokenRequests,
    );
  });

  test('two destinations with one token share its renewal after a 401 at one of them', async () => {
    const tenant = createTenant({ destinations: { orders: {}, invoices: {} } });
    await tenant.invoke();
    await tenant.invoke({ destination: 'invoices' });
    tenant.authorizationServer.expireAllTokens();
    await tenant.invoke();
    expect((await tenant.invoke({ destination: 'invoices' }))[0]?.calls).toBe(1);
    expect(tenant.counts()).toMatchObject({ tokenRequests: [200, 200], calls: [200, 200, 401, 200, 200] });
  });

  test('two destinations with one secret share its new version, whichever finds it', async () => {
    const tenant = createTenant({ destinations: { orders: {}, invoices: { tokenFormat: 'opaque' } } });
    await tenant.invoke();
    await tenant.invoke({ destination: 'invoices' });
    tenant.rotateClientSecret();
    tenant.authorizationServer.expireAllTokens();
    await tenant.invoke();
    await tenant.invoke({ destination: 'invoices' });
    expect(tenant.counts()).toMatchObject({
      tokenRequests: [200, 200, 401, 200, 200],
      secretReads: [CURRENT, CURRENT],
      calls: [200, 200, 401, 200, 200],
    });
  });
});

describe('Many invocations in one environment', () => {
  test('many invocations at a cold start make one reading and one token request', async () => {
    const tenant = createTenant();
    tenant.toAuthorizationServer.travelMs = () => 500;
    const attempts = await tenant.time.run(
      Promise.all(Array.from({ length: 50 }, () => tenant.start({ messages: 4 }))),
    );
    expect(attempts.flat().map(({ outcome }) => outcome.kind)).toEqual(Array(200).fill('delivered'));
    expect(tenant.counts()).toMatchObject({ tokenRequests: [200], secretReads: [CURRENT] });
  });

  test('many invocations share a token request: one that is out of time leaves it to the rest', async () => {
    const tenant = createTenant();
    tenant.toAuthorizationServer.travelMs = () => 6_000;
    // The first is the one that begins the request, and has four seconds for it.
    const hasty = tenant.start({ messages: 2, remainingMs: 5_000 });
    await tenant.time.pass(0);
    const patient = tenant.start({ messages: 2, remainingMs: 60_000 });
    const [first, second] = await tenant.time.run(Promise.all([hasty, patient]));
    expect(first.map(({ outcome }) => outcome.kind)).toEqual(['failed', 'failed']);
    expect(first[0]?.outcome).toMatchObject({ code: 'DEADLINE', executed: 'no' });
    // What was begun within four seconds cannot take six: the request of the first ends, and the patient asks again.
    expect(second.map(({ outcome }) => outcome.kind)).toEqual(['delivered', 'delivered']);
    expect(tenant.toAuthorizationServer.mostOpen).toBe(1);
    expect(tenant.counts().tokenRequests).toEqual([200]);
  });

  test('many invocations that are out of time together end the token request', async () => {
    const tenant = createTenant();
    tenant.toAuthorizationServer.travelMs = () => 6_000;
    const all = Array.from({ length: 5 }, () => tenant.start({ remainingMs: 5_000 }));
    for (const [attempt] of await tenant.time.run(Promise.all(all))) {
      expect(attempt?.outcome).toMatchObject({ kind: 'failed', executed: 'no' });
    }
    expect([tenant.toAuthorizationServer.open, tenant.time.timers]).toEqual([0, 0]);
    expect(tenant.counts().tokenRequests).toEqual([]);
    expect((await tenant.invoke())[0]?.outcome.kind).toBe('delivered');
    expect(tenant.counts()).toMatchObject({ tokenRequests: [200], secretReads: [CURRENT] });
  });
});
