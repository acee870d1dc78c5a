import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';

const ENVIRONMENTS = ['neo', 'cf'] as const;
const PLAN = { name: 'orders', flow: { csrfProtected: false } } as const;

test.each(ENVIRONMENTS)(
  'a client secret rotated at both ends is read again once, and everything is delivered (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [PLAN] });
    stage.send(stage.orders);
    await stage.poll();

    stage.orders.rotateSecret();
    stage.authorizationServer.expireAllTokens();
    const ids = stage.sendMany(10);
    await stage.poll();

    expect(stage.arrivals().slice(1).sort()).toEqual(ids);
    expect(stage.tally()).toEqual({
      tokenRequests: [200, 401, 200],
      secretReads: { 'cpi/orders': 2 },
      calls: { 'POST 200': 11, 'POST 401': 10 },
      flowRuns: 11,
      left: 0,
      dead: 0,
    });
    expect(stage.outcomes()).toEqual({ 'delivered 200 yes 1': 1, 'delivered 200 yes 2': 10 });
  },
);

test.each(ENVIRONMENTS)(
  'a client secret rotated while its token is still good changes nothing (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [PLAN] });
    const ids = [stage.send(stage.orders)];
    await stage.poll();

    stage.orders.rotateSecret({ store: false });
    ids.push(stage.send(stage.orders));
    await stage.poll();

    expect(stage.arrivals()).toEqual(ids);
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], secretReads: { 'cpi/orders': 1 }, left: 0 });
  },
);

test.each(ENVIRONMENTS)(
  'a client secret rotated at the authorization server alone blocks and keeps a message, until it is stored (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [PLAN] });
    stage.send(stage.orders);
    await stage.poll();

    stage.orders.rotateSecret({ store: false });
    stage.authorizationServer.expireAllTokens();
    const id = stage.send(stage.orders);
    const [refused] = await stage.poll();

    expect(refused?.kept).toEqual([id]);
    expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'blocked', status: 401, executed: 'no', calls: 1 }]);
    expect(stage.attemptsOf(id)[0]?.reason).toMatch(
      /^token endpoint http:\/\/127\.0\.0\.1:\d+\/oauth\S*: answered 401/,
    );
    expect(stage.tally()).toEqual({
      tokenRequests: [200, 401],
      // Warm, once more, and its previous version: there is none.
      secretReads: { 'cpi/orders': 3 },
      calls: { 'POST 200': 1, 'POST 401': 1 },
      flowRuns: 1,
      left: 1,
      dead: 0,
    });

    stage.orders.storeSecret();
    const ids = [id, ...stage.sendMany(9)].sort();
    // The pause after the refusal is this environment's own.
    await stage.deployed.queueFunction.killEnvironments();
    await stage.pollAgain();

    expect(stage.arrivals().slice(1).sort()).toEqual(ids);
    const { tokenRequests, ...rest } = stage.tally();
    expect(rest).toEqual({
      secretReads: { 'cpi/orders': 4 },
      calls: { 'POST 200': 11, 'POST 401': 1 },
      flowRuns: 11,
      left: 0,
      dead: 0,
    });
    expect(
      tokenRequests.filter((status) => status === 200),
      'one good token for all',
    ).toHaveLength(2);
  },
);

test.each(ENVIRONMENTS)(
  'a client that was deleted is blocked on a cold start, after two readings and no call (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [PLAN] });
    stage.account.deleteClient(stage.orders.clientId);
    const ids = stage.sendMany(10);

    await stage.poll();

    expect(stage.outcomes('outcome', 'status', 'executed', 'calls', 'token')).toEqual({ 'blocked 401 no 0 -': 10 });
    expect(stage.tally()).toEqual({
      tokenRequests: [401],
      secretReads: { 'cpi/orders': 3 },
      calls: {},
      flowRuns: 0,
      left: 10,
      dead: 0,
    });
    expect(stage.orders.queue.messages.map(({ id }) => id).sort()).toEqual(ids);
  },
);

test.each([1, 10])(
  'ten messages whose client is refused make one token request, then a pause (%i at a time)',
  async (concurrency) => {
    const stage = await setStage({ plans: [{ ...PLAN, settings: { concurrency } }] });
    stage.send(stage.orders);
    await stage.poll();
    stage.orders.rotateSecret({ store: false });
    stage.authorizationServer.expireAllTokens();
    stage.sendMany(10);

    await stage.poll();

    expect(stage.tally()).toMatchObject({ tokenRequests: [200, 401], secretReads: { 'cpi/orders': 3 }, left: 10 });
  },
);

test('a rotation ahead of the authorization server is bridged by the previous version of the secret', async () => {
  const stage = await setStage({ plans: [PLAN] });
  const { secretsManager, orders } = stage;
  // Stored already, not yet known to the authorization server.
  const key = stage.account.serviceKey(orders.clientId, stage.runtimeNode.url);
  secretsManager.put(
    orders.secret,
    JSON.parse(JSON.stringify(key).replace(/"clientsecret":"[^"]*"/, '"clientsecret":"of-tomorrow"')),
  );
  const ids = stage.sendMany(10);

  await stage.poll();
  ids.push(stage.send(orders));
  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids.sort());
  expect(stage.tally()).toMatchObject({ tokenRequests: [401, 200], secretReads: { 'cpi/orders': 3 }, left: 0 });
});
