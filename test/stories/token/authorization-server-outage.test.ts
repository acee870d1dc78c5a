import { expect, onTestFinished, test } from 'vitest';
import { serviceUnavailable, tooManyRequests } from '../../../infra/local/sap/front.ts';
import { startServer } from '../../../infra/local/server/server.ts';
import { setStage } from '../stage.ts';

const ENVIRONMENTS = ['neo', 'cf'] as const;

test.each(ENVIRONMENTS)(
  'deliveries go on without the authorization server while the token is good (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [{ name: 'orders' }] });
    const ids = stage.sendMany(10);
    await stage.poll();

    await stage.authorizationServer.server.stop();
    ids.push(...stage.sendMany(10));
    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids.sort());
    expect(stage.outcomes('outcome', 'token')).toEqual({ 'delivered new': 10, 'delivered warm': 10 });
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], flowRuns: 20, left: 0, dead: 0 });
  },
);

test.each(ENVIRONMENTS)(
  'messages on a cold start without the authorization server are kept, and delivered later (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [{ name: 'orders', flow: { csrfProtected: false } }] });
    await stage.authorizationServer.server.stop();
    const ids = stage.sendMany(10);

    const [invocation] = await stage.poll();
    expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
    expect(stage.outcomes('outcome', 'status', 'executed', 'calls', 'token')).toEqual({ 'failed - no 0 -': 10 });
    expect(stage.attempts[0]?.reason).toMatch(/^token endpoint on 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    expect(stage.tally()).toMatchObject({ tokenRequests: [], calls: {}, left: 10 });

    await stage.authorizationServer.server.start();
    await stage.pollAgain();
    expect(stage.arrivals().sort()).toEqual(ids);
    expect(stage.tally()).toEqual({
      tokenRequests: [200],
      secretReads: { 'cpi/orders': 1 },
      calls: { 'POST 200': 10 },
      flowRuns: 10,
      left: 0,
      dead: 0,
    });
    expect(stage.outcomes('attempt', 'outcome')).toEqual({ '1 failed': 10, '2 delivered': 10 });
  },
);

test('an authorization server that has moved is found where the secret now says it is', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: { csrfProtected: false } }] });
  const ids = [stage.send(stage.orders)];
  await stage.poll();

  const { authorizationServer, account, secretsManager, orders, runtimeNode } = stage;
  authorizationServer.server.fail({ fault: 'reset-before', times: 9, when: ({ path }) => path.endsWith('/token') });
  const moved = await startServer(authorizationServer.answer);
  onTestFinished(moved.stop);
  const key = JSON.stringify(account.serviceKey(orders.clientId, runtimeNode.url));
  secretsManager.put(orders.secret, key.replace(authorizationServer.url, moved.url));
  authorizationServer.expireAllTokens();
  ids.push(...stage.sendMany(10));
  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids.sort());
  expect(stage.tally()).toMatchObject({ tokenRequests: [200, 200], secretReads: { 'cpi/orders': 2 }, left: 0 });
  expect(stage.deployed.queueFunction.coldStarts).toBe(1);
});

test.each([
  { what: '429 with Retry-After', answer: tooManyRequests({ retryAfterSeconds: 1 }), requests: [429, 200] },
  { what: '503', answer: serviceUnavailable(), requests: [503, 200] },
  { what: '500', answer: { status: 500 }, requests: [500, 200] },
  { what: '502', answer: { status: 502 }, requests: [502, 200] },
])('a token endpoint that answers $what once is asked again within the invocation', async ({ answer, requests }) => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: { csrfProtected: false } }] });
  stage.authorizationServer.failTokenRequests(answer);
  const ids = stage.sendMany(10);

  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.tally()).toMatchObject({ tokenRequests: requests, secretReads: { 'cpi/orders': 1 }, left: 0 });
});

test.each([
  { environment: 'neo', requests: 2 },
  { environment: 'cf', requests: 4 },
] as const)('a 502 in $environment causes $requests token requests in all', async ({ environment, requests }) => {
  const stage = await setStage({ environment, plans: [{ name: 'orders', flow: { csrfProtected: false } }] });
  stage.authorizationServer.failTokenRequests({ status: 502 }, { times: 10 });
  stage.sendMany(10);

  await stage.poll();

  expect(stage.outcomes()).toEqual({ 'failed 502 no 0': 10 });
  expect(stage.tally()).toMatchObject({ tokenRequests: Array(requests).fill(502), calls: {}, left: 10 });
});

test.each([
  { what: '200 with an HTML page', answer: { status: 200, body: '<html></html>' } },
  { what: '302', answer: { status: 302, headers: { Location: 'http://127.0.0.1:1/' } } },
])('a token endpoint that answers $what makes messages blocked, with no call made', async ({ answer }) => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: { csrfProtected: false } }] });
  stage.authorizationServer.failTokenRequests(answer);
  const id = stage.send(stage.orders);

  await stage.poll();

  expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'blocked', status: answer.status, executed: 'no', calls: 0 }]);
  expect(stage.attemptsOf(id)[0]?.reason).toMatch(/^token endpoint http:/);
  expect(stage.tally()).toMatchObject({ tokenRequests: [answer.status], calls: {}, left: 1 });
});
