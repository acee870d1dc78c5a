import { setTimeout as delay } from 'node:timers/promises';
import type { SQSRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import { toRecord } from '../../../infra/local/aws/queue-trigger/event.ts';
import { type Stage, setStage } from '../stage.ts';

const TIMEOUT_SECONDS = 5;

/** Sends so many and invokes the function with all of them in one event, as a mapping with that batch size does. */
async function invokeWith({ orders, send, deployed }: Stage, count: number) {
  const { queue } = orders;
  const ids = Array.from({ length: count }, (_, order) => send(orders, { body: `{"order":${order}}` }));
  const Records: SQSRecord[] = [];
  while (Records.length < count) {
    Records.push(...queue.receive({ maxMessages: 10 }).map((one) => toRecord(one, queue.arn, 'eu-central-1')));
  }
  const invokedAt = Date.now();
  const result = await deployed.queueFunction.invoke({ Records });
  if (!result.ok) throw new Error(`no reply: ${result.errorMessage}`);
  const { batchItemFailures } = result.payload as { batchItemFailures: { itemIdentifier: string }[] };
  const kept = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  return { kept, deleted: ids.filter((id) => !kept.has(id)), invokedAt };
}

/** Of the last invocation, as Lambda reports it. */
function durationMs({ output }: Stage): number {
  const report = output.findLast((line) => line.startsWith('REPORT'));
  return Number(/Duration: ([\d.]+) ms/.exec(report ?? '')?.[1] ?? Number.NaN);
}

test.each([
  { batchSize: 10, concurrency: 1 },
  { batchSize: 100, concurrency: 10 },
  { batchSize: 5_000, concurrency: 50 },
])(
  'the reply of a batch of $batchSize at a slow endpoint leaves in time, and names all that was not delivered',
  async ({ batchSize, concurrency }) => {
    const slow = async (): Promise<undefined> => {
      await delay(800);
    };
    const stage = await setStage({
      plans: [{ name: 'orders', flow: { csrfProtected: false, answer: slow }, settings: { concurrency } }],
      deploy: { queueTimeoutSeconds: TIMEOUT_SECONDS },
    });

    const { kept, deleted } = await invokeWith(stage, batchSize);

    expect(deleted.length).toBeGreaterThanOrEqual(concurrency);
    expect(kept.size).toBeGreaterThan(0);
    expect(deleted.length + kept.size).toBe(batchSize);
    expect(stage.arrivals().sort(), 'what was delivered is deleted, and nothing else').toEqual(deleted.sort());
    expect(stage.outcomes('outcome'), 'no call was begun that had to be cut off').toEqual({
      delivered: deleted.length,
    });
    expect(stage.told('delivery.postponed')).toMatchObject([{ messages: kept.size }]);
    expect(durationMs(stage)).toBeLessThan(TIMEOUT_SECONDS * 1000);
  },
);

test('5,000 messages that cannot go out are all named in time, and all waits are sent to SQS', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false, answer: () => ({ status: 404 }) } }],
    deploy: { queueTimeoutSeconds: 30 },
  });

  const { kept, invokedAt } = await invokeWith(stage, 5_000);

  expect(kept.size).toBe(5_000);
  expect(stage.attempts.length, 'the breaker').toBeLessThanOrEqual(15);
  // Waits that SQS did not get within the two seconds is counted, and comes back by the queue's own 900 s.
  const untold = stage.told('visibility.unchanged').reduce((sum, { messages }) => sum + Number(messages), 0);
  const comingBack = stage.orders.queue.messages.map(({ visibleAt }) => visibleAt - invokedAt);
  expect(comingBack.filter((ms) => ms < 900_000).length).toBeLessThanOrEqual(untold);
});

test('the reply leaves in time, unchanged, even with SQS out of reach', async () => {
  const hang = () => new Promise<undefined>(() => undefined);
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false, answer: hang } }],
    deploy: { queueTimeoutSeconds: 3 },
  });
  stage.sqsServer.fail({ fault: 'hang', times: 1_000 });

  const { kept, deleted } = await invokeWith(stage, 10);

  expect(kept.size).toBe(10);
  expect(deleted).toEqual([]);
  expect(durationMs(stage)).toBeLessThan(3_000);
});

test('an SQS that does not answer delays a ready reply by no more than the time of reporting', async () => {
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false, answer: () => ({ status: 503 }) } }],
    deploy: { queueTimeoutSeconds: 30 },
  });
  stage.sqsServer.fail({ fault: 'hang', times: 100 });

  const { kept } = await invokeWith(stage, 3);

  expect(kept.size).toBe(3);
  expect(durationMs(stage)).toBeLessThan(15_000);
});
