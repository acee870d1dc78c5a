/** A thousand at once: one reading of the secret and one token request at first, one more when all get a 401. */
import { describe, expect, test } from 'vitest';
import { createTenant } from './simulated-tenant.ts';

const THOUSAND = 1_000;

describe.each([
  ['cf', 'jwt'],
  ['cf', 'opaque'],
  ['neo', 'jwt'],
  ['neo', 'opaque'],
] as const)('A thousand messages at once (%s, %s)', (environment, tokenFormat) => {
  const start = () => createTenant({ environment, destinations: { orders: { tokenFormat } } });

  test('a thousand messages at a cold start make one reading of the secret and one token request', async () => {
    const tenant = start();
    tenant.toAuthorizationServer.travelMs = () => 250;
    const attempts = await tenant.invoke({ messages: THOUSAND });
    expect(attempts.filter(({ outcome, calls }) => outcome.kind === 'delivered' && calls === 1)).toHaveLength(THOUSAND);
    expect(tenant.counts()).toMatchObject({ tokenRequests: [200], secretReads: ['AWSCURRENT'] });
    expect(tenant.counts().calls).toHaveLength(THOUSAND);
  });

  test('a thousand messages that all meet a 401 make one token request, and each goes out once more', async () => {
    const tenant = start();
    await tenant.invoke();
    tenant.authorizationServer.expireAllTokens();
    tenant.toAuthorizationServer.travelMs = () => 250;
    // Ways of up to a second: many a 401 comes long after the new token.
    tenant.toRuntimeNode.travelMs = ({ headers }) => (Number(headers.SAP_ApplicationID?.slice(6)) * 7919) % 1_000;
    const attempts = await tenant.invoke({ messages: THOUSAND });
    expect(attempts.filter(({ outcome, calls }) => outcome.kind === 'delivered' && calls === 2)).toHaveLength(THOUSAND);
    expect(tenant.counts()).toMatchObject({ tokenRequests: [200, 200], secretReads: ['AWSCURRENT'] });
    expect(tenant.counts().calls.filter((status) => status === 401)).toHaveLength(THOUSAND);
  });

  test('a thousand messages of a refused client make one token request and two readings', async () => {
    const tenant = start();
    tenant.rotateClientSecret({ store: false });
    const attempts = await tenant.invoke({ messages: THOUSAND });
    expect(attempts.filter(({ outcome, calls }) => outcome.kind === 'blocked' && calls === 0)).toHaveLength(THOUSAND);
    expect(tenant.counts()).toEqual({
      tokenRequests: [401],
      secretReads: ['AWSCURRENT', 'AWSCURRENT', 'none'],
      calls: [],
    });
  });
});
