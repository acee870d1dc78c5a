import { expect, test } from 'vitest';
import { waitForMessages } from '../../../infra/local/aws/sqs/sqs.ts';
import type { Received } from '../../../infra/local/sap/runtime-node/integration-flow.ts';
import { setStage } from '../stage.ts';

const POISON = 'a payload that no function survives';
/** Holds the call open for ever, so that the process is killed while it waits. */
const answer = ({ body }: Received) =>
  body.toString() === POISON ? new Promise<undefined>(() => undefined) : undefined;
const FLOW = { csrfProtected: false, answer };

test('a message that kills the function twice goes to the dead-letter queue by SQS, and no other', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW, maxReceiveCount: 2 }] });
  const { queueFunction } = stage.deployed;
  const { deadLetterQueue } = stage.orders;
  const poison = stage.send(stage.orders, { body: POISON });

  for (const [count, poll] of [stage.poll, stage.pollAgain].entries()) {
    const [[invocation]] = await Promise.all([poll(), queueFunction.killDuring(count + 1)]);
    expect(invocation).toMatchObject({ kept: [poison], deleted: [], reply: { errorType: 'Runtime.ExitError' } });
  }
  const ids = stage.sendMany(3);
  await stage.pollAgain();
  await waitForMessages(deadLetterQueue, 1);

  expect(deadLetterQueue.messages.map(({ id, body }) => ({ id, body }))).toEqual([{ id: poison, body: POISON }]);
  expect(stage.arrivals().sort()).toEqual(ids);
  expect(stage.tally()).toMatchObject({ flowRuns: 3, left: 0, dead: 1 });
  expect(queueFunction.coldStarts, 'a killed process is not used again').toBe(3);
});

test('every message of a batch that is killed with its function is delivered or a dead letter', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW, maxReceiveCount: 2 }] });
  const { runtimeNode, deployed, orders } = stage;
  const poison = stage.send(orders, { body: POISON });
  const good = stage.sendMany(9);

  for (const [count, poll] of [stage.poll, stage.pollAgain].entries()) {
    const killed = runtimeNode
      .waitForMessages(9 * (count + 1))
      .then(() => deployed.queueFunction.killDuring(count + 1));
    const [[invocation]] = await Promise.all([poll(), killed]);
    expect(invocation?.kept).toHaveLength(10);
  }
  for (const { id } of orders.queue.messages) orders.queue.deliverAgain(id);
  orders.trigger?.resume();
  await waitForMessages(orders.deadLetterQueue, 10);

  expect(orders.deadLetterQueue.messages.map(({ id }) => id).sort()).toEqual([poison, ...good].sort());
  expect([...new Set(stage.arrivals())].sort(), 'the others arrived as well, twice').toEqual(good);
  expect(stage.arrivals()).toHaveLength(18);
  expect(stage.tally()).toMatchObject({ left: 0, dead: 10 });
});
