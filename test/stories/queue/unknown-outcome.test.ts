import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { setStage } from '../stage.ts';

const PLAN = { name: 'orders', flow: { csrfProtected: false } } as const;
const PRELOAD = new URL('shifted-clock.mjs', import.meta.url).href;

/** A stage whose relay has a wall clock that can be turned on between two invocations. */
async function setShiftedStage() {
  const stage = await setStage({ plans: [PLAN] });
  const folder = mkdtempSync(join(tmpdir(), 'clock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const CLOCK_FILE = join(folder, 'ahead-ms');
  const turnTo = (aheadMs: number) => writeFileSync(CLOCK_FILE, String(aheadMs));
  turnTo(0);
  await stage.deployed.queueFunction.updateEnvironment({
    ...stage.endpoints,
    DESTINATIONS: JSON.stringify({ orders: stage.orders.settings }),
    NODE_OPTIONS: `--import=${PRELOAD}`,
    CLOCK_FILE,
  });
  return { stage, turnTo };
}

test.each([
  { aheadMs: 9_000, reused: true, outcomes: { 'delivered unknown': 1 } },
  { aheadMs: 11_000, reused: false, outcomes: { 'failed unknown': 1 } },
])(
  'a socket that idled for $aheadMs ms by the wall clock is used again: $reused',
  async ({ aheadMs, reused, outcomes }) => {
    const { stage, turnTo } = await setShiftedStage();
    stage.send(stage.orders);
    await stage.poll();
    const before = stage.attempts.length;

    turnTo(aheadMs);
    // Only on a socket that was used before is a reset with no byte of an answer tried again at once.
    stage.runtimeNode.server.fail({ fault: 'reset-before' });
    const id = stage.send(stage.orders);
    await stage.poll();

    const [attempt, ...others] = stage.attemptsOf(id);
    expect(stage.attempts).toHaveLength(before + 1);
    expect(others).toEqual([]);
    expect({ [`${attempt?.outcome} ${attempt?.executed}`]: 1 }).toEqual(outcomes);
    expect(attempt?.resent).toBe(reused ? true : undefined);
    expect(stage.deployed.queueFunction.coldStarts, 'one process').toBe(1);
  },
);

test.each([
  { fault: 'reset-before', runs: 1 },
  { fault: 'reset-after', runs: 2 },
] as const)(
  'a reset ($fault) of a reused socket without an answer is sent once more, and logged as unknown',
  async ({ fault, runs }) => {
    const stage = await setStage({ plans: [PLAN] });
    stage.send(stage.orders);
    await stage.poll();

    stage.runtimeNode.server.fail({ fault });
    const id = stage.send(stage.orders);
    await stage.poll();

    expect(stage.attemptsOf(id)).toMatchObject([
      { outcome: 'delivered', executed: 'unknown', resent: true, attempt: 1, status: 200 },
    ]);
    expect(stage.arrivals().filter((arrived) => arrived === id)).toHaveLength(runs);
  },
);

test.each([
  { ends: 'delivers', fetch: undefined, outcome: 'delivered', runs: 2 },
  { ends: 'is refused', fetch: 503, outcome: 'failed', runs: 1 },
] as const)(
  'a second send that first needs a new CSRF token, whose fetch $ends, is logged as unknown, too',
  async ({ fetch, outcome, runs }) => {
    let endsSessions = false;
    const answer = () => {
      if (endsSessions) stage.runtimeNode.dropCsrfSessions();
      endsSessions = false;
      return undefined;
    };
    const stage = await setStage({ plans: [{ name: 'orders', flow: { answer } }] });
    stage.send(stage.orders);
    await stage.poll();

    endsSessions = true;
    const { server } = stage.runtimeNode;
    server.fail({ fault: 'reset-after' });
    // By HEAD, then by GET.
    if (fetch !== undefined)
      server.fail({ fault: { status: fetch }, times: 2, when: ({ method }) => method !== 'POST' });
    const id = stage.send(stage.orders);
    await stage.poll();

    expect(stage.attemptsOf(id)).toMatchObject([{ outcome, executed: 'unknown', resent: true }]);
    expect(stage.arrivals().filter((arrived) => arrived === id)).toHaveLength(runs);
  },
);

test('a second reset is not tried again: the message is kept, and goes out later with the same id', async () => {
  const stage = await setStage({ plans: [PLAN] });
  stage.send(stage.orders);
  await stage.poll();

  stage.runtimeNode.server.fail({ fault: 'reset-after', times: 2 });
  const id = stage.send(stage.orders);
  const [invocation] = await stage.poll();
  expect(invocation?.kept).toEqual([id]);
  expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'failed', executed: 'unknown' }]);

  await stage.pollAgain();
  expect(stage.arrivals().filter((arrived) => arrived === id)).toHaveLength(3);
  expect(stage.tally().left).toBe(0);
});

test('a rejected message whose flow may have run is logged as unknown and dead-lettered once', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false, answer: () => ({ status: 422 }) } }],
  });
  stage.runtimeNode.server.fail({ fault: 'reset-after' });
  const id = stage.send(stage.orders);

  await stage.poll();
  await stage.pollAgain();

  expect(stage.attemptsOf(id).map(({ outcome, executed }) => `${outcome} ${executed}`)).toEqual([
    'failed unknown',
    'rejected unknown',
  ]);
  const [letter, ...others] = stage.orders.deadLetterQueue.messages;
  expect(others).toEqual([]);
  expect(JSON.parse(letter?.attributes.deadLetter?.stringValue ?? '{}')).toMatchObject({
    messageId: id,
    outcome: 'rejected',
    receiveCount: 2,
  });
});

test.each([
  { status: 429, outcome: 'failed' },
  { status: 503, outcome: 'failed' },
  { status: 404, outcome: 'blocked' },
  { status: 413, outcome: 'rejected' },
])(
  'a flow that ran before the socket broke, and is then answered $status, is logged as unknown',
  async ({ status, outcome }) => {
    const stage = await setStage({ plans: [PLAN] });
    stage.send(stage.orders);
    await stage.poll();

    stage.runtimeNode.server.fail({ fault: 'reset-after' });
    stage.runtimeNode.server.fail({ fault: { status } });
    const id = stage.send(stage.orders);
    await stage.poll();

    expect(
      stage.arrivals().filter((arrived) => arrived === id),
      'the flow has run',
    ).toHaveLength(1);
    expect(stage.attemptsOf(id)).toMatchObject([{ outcome, status, executed: 'unknown' }]);
  },
);

test('a flow that ran before the socket broke, then 401, then a new token, is logged as unknown', async () => {
  const stage = await setStage({ plans: [PLAN] });
  stage.send(stage.orders);
  await stage.poll();

  stage.runtimeNode.server.fail({ fault: 'reset-after' });
  stage.runtimeNode.server.fail({ fault: { status: 401 } });
  const id = stage.send(stage.orders);
  await stage.poll();

  expect(
    stage.arrivals().filter((arrived) => arrived === id),
    'the flow has run twice',
  ).toHaveLength(2);
  expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'delivered', executed: 'unknown' }]);
});
