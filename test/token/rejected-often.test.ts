/** Endpoints that reject one token after another: one token request in ten seconds, and what is there stays in use. */
import { describe, expect, test } from 'vitest';
import { granted } from '../doubles/answer.ts';
import { createAuthorization } from './authorization.ts';
import { createTenant, numberOf, type Tenant } from './simulated-tenant.ts';

const SECOND = 1_000;

describe('A token that was rejected', () => {
  test.each([
    ['at once', 0, false],
    ['9.999 s later', 9_999, false],
    ['10 s later', 10_000, true],
    ['by a clock that was put back', -1, true],
  ])('a rejected token is given up %s after another was (%i ms): %s', async (_, laterMs, isGivenUp) => {
    const { token, clock, requests } = createAuthorization();
    token.forget(await token.get());
    const second = await token.get();
    clock.advance(laterMs);
    token.forget(second);
    expect((await token.get()) === second).toBe(!isGivenUp);
    expect(requests).toHaveLength(isGivenUp ? 3 : 2);
  });

  test('a rejected token that had been replaced before does not use up the ten seconds', async () => {
    const { token, clock, requests } = createAuthorization();
    const first = await token.get();
    token.forget(first);
    const second = await token.get();
    clock.advance(10 * SECOND);
    token.forget(first);
    expect(await token.get()).toBe(second);
    token.forget(second);
    await token.get();
    expect(requests).toHaveLength(3);
  });

  test('a rejected token that stays in use is not used beyond its end', async () => {
    const authorization = createAuthorization();
    const { token, clock } = authorization;
    token.forget(await token.get());
    authorization.respond = (_, index) => granted(`short-${index}`, { expires_in: 5 });
    clock.advance(10 * SECOND);
    token.forget(await token.get());
    const short = await token.get();
    token.forget(short);
    expect(await token.get()).toBe(short);
    clock.advance(4_500);
    expect(await token.get()).not.toBe(short);
  });
});

/**
 * Ten endpoints behind one credential; those that are named reject whatever token comes, as one does that is another
 * tenant's.
 */
function createTenants(rejecting: (destination: string) => boolean): Tenant {
  const names = Array.from({ length: 10 }, (_, n) => `flow-${n}`);
  const tenant = createTenant({ destinations: Object.fromEntries(names.map((name) => [name, {}])) });
  const { answer } = tenant.toRuntimeNode;
  tenant.toRuntimeNode.answer = (request) => {
    const isRejected = rejecting(request.path.split('/').at(-1) ?? '');
    const headers = isRejected ? { ...request.headers, authorization: 'Bearer of-another-tenant' } : request.headers;
    return answer({ ...request, headers });
  };
  return tenant;
}

/** Of ten seconds, wherever they begin, the most requests in them. */
function mostInTenSeconds(at: readonly number[]): number {
  return Math.max(...at.map((from) => at.filter((ms) => ms >= from && ms < from + 10 * SECOND).length));
}

describe('Where several endpoints share a token and reject it', () => {
  test.each([1, 2, 9, 10])(
    '401s from %i of ten endpoints that share a token cause one token request in ten seconds',
    async (count) => {
      const tenant = createTenants((name) => Number(name.split('-')[1]) < count);
      for (let second = 0; second < 600; second += 1) {
        await tenant.invoke({ destination: `flow-${second % 10}` });
        await tenant.time.pass(SECOND);
      }
      const [, ...caused] = tenant.tokenRequestsAt;
      expect(mostInTenSeconds(caused)).toBe(1);
      expect(caused.length).toBeGreaterThan(3);
    },
  );

  test('a message that would need another token within ten seconds is kept, the next one unsent', async () => {
    const tenant = createTenants((name) => name === 'flow-0' || name === 'flow-1');
    const [blocked] = await tenant.invoke({ destination: 'flow-0' });
    expect(blocked).toMatchObject({ outcome: { kind: 'blocked', status: 401 }, calls: 2 });
    const [failed] = await tenant.invoke({ destination: 'flow-1' });
    expect(failed).toMatchObject({ calls: 1 });
    expect(failed?.outcome).toEqual({
      kind: 'failed',
      code: 'TOKEN_POSTPONED',
      executed: 'no',
      status: 401,
      retryAfterMs: 10_000,
      reason: 'the endpoint rejected a token less than 10 s after another: kept for a later try',
    });
    const [next] = await tenant.invoke({ destination: 'flow-1' });
    expect(next).toMatchObject({ outcome: { kind: 'failed', code: 'TOKEN_POSTPONED' }, calls: 0 });
    // The others go on with the token that is there.
    for (const name of ['flow-2', 'flow-3'])
      expect((await tenant.invoke({ destination: name }))[0]).toMatchObject({
        outcome: { kind: 'delivered' },
        calls: 1,
      });
    expect(tenant.counts().tokenRequests).toEqual([200, 200]);
    await tenant.time.pass(10 * SECOND);
    // Its own token, and so its own verdict: an operator must act.
    const [later] = await tenant.invoke({ destination: 'flow-1' });
    expect(later).toMatchObject({ outcome: { kind: 'blocked', status: 401 }, calls: 1 });
    expect(tenant.counts().tokenRequests).toEqual([200, 200, 200]);
  });
});

describe('A worker node that rejects every token, as one did without its authentication filter,', () => {
  test('a worker node that rejects every token costs one token request in ten seconds', async () => {
    const tenant = createTenant();
    const { answer } = tenant.toRuntimeNode;
    let calls = 0;
    tenant.toRuntimeNode.answer = (request) => {
      calls += 1;
      const headers = calls % 3 === 0 ? { ...request.headers, authorization: 'Bearer none' } : request.headers;
      return answer({ ...request, headers });
    };
    const kinds = new Map<string, number>();
    for (let second = 0; second < 300; second += 1) {
      const [attempt] = await tenant.invoke();
      const kind = attempt?.outcome.kind ?? 'none';
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      await tenant.time.pass(SECOND);
    }
    const [, ...caused] = tenant.tokenRequestsAt;
    expect(mostInTenSeconds(caused)).toBe(1);
    expect([...kinds.keys()].sort()).toEqual(['delivered', 'failed']);
    expect(kinds.get('delivered')).toBeGreaterThan(60);
  });

  test('a worker node that rejects every token costs as little with a hundred messages at once', async () => {
    const tenant = createTenant();
    await tenant.invoke();
    const { answer } = tenant.toRuntimeNode;
    tenant.toRuntimeNode.travelMs = (request) => ((numberOf(request) * 7919) % 13) * 400;
    tenant.toRuntimeNode.answer = (request) => {
      const headers = Number(request.headers.sap_applicationid?.replace('order-', '')) % 4 === 0;
      return answer(headers ? { ...request, headers: { ...request.headers, authorization: 'Bearer none' } } : request);
    };
    const attempts = await tenant.invoke({ messages: 100 });
    const kinds = new Set(attempts.map(({ outcome }) => outcome.kind));
    expect(kinds.has('delivered')).toBe(true);
    expect(tenant.counts().tokenRequests).toEqual([200, 200]);
  });
});
