import { expect, test } from 'vitest';
import { setStage } from '../stage.ts';

const PARALLEL = { batchSize: 20, concurrency: 20 } as const;
const ENVIRONMENTS = ['neo', 'cf'] as const;
const CASES = ENVIRONMENTS.flatMap((environment) => [1, 3].map((workers) => ({ environment, workers })));

test.each(CASES)(
  '20 messages at once share one CSRF token that was fetched before them ($environment, workers: $workers)',
  async ({ environment, workers }) => {
    const stage = await setStage({
      environment,
      runtimeNode: { workers },
      plans: [{ name: 'orders', settings: { ...PARALLEL, csrf: true } }],
      deploy: { batchSize: 20 },
    });
    const ids = stage.sendMany(20);

    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids);
    expect(stage.tally()).toEqual({
      tokenRequests: [200],
      secretReads: { 'cpi/orders': 1 },
      calls: { 'HEAD 200': 1, 'POST 200': 20 },
      flowRuns: 20,
      left: 0,
      dead: 0,
    });
    expect(stage.outcomes()).toEqual({ 'delivered 200 yes 1': 20 });
  },
);

test.each(CASES)(
  '20 messages at once that meet CSRF fetch one token, for the next batch too ($environment, workers: $workers)',
  async ({ environment, workers }) => {
    const stage = await setStage({
      environment,
      runtimeNode: { workers },
      plans: [{ name: 'orders', settings: PARALLEL }],
      deploy: { batchSize: 20 },
    });
    const ids = stage.sendMany(20);
    await stage.poll();
    expect(stage.tally().calls).toEqual({ 'POST 403': 20, 'HEAD 200': 1, 'POST 200': 20 });

    ids.push(...stage.sendMany(20));
    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids.sort());
    expect(stage.tally()).toEqual({
      tokenRequests: [200],
      secretReads: { 'cpi/orders': 1 },
      calls: { 'POST 403': 20, 'HEAD 200': 1, 'POST 200': 40 },
      flowRuns: 40,
      left: 0,
      dead: 0,
    });
    expect(stage.outcomes()).toEqual({ 'delivered 200 yes 2': 20, 'delivered 200 yes 1': 20 });
  },
);

test.each(CASES)(
  'sessions that end between two batches are renewed by one fetch ($environment, workers: $workers)',
  async ({ environment, workers }) => {
    const stage = await setStage({
      environment,
      runtimeNode: { workers },
      plans: [{ name: 'orders', settings: { ...PARALLEL, csrf: true } }],
      deploy: { batchSize: 20 },
    });
    const ids = stage.sendMany(20);
    await stage.poll();

    stage.runtimeNode.dropCsrfSessions();
    ids.push(...stage.sendMany(20));
    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids.sort());
    expect(stage.tally()).toMatchObject({
      tokenRequests: [200],
      calls: { 'HEAD 200': 2, 'POST 403': 20, 'POST 200': 40 },
      flowRuns: 40,
      left: 0,
    });
  },
);

test.each(ENVIRONMENTS)(
  'a new access token opens a session of its own: one fetch for all that met the 401 (%s)',
  async (environment) => {
    const stage = await setStage({
      environment,
      runtimeNode: { workers: 3 },
      plans: [{ name: 'orders', settings: { ...PARALLEL, csrf: true } }],
      deploy: { batchSize: 20 },
    });
    const ids = stage.sendMany(20);
    await stage.poll();

    stage.authorizationServer.expireAllTokens();
    ids.push(...stage.sendMany(20));
    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids.sort());
    expect(stage.tally()).toMatchObject({
      tokenRequests: [200, 200],
      calls: { 'HEAD 200': 2, 'POST 401': 20, 'POST 200': 40 },
      flowRuns: 40,
      left: 0,
    });
  },
);

test('an endpoint without protection is asked for no CSRF token', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false }, settings: PARALLEL }],
    deploy: { batchSize: 20 },
  });
  const ids = stage.sendMany(20);

  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.tally()).toMatchObject({ calls: { 'POST 200': 20 }, flowRuns: 20, left: 0 });
  expect(stage.runtimeNode.requests.map(({ csrf }) => csrf)).toEqual(Array(20).fill('none'));
});

test('an endpoint that does not accept HEAD, and has demanded a token, is asked by GET', async () => {
  const stage = await setStage({ plans: [{ name: 'orders' }] });
  stage.runtimeNode.server.fail({ fault: { status: 405 }, when: ({ method }) => method === 'HEAD' });
  const id = stage.send(stage.orders);

  await stage.poll();

  expect(stage.arrivals()).toEqual([id]);
  expect(stage.tally().calls).toEqual({ 'POST 403': 1, 'GET 200': 1, 'POST 200': 1 });
});

test.each([
  { what: 'the role is missing', cause: 'role', calls: { 'HEAD 403': 1 }, outcome: 'blocked 403 no 0', names: 'role' },
  { what: 'tokens are refused', cause: 'token', calls: { 'HEAD 401': 2 }, outcome: 'blocked 401 no 0', names: 'token' },
])(
  'when $what the fetch fails for all messages at once, and none is sent',
  async ({ cause, calls, outcome, names }) => {
    const stage = await setStage({
      plans: [{ name: 'orders', settings: { csrf: true }, assignRole: cause !== 'role' }],
    });
    if (cause === 'token') stage.authorizationServer.setClockSkew(-86_400_000);
    const ids = stage.sendMany(10);

    const [invocation] = await stage.poll();

    expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
    expect(stage.outcomes()).toEqual({ [outcome]: 10 });
    expect(stage.attempts[0]?.reason).toContain(names);
    expect(stage.tally()).toMatchObject({ calls, flowRuns: 0, left: 10 });
  },
);

test('csrf: true at an endpoint without protection runs the flow only for the message itself', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false }, settings: { csrf: true } }],
  });
  stage.send(stage.orders);

  await stage.poll();

  // GET would run it, with nothing in it: it is for endpoints that have shown their protection.
  expect(stage.tally().calls).toEqual({ 'HEAD 405': 1, 'POST 200': 1 });
});

test.each(CASES)(
  'ten messages at once have ten sessions where ids are renewed ($environment, workers: $workers)',
  async ({ environment, workers }) => {
    const stage = await setStage({ environment, runtimeNode: { workers }, plans: [{ name: 'orders' }] });
    stage.runtimeNode.renewSessionIds();
    const ids: string[] = [];
    for (let message = 0; message < 6; message += 1) {
      ids.push(stage.send(stage.orders));
      await stage.poll();
    }
    expect(stage.tally()).toMatchObject({ calls: { 'POST 403': 1, 'HEAD 200': 1, 'POST 200': 6 }, left: 0, dead: 0 });

    const fetches: number[] = [];
    for (let batch = 0; batch < 4; batch += 1) {
      ids.push(...stage.sendMany(10));
      await stage.poll();
      fetches.push(stage.tally().calls['HEAD 200'] ?? 0);
    }

    expect(stage.arrivals().sort()).toEqual(ids.sort());
    expect(stage.outcomes('outcome')).toEqual({ delivered: 46 });
    expect(stage.tally()).toMatchObject({ flowRuns: 46, left: 0, dead: 0 });
    const [afterFirst = 0, afterSecond, , afterLast] = fetches;
    // The session that was there, at most two for each of the ten, and from then on what they have.
    expect(afterFirst).toBeLessThanOrEqual(21);
    expect(afterLast).toBe(afterSecond);
  },
);
