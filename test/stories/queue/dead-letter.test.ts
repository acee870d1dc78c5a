import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { toRecord } from '../../../infra/local/aws/queue-trigger/event.ts';
import type { MessageView } from '../../../infra/local/aws/sqs/sqs.ts';
import type { LocalDestination } from '../../../infra/local/landscape.ts';
import type { Received } from '../../../infra/local/sap/runtime-node/integration-flow.ts';
import { createSimulatedTime } from '../../doubles/time.ts';
import { type Stage, setStage } from '../stage.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A flow that says to a body what the body asks for: `422` or `422 …`; everything else is taken. */
const answer = ({ body }: Received) => ({ status: Number(/^\d{3}/.exec(body.toString())?.[0] ?? 200) });
const FLOW = { csrfProtected: false, answer };

interface Told {
  readonly reason: string;
  readonly messageId: string;
  readonly [field: string]: unknown;
}

function letters({ deadLetterQueue }: LocalDestination): (MessageView & { readonly told: Told })[] {
  return deadLetterQueue.messages.map((message) => ({
    ...message,
    told: JSON.parse(message.attributes.deadLetter?.stringValue ?? '{}') as Told,
  }));
}

test.each([false, true])(
  'a rejected message lies in the dead-letter queue as it was, with the reason beside it (FIFO: %s)',
  async (fifo) => {
    const stage = await setStage({ plans: [{ name: 'orders', fifo, flow: FLOW }] });
    const { orders } = stage;
    const id = stage.send(orders, {
      body: '422 – Größe',
      attributes: { messageId: 'order-4711', contentType: 'text/plain', tenant: 'acme' },
      ...(fifo ? { group: 'a' } : {}),
    });
    const [{ id: recordId, sentAt } = { id: '', sentAt: 0 }] = orders.queue.messages;

    const [invocation] = await stage.poll();

    expect(invocation).toMatchObject({ kept: [], deleted: [recordId] });
    const [letter, ...others] = letters(orders);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      body: '422 – Größe',
      attributes: {
        messageId: { dataType: 'String', stringValue: 'order-4711' },
        contentType: { stringValue: 'text/plain' },
        tenant: { stringValue: 'acme' },
      },
    });
    expect(letter?.told).toMatchObject({
      reason: 'the endpoint answered 422: it will never take this message; the sender must correct it',
      outcome: 'rejected',
      status: 422,
      messageId: id,
      destination: 'orders',
      queueArn: orders.queue.arn,
      receiveCount: 1,
      sentAt: new Date(sentAt).toISOString(),
    });
    expect(Date.parse(String(letter?.told.deadAt))).toBeGreaterThanOrEqual(sentAt);
    expect(letter?.groupId).toBe(fifo ? 'a' : undefined);
    expect(letter?.deduplicationId).toBe(fifo ? recordId : undefined);
    expect(stage.told('message.dead-lettered')).toMatchObject([
      { destination: 'orders', messageId: id, outcome: 'rejected' },
    ]);
  },
);

test('ten attributes are all kept: the user’s inside the reason, the relay’s own still beside it', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW }] });
  const user = Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((number) => [`tag${number}`, `value ${number}`]));
  const own = { messageId: 'order-4711', contentType: 'text/plain' };
  stage.send(stage.orders, { body: '422', attributes: { ...user, ...own } });

  await stage.poll();

  const [letter] = letters(stage.orders);
  expect(Object.keys(letter?.attributes ?? {}).sort()).toEqual(['contentType', 'deadLetter', 'messageId']);
  expect(letter?.told.attributes).toEqual(
    Object.fromEntries(Object.entries(user).map(([name, value]) => [name, { dataType: 'String', value }])),
  );
  expect(stage.orders.queue.size).toBe(0);
});

test('ten attributes of 8 KB each stop no group: they are inside the reason, whole, and the next goes on', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', fifo: true, flow: FLOW }] });
  const attributes = Object.fromEntries([...'abcdefghij'].map((name) => [`tag-${name}`, name.repeat(8_192)]));
  stage.send(stage.orders, { body: '422', attributes, group: 'a' });
  const next = stage.send(stage.orders, { body: 'next', group: 'a' });

  await stage.poll();

  expect(stage.arrivals()).toEqual([next]);
  expect(letters(stage.orders)).toMatchObject([
    { told: { attributes: { 'tag-j': { dataType: 'String', value: 'j'.repeat(8_192) } } } },
  ]);
  expect(stage.tally()).toMatchObject({ left: 0, dead: 1 });
});

test('a rejected body of exactly 1 MiB is kept without a bucket, and the log says why', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW }] });
  const id = stage.send(stage.orders, { body: `422${'x'.repeat(1_048_576 - 3)}` });

  const [invocation] = await stage.poll();

  expect(invocation?.kept).toEqual([id]);
  expect(stage.told('dead-letter.impossible')).toMatchObject([
    { messageId: id, reason: expect.stringContaining('payloadBucket is not set') },
  ]);
  expect(stage.tally()).toMatchObject({ left: 1, dead: 0 });
});

test('a letter on FIFO that is replayed and rejected within five minutes makes two letters', async () => {
  const clock = createSimulatedTime(Date.now());
  const stage = await setStage({ plans: [{ name: 'orders', fifo: true, flow: FLOW }], sqsNow: clock.now });
  const { orders } = stage;
  stage.send(orders, { body: '422', attributes: { messageId: 'order-4711' }, group: 'a' });
  await stage.poll();
  const [first] = letters(orders);
  if (first === undefined) throw new Error('no letter');

  clock.advance(120_000);
  const { deadLetter: _, ...attributes } = first.attributes;
  orders.queue.send({ body: first.body, attributes, groupId: 'a', deduplicationId: randomUUID() });
  await stage.poll();

  const both = letters(orders);
  expect(both.map(({ told }) => told.messageId)).toEqual(['order-4711', 'order-4711']);
  expect(new Set(both.map(({ id }) => id)).size).toBe(2);
  expect(new Set(both.map(({ told }) => told.sentAt)).size).toBe(2);
  expect(stage.tally()).toMatchObject({ left: 0, dead: 2 });
});

test.each([
  { fifo: false, letters: 2, what: 'two letters, since a standard queue drops nothing' },
  { fifo: true, letters: 1, what: 'one letter, since the record deduplicates it' },
])(
  'a reply that is lost after the letter was written makes the relay write it again: $what (FIFO: $fifo)',
  async ({ fifo, letters: count }) => {
    const stage = await setStage({ plans: [{ name: 'orders', fifo, flow: FLOW }] });
    const { queue } = stage.orders;
    const id = stage.send(stage.orders, { body: '422', ...(fifo ? { group: 'a' } : {}) });
    const Records = queue.receive().map((message) => toRecord(message, queue.arn, 'eu-central-1'));

    // The reply of the first is lost with its process, so the same record is handed out again.
    for (const _ of [1, 2]) {
      expect(await stage.deployed.queueFunction.invoke({ Records })).toMatchObject({ ok: true });
      await stage.deployed.queueFunction.killEnvironments();
    }

    expect(letters(stage.orders).map(({ told }) => told.messageId)).toEqual(Array(count).fill(id));
  },
);

describe('While the dead-letter queue cannot be written', () => {
  test.each([false, true])(
    'a rejected message is kept while the dead-letter queue refuses, and dead-lettered later (FIFO: %s)',
    async (fifo) => {
      const clock = createSimulatedTime(Date.now());
      const stage = await setStage({ plans: [{ name: 'orders', fifo, flow: FLOW }], sqsNow: clock.now });
      const { orders, sqs } = stage;
      const group = fifo ? { group: 'a' } : {};
      sqs.denyAccess(orders.deadLetterQueue.name, true);
      const bad = stage.send(orders, { body: '422', ...group });
      const good = stage.send(orders, { body: 'good', ...group });

      const [invocation] = await stage.poll();

      expect(invocation?.kept, 'on FIFO nothing goes before it').toEqual(fifo ? [bad, good] : [bad]);
      expect(stage.told('dead-letter.failed')).toMatchObject([{ destination: 'orders', messageId: bad }]);
      expect(stage.told('message.dead-lettered')).toEqual([]);
      const [{ visibleAt } = { visibleAt: 0 }] = orders.queue.messages;
      expect(visibleAt - clock.now(), 'an operator must act').toBeGreaterThanOrEqual(300_000);
      expect(visibleAt - clock.now()).toBeLessThanOrEqual(600_000);

      sqs.denyAccess(orders.deadLetterQueue.name, false);
      clock.advance(600_000);
      await stage.poll();
      expect(letters(orders)).toMatchObject([{ told: { messageId: bad, receiveCount: 2, outcome: 'rejected' } }]);
      expect(stage.arrivals()).toEqual([good]);
      expect(stage.tally()).toMatchObject({ left: 0, dead: 1 });
    },
  );

  test.each(['reset-after', 'half-answer'] as const)(
    'a dead letter may lie there twice by %s of its confirmation, and never not at all',
    async (fault) => {
      const stage = await setStage({ plans: [{ name: 'orders', flow: FLOW }] });
      stage.sqsServer.fail({ fault });
      const id = stage.send(stage.orders, { body: '422' });

      const [invocation] = await stage.poll();

      expect(invocation?.deleted).toEqual([id]);
      expect(letters(stage.orders).map(({ told }) => told.messageId)).toEqual([id, id]);
    },
  );
});

test('after a rejected message that is safe in the dead-letter queue its group goes on', async () => {
  const stage = await setStage({ plans: [{ name: 'orders', fifo: true, flow: FLOW }] });
  const [a1, bad, a3] = ['a1', '422 a2', 'a3'].map((body) => stage.send(stage.orders, { body, group: 'a' }));

  const [invocation] = await stage.poll();

  expect(invocation?.kept).toEqual([]);
  expect(stage.arrivals()).toEqual([a1, a3]);
  expect(letters(stage.orders)).toMatchObject([{ groupId: 'a', told: { messageId: bad } }]);
});

describe('By its age a message is given up', () => {
  test.each([
    { fifo: false, status: 503, ageMs: 72 * HOUR_MS + 60_000, outcome: 'failed', is: 'dead-lettered' },
    { fifo: false, status: 503, ageMs: 72 * HOUR_MS - 60_000, outcome: 'failed', is: 'kept' },
    { fifo: true, status: 503, ageMs: 24 * HOUR_MS + 60_000, outcome: 'failed', is: 'dead-lettered' },
    { fifo: true, status: 503, ageMs: 24 * HOUR_MS - 60_000, outcome: 'failed', is: 'kept' },
    { fifo: false, status: 404, ageMs: 12 * DAY_MS + 60_000, outcome: 'blocked', is: 'dead-lettered' },
    { fifo: false, status: 404, ageMs: 12 * DAY_MS - 60_000, outcome: 'blocked', is: 'kept' },
    { fifo: true, status: 404, ageMs: 11 * DAY_MS, outcome: 'blocked', is: 'kept' },
  ])(
    'a message is given up by its age, $outcome by a $status $ageMs ms after the first receive (FIFO: $fifo): $is',
    async (row) => {
      const { fifo, status, ageMs, outcome, is } = row;
      const clock = createSimulatedTime(Date.now() - ageMs);
      const stage = await setStage({
        plans: [{ name: 'orders', fifo, flow: FLOW, settings: { fifo } }],
        sqsNow: clock.now,
      });
      const id = stage.send(stage.orders, { body: `${status}`, ...(fifo ? { group: 'a' } : {}) });
      stage.orders.queue.receive({ visibilitySeconds: 0 });
      clock.advance(ageMs);

      await stage.poll();

      expect(stage.attemptsOf(id)).toMatchObject([{ outcome, status, calls: 1 }]);
      expect(stage.tally()).toMatchObject({ left: is === 'kept' ? 1 : 0, dead: is === 'dead-lettered' ? 1 : 0 });
      if (is === 'dead-lettered')
        expect(letters(stage.orders)).toMatchObject([{ told: { messageId: id, outcome, status } }]);
    },
  );

  test.each([
    { fifo: false, status: 429, ageMs: 4 * DAY_MS, is: 'kept' },
    { fifo: true, status: 429, ageMs: 4 * DAY_MS, is: 'kept' },
    { fifo: false, status: 429, ageMs: 12 * DAY_MS + 60_000, is: 'dead-lettered' },
    { fifo: false, status: 404, ageMs: 12 * DAY_MS + 60_000, is: 'dead-lettered' },
    { fifo: false, status: 200, ageMs: 13 * DAY_MS, is: 'delivered' },
  ])(
    'a message that nobody polled for $ageMs ms is answered $status at its first try (FIFO: $fifo): $is',
    async (row) => {
      const { fifo, status, ageMs, is } = row;
      const clock = createSimulatedTime(Date.now() - ageMs);
      const stage = await setStage({
        plans: [{ name: 'orders', fifo, flow: FLOW, settings: { fifo } }],
        sqsNow: clock.now,
      });
      stage.send(stage.orders, { body: `${status}`, ...(fifo ? { group: 'a' } : {}) });
      clock.advance(ageMs);

      await stage.poll();

      expect(stage.tally()).toMatchObject({ left: is === 'kept' ? 1 : 0, dead: is === 'dead-lettered' ? 1 : 0 });
    },
  );

  test('a message that the breaker holds back is kept, however old', async () => {
    const clock = createSimulatedTime(Date.now() - 80 * HOUR_MS);
    const stage = await setStage({
      plans: [{ name: 'orders', flow: FLOW, settings: { concurrency: 1 } }],
      sqsNow: clock.now,
    });
    for (let count = 0; count < 10; count += 1) stage.send(stage.orders, { body: `503 ${count}` });
    stage.orders.queue.receive({ maxMessages: 10, visibilitySeconds: 0 });
    clock.advance(80 * HOUR_MS);

    await stage.poll();

    expect(stage.attempts).toHaveLength(5);
    expect(stage.tally()).toMatchObject({ left: 5, dead: 5 });
  });

  test.each([
    { what: 'the token', hang: ({ authorizationServer: { server } }: Stage) => server },
    { what: 'the secret', hang: ({ secretsManager: { server } }: Stage) => server },
  ])('a message whose time was over while $what was awaited is kept, however old', async ({ hang }) => {
    const clock = createSimulatedTime(Date.now() - 80 * HOUR_MS);
    const stage = await setStage({
      plans: [{ name: 'orders', flow: FLOW }],
      sqsNow: clock.now,
      deploy: { queueTimeoutSeconds: 6 },
    });
    const id = stage.send(stage.orders);
    stage.orders.queue.receive({ visibilitySeconds: 0 });
    clock.advance(80 * HOUR_MS);
    hang(stage).fail({ fault: 'hang', times: 10 });

    await stage.poll();

    expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'failed', executed: 'no', calls: 0 }]);
    expect(stage.tally()).toMatchObject({ left: 1, dead: 0 });
  });
});
