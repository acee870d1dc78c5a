/** SAP's retry table, seen from the authorization server: how many requests come, and how far apart. */
import { describe, expect, test } from 'vitest';
import { nginxPage, serviceUnavailable, tooManyRequests } from '../../infra/local/sap/front.ts';
import type { Answer } from '../../infra/local/server/server.ts';
import { NOON } from '../doubles/time.ts';
import { createTenant, type Tenant } from './simulated-tenant.ts';

/** HTTP dates have whole seconds. */
const inSeconds = (seconds: number): Answer => ({
  status: 429,
  headers: { 'Retry-After': new Date(NOON + seconds * 1000).toUTCString() },
});

/**
 * What the endpoint answers for ever; when Cloud Foundry's requests come, in ms after noon; Neo takes the first two.
 */
const rows: readonly (readonly [name: string, answer: Answer | 'refused connections', at: readonly number[]])[] = [
  ['refused connections', 'refused connections', [0, 300, 900, 2_100]],
  ['408', { status: 408 }, [0, 300, 900, 2_100]],
  ['502 as nginx words it', nginxPage(502, 'Bad Gateway'), [0, 300, 900, 2_100]],
  ['504 as nginx words it', nginxPage(504, 'Gateway Time-out'), [0, 300, 900, 2_100]],
  ['500', { status: 500 }, [0, 1_000, 4_000, 13_000]],
  ['503', serviceUnavailable(), [0, 1_000, 4_000, 13_000]],
  ['503 with Retry-After', serviceUnavailable({ retryAfterSeconds: 5 }), [0, 5_000, 10_000, 19_000]],
  ['429 with Retry-After in seconds', tooManyRequests({ retryAfterSeconds: 7 }), [0, 7_000, 14_000, 21_000]],
  ['429 with Retry-After as a date', inSeconds(5), [0, 5_000, 5_000, 5_000]],
  ['429 without Retry-After', { status: 429 }, [0, 1_000, 4_000, 13_000]],
  ['501', { status: 501 }, [0]],
  ['400', { status: 400 }, [0]],
  ['403', { status: 403 }, [0]],
  ['404', nginxPage(404, 'Not Found'), [0]],
  ['302', { status: 302, headers: { Location: 'https://acme-dev.authentication.example/login' } }, [0]],
];

function failing(tenant: Tenant, answer: Answer | 'refused connections', times = 100): void {
  if (answer === 'refused connections') tenant.toAuthorizationServer.refusals = times;
  else tenant.authorizationServer.failTokenRequests(answer, { times });
}

describe.each(['cf', 'neo'] as const)('A token endpoint (%s)', (environment) => {
  const attemptsAllowed = environment === 'neo' ? 2 : 4;

  test.each(rows)(
    'a token endpoint that answers with %s is asked at these times, with one secret',
    async (_, answer, at) => {
      const tenant = createTenant({ environment });
      failing(tenant, answer);
      const attempts = await tenant.invoke({ messages: 10 });
      expect(attempts.map(({ calls }) => calls)).toEqual(Array(10).fill(0));
      expect(tenant.tokenRequestsAt).toEqual(at.slice(0, attemptsAllowed));
      expect(tenant.secretReads).toEqual(['AWSCURRENT']);
      expect(tenant.time.timers).toBe(0);
    },
  );

  test.each(rows.filter(([, , at]) => at.length > 1))(
    'a token endpoint that works again after one %s brings a token to all',
    async (_, answer, at) => {
      const tenant = createTenant({ environment });
      failing(tenant, answer, 1);
      const attempts = await tenant.invoke({ messages: 10 });
      expect(new Set(attempts.map(({ outcome }) => outcome.kind))).toEqual(new Set(['delivered']));
      expect(tenant.tokenRequestsAt).toEqual(at.slice(0, 2));
    },
  );

  test('a token endpoint that answers with 401 is not asked again, except with another secret', async () => {
    const tenant = createTenant({ environment });
    tenant.rotateClientSecret({ store: false });
    await tenant.invoke({ messages: 10 });
    expect(tenant.tokenRequestsAt).toEqual([0]);
  });
});

/** Lambda leaves two seconds more than the work may take; a request may take ten. */
describe('No request is begun that the time left cannot carry', () => {
  test.each<[string, number, readonly number[], Answer | 'refused connections']>([
    ['503', 12_999, [0], serviceUnavailable()],
    ['503', 13_000, [0, 1_000], serviceUnavailable()],
    ['503', 15_999, [0, 1_000], serviceUnavailable()],
    ['503', 16_000, [0, 1_000, 4_000], serviceUnavailable()],
    ['503', 24_999, [0, 1_000, 4_000], serviceUnavailable()],
    ['503', 25_000, [0, 1_000, 4_000, 13_000], serviceUnavailable()],
    ['a reset', 12_299, [0], 'refused connections'],
    ['a reset', 12_300, [0, 300], 'refused connections'],
    ['503 with Retry-After', 16_999, [0], serviceUnavailable({ retryAfterSeconds: 5 })],
    ['503 with Retry-After', 17_000, [0, 5_000], serviceUnavailable({ retryAfterSeconds: 5 })],
    ['429', 60_000, [0], tooManyRequests({ retryAfterSeconds: 120 })],
    ['429', 132_000, [0, 120_000], tooManyRequests({ retryAfterSeconds: 120 })],
  ])(
    'no token request begins that the time left cannot carry: %s with %i ms left of the invocation',
    async (_, remainingMs, at, answer) => {
      const tenant = createTenant();
      failing(tenant, answer);
      const [attempt] = await tenant.invoke({ remainingMs });
      expect(tenant.tokenRequestsAt).toEqual(at);
      expect(attempt).toMatchObject({
        outcome: { kind: 'failed', code: 'TOKEN_UNAVAILABLE', executed: 'no' },
        calls: 0,
      });
    },
  );

  test('a Retry-After longer than the invocation is passed on to the message', async () => {
    const tenant = createTenant();
    failing(tenant, tooManyRequests({ retryAfterSeconds: 120 }));
    const [attempt] = await tenant.invoke();
    expect(attempt?.outcome).toMatchObject({ kind: 'failed', status: 429, retryAfterMs: 120_000 });
  });
});

describe('A token endpoint that is slow', () => {
  test.each(['cf', 'neo'] as const)(
    'a slow token endpoint is given ten seconds for each request (%s)',
    async (environment) => {
      const tenant = createTenant({ environment });
      tenant.toAuthorizationServer.travelMs = () => 60_000;
      const [attempt] = await tenant.invoke();
      expect(tenant.tokenRequestsAt).toEqual([0, 10_300, 20_900, 32_100].slice(0, environment === 'neo' ? 2 : 4));
      expect(attempt?.outcome).toMatchObject({ kind: 'failed', code: 'TOKEN_UNAVAILABLE', executed: 'no' });
    },
  );

  test('a slow token endpoint is given less where the invocation leaves less', async () => {
    const tenant = createTenant();
    tenant.toAuthorizationServer.travelMs = () => 60_000;
    const [attempt] = await tenant.invoke({ remainingMs: 6_000 });
    expect(tenant.time.now() - NOON).toBeLessThanOrEqual(4_800);
    expect(attempt).toMatchObject({ outcome: { kind: 'failed', executed: 'no' }, calls: 0 });
    expect(tenant.toAuthorizationServer.open).toBe(0);
    expect(tenant.time.timers).toBe(0);
  });
});
