/**
 * Where all destinations share one token, it is fetched while the environment starts, and the first message finds it.
 */
import { describe, expect, test } from 'vitest';
import { setStage, WEBHOOK_USER } from '../stage.ts';

const PLAN = { name: 'orders', flow: { csrfProtected: false } } as const;

/** Of the one cold start, as Lambda reports it. */
function initMs(output: readonly string[]): number {
  const [, told] = /Init Duration: ([\d.]+) ms/.exec(output.join('\n')) ?? [];
  return Number(told);
}

describe.each(['neo', 'cf'] as const)('on %s', (environment) => {
  test('secret and token are there when the first message comes, which is only forwarded', async () => {
    const stage = await setStage({ environment, plans: [PLAN], tokenDuringInit: true });
    const ids = stage.sendMany(10);

    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids);
    expect(stage.outcomes('outcome', 'calls', 'token')).toEqual({ 'delivered 1 warm': 10 });
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], secretReads: { 'cpi/orders': 1 }, flowRuns: 10 });
    expect(stage.deployed.queueFunction.coldStarts).toBe(1);
  });

  test('several credentials are fetched when they are needed, and no other', async () => {
    const plans = [PLAN, { ...PLAN, name: 'invoices' }];
    const stage = await setStage({ environment, plans, tokenDuringInit: true });
    stage.sendMany(10);

    await stage.poll();

    expect(stage.outcomes('outcome', 'token')).toEqual({ 'delivered new': 10 });
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], secretReads: { 'cpi/orders': 1 } });
  });
});

test('an authorization server that does not answer delays the start by two seconds, and ends nothing', async () => {
  const stage = await setStage({ plans: [PLAN], tokenDuringInit: true });
  stage.authorizationServer.server.fail({ fault: 'hang' });
  const ids = stage.sendMany(3);

  await stage.poll();

  expect(initMs(stage.output)).toBeGreaterThan(1_900);
  expect(initMs(stage.output)).toBeLessThan(5_000);
  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.outcomes('outcome', 'token')).toEqual({ 'delivered new': 3 });
  expect(stage.deployed.queueFunction.coldStarts).toBe(1);
});

test('an authorization server that is down is asked once, and again for the first message', async () => {
  const stage = await setStage({ plans: [PLAN], tokenDuringInit: true });
  stage.authorizationServer.failTokenRequests({ status: 502 }, { times: 1 });
  const ids = stage.sendMany(3);

  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.tally()).toMatchObject({ tokenRequests: [502, 200] });
  expect(stage.attempts.filter(({ outcome }) => outcome !== 'delivered')).toEqual([]);
});

test('credentials that are refused during init block the messages, with words that say so', async () => {
  const stage = await setStage({ plans: [PLAN], tokenDuringInit: true });
  stage.orders.rotateSecret({ store: false });
  stage.sendMany(3);

  await stage.poll();

  expect(stage.outcomes('outcome', 'calls')).toEqual({ 'blocked 0': 3 });
  expect(stage.attempts[0]?.reason).toContain('the operator must check that the client is registered');
});

describe('the function of the webhooks', () => {
  test.each([
    { mode: 'queued', tokenRequests: [] },
    { mode: 'direct', tokenRequests: [200] },
    { mode: 'direct-else-queued', tokenRequests: [200] },
  ] as const)(
    'the function of the webhooks fetches a token during init where it calls SAP itself ($mode)',
    async ({ mode, tokenRequests }) => {
      const plan = { ...PLAN, webhook: { ...WEBHOOK_USER, mode } };
      const stage = await setStage({ plans: [plan], tokenDuringInit: true });

      // Turned away: no message needs a token.
      const { status } = await stage.post('/webhooks/orders', { user: null, body: '{}' });

      expect(status).toBe(401);
      expect(stage.tally()).toMatchObject({ tokenRequests, calls: {} });
    },
  );
});
