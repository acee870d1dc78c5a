/** The consumer account: what the cockpit's forms take and refuse in steps 1 and 2 of SAP's guide. */
import { describe, expect, test } from 'vitest';
import { type Account, type AccountOptions, createAccount } from '../../infra/local/sap/cockpit/account.ts';

const day = 86_400;
const node = 'acme-dev.iflmap';

function accountWith(options: Partial<AccountOptions> = {}): Account {
  const account = createAccount({ environment: 'neo', ...options });
  account.addSubscription({ vmName: node, nodeType: 'iflmap' });
  account.addSubscription({ vmName: 'acme-dev.hcioem', nodeType: 'hcioem' });
  account.addSubscription({ vmName: 'acme-dev.tmn', nodeType: 'tmn' });
  return account;
}

const registration = { clientId: 'orders', subscription: node, authorizationGrant: 'client_credentials' };

describe('registering an OAuth client', () => {
  test.each([node, 'acme-dev.hcioem'])('the account registers a client for %s', (subscription) => {
    const account = accountWith();
    const client = account.registerClient({
      ...registration,
      subscription,
      clientSecret: 's3cret',
      tokenLifetimeSeconds: 60,
    });
    expect(client).toEqual({
      ...registration,
      subscription,
      credentialType: 'secret',
      clientSecret: 's3cret',
      tokenLifetimeSeconds: 60,
    });
    expect(account.client('orders')).toEqual(client);
  });

  test.each([
    [
      'a node type without OAuth',
      'neo',
      { subscription: 'acme-dev.tmn' },
      /^subscription: .*iflmap or hcioem, not tmn/,
    ],
    [
      'an unknown subscription',
      'neo',
      { subscription: 'acme-prod.iflmap' },
      /^subscription: .*not subscribed to acme-prod/,
    ],
    [
      'another grant',
      'neo',
      { authorizationGrant: 'authorization_code' },
      /^authorizationGrant: must be client_credentials/,
    ],
    ['an empty client id', 'neo', { clientId: '' }, /^clientId: must not be empty/],
    ['an empty secret', 'neo', { clientSecret: '' }, /^clientSecret: must not be empty/],
    [
      'unlimited tokens on Neo',
      'neo',
      { tokenLifetimeSeconds: 0 },
      /^tokenLifetimeSeconds: .*from 1 to 15552000, not 0/,
    ],
    ['more than 180 days on Neo', 'neo', { tokenLifetimeSeconds: 180 * day + 1 }, /^tokenLifetimeSeconds: /],
    ['half a second', 'neo', { tokenLifetimeSeconds: 0.5 }, /^tokenLifetimeSeconds: /],
    ['less than an hour on CF', 'cf', { tokenLifetimeSeconds: 3599 }, /^tokenLifetimeSeconds: .*from 3600 to 86400/],
    ['more than a day on CF', 'cf', { tokenLifetimeSeconds: 86_401 }, /^tokenLifetimeSeconds: /],
  ] as const)('the account refuses %s', (_what, environment, change, message) => {
    const account = accountWith({ environment });
    expect(() => account.registerClient({ ...registration, ...change })).toThrow(message);
    expect(account.client('orders')).toBeUndefined();
  });

  test.each([
    ['neo', 1],
    ['neo', 180 * day],
    ['cf', 3600],
    ['cf', day],
  ] as const)('the account accepts the outermost lifetimes: %s, %i seconds', (environment, tokenLifetimeSeconds) => {
    const account = accountWith({ environment });
    expect(account.registerClient({ ...registration, tokenLifetimeSeconds })).toMatchObject({ tokenLifetimeSeconds });
  });

  test('the account refuses a client id that is taken', () => {
    const account = accountWith();
    account.registerClient(registration);
    expect(() => account.registerClient(registration)).toThrow(/^clientId: orders is registered already/);
  });

  test.each([
    ['neo', 43_200],
    ['cf', 3600],
  ] as const)(
    'the account gives %s tokens a lifetime of %i seconds by default',
    (environment, tokenLifetimeSeconds) => {
      expect(accountWith({ environment }).registerClient(registration)).toMatchObject({ tokenLifetimeSeconds });
    },
  );

  test('the account generates a secret with the characters of SAP’s, and announces every secret', () => {
    const announced: string[] = [];
    const account = accountWith({ confidential: (value) => announced.push(value) });
    const { clientSecret } = account.registerClient(registration);
    expect(clientSecret).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\$[A-Za-z0-9_-]{43}=$/);
    const rotated = account.rotateClientSecret('orders');
    expect(rotated).not.toBe(clientSecret);
    account.rotateClientSecret('orders', 'by hand');
    expect(new Set(announced)).toEqual(new Set([clientSecret, rotated, 'by hand']));
  });
});

describe('a registered client', () => {
  test('a registered client can be unlimited as old ones on Neo, and not on CF', () => {
    const neo = accountWith();
    neo.registerClient(registration);
    neo.setTokenLifetime('orders', 0);
    expect(neo.client('orders')).toMatchObject({ tokenLifetimeSeconds: 0 });
    const cf = accountWith({ environment: 'cf' });
    cf.registerClient(registration);
    expect(() => cf.setTokenLifetime('orders', 0)).toThrow(/^tokenLifetimeSeconds: /);
    cf.setTokenLifetime('orders', 30);
    expect(cf.client('orders')).toMatchObject({ tokenLifetimeSeconds: 30 });
  });

  test('a registered client is gone after its deletion', () => {
    const account = accountWith();
    account.registerClient(registration);
    account.deleteClient('orders');
    expect(account.client('orders')).toBeUndefined();
    expect(() => account.rotateClientSecret('orders')).toThrow(/^clientId: no client orders/);
    expect(() => account.deleteClient('orders')).toThrow(/^clientId: no client orders/);
  });
});

describe('subscriptions and roles', () => {
  test('a VM name ends with its node type and is unique', () => {
    const account = accountWith();
    expect(() => account.addSubscription({ vmName: 'acme-dev.tmn', nodeType: 'iflmap' })).toThrow(/^vmName: /);
    expect(() => account.addSubscription({ vmName: node, nodeType: 'iflmap' })).toThrow(/^vmName: .*already/);
  });

  test('a role belongs to one user on one subscription, until it is taken away', () => {
    const account = accountWith();
    const assignment = { user: 'oauth_client_orders', role: 'ESBMessaging.send', subscription: node };
    account.assignRole(assignment);
    account.assignRole(assignment);
    account.assignRole({ ...assignment, role: 'Orders.send' });
    expect(account.hasRole(assignment)).toBe(true);
    expect(account.hasRole({ ...assignment, user: 'oauth_client_other' })).toBe(false);
    expect(account.hasRole({ ...assignment, subscription: 'acme-dev.hcioem' })).toBe(false);
    expect(account.roles('oauth_client_orders', node)).toEqual(['ESBMessaging.send', 'Orders.send']);
    account.unassignRole(assignment);
    expect(account.hasRole(assignment)).toBe(false);
    expect(() => account.unassignRole(assignment)).toThrow(/^role: /);
  });

  test('a role needs a subscription and a name', () => {
    const account = accountWith();
    const assignment = { user: 'oauth_client_orders', role: 'ESBMessaging.send', subscription: 'acme-prod.iflmap' };
    expect(() => account.assignRole(assignment)).toThrow(/^subscription: /);
    expect(() => account.assignRole({ ...assignment, subscription: node, role: '' })).toThrow(/^role: /);
  });
});

describe('credentials as SAP hands them out', () => {
  const tokenurl = 'http://127.0.0.1:1/oauth/token';
  const url = 'http://127.0.0.1:2';

  test('the credentials on CF are a service key, nested or flat', () => {
    const account = accountWith({ environment: 'cf', now: () => Date.UTC(2026, 0, 1) });
    const { clientSecret: clientsecret } = account.registerClient(registration);
    expect(() => account.serviceKey('orders', url)).toThrow(/^tokenEndpoint: /);
    account.tokenEndpoint = tokenurl;
    const fields = { clientid: 'orders', clientsecret, tokenurl, url, createdate: '2026-01-01T00:00:00.000Z' };
    expect(account.serviceKey('orders', url)).toEqual({ oauth: fields });
    expect(account.serviceKey('orders', url, { nested: false })).toEqual(fields);
    const rotated = account.rotateClientSecret('orders');
    expect(account.serviceKey('orders', url, { nested: false })).toMatchObject({ clientsecret: rotated });
  });

  test('the credentials on Neo are client id, secret and token endpoint', () => {
    const account = accountWith();
    const { clientSecret } = account.registerClient(registration);
    account.tokenEndpoint = tokenurl;
    expect(account.serviceKey('orders', url)).toEqual({ clientId: 'orders', clientSecret, tokenUrl: tokenurl });
  });
});
