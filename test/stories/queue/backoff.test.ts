import { describe, expect, test } from 'vitest';
import { createSimulatedTime, type SimulatedTime } from '../../doubles/time.ts';
import { type Stage, type StageOptions, setStage } from '../stage.ts';

/** As it is, an endpoint that answers with this status. */
const answering = (status: number, headers = {}) => ({ csrfProtected: false, answer: () => ({ status, headers }) });

async function setClockedStage(options: StageOptions): Promise<{ stage: Stage; clock: SimulatedTime }> {
  const clock = createSimulatedTime(Date.now());
  return { clock, stage: await setStage({ ...options, sqsNow: clock.now }) };
}

/** Seconds until each message that is left can be received, in queue order. */
function secondsLeft({ orders }: Stage, clock: SimulatedTime): number[] {
  return orders.queue.messages.map(({ visibleAt }) => (visibleAt - clock.now()) / 1000);
}

test('the wait of a message that fails doubles with each receive', async () => {
  const { stage, clock } = await setClockedStage({ plans: [{ name: 'orders', flow: answering(503) }] });
  stage.send(stage.orders);

  for (const most of [2, 4, 8, 16]) {
    await stage.poll();
    const [seconds] = secondsLeft(stage, clock);
    expect(seconds).toBeGreaterThanOrEqual(most / 2);
    expect(seconds).toBeLessThanOrEqual(most);
    clock.advance(most * 1000);
  }
  expect(stage.attempts.map(({ attempt, outcome }) => `${attempt} ${outcome}`)).toEqual([
    '1 failed',
    '2 failed',
    '3 failed',
    '4 failed',
  ]);
  expect(stage.told('visibility.unchanged')).toEqual([]);
});

test('what was blocked together does not come back together', async () => {
  const { stage, clock } = await setClockedStage({ plans: [{ name: 'orders', flow: answering(404) }] });
  stage.sendMany(5);
  await stage.poll();
  expect(new Set(secondsLeft(stage, clock)).size).toBeGreaterThan(1);
});

test.each([
  { what: 'a Retry-After in seconds', flow: answering(503, { 'Retry-After': '120' }), least: 120, most: 120 },
  { what: 'a Retry-After of two days', flow: answering(429, { 'Retry-After': '172800' }), least: 43_130, most: 43_140 },
  { what: 'a Retry-After that is none', flow: answering(503, { 'Retry-After': 'soon' }), least: 1, most: 2 },
  { what: 'an endpoint that is not there', flow: answering(404), least: 900, most: 1_800 },
  { what: 'a redirect', flow: answering(302, { Location: 'https://elsewhere.example/' }), least: 900, most: 1_800 },
])('a message kept because $what waits from $least to $most s', async ({ flow, least, most }) => {
  const { stage, clock } = await setClockedStage({ plans: [{ name: 'orders', flow }] });
  stage.sendMany(3);

  await stage.poll();

  const seconds = secondsLeft(stage, clock);
  expect(Math.min(...seconds)).toBeGreaterThanOrEqual(least);
  expect(Math.max(...seconds)).toBeLessThanOrEqual(most);
  expect(stage.told('visibility.unchanged'), 'SQS took it').toEqual([]);
});

test('the head of a FIFO group waits and its unsent rest does not: none comes before its head', async () => {
  let fails = true;
  const { stage, clock } = await setClockedStage({
    plans: [
      { name: 'orders', fifo: true, flow: { csrfProtected: false, answer: () => ({ status: fails ? 503 : 200 }) } },
    ],
  });
  const ids = ['a1', 'a2', 'a3'].map((body) => stage.send(stage.orders, { body, group: 'a' }));

  await stage.poll();
  const [head = 0, ...rest] = secondsLeft(stage, clock);
  expect(head).toBeGreaterThanOrEqual(1);
  expect(head).toBeLessThanOrEqual(2);
  expect(rest).toEqual([0, 0]);
  expect(stage.orders.queue.receive({ maxMessages: 10 }), 'the head in flight keeps the group closed').toEqual([]);

  fails = false;
  clock.advance(head * 1000);
  await stage.poll();
  expect(stage.arrivals()).toEqual(ids);
  expect(stage.attemptsOf(ids[1] ?? '')).toMatchObject([{ attempt: 2, outcome: 'delivered' }]);
});

describe('A wait that SQS does not take: the message comes back by the queue’s own timeout.', () => {
  test.each([
    {
      what: 'SQS refuses it',
      trouble: ({ sqs, orders }: Stage) => sqs.denyAccess(orders.queue.name, true),
      seconds: 900,
    },
    {
      what: 'SQS is down',
      trouble: ({ sqsServer }: Stage) => sqsServer.fail({ fault: { status: 503, body: '' }, times: 100 }),
      seconds: 900,
    },
    {
      what: 'SQS does it and does not answer',
      trouble: ({ sqsServer }: Stage) => sqsServer.fail({ fault: 'hang', times: 100 }),
      seconds: 2,
    },
    {
      what: 'SQS breaks the connection',
      trouble: ({ sqsServer }: Stage) => sqsServer.fail({ fault: 'reset-before', times: 100 }),
      seconds: 900,
    },
  ])('a wait that SQS does not take changes nothing in the reply: $what', async ({ trouble, seconds }) => {
    let works = false;
    const answer = () => ({ status: works ? 200 : 503 });
    const { stage, clock } = await setClockedStage({
      plans: [{ name: 'orders', flow: { csrfProtected: false, answer }, visibilityTimeoutSeconds: 900 }],
      deploy: { queueTimeoutSeconds: 4 },
    });
    const ids = stage.sendMany(3);
    trouble(stage);

    const [invocation] = await stage.poll();

    expect(invocation?.reply.ok).toBe(true);
    expect([...(invocation?.kept ?? [])].sort()).toEqual(ids);
    expect(stage.told('visibility.unchanged')).toMatchObject([{ messages: 3, queueArn: stage.orders.queue.arn }]);
    expect(secondsLeft(stage, clock)).toEqual([seconds, seconds, seconds]);

    works = true;
    clock.advance(900_000);
    await stage.poll();
    expect(stage.arrivals().sort()).toEqual(ids);
  });
});
