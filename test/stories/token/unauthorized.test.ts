import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';

const ENVIRONMENTS = ['neo', 'cf'] as const;
const OPEN = { name: 'orders', flow: { csrfProtected: false } } as const;
const HOUR_MS = 3_600_000;

test.each(ENVIRONMENTS)(
  'a 401 to ten messages at once leads to one new token, and each is sent once more (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [OPEN] });
    stage.send(stage.orders);
    await stage.poll();

    stage.authorizationServer.expireAllTokens();
    const ids = stage.sendMany(10);
    const [invocation] = await stage.poll();

    expect(invocation).toMatchObject({ kept: [], reply: { payload: { batchItemFailures: [] } } });
    expect(stage.arrivals().slice(1).sort()).toEqual(ids);
    expect(stage.tally()).toEqual({
      tokenRequests: [200, 200],
      secretReads: { 'cpi/orders': 1 },
      calls: { 'POST 200': 11, 'POST 401': 10 },
      flowRuns: 11,
      left: 0,
      dead: 0,
    });
    expect(stage.outcomes()).toEqual({ 'delivered 200 yes 1': 1, 'delivered 200 yes 2': 10 });
    expect(ids.flatMap((id) => stage.attemptsOf(id)).map(({ token }) => token)).toEqual(Array(10).fill('new'));
  },
);

test.each(ENVIRONMENTS)(
  'a message whose new token is refused, too, is kept as blocked after two calls, and no storm follows (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [OPEN] });
    // Its tokens are good by its own clock and long expired by the runtime node's.
    stage.authorizationServer.setClockSkew(-24 * HOUR_MS);
    const ids = stage.sendMany(10);

    const [invocation] = await stage.poll();

    expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
    expect(stage.outcomes('outcome', 'status', 'executed')).toEqual({ 'blocked 401 no': 10 });
    expect(stage.attempts[0]?.reason).toContain('the operator must check');
    // Whoever comes back when the second one is refused already does not go out again.
    const { calls, ...tally } = stage.tally();
    expect(calls['POST 401']).toBeGreaterThan(10);
    expect(calls['POST 401']).toBeLessThanOrEqual(20);
    expect(tally).toEqual({
      tokenRequests: [200, 200],
      secretReads: { 'cpi/orders': 1 },
      flowRuns: 0,
      left: 10,
      dead: 0,
    });

    // While the pause lasts nothing is asked and nothing is sent; one message is the probe, the rest stays untried.
    await stage.pollAgain();
    expect(stage.tally()).toMatchObject({ tokenRequests: [200, 200], calls, left: 10 });
    expect(stage.told('delivery.postponed')).toMatchObject([{ messages: 9 }]);

    stage.authorizationServer.setClockSkew(0);
    await stage.deployed.queueFunction.killEnvironments();
    await stage.pollAgain();
    expect(stage.arrivals().sort()).toEqual(ids);
    expect(stage.tally()).toMatchObject({ left: 0 });
    expect(stage.authorizationServer.tokenRequests).toHaveLength(3);
  },
);

test.each(ENVIRONMENTS)(
  'a refused token that comes back as the very same is not sent again: blocked after one call (%s)',
  async (environment) => {
    const stage = await setStage({ environment, plans: [OPEN] });
    stage.authorizationServer.setClockSkew(-24 * HOUR_MS);
    stage.authorizationServer.issueSameTokenAgain(true);
    const id = stage.send(stage.orders);

    await stage.poll();

    expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'blocked', status: 401, executed: 'no', calls: 1 }]);
    expect(stage.attempts[0]?.reason).toContain('the very same');
    expect(stage.tally()).toMatchObject({ tokenRequests: [200, 200], calls: { 'POST 401': 1 }, left: 1 });
  },
);

test.each(ENVIRONMENTS)(
  'a signing key rotated in a batch of 100 costs one token request, and one more call for each in flight (%s)',
  async (environment) => {
    const concurrency = 10;
    let runs = 0;
    const stage = await setStage({
      environment,
      plans: [
        {
          name: 'orders',
          settings: { batchSize: 100, concurrency },
          flow: {
            csrfProtected: false,
            answer: () => {
              runs += 1;
              if (runs === 50) stage.authorizationServer.rotateSigningKey();
              return undefined;
            },
          },
        },
      ],
      deploy: { batchSize: 100 },
    });
    const ids = stage.sendMany(100);

    const [invocation] = await stage.poll();

    expect(invocation?.batch).toHaveLength(100);
    expect(stage.arrivals().sort()).toEqual(ids);
    const { calls, ...tally } = stage.tally();
    expect(tally).toEqual({
      tokenRequests: [200, 200],
      secretReads: { 'cpi/orders': 1 },
      flowRuns: 100,
      left: 0,
      dead: 0,
    });
    expect(calls['POST 200']).toBe(100);
    expect(calls['POST 401']).toBeGreaterThanOrEqual(1);
    expect(calls['POST 401']).toBeLessThanOrEqual(concurrency);
  },
);
