import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';

test.each(['neo', 'cf'] as const)(
  'without the role messages are blocked with words that name it (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [{ name: 'orders', assignRole: false }] });
    const ids = stage.sendMany(10);

    const [invocation] = await stage.poll();

    expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
    expect(stage.outcomes()).toEqual({ 'blocked 403 no 1': 10 });
    expect(stage.attempts[0]?.reason).toMatch(/role .*ESBMessaging\.send.*oauth_client_/);
    expect(stage.tally()).toEqual({
      tokenRequests: [200],
      secretReads: { 'cpi/orders': 1 },
      calls: { 'POST 403': 10 },
      flowRuns: 0,
      left: 10,
      dead: 0,
    });
  },
);

test('the kept messages are delivered on a later try once the role is assigned (neo)', async () => {
  const stage = await setStage({ environment: 'neo', plans: [{ name: 'orders', assignRole: false }] });
  const ids = stage.sendMany(10);
  await stage.poll();

  stage.orders.assignRole();
  await stage.pollAgain();

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.outcomes('attempt', 'outcome')).toEqual({ '1 blocked': 10, '2 delivered': 10 });
  expect(stage.tally()).toMatchObject({ tokenRequests: [200], flowRuns: 10, left: 0 });
});

test.each(['neo', 'cf'] as const)('a role that is taken away blocks from then on (%s)', async (environment) => {
  const stage = await setStage({ environment, plans: [{ name: 'orders', flow: { csrfProtected: false } }] });
  stage.send(stage.orders);
  await stage.poll();

  stage.orders.unassignRole();
  const id = stage.send(stage.orders);
  await stage.poll();

  expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'blocked', status: 403, executed: 'no' }]);
  // Its scopes might have changed since the token was issued: one new token, and once more.
  expect(stage.tally()).toMatchObject({
    tokenRequests: [200, 200],
    calls: { 'POST 200': 1, 'POST 403': 2 },
    flowRuns: 1,
    left: 1,
  });
  stage.sendMany(3);
  await stage.poll();
  expect(stage.authorizationServer.tokenRequests, 'none within ten minutes').toHaveLength(2);
});

test.each(['neo', 'cf'] as const)(
  'messages for a flow that is not deployed are blocked, and delivered once it is (%s)',
  async (environment) => {
    const flow = { name: 'orders', address: '/orders', allowedHeaders: ['SAP_ApplicationID'] };
    const stage = await setStage({ environment, plans: [{ name: 'orders' }] });
    stage.runtimeNode.undeploy('orders');
    const ids = stage.sendMany(10);

    const [invocation] = await stage.poll();
    expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
    expect(stage.outcomes()).toEqual({ 'blocked 404 no 1': 10 });
    expect(stage.attempts[0]?.reason).toContain('the flow is deployed');
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], calls: { 'POST 404': 10 }, flowRuns: 0, left: 10 });

    stage.runtimeNode.deploy(flow);
    await stage.pollAgain();
    expect(stage.arrivals().sort()).toEqual(ids);
    expect(stage.outcomes('attempt', 'outcome')).toEqual({ '1 blocked': 10, '2 delivered': 10 });
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], flowRuns: 10, left: 0, dead: 0 });
  },
);

test('an address in another case is another endpoint, and blocks', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', settings: { path: '/http/Orders' } }] });
  const id = stage.send(stage.orders);

  await stage.poll();

  expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'blocked', status: 404, executed: 'no', calls: 1 }]);
  expect(stage.attempts[0]?.reason).toContain('upper and lower case');
});

test.each([301, 302, 303, 307, 308])('a redirect (%i) is never followed, and blocks', async (status) => {
  const stage = await setStage({ plans: [{ name: 'orders' }] });
  const Location = `${stage.runtimeNode.url}/http/orders`;
  stage.runtimeNode.server.fail({ fault: { status, headers: { Location } } });
  const id = stage.send(stage.orders);

  await stage.poll();

  expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'blocked', status, calls: 1 }]);
  expect(stage.tally()).toMatchObject({ calls: {}, flowRuns: 0, left: 1 });
});

test('one new token on Cloud Foundry, where the role is in the token, brings it to all that were kept', async () => {
  const stage = await setStage({ environment: 'cf', plans: [{ name: 'orders', assignRole: false }] });
  const ids = stage.sendMany(10);
  await stage.poll();

  stage.orders.assignRole();
  await stage.pollAgain();

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.tally()).toMatchObject({ tokenRequests: [200, 200], flowRuns: 10, left: 0 });
});
