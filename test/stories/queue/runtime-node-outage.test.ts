import { expect, test } from 'vitest';
import { serviceUnavailable } from '../../../infra/local/sap/front.ts';
import { setStage } from '../stage.ts';

const PLAN = { name: 'orders', flow: { csrfProtected: false } } as const;

test('while the runtime node is down messages are kept, and delivered when it is up again', async () => {
  const stage = await setStage({ plans: [PLAN] });
  await stage.runtimeNode.server.stop();
  const ids = stage.sendMany(10);

  const [invocation] = await stage.poll();
  expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
  expect(stage.outcomes()).toEqual({ 'failed - no 1': 10 });
  expect(stage.attempts[0]?.reason).toMatch(
    /^POST http:\/\/127\.0\.0\.1:\d+\/http\/orders: no answer \(ECONNREFUSED\)$/,
  );

  await stage.runtimeNode.server.start();
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
  expect(stage.outcomes('attempt', 'outcome', 'token')).toEqual({ '1 failed new': 10, '2 delivered warm': 10 });
});

test('a runtime node that was restarted between two batches is called on new sockets, and nothing fails', async () => {
  const stage = await setStage({ plans: [PLAN] });
  const ids = stage.sendMany(10);
  await stage.poll();

  await stage.runtimeNode.server.stop();
  await stage.runtimeNode.server.start();
  ids.push(...stage.sendMany(10));
  await stage.poll();

  expect(stage.arrivals().sort()).toEqual(ids.sort());
  expect(stage.tally()).toMatchObject({ tokenRequests: [200], calls: { 'POST 200': 20 }, left: 0 });
  // Whether the frozen function hears of the end of its sockets before it writes to them, or after, is the network's.
  expect(stage.outcomes('outcome')).toEqual({ delivered: 20 });
});

test('a flow that fails is logged with its MPL id, and the message is kept', async () => {
  let works = false;
  const answer = () => (works ? undefined : ('exception' as const));
  const stage = await setStage({ plans: [{ name: 'orders', flow: { csrfProtected: false, answer } }] });
  const id = stage.send(stage.orders);

  await stage.poll();
  const [failed] = stage.runtimeNode.messages;
  expect(stage.attemptsOf(id)).toMatchObject([
    { outcome: 'failed', status: 500, executed: 'unknown', mplId: failed?.mplId, calls: 1 },
  ]);
  expect(stage.tally()).toMatchObject({ calls: { 'POST 500': 1 }, flowRuns: 1, left: 1 });

  works = true;
  await stage.pollAgain();
  expect(stage.arrivals()).toEqual([id]);
  expect(stage.attemptsOf(id)[1]).toMatchObject({ attempt: 2, outcome: 'delivered' });
  expect(stage.tally()).toMatchObject({ tokenRequests: [200], flowRuns: 2, left: 0 });
});

test.each([
  { what: '503 of a node that restarts', fault: serviceUnavailable(), told: 'failed 503 no 1' },
  { what: '502 of a load balancer', fault: { status: 502 }, told: 'failed 502 unknown 1' },
  { what: '504 of a load balancer', fault: { status: 504 }, told: 'failed 504 unknown 1' },
  { what: '429', fault: { status: 429, headers: { 'Retry-After': '1' } }, told: 'failed 429 no 1' },
  { what: '408', fault: { status: 408 }, told: 'failed 408 unknown 1' },
  { what: 'status nobody has heard of', fault: { status: 499 }, told: 'failed 499 unknown 1' },
])('a $what keeps the message, which is delivered on a later try', async ({ fault, told }) => {
  const stage = await setStage({ plans: [PLAN] });
  stage.runtimeNode.server.fail({ fault });
  const id = stage.send(stage.orders);

  const [invocation] = await stage.poll();
  expect(invocation?.kept).toEqual([id]);
  expect(stage.outcomes()).toEqual({ [told]: 1 });
  expect(stage.tally()).toMatchObject({ flowRuns: 0, left: 1 });

  await stage.pollAgain();
  expect(stage.arrivals()).toEqual([id]);
  expect(stage.tally()).toMatchObject({ tokenRequests: [200], flowRuns: 1, left: 0, dead: 0 });
});

const CUT_SHORT = { status: 200, headers: { 'Content-Length': '100', Connection: 'close' }, body: 'not a hundred' };

test.each([
  { what: 'a reset after the request', fault: 'reset-after', told: 'failed - unknown 1', ran: 1 },
  { what: 'a reset in the middle of the answer', fault: 'half-answer', told: 'failed 200 unknown 1', ran: 1 },
  { what: 'an answer that ends short of its length', fault: CUT_SHORT, told: 'failed 200 unknown 1', ran: 0 },
  { what: 'no answer at all', fault: 'hang', told: 'failed - unknown 1', ran: 1 },
  { what: 'a reset before the request was handled', fault: 'reset-before', told: 'failed - unknown 1', ran: 0 },
] as const)(
  'an outcome is unknown on $what: the message is kept and goes out again with the same id',
  async ({ fault, told, ran }) => {
    const answer = () => ({ status: 200, body: 'an answer long enough to be cut' });
    const stage = await setStage({
      plans: [{ name: 'orders', flow: { csrfProtected: false, answer }, settings: { timeoutSeconds: 1 } }],
    });
    stage.runtimeNode.server.fail({ fault });
    const id = stage.send(stage.orders);

    await stage.poll();
    expect(stage.outcomes()).toEqual({ [told]: 1 });
    expect(stage.tally()).toMatchObject({ flowRuns: ran, left: 1 });

    await stage.pollAgain();
    expect(stage.arrivals(), 'a flow that ran once runs twice').toEqual(Array(ran + 1).fill(id));
    expect(stage.tally()).toMatchObject({ tokenRequests: [200], left: 0 });
  },
);

test('a call that hangs is given up after timeoutSeconds, and the line says so', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false }, settings: { timeoutSeconds: 1 } }],
  });
  stage.runtimeNode.server.fail({ fault: 'hang' });
  const id = stage.send(stage.orders);

  await stage.poll();

  const [attempt] = stage.attemptsOf(id);
  expect(attempt?.reason).toMatch(/no answer \(within 1000 ms\)$/);
  expect(attempt?.durationMs).toBeGreaterThanOrEqual(990);
});
