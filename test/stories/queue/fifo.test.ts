import { expect, test } from 'vitest';
import { waitUntilEmpty } from '../../../infra/local/aws/sqs/sqs.ts';
import type { Received } from '../../../infra/local/sap/runtime-node/integration-flow.ts';
import { type Stage, setStage } from '../stage.ts';

const GROUPS = ['a', 'b', 'c'] as const;

/** Three groups with three messages each; the flow fails on the one that `isBad` says. */
async function setFifoStage(isBad: (body: string) => boolean) {
  const answer = ({ body }: Received) => (isBad(body.toString()) ? ('exception' as const) : undefined);
  const stage = await setStage({
    plans: [{ name: 'orders', fifo: true, visibilityTimeoutSeconds: 30, flow: { csrfProtected: false, answer } }],
  });
  const ids = new Map<string, string>();
  for (const place of [1, 2, 3]) {
    for (const group of GROUPS) {
      const body = `message ${group}${place}`;
      ids.set(stage.send(stage.orders, { body, group }), `${group}${place}`);
    }
  }
  return { stage, nameOf: (id: string) => ids.get(id) ?? id };
}

const named = (stage: Stage, nameOf: (id: string) => string) => stage.arrivals().map(nameOf);
const ofGroup = (group: string, names: readonly string[]) => names.filter((name) => name.startsWith(group));

test.each([
  { bad: 'b1', before: [], unsent: 2 },
  { bad: 'b2', before: ['b1'], unsent: 1 },
  { bad: 'b3', before: ['b1', 'b2'], unsent: 0 },
])(
  'when $bad fails the rest of its group stays unsent, and the other groups complete',
  async ({ bad, before, unsent }) => {
    const { stage, nameOf } = await setFifoStage((body) => body === `message ${bad}`);

    const [invocation] = await stage.poll();

    const arrived = named(stage, nameOf);
    expect(ofGroup('a', arrived)).toEqual(['a1', 'a2', 'a3']);
    expect(ofGroup('b', arrived)).toEqual(before);
    expect(ofGroup('c', arrived)).toEqual(['c1', 'c2', 'c3']);
    expect(invocation?.kept.map(nameOf).sort()).toEqual(['b1', 'b2', 'b3'].slice(before.length));
    expect(stage.tally()).toMatchObject({
      tokenRequests: [200],
      calls: { 'POST 200': 6 + before.length, 'POST 500': 1 },
      left: 3 - before.length,
    });
    expect(stage.attempts).toHaveLength(7 + before.length);
    expect(stage.told('delivery.postponed').map(({ messages }) => messages)).toEqual(unsent === 0 ? [] : [unsent]);
  },
);

test('the kept messages of a group come again in order, and nothing has overtaken them', async () => {
  let failures = 0;
  const { stage, nameOf } = await setFifoStage((body) => body === 'message b1' && ++failures === 1);

  stage.orders.trigger?.resume();
  await waitUntilEmpty(stage.orders.queue, { timeoutMs: 10_000 });

  const arrived = named(stage, nameOf);
  for (const group of GROUPS) expect(ofGroup(group, arrived)).toEqual([1, 2, 3].map((place) => `${group}${place}`));
  expect(arrived).toHaveLength(9);
  expect(stage.tally()).toMatchObject({ calls: { 'POST 200': 9, 'POST 500': 1 }, left: 0, dead: 0 });
});

test('a group id on a standard queue holds nothing back', async () => {
  const answer = ({ body }: Received) => (body.toString() === 'message 1' ? ('exception' as const) : undefined);
  const stage = await setStage({
    plans: [{ name: 'orders', flow: { csrfProtected: false, answer }, settings: { concurrency: 1 } }],
  });
  const { queue } = stage.orders;
  const [bad, ...good] = [1, 2, 3].map(
    (order) => queue.send({ body: `message ${order}`, groupId: 'tenant-a' }).messageId,
  );

  const [invocation] = await stage.poll();

  expect(invocation?.kept).toEqual([bad]);
  expect([...(invocation?.deleted ?? [])].sort()).toEqual(good.sort());
});
