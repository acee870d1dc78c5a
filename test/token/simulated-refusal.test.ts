/**
 * The authorization server refuses the client: which version of the secret is tried when, how often it is read, the
 * pause.
 */
import { describe, expect, test } from 'vitest';
import { createTenant, type Tenant } from './simulated-tenant.ts';

const [CURRENT, PREVIOUS, NONE] = ['AWSCURRENT', 'AWSPREVIOUS', 'none'];

/** A key that the authorization server does not know. */
function wrong(tenant: Tenant, clientSecret: string): object {
  const key = JSON.stringify(
    tenant.account.serviceKey('sb-orders!b1234|it-rt-acme-dev!b56', 'https://acme-dev.it-rt.example'),
  );
  return JSON.parse(key.replace(/("client[sS]ecret":)"[^"]*"/, `$1"${clientSecret}"`));
}

/**
 * What is done to the secret, once a token was had and is gone; what is asked and read then, and what becomes of it.
 */
type Row = readonly [
  name: string,
  happens: (tenant: Tenant) => void,
  tokenRequests: readonly number[],
  secretReads: readonly (string | undefined)[],
  kind: 'delivered' | 'blocked',
];

const rows: readonly Row[] = [
  ['nothing', () => undefined, [200], [], 'delivered'],
  ['rotated at both ends', (tenant) => tenant.rotateClientSecret(), [401, 200], [CURRENT], 'delivered'],
  [
    'rotated at the authorization server alone',
    (tenant) => tenant.rotateClientSecret({ store: false }),
    [401],
    [CURRENT, NONE],
    'blocked',
  ],
  ['rotated in Secrets Manager alone', (tenant) => tenant.store(wrong(tenant, 'of-tomorrow')), [200], [], 'delivered'],
  [
    'rotated at the authorization server, and stored twice with other fields alone',
    (tenant) => {
      tenant.rotateClientSecret({ store: false });
      tenant.store(wrong(tenant, 'of-now'));
      tenant.store({ ...wrong(tenant, 'of-now'), comment: 'again' });
    },
    // AWSPREVIOUS is another version, with the same in it.
    [401, 401],
    [CURRENT, PREVIOUS],
    'blocked',
  ],
  [
    'stored wrong, after the authorization server took a new one',
    (tenant) => {
      tenant.rotateClientSecret({ store: false });
      tenant.store(wrong(tenant, 'mistyped'));
    },
    // AWSPREVIOUS is the one that was warm, and was refused already.
    [401, 401],
    [CURRENT, PREVIOUS],
    'blocked',
  ],
  [
    'stored, then stored wrong',
    (tenant) => {
      tenant.rotateClientSecret();
      tenant.store(wrong(tenant, 'mistyped'));
    },
    [401, 401, 200],
    [CURRENT, PREVIOUS],
    'delivered',
  ],
  [
    'stored wrong three times',
    (tenant) => {
      tenant.rotateClientSecret();
      for (const text of ['one', 'two', 'three']) tenant.store(wrong(tenant, text));
    },
    [401, 401, 401],
    [CURRENT, PREVIOUS],
    'blocked',
  ],
];

describe.each(['neo', 'cf'] as const)('A token is asked for anew (%s)', (environment) => {
  test.each(rows)(
    'a new token is requested after the secret was %s',
    async (_, happens, tokenRequests, secretReads, kind) => {
      const tenant = createTenant({ environment });
      await tenant.invoke();
      tenant.authorizationServer.expireAllTokens();
      happens(tenant);
      const attempts = await tenant.invoke({ messages: 10 });
      expect(new Set(attempts.map(({ outcome }) => outcome.kind))).toEqual(new Set([kind]));
      const counts = tenant.counts();
      expect(counts.tokenRequests.slice(1)).toEqual(tokenRequests);
      expect(counts.secretReads.slice(1)).toEqual(secretReads);
      expect(counts.calls.filter((status) => status === 200)).toHaveLength(kind === 'delivered' ? 11 : 1);
      expect(tenant.toAuthorizationServer.mostOpen).toBe(1);
    },
  );

  test('a token is requested with the previous version while the current one is unknown', async () => {
    const tenant = createTenant({ environment });
    tenant.store(wrong(tenant, 'of-tomorrow'));
    await tenant.invoke({ messages: 10 });
    expect(tenant.counts()).toMatchObject({ tokenRequests: [401, 200], secretReads: [CURRENT, CURRENT, PREVIOUS] });
    await tenant.invoke({ messages: 10 });
    expect(tenant.counts()).toMatchObject({ tokenRequests: [401, 200], calls: Array(20).fill(200) });
  });
});

describe('A refusal opens a pause', () => {
  function refused(): Tenant {
    const tenant = createTenant();
    tenant.rotateClientSecret({ store: false });
    return tenant;
  }

  test('a refusal opens a pause without requests and readings: 30 s, then longer, up to 5 min', async () => {
    const tenant = refused();
    await tenant.invoke({ messages: 10 });
    expect(tenant.counts()).toEqual({ tokenRequests: [401], secretReads: [CURRENT, CURRENT, NONE], calls: [] });
    const asked: number[] = [];
    for (let second = 0; second < 3600; second += 10) {
      const before = tenant.counts();
      const [attempt] = await tenant.invoke();
      expect(attempt).toMatchObject({ calls: 0, outcome: { kind: 'blocked', code: 'TOKEN_REFUSED', executed: 'no' } });
      const after = tenant.counts();
      if (after.tokenRequests.length > before.tokenRequests.length) asked.push(second);
      else expect(after).toEqual(before);
      await tenant.time.pass(10_000);
    }
    const pauses = asked.map((second, index) => second - (asked[index - 1] ?? 0));
    expect(pauses).toEqual([30, 60, 120, 240, ...Array(10).fill(300)]);
    // Each knock: the current one is read, asked with, read once more, and the one before is looked for.
    expect(tenant.counts().tokenRequests).toEqual(Array(1 + pauses.length).fill(401));
    expect(tenant.secretReads).toHaveLength(3 + 3 * pauses.length);
  });

  test.each([1, 29, 30, 31, 200])(
    'a refusal opens a pause after which a new version stored %i s later is used',
    async (seconds) => {
      const tenant = refused();
      await tenant.invoke();
      await tenant.time.pass(seconds * 1000);
      tenant.store();
      const pending = seconds < 30;
      const [attempt] = await tenant.invoke();
      expect(attempt?.outcome.kind).toBe(pending ? 'blocked' : 'delivered');
      await tenant.time.pass(30_000);
      expect((await tenant.invoke())[0]?.outcome.kind).toBe('delivered');
      expect(tenant.counts()).toMatchObject({
        tokenRequests: [401, 200],
        secretReads: [CURRENT, CURRENT, NONE, CURRENT],
      });
    },
  );

  test.each([400, 403])(
    'a refusal opens a pause at once where it is a %i: the secret is not read again',
    async (status) => {
      const tenant = createTenant();
      tenant.authorizationServer.failTokenRequests({ status, body: '{"error":"unauthorized_client"}' });
      const attempts = await tenant.invoke({ messages: 10 });
      expect(attempts[0]?.outcome).toMatchObject({ kind: 'blocked', status, code: 'TOKEN_REFUSED', executed: 'no' });
      await tenant.invoke();
      expect(tenant.counts()).toEqual({ tokenRequests: [status], secretReads: [CURRENT], calls: [] });
      await tenant.time.pass(30_000);
      expect((await tenant.invoke())[0]?.outcome.kind).toBe('delivered');
      expect(tenant.counts()).toMatchObject({ tokenRequests: [status, 200], secretReads: [CURRENT, CURRENT] });
    },
  );
});
