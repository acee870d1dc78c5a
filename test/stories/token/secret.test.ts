import { expect, test } from 'vitest';
import type { SecretsManager } from '../../../infra/local/aws/secrets-manager/secrets-manager.ts';
import { setStage } from '../stage.ts';

const FLOW = { csrfProtected: false } as const;
const SECRET = 'cpi/orders';

test.each([
  {
    what: 'missing',
    settings: { secret: 'cpi/absent' },
    reason: 'secret "cpi/absent" does not exist',
  },
  {
    what: 'not to be read for want of a permission',
    trouble: (secrets: SecretsManager) => secrets.denyAccess(SECRET, true),
    reason: 'the operator must allow the function secretsmanager:GetSecretValue',
  },
  {
    what: 'not to be decrypted',
    trouble: (secrets: SecretsManager) => secrets.disableKey(SECRET, true),
    reason: 'kms:Decrypt',
  },
  {
    what: 'no JSON',
    trouble: (secrets: SecretsManager) => secrets.put(SECRET, 'clientSecret=hunter2hunter2'),
    reason: 'expected a JSON object',
  },
  {
    what: 'without a client secret',
    trouble: (secrets: SecretsManager) =>
      secrets.put(SECRET, {
        oauth: { clientid: 'sb-x!b1', tokenurl: 'https://a.example/oauth/token', url: 'https://b.example' },
      }),
    reason: '"oauth.clientsecret" is missing',
  },
  {
    what: 'with a token URL that is not safe',
    trouble: (secrets: SecretsManager) =>
      secrets.put(SECRET, { clientId: 'x', clientSecret: 'hunter2hunter2', tokenUrl: 'http://a.example/oauth/token' }),
    reason: '"tokenUrl": expected an https: URL',
  },
])(
  'a secret that is $what blocks its messages, is read once, and no token is requested',
  async ({ settings, trouble, reason }) => {
    const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW, ...(settings ? { settings } : {}) }] });
    trouble?.(stage.secretsManager);
    const ids = stage.sendMany(10);

    const [invocation] = await stage.poll();

    expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
    expect(stage.outcomes('outcome', 'executed', 'calls', 'token')).toEqual({ 'blocked no 0 -': 10 });
    expect(stage.attempts[0]?.reason).toContain(reason);
    expect(stage.attempts[0]?.reason).toContain('the operator must');
    expect(stage.tally()).toEqual({
      tokenRequests: [],
      secretReads: { [settings?.secret ?? SECRET]: 1 },
      calls: {},
      flowRuns: 0,
      left: 10,
      dead: 0,
    });
  },
);

test('a secret that was corrected is read on the next try, and everything is delivered', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW }] });
  stage.secretsManager.put(SECRET, 'nothing that could be credentials');
  const ids = stage.sendMany(10);
  await stage.poll();

  stage.orders.storeSecret();
  // The pause after the refusal is this environment's own.
  await stage.deployed.queueFunction.killEnvironments();
  await stage.pollAgain();

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.outcomes('attempt', 'outcome')).toEqual({ '1 blocked': 10, '2 delivered': 10 });
  expect(stage.tally()).toMatchObject({ tokenRequests: [200], secretReads: { [SECRET]: 2 }, left: 0 });
});

test('a Secrets Manager that is down makes messages failed, and they are delivered when it is back', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW }] });
  await stage.secretsManager.server.stop();
  const ids = stage.sendMany(10);

  await stage.poll();
  expect(stage.outcomes()).toEqual({ 'failed - no 0': 10 });
  expect(stage.attempts[0]?.reason).toMatch(/^secret "cpi\/orders" could not be read now/);
  expect(stage.tally()).toMatchObject({ tokenRequests: [], secretReads: {}, left: 10 });

  await stage.secretsManager.server.start();
  await stage.pollAgain();
  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.tally()).toMatchObject({ tokenRequests: [200], secretReads: { [SECRET]: 1 }, left: 0 });
});

test('a Secrets Manager that throttles makes messages failed, after the few tries of the SDK', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW }] });
  stage.secretsManager.throttle(true);
  const ids = stage.sendMany(10);

  const [invocation] = await stage.poll();

  expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
  expect(stage.outcomes()).toEqual({ 'failed - no 0': 10 });
  expect(stage.attempts[0]?.reason).toContain('ThrottlingException');
  expect(stage.tally()).toMatchObject({ tokenRequests: [], secretReads: { [SECRET]: 3 }, left: 10 });
});

test('an outage of Secrets Manager is not noticed with a token in memory', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW }] });
  const ids = stage.sendMany(10);
  await stage.poll();

  await stage.secretsManager.server.stop();
  ids.push(...stage.sendMany(10));
  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids.sort());
  expect(stage.tally()).toMatchObject({ tokenRequests: [200], secretReads: { [SECRET]: 1 }, left: 0 });
});

test.each([true, false])(
  'a service key is read as SAP hands it out, nested in "oauth" or not (%s)',
  async (nestedKey) => {
    const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW, nestedKey }] });
    const id = stage.send(stage.orders);

    await stage.poll();

    expect(stage.arrivals()).toEqual([id]);
  },
);
