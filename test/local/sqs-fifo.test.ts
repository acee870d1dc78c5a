/**
 * FIFO queues of the local SQS, through the real SDK on a clock that the tests move. What AWS does was taken from its
 * documentation and from the tests that localstack validates against AWS.
 */

import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  type SendMessageCommandInput,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSqs, type Queue, type StartedSqs, startSqs } from '../../infra/local/aws/sqs/sqs.ts';
import { createSimulatedTime, type SimulatedTime } from '../doubles/time.ts';

const start = Date.UTC(2026, 0, 1);
let clock: SimulatedTime;
let local: StartedSqs;
let client: SQSClient;
let queue: Queue;
let QueueUrl: string;

beforeEach(async () => {
  clock = createSimulatedTime(start);
  local = await startSqs({ now: clock.now });
  client = new SQSClient({
    endpoint: local.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  queue = local.sqs.createQueue('orders.fifo');
  QueueUrl = queue.url;
});

afterEach(async () => {
  client.destroy();
  await local.server.stop();
});

/** A message `g1-m2` is the second of group `g1`; its deduplication id is its body. */
function send(MessageBody: string, input: Partial<SendMessageCommandInput> = {}) {
  const [MessageGroupId] = MessageBody.split('-');
  const ids = { MessageGroupId, MessageDeduplicationId: MessageBody };
  return client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...ids, ...input }));
}

async function sendAll(...bodies: string[]): Promise<void> {
  for (const body of bodies) await send(body);
}

async function receive(
  MaxNumberOfMessages: number,
  input: Partial<ReceiveMessageCommandInput> = {},
): Promise<Message[]> {
  const wanted = { MessageSystemAttributeNames: ['All' as const], MaxNumberOfMessages };
  return (await client.send(new ReceiveMessageCommand({ QueueUrl, ...wanted, ...input }))).Messages ?? [];
}

async function bodies(max: number, input: Partial<ReceiveMessageCommandInput> = {}): Promise<(string | undefined)[]> {
  return (await receive(max, input)).map(({ Body }) => Body);
}

const remove = (message: Message | undefined) =>
  client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
const hide = (message: Message | undefined, VisibilityTimeout: number) =>
  client.send(
    new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout }),
  );

describe('a receive', () => {
  test('a receive gives as many of one group as it can, in order, and then of the next', async () => {
    await sendAll('g1-m1', 'g2-m1', 'g1-m2', 'g1-m3');
    expect(await bodies(10)).toEqual(['g1-m1', 'g1-m2', 'g1-m3', 'g2-m1']);
  });

  test('a receive leaves a group alone while its head is in flight, whatever else of it is visible', async () => {
    await sendAll('g1-m1', 'g1-m2', 'g2-m1');
    const [head] = await receive(1);
    expect(head?.Body).toBe('g1-m1');
    expect(await bodies(10)).toEqual(['g2-m1']);
    await send('g1-m3');
    expect(await bodies(10)).toEqual([]);
    await remove(head);
    expect(await bodies(10)).toEqual(['g1-m2', 'g1-m3']);
  });

  test('a receive does not open a group by giving back a later message while the head is in flight', async () => {
    await sendAll('g1-m1', 'g1-m2', 'g1-m3');
    const [head, ...rest] = await receive(10);
    await hide(head, 60);
    for (const message of rest) await hide(message, 0);
    clock.advance(59_999);
    expect(await bodies(10)).toEqual([]);
    clock.advance(1);
    expect(await bodies(10)).toEqual(['g1-m1', 'g1-m2', 'g1-m3']);
  });

  test.each([
    { extended: 0, comes: [] },
    { extended: 1, comes: ['g1-m1'] },
    { extended: 2, comes: ['g1-m1', 'g1-m2'] },
  ])(
    'a receive gives the messages before the one in flight: $extended extended, $comes',
    async ({ extended, comes }) => {
      await sendAll('g1-m1', 'g1-m2', 'g1-m3');
      const all = await receive(10, { VisibilityTimeout: 1 });
      await hide(all[extended], 4);
      clock.advance(2000);
      expect(await bodies(10)).toEqual(comes);
    },
  );

  test('a receive gives the head again that was given back, after groups that wait longer', async () => {
    await sendAll('g1-m1', 'g1-m2', 'g2-m1');
    const [head] = await receive(2);
    await hide(head, 0);
    expect(await bodies(3)).toEqual(['g2-m1', 'g1-m1']);
  });

  test('a receive keeps a group closed while one of two messages of it is deleted', async () => {
    await sendAll('g1-m1', 'g2-m1', 'g1-m2', 'g2-m2', 'g1-m3', 'g3-m1');
    const [first] = await receive(2);
    await remove(first);
    expect(await bodies(10)).toEqual(['g2-m1', 'g2-m2', 'g3-m1']);
  });

  test('a receive keeps the order when messages come again', async () => {
    await sendAll('g1-m1', 'g1-m2', 'g1-m3');
    expect(await bodies(10)).toEqual(['g1-m1', 'g1-m2', 'g1-m3']);
    clock.advance(30_000);
    expect(await bodies(2)).toEqual(['g1-m1', 'g1-m2']);
    clock.advance(30_000);
    expect(await bodies(10)).toEqual(['g1-m1', 'g1-m2', 'g1-m3']);
  });

  test('a receive puts groups that were received behind those that were not', async () => {
    await sendAll('g1-m1', 'g2-m1', 'g2-m2', 'g3-m1', 'g1-m2');
    expect(await bodies(3, { VisibilityTimeout: 0 })).toEqual(['g1-m1', 'g1-m2', 'g2-m1']);
    expect(await bodies(10)).toEqual(['g3-m1', 'g1-m1', 'g1-m2', 'g2-m1', 'g2-m2']);
  });

  test('a receive counts messages of a closed group as visible', async () => {
    await sendAll('g1-m1', 'g1-m2', 'g2-m1');
    await receive(1);
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] });
    expect((await client.send(command)).Attributes).toMatchObject({
      ApproximateNumberOfMessages: '2',
      ApproximateNumberOfMessagesNotVisible: '1',
      FifoQueue: 'true',
      DeduplicationScope: 'queue',
    });
  });

  test('a receive looks no further than the quota, and over it gives nothing and no error', () => {
    const small = createSqs({ now: clock.now, inFlightQuota: 3 }).createQueue('small.fifo');
    const put = (groupId: string, id: string) => small.send({ body: id, groupId, deduplicationId: id });
    for (const id of ['a', 'b', 'c', 'd']) put('g1', id);
    put('g2', 'e');
    expect(small.receive({ maxMessages: 1 }).map(({ body }) => body)).toEqual(['a']);
    // Group g2 is behind the first three messages.
    expect(small.receive({ maxMessages: 10 })).toEqual([]);
    clock.advance(30_000);
    expect(small.receive({ maxMessages: 10 }).map(({ body }) => body)).toEqual(['a', 'b', 'c']);
    expect(small.receive({ maxMessages: 10 })).toEqual([]);
  });

  test('a receive finds an open group behind 119,999 messages of a closed one, and not behind 120,000', () => {
    const behind = (count: number) => {
      const large = createSqs({ now: clock.now }).createQueue('large.fifo');
      for (let i = 0; i < count; i++) large.send({ body: 'm', groupId: 'g1', deduplicationId: String(i) });
      large.send({ body: 'other', groupId: 'g2', deduplicationId: 'other' });
      large.receive();
      return large.receive().map(({ body }) => body);
    };
    expect(behind(119_999)).toEqual(['other']);
    expect(behind(120_000)).toEqual([]);
  });
});

describe('a message that was sent before', () => {
  test('a message that was sent before is accepted, answered as the first, and dropped', async () => {
    const first = await send('g1-m1');
    const repeated = await send('g1-m1', { MessageBody: 'other body' });
    expect(repeated).toMatchObject({ MessageId: first.MessageId, SequenceNumber: first.SequenceNumber });
    const [received, ...more] = await receive(10);
    expect([received?.Body, more]).toEqual(['g1-m1', []]);
    await remove(received);
    clock.moveTo(start + 299_999);
    await send('g1-m1');
    expect(queue.size).toBe(0);
    // Repeating did not prolong the five minutes.
    clock.moveTo(start + 300_000);
    const anew = await send('g1-m1');
    expect(anew.MessageId).not.toBe(first.MessageId);
    expect(queue.size).toBe(1);
  });

  test('a message that was sent before is known by its content where the queue deduplicates by content', async () => {
    queue.setAttributes({ ContentBasedDeduplication: 'true' });
    const send = (attributes: object) =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'same', MessageGroupId: 'g1', ...attributes }));
    await send({});
    await send({ MessageAttributes: { a: { DataType: 'String', StringValue: 'x' } } });
    expect(queue.size).toBe(1);
    await send({ MessageDeduplicationId: 'explicit' });
    const [first, second] = await receive(10);
    // SHA-256 of "same".
    expect(first?.Attributes?.MessageDeduplicationId).toBe(
      '0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5',
    );
    expect(second?.Attributes?.MessageDeduplicationId).toBe('explicit');
  });

  test('a message that was sent before is known across groups, unless the queue deduplicates by group', async () => {
    await send('g1-m1', { MessageDeduplicationId: 'same' });
    await send('g2-m1', { MessageDeduplicationId: 'same' });
    expect(queue.size).toBe(1);
    queue.setAttributes({ DeduplicationScope: 'messageGroup' });
    await send('g3-m1', { MessageDeduplicationId: 'same' });
    await send('g4-m1', { MessageDeduplicationId: 'same' });
    await send('g4-m2', { MessageDeduplicationId: 'same' });
    expect(queue.size).toBe(3);
  });

  test('a message that was sent before is new again after a purge', async () => {
    await send('g1-m1');
    await client.send(new PurgeQueueCommand({ QueueUrl }));
    await send('g1-m1');
    expect(queue.size).toBe(1);
  });
});

describe('a receipt handle', () => {
  test('a receipt handle is refused when its visibility has ended, for deleting and for hiding', async () => {
    await send('g1-m1');
    const [message] = await receive(1);
    clock.advance(30_000);
    await expect(remove(message)).rejects.toMatchObject({
      Code: 'InvalidParameterValue',
      message: `Value ${message?.ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`,
    });
    await expect(hide(message, 10)).rejects.toMatchObject({ Code: 'InvalidParameterValue' });
    const entries = { QueueUrl, Entries: [{ Id: 'a', ReceiptHandle: message?.ReceiptHandle }] };
    const { Failed } = await client.send(new DeleteMessageBatchCommand(entries));
    expect(Failed).toMatchObject([{ Code: 'ReceiptHandleIsInvalid', Message: 'The receipt handle has expired' }]);
    expect(queue.size).toBe(1);
  });

  test('a receipt handle is refused when the message was received again', async () => {
    await send('g1-m1');
    const [first] = await receive(1);
    clock.advance(30_000);
    const [second] = await receive(1);
    await expect(remove(first)).rejects.toMatchObject({ Code: 'InvalidParameterValue' });
    await remove(second);
    expect(queue.size).toBe(0);
  });

  test('a receipt handle lasts as long as its visibility is extended', async () => {
    await send('g1-m1');
    const [message] = await receive(1, { VisibilityTimeout: 1 });
    await hide(message, 5);
    clock.advance(4999);
    await remove(message);
    expect(queue.size).toBe(0);
  });
});

test('sequence numbers have 20 digits and grow within a queue', async () => {
  const numbers = [await send('g1-m1'), await send('g2-m1'), await send('g1-m2')].map(
    ({ SequenceNumber = '' }) => SequenceNumber,
  );
  expect(numbers).toEqual(numbers.toSorted());
  expect(numbers.every((number) => /^\d{20}$/.test(number))).toBe(true);
  expect((await receive(1))[0]?.Attributes).toMatchObject({
    SequenceNumber: numbers[0],
    MessageGroupId: 'g1',
    MessageDeduplicationId: 'g1-m1',
  });
});

test('the delay of a FIFO queue is the queue’s, and changing it changes it for messages that wait', async () => {
  queue.setAttributes({ DelaySeconds: '10' });
  await send('g1-m1', { DelaySeconds: 0 });
  expect(await bodies(10)).toEqual([]);
  queue.setAttributes({ DelaySeconds: '5' });
  clock.advance(5000);
  expect(await bodies(10)).toEqual(['g1-m1']);
});

test('a dead letter goes to a FIFO queue with a new time of sending, and its group goes on', async () => {
  const dead = local.sqs.createQueue('dead.fifo');
  queue.setAttributes({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 }) });
  const { MessageId } = await send('g1-m1');
  await send('g1-m2');
  await receive(1);
  clock.advance(30_000);
  expect(await bodies(10)).toEqual(['g1-m2']);
  const [letter] = await receive(10, { QueueUrl: dead.url });
  expect(letter).toMatchObject({
    MessageId,
    Attributes: { MessageGroupId: 'g1', SentTimestamp: String(clock.now()), DeadLetterQueueSourceArn: queue.arn },
  });
});

test('dead letters of a FIFO queue go to a FIFO queue only', () => {
  const { arn } = local.sqs.createQueue('standard');
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 1 });
  expect(() => queue.setAttributes({ RedrivePolicy })).toThrow('must be same type');
});
