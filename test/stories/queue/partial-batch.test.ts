import { expect, test } from 'vitest';
import type { Received } from '../../../infra/local/sap/runtime-node/integration-flow.ts';
import { setStage } from '../stage.ts';

/** The flow's verdict on a payload that says so. */
function verdict({ body }: Received) {
  const { answer } = JSON.parse(body.toString()) as { answer?: number };
  return answer === undefined ? undefined : { status: answer };
}
const FLOW = { csrfProtected: false, answer: verdict };
/** Without a dead-letter queue of ours, what is rejected stays in the queue. */
const KEPT = { deadLetterQueueUrl: undefined };

test('three rejected of ten messages are kept, and the seven others are deleted', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW, settings: KEPT }] });
  const bad = [1, 2, 3]
    .map((order) => stage.send(stage.orders, { body: JSON.stringify({ order, answer: 422 }) }))
    .sort();
  const good = stage.sendMany(7);

  const [invocation] = await stage.poll();

  expect(invocation?.batch).toHaveLength(10);
  const payload = invocation?.reply.ok ? (invocation.reply.payload as { batchItemFailures: unknown[] }) : undefined;
  expect(payload?.batchItemFailures).toHaveLength(3);
  expect(payload?.batchItemFailures).toEqual(expect.arrayContaining(bad.map((itemIdentifier) => ({ itemIdentifier }))));
  expect([...(invocation?.deleted ?? [])].sort()).toEqual(good);
  expect(stage.orders.queue.messages.map(({ id }) => id).sort()).toEqual(bad);
  expect(stage.arrivals().sort()).toEqual(good);
  expect(stage.outcomes()).toEqual({ 'delivered 200 yes 1': 7, 'rejected 422 unknown 1': 3 });
  expect(stage.tally()).toMatchObject({ tokenRequests: [200], calls: { 'POST 200': 7, 'POST 422': 3 }, left: 3 });
});

test.each([400, 409, 410, 412, 413, 415, 422])('a %i says that this message will never be taken', async (answer) => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW, settings: KEPT }] });
  const id = stage.send(stage.orders, { body: JSON.stringify({ answer }) });

  await stage.poll();

  expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'rejected', status: answer, calls: 1, level: 'ERROR' }]);
  expect(stage.attempts[0]?.reason).toContain('the sender must correct it');
});

test('a rejected, a failed and a delivered message of one batch go their own ways', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW, settings: KEPT }] });
  const rejected = stage.send(stage.orders, { body: JSON.stringify({ answer: 400 }) });
  const failed = stage.send(stage.orders, { body: JSON.stringify({ answer: 500 }) });
  const delivered = stage.send(stage.orders, { body: JSON.stringify({ answer: 202 }) });

  const [invocation] = await stage.poll();

  expect(invocation?.deleted).toEqual([delivered]);
  expect([...(invocation?.kept ?? [])].sort()).toEqual([rejected, failed].sort());
  expect(stage.outcomes('outcome', 'status', 'level')).toEqual({
    'rejected 400 ERROR': 1,
    'failed 500 WARN': 1,
    'delivered 202 INFO': 1,
  });
});

test.each([
  { what: 'base64 that is none', attributes: { bodyEncoding: 'base64' }, names: 'bodyEncoding' },
  { what: 'an encoding that is none', attributes: { bodyEncoding: 'gzip' }, names: 'bodyEncoding' },
  { what: 'headers that are no JSON', attributes: { headers: '{"traceparent":' }, names: 'headers' },
  { what: 'headers that are no texts', attributes: { headers: '{"traceparent":1}' }, names: 'headers' },
])('a message with $what is rejected by its attribute "$names", without a call', async ({ attributes, names }) => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW, settings: KEPT }] });
  const id = stage.send(stage.orders, { body: 'a body that is no base64!', attributes });
  const good = stage.send(stage.orders);

  const [invocation] = await stage.poll();

  expect(invocation).toMatchObject({ kept: [id], deleted: [good] });
  expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'rejected', executed: 'no', calls: 0 }]);
  expect(stage.attemptsOf(id)[0]?.reason).toContain(`message attribute "${names}"`);
  expect(stage.tally()).toMatchObject({ calls: { 'POST 200': 1 }, left: 1 });
});
