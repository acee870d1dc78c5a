import { expect, test } from 'vitest';
import type { Received } from '../../../infra/local/sap/runtime-node/integration-flow.ts';
import { setStage } from '../stage.ts';

/**
 * A flow that answers nobody before `gathered` messages are in it at once, and each only after the turn in which one
 * more could have come; it remembers who was in it together.
 */
function gathering(gathered: number, groupOf: (body: string) => string = (body) => body) {
  const inside = new Set<string>();
  let most = 0;
  let mostOfGroup = 0;
  const waiting: (() => void)[] = [];
  return {
    most: () => most,
    mostOfGroup: () => mostOfGroup,
    answer: async ({ body }: Received): Promise<undefined> => {
      const name = body.toString();
      inside.add(name);
      most = Math.max(most, inside.size);
      mostOfGroup = Math.max(mostOfGroup, [...inside].filter((other) => groupOf(other) === groupOf(name)).length);
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (inside.size >= gathered) for (const release of waiting.splice(0)) setImmediate(release);
      });
      inside.delete(name);
    },
  };
}

test.each([
  { concurrency: 1, messages: 10 },
  { concurrency: 5, messages: 10 },
  { concurrency: 10, messages: 10 },
])(
  'a batch of $messages has $concurrency calls in flight at once, and never more',
  async ({ concurrency, messages }) => {
    const flow = gathering(concurrency);
    const stage = await setStage({
      plans: [{ name: 'orders', flow: { csrfProtected: false, answer: flow.answer }, settings: { concurrency } }],
    });
    const ids = Array.from({ length: messages }, (_, index) => stage.send(stage.orders, { body: `message ${index}` }));

    await stage.poll();

    expect(stage.arrivals().sort()).toEqual(ids.sort());
    expect(flow.most()).toBe(concurrency);
  },
);

test('two invocations at once have maximumConcurrency times concurrency calls in flight at most', async () => {
  const flow = gathering(6);
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false, answer: flow.answer }, settings: { concurrency: 3 } }],
    deploy: { maximumConcurrency: 2, batchSize: 6 },
  });
  const ids = Array.from({ length: 12 }, (_, index) => stage.send(stage.orders, { body: `message ${index}` }));

  await stage.poll(stage.orders, 2);

  expect(stage.arrivals().sort()).toEqual(ids.sort());
  expect(flow.most()).toBe(6);
  expect(stage.deployed.queueFunction.coldStarts).toBe(2);
});

test('one message of a FIFO group is in flight at a time, and the groups go beside each other', async () => {
  // With three groups of three, three at once is only to be had by one of each.
  const flow = gathering(3, (body) => body.slice(0, 1));
  const stage = await setStage({
    plans: [{ name: 'orders', fifo: true, flow: { csrfProtected: false, answer: flow.answer } }],
  });
  const names = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1', 'c2', 'c3'];
  for (const body of names) stage.send(stage.orders, { body, group: body.slice(0, 1) });

  await stage.poll();

  const arrived = stage.runtimeNode.messages.map(({ body }) => body.toString());
  expect(arrived.toSorted()).toEqual(names);
  for (const group of ['a', 'b', 'c']) {
    expect(arrived.filter((name) => name.startsWith(group))).toEqual([`${group}1`, `${group}2`, `${group}3`]);
  }
  expect(flow.mostOfGroup()).toBe(1);
  expect(flow.most()).toBe(3);
});
