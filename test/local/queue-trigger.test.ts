/** The event source mapping of the local landscape, on queues in process and a clock that the tests move. */

import type { SQSEvent } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type InvokeResult,
  type QueueTrigger,
  type QueueTriggerOptions,
  startQueueTrigger,
} from '../../infra/local/aws/queue-trigger/queue-trigger.ts';
import { createSqs, type Queue, type Sqs, startSqs, waitUntilEmpty } from '../../infra/local/aws/sqs/sqs.ts';
import { createSimulatedTime, type SimulatedTime, turn } from '../doubles/time.ts';

const start = Date.UTC(2026, 0, 1);
let clock: SimulatedTime;
let sqs: Sqs;
let queue: Queue;
let triggers: QueueTrigger[];

beforeEach(() => {
  clock = createSimulatedTime(start);
  triggers = [];
  sqs = createSqs({ now: clock.now });
  queue = sqs.createQueue('orders');
});

afterEach(async () => {
  await Promise.all(triggers.map((trigger) => trigger.stop()));
});

/** As the landscape's parts ask for a timer. */
const setTimer = (run: () => void, delayMs: number): (() => void) => clock.after(delayMs, run);

function trigger(options: Partial<QueueTriggerOptions>): QueueTrigger {
  const done = async () => ok(undefined);
  const started = startQueueTrigger({ queue, invoke: done, now: clock.now, setTimer, ...options });
  triggers.push(started);
  return started;
}

const ok = (payload: unknown): InvokeResult => ({ ok: true, payload });
const bodiesOf = (event: SQSEvent) => event.Records.map(({ body }) => body);

/** A function that answers when the test says so. */
function held() {
  const calls: { event: SQSEvent; reply: (result: InvokeResult) => void }[] = [];
  const invoke = (event: SQSEvent) =>
    new Promise<InvokeResult>((resolve) => {
      calls.push({ event, reply: resolve });
    });
  return { calls, invoke };
}

function sendFifo(to: Queue, ...bodies: string[]): void {
  for (const body of bodies) to.send({ body, groupId: body.slice(0, 2), deduplicationId: body });
}

test('the event is the one that AWS documents', async () => {
  const events: SQSEvent[] = [];
  const invoke = async (event: SQSEvent) => {
    events.push(event);
    return ok(undefined);
  };
  const { messageId } = queue.send({
    body: 'Test message.',
    attributes: {
      myAttribute: { dataType: 'String', stringValue: 'myValue' },
      bytes: { dataType: 'Binary', binaryValue: Uint8Array.of(1, 255) },
    },
  });
  await trigger({ invoke }).waitForInvocations(1);
  expect(events).toEqual([
    {
      Records: [
        {
          messageId,
          receiptHandle: expect.stringMatching(/^AQEB/),
          body: 'Test message.',
          attributes: {
            ApproximateReceiveCount: '1',
            SentTimestamp: String(start),
            SenderId: 'AIDAIENQZJOLO23YVJ4VO',
            ApproximateFirstReceiveTimestamp: String(start),
          },
          messageAttributes: {
            myAttribute: {
              stringValue: 'myValue',
              stringListValues: [],
              binaryListValues: [],
              dataType: 'String',
            },
            bytes: { binaryValue: 'Af8=', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
          },
          md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
          // The body and its digest are those of AWS's sample.
          md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
          eventSource: 'aws:sqs',
          eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:orders',
          awsRegion: 'eu-central-1',
        },
      ],
    },
  ]);
});

test('the digest of attributes is the one that AWS put into a record of the same attributes', async () => {
  const events: SQSEvent[] = [];
  const text = (stringValue: string) => ({ dataType: 'String', stringValue });
  const attributes = {
    Title: text('The Whistler'),
    Author: text('John Grisham'),
    WeeksOn: { dataType: 'Number', stringValue: '6' },
  };
  queue.send({ body: 'm', attributes });
  const invoke = async (event: SQSEvent) => {
    events.push(event);
    return ok(undefined);
  };
  await trigger({ invoke }).waitForInvocations(1);
  expect(events[0]?.Records[0]?.md5OfMessageAttributes).toBe('d25a6aea97eb8f585bfa92d314504a92');
});

describe('a reply means that all is done', () => {
  test.each([undefined, null, {}, { other: 1 }, { batchItemFailures: null }, { batchItemFailures: [] }])(
    'a reply means that all is done: %j',
    async (payload) => {
      queue.send({ body: 'a' });
      queue.send({ body: 'b' });
      const mapping = trigger({ invoke: async () => ok(payload) });
      await mapping.waitForInvocations(1);
      expect(queue.size).toBe(0);
      expect(mapping.invocations).toMatchObject([{ at: start, deleted: mapping.invocations[0]?.batch, kept: [] }]);
    },
  );
});

describe('a reply fails the whole batch', () => {
  const failures = (...items: unknown[]) => ok({ batchItemFailures: items });
  test.each<[string, (ids: string[]) => InvokeResult, string]>([
    ['an error', () => ({ ok: false, errorType: 'Error', errorMessage: 'thrown' }), 'Error: thrown'],
    ['text', () => ok('done'), 'not an object'],
    ['a list', () => ok([]), 'not an object'],
    ['failures that are no list', () => ok({ batchItemFailures: {} }), 'not a list'],
    ['an item with another key', () => failures({ foo: 'notvalid' }), 'no itemIdentifier'],
    ['an item that is the id itself', (ids) => failures(ids[0]), 'no itemIdentifier'],
    ['an empty id', () => failures({ itemIdentifier: '' }), 'no itemIdentifier'],
    ['a null id', () => failures({ itemIdentifier: null }), 'no itemIdentifier'],
    ['an unknown id', (ids) => failures({ itemIdentifier: ids[0] }, { itemIdentifier: 'x' }), 'x is not in the batch'],
  ])('a reply fails the whole batch: %s', async (_name, reply, error) => {
    const ids = ['a', 'b'].map((body) => queue.send({ body }).messageId);
    const mapping = trigger({ invoke: async () => reply(ids) });
    await mapping.waitForInvocations(1);
    expect(mapping.invocations).toMatchObject([{ deleted: [], kept: ids, error: expect.stringContaining(error) }]);
    expect(queue.messages.map(({ state }) => state)).toEqual(['in flight', 'in flight']);
  });
});

test('failures that are reported come again when their visibility ends, the others are gone', async () => {
  const [first, second] = ['a', 'b'].map((body) => queue.send({ body }).messageId);
  const replies = [ok({ batchItemFailures: [{ itemIdentifier: second }] }), ok(null)];
  const mapping = trigger({ invoke: async () => replies.shift() ?? ok(null) });
  await mapping.waitForInvocations(1);
  expect(mapping.invocations[0]).toMatchObject({ batch: [first, second], deleted: [first], kept: [second] });
  await mapping.waitUntilIdle();
  clock.advance(29_999);
  await turn();
  expect(mapping.invocations).toHaveLength(1);
  clock.advance(1);
  await mapping.waitForInvocations(2);
  expect(mapping.invocations[1]).toMatchObject({ at: start + 30_000, batch: [second], deleted: [second] });
  await waitUntilEmpty(queue);
});

test('a visibility that the function changes is kept to', async () => {
  queue.send({ body: 'a' });
  const times: number[] = [];
  const invoke = async ({ Records }: SQSEvent) => {
    times.push(clock.now());
    for (const { receiptHandle } of Records) queue.changeVisibility(receiptHandle, 600);
    return ok({ batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })) });
  };
  const mapping = trigger({ invoke });
  await mapping.waitForInvocations(1);
  await mapping.waitUntilIdle();
  clock.advance(600_000);
  await mapping.waitForInvocations(2);
  expect(times).toEqual([start, start + 600_000]);
});

test('no more invocations run at once than allowed, and a free place is used at once', async () => {
  const { calls, invoke } = held();
  const mapping = trigger({ invoke, batchSize: 1 });
  for (let i = 0; i < 5; i++) queue.send({ body: String(i) });
  await turn();
  expect([calls.length, mapping.running]).toEqual([2, 2]);
  calls[1]?.reply(ok(null));
  await turn();
  expect(calls.map(({ event }) => bodiesOf(event))).toEqual([['0'], ['1'], ['2']]);
  for (let i = 0; i < 5; i++) {
    calls[i]?.reply(ok(null));
    await turn();
  }
  await mapping.waitUntilIdle();
  expect(mapping.invocations).toHaveLength(5);
});

test('a batch has at most ten records of one receive, and as few as there are', async () => {
  for (let i = 0; i < 12; i++) queue.send({ body: String(i) });
  const mapping = trigger({});
  await mapping.waitForInvocations(2);
  expect(mapping.invocations.map(({ batch }) => batch.length)).toEqual([10, 2]);
});

test('within a window records are gathered up to the batch size, or until the window ends', async () => {
  const { calls, invoke } = held();
  trigger({ invoke, batchSize: 25, maximumBatchingWindowSeconds: 5, maximumConcurrency: 3 });
  for (let i = 0; i < 30; i++) queue.send({ body: String(i) });
  await turn();
  expect(calls.map(({ event }) => event.Records.length)).toEqual([25]);
  clock.advance(3000);
  queue.send({ body: '30' });
  await turn();
  clock.advance(1999);
  await turn();
  expect(calls).toHaveLength(1);
  clock.advance(1);
  await turn();
  expect(calls.map(({ event }) => event.Records.length)).toEqual([25, 6]);
  for (const { reply } of calls) reply(ok(null));
});

test('a batch beyond 6 MB goes in several events', async () => {
  const sizes: number[] = [];
  const invoke = async (event: SQSEvent) => {
    sizes.push(Buffer.byteLength(JSON.stringify(event)));
    return ok(null);
  };
  for (let i = 0; i < 8; i++) queue.send({ body: 'x'.repeat(1_000_000) });
  const mapping = trigger({ invoke });
  await mapping.waitForInvocations(2);
  expect(mapping.invocations.map(({ batch }) => batch.length)).toEqual([6, 2]);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(6 * 1024 * 1024);
  await waitUntilEmpty(queue);
});

describe('on FIFO', () => {
  beforeEach(() => {
    queue = sqs.createQueue('orders.fifo');
  });

  test('records of one FIFO group are never in two invocations at once', async () => {
    const { calls, invoke } = held();
    trigger({ invoke, batchSize: 2, maximumConcurrency: 10 });
    sendFifo(queue, 'g1-1', 'g1-2', 'g1-3', 'g2-1');
    await turn();
    expect(calls.map(({ event }) => bodiesOf(event))).toEqual([['g1-1', 'g1-2'], ['g2-1']]);
    calls[0]?.reply(ok(null));
    await turn();
    expect(calls.map(({ event }) => bodiesOf(event))).toEqual([['g1-1', 'g1-2'], ['g2-1'], ['g1-3']]);
    for (const { reply } of calls) reply(ok(null));
  });

  test('a kept head holds its FIFO group back, and other groups go on', async () => {
    sendFifo(queue, 'g1-1', 'g1-2');
    const seen: string[][] = [];
    const invoke = async (event: SQSEvent) => {
      seen.push(bodiesOf(event));
      const fails = seen.length === 1 ? event.Records : [];
      return ok({ batchItemFailures: fails.map(({ messageId }) => ({ itemIdentifier: messageId })) });
    };
    const mapping = trigger({ invoke });
    await mapping.waitForInvocations(1);
    sendFifo(queue, 'g1-3', 'g2-1');
    await mapping.waitForInvocations(2);
    await mapping.waitUntilIdle();
    clock.advance(30_000);
    await mapping.waitForInvocations(3);
    expect(seen).toEqual([['g1-1', 'g1-2'], ['g2-1'], ['g1-1', 'g1-2', 'g1-3']]);
  });

  test('a function on FIFO that takes longer than the visibility cannot have its messages deleted', async () => {
    const { calls, invoke } = held();
    const mapping = trigger({ invoke });
    sendFifo(queue, 'g1-1');
    await turn();
    mapping.pause();
    clock.advance(30_000);
    calls[0]?.reply(ok(null));
    await mapping.waitForInvocations(1);
    expect(mapping.invocations).toMatchObject([{ deleted: [], error: expect.stringContaining('expired') }]);
    expect(queue.size).toBe(1);
  });

  test('the second event of a batch beyond 6 MB is not sent for a FIFO group whose first was kept', async () => {
    for (const id of ['1', '2']) queue.send({ body: id.repeat(1_000_000), groupId: 'g2', deduplicationId: `g2${id}` });
    for (let i = 0; i < 7; i++) {
      queue.send({ body: String(i).repeat(1_000_000), groupId: 'g1', deduplicationId: String(i) });
    }
    const mapping = trigger({
      invoke: async ({ Records }) =>
        ok({ batchItemFailures: Records.map(({ messageId: itemIdentifier }) => ({ itemIdentifier })) }),
    });
    await mapping.waitForInvocations(1);
    await mapping.waitUntilIdle();
    expect(mapping.invocations.map(({ batch }) => batch.length)).toEqual([6]);
    expect(queue.size).toBe(9);
  });
});

test('a disabled trigger polls nothing until it is resumed, a paused one no more', async () => {
  const mapping = trigger({ enabled: false });
  queue.send({ body: 'a' });
  await mapping.waitUntilIdle();
  expect(queue.messages.map(({ receiveCount }) => receiveCount)).toEqual([0]);
  mapping.resume();
  await mapping.waitForInvocations(1);
  mapping.pause();
  queue.send({ body: 'b' });
  await mapping.waitUntilIdle();
  expect(queue.messages.map(({ receiveCount }) => receiveCount)).toEqual([0]);
});

test('stopping waits for what runs, and leaves no timer', async () => {
  const { calls, invoke } = held();
  const mapping = trigger({ invoke });
  queue.send({ body: 'a' });
  await turn();
  queue.send({ body: 'b', delaySeconds: 60 });
  await turn();
  expect(clock.timers).toBe(1);
  let stopped = false;
  const stopping = mapping.stop().then(() => {
    stopped = true;
  });
  await turn();
  expect([stopped, clock.timers]).toEqual([false, 0]);
  calls[0]?.reply(ok(null));
  await stopping;
  expect([mapping.invocations.length, queue.size]).toEqual([1, 1]);
});

test('what is gathered within a window when the trigger stops is still delivered', async () => {
  const mapping = trigger({ maximumBatchingWindowSeconds: 300 });
  queue.send({ body: 'a' });
  await turn();
  expect(mapping.invocations).toEqual([]);
  await mapping.stop();
  expect(mapping.invocations).toHaveLength(1);
});

describe('settings that AWS refuses are refused', () => {
  test.each<[Partial<QueueTriggerOptions>, boolean]>([
    [{ batchSize: 0 }, false],
    [{ batchSize: 11 }, false],
    [{ batchSize: 10_001, maximumBatchingWindowSeconds: 1 }, false],
    [{ maximumBatchingWindowSeconds: 301 }, false],
    [{ maximumConcurrency: 1 }, false],
    [{ maximumConcurrency: 1001 }, false],
    [{ batchSize: 11, maximumBatchingWindowSeconds: 1 }, true],
    [{ maximumBatchingWindowSeconds: 1 }, true],
  ])('settings that AWS refuses are refused: %j, FIFO %s', (options, fifo) => {
    const settings = { ...options, queue: fifo ? sqs.createQueue('orders.fifo') : queue };
    expect(() => trigger(settings)).toThrow(RangeError);
  });
});

test('a message that comes again on real time and over HTTP is invoked when its visibility ends', async () => {
  const local = await startSqs();
  const real = local.sqs.createQueue('real', { VisibilityTimeout: '1' });
  const replies = [{ batchItemFailures: [{ itemIdentifier: real.send({ body: 'a' }).messageId }] }, null];
  const mapping = startQueueTrigger({ queue: real, invoke: async () => ok(replies.shift()) });
  try {
    await mapping.waitForInvocations(2);
    await waitUntilEmpty(real);
    const [first, second] = mapping.invocations;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1000);
  } finally {
    await mapping.stop();
    await local.server.stop();
  }
});
