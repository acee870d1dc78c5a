/** Clocks that are off: neither is a dead token used, nor is one asked for with each message. */
import { describe, expect, test } from 'vitest';
import { createTenant, type Tenant } from './simulated-tenant.ts';

const MINUTE = 60_000;
const SKEWS_MINUTES = [-1440, -10, -5, 5, 10, 1440];

/** A message every twenty seconds for an hour. */
async function hour(tenant: Tenant): Promise<void> {
  for (let message = 0; message < 180; message += 1) {
    expect((await tenant.invoke())[0]?.outcome.kind).toBe('delivered');
    await tenant.time.pass(20_000);
  }
}

describe.each([
  ['cf', 'jwt'],
  ['cf', 'opaque'],
  ['neo', 'jwt'],
  ['neo', 'opaque'],
] as const)('Over an hour of messages (%s, %s)', (environment, tokenFormat) => {
  const options = { environment, destinations: { orders: { tokenFormat } }, tokenLifetimeSeconds: 601 };

  test.each(SKEWS_MINUTES)(
    'SAP’s clock %i min ahead of ours costs no more tokens over an hour of messages than a clock that is right',
    async (minutes) => {
      const tenant = createTenant({ ...options, sapAheadMs: minutes * MINUTE });
      await hour(tenant);
      const { tokenRequests, calls } = tenant.counts();
      // One each five minutes: at the half of ten.
      expect(tokenRequests).toEqual(Array(12).fill(200));
      expect(calls).toEqual(Array(180).fill(200));
    },
  );

  test.each([0, 'absent'] as const)(
    'SAP’s clock ahead of ours costs no more tokens where the response tells the lifetime as %s',
    async (told) => {
      const tenant = createTenant({ ...options, tokenLifetimeSeconds: 43_200, sapAheadMs: 10 * MINUTE });
      tenant.authorizationServer.setExpiresIn(told);
      await hour(tenant);
      expect(tenant.counts().calls).toEqual(Array(180).fill(200));
      // An opaque token is taken to live an hour; a JWT states its end, and is used two.
      expect(tenant.counts().tokenRequests).toEqual(Array(tokenFormat === 'opaque' ? 2 : 1).fill(200));
    },
  );
});

describe('Where an authorization server tells no clock of its own, as Keycloak’s answers have no Date,', () => {
  test.each([...SKEWS_MINUTES, 0])(
    'a server without a Date, %i min ahead of ours, costs no more tokens of five minutes (as Keycloak)',
    async (minutes) => {
      const tenant = createTenant({ tokenLifetimeSeconds: 301, sapAheadMs: minutes * MINUTE });
      const { answer } = tenant.toAuthorizationServer;
      tenant.toAuthorizationServer.answer = async (request) => {
        const { headers: { Date: _date, ...headers } = {}, ...answered } = await answer(request);
        return { ...answered, headers };
      };
      await hour(tenant);
      const { tokenRequests, calls } = tenant.counts();
      // Two and a half minutes each, with a message every twenty seconds: eight messages.
      expect(tokenRequests).toEqual(Array(23).fill(200));
      expect(calls).toEqual(Array(180).fill(200));
    },
  );
});

describe('Where SAP’s own clocks disagree, and the runtime node thinks a JWT dead', () => {
  /** The authorization server is behind by so many minutes; tokens that it says live ten are dead that much earlier. */
  test.each([2, 3, 4])(
    'a runtime node that takes a JWT for expired %i min early costs one new token each time, and no message',
    async (minutes) => {
      const tenant = createTenant({ tokenLifetimeSeconds: 601 });
      tenant.authorizationServer.setClockSkew(-minutes * MINUTE);
      await hour(tenant);
      const { tokenRequests, calls } = tenant.counts();
      expect(calls.filter((status) => status === 200)).toHaveLength(180);
      // Renewed at five minutes, before the node minds: its leeway is one.
      expect(calls.filter((status) => status === 401)).toHaveLength(0);
      expect(tokenRequests).toHaveLength(12);
    },
  );

  test.each([7, 8, 9, 10])(
    'a runtime node that takes a JWT for expired %i min early costs one token and one more call for each 401',
    async (minutes) => {
      const tenant = createTenant({ tokenLifetimeSeconds: 601 });
      tenant.authorizationServer.setClockSkew(-minutes * MINUTE);
      await hour(tenant);
      const { tokenRequests, calls } = tenant.counts();
      const rejected = calls.filter((status) => status === 401).length;
      expect(calls.filter((status) => status === 200)).toHaveLength(180);
      expect(rejected).toBeGreaterThan(10);
      expect(tokenRequests).toHaveLength(1 + rejected);
      // The node takes one for as long as its leeway goes beyond what is left: no sooner is there a 401.
      expect(rejected).toBeLessThanOrEqual(Math.ceil(60 / (11 - minutes)) + 1);
    },
  );

  test('a runtime node that takes every JWT for expired blocks after one more token, then a pause', async () => {
    const tenant = createTenant({ tokenLifetimeSeconds: 601 });
    tenant.authorizationServer.setClockSkew(-12 * MINUTE);
    for (let message = 0; message < 180; message += 1) {
      expect((await tenant.invoke())[0]?.outcome.kind).toBe('blocked');
      await tenant.time.pass(20_000);
    }
    // Pauses of 30 s, 1, 2, 4, and then 5 min.
    expect(tenant.counts().tokenRequests.length).toBeLessThanOrEqual(2 * (5 + 11));
  });
});
