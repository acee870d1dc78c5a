/** Standard queues of the local SQS, through the real SDK on a clock that the tests move. */

import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  ListQueuesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createSqs,
  type StartedSqs,
  startSqs,
  waitForMessages,
  waitUntilEmpty,
} from '../../infra/local/aws/sqs/sqs.ts';
import { createSimulatedTime, type SimulatedTime } from '../doubles/time.ts';

const start = Date.UTC(2026, 0, 1);
const hour = 3_600_000;
const connection = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  maxAttempts: 1,
};
let clock: SimulatedTime;
let local: StartedSqs;
let client: SQSClient;
let QueueUrl: string;
let seen: string[];

beforeEach(async () => {
  clock = createSimulatedTime(start);
  seen = [];
  local = await startSqs({ now: clock.now, confidential: (value) => seen.push(value) });
  client = new SQSClient({ ...connection, endpoint: local.url });
  QueueUrl = local.sqs.createQueue('orders').url;
});

afterEach(async () => {
  client.destroy();
  await local.server.stop();
});

async function send(MessageBody: string): Promise<string> {
  const { MessageId = '' } = await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  return MessageId;
}

async function receive(input: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> {
  const all = { MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All' as const] };
  const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, ...all, ...input }));
  return Messages;
}

async function receiveOne(
  input: Partial<ReceiveMessageCommandInput> = {},
): Promise<Message & { ReceiptHandle: string }> {
  const [message] = await receive(input);
  if (message?.ReceiptHandle === undefined) throw new Error('nothing was received');
  return { ...message, ReceiptHandle: message.ReceiptHandle };
}

const remove = (ReceiptHandle: string) => client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
const hide = (ReceiptHandle: string, VisibilityTimeout: number) =>
  client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));

async function attributes(url = QueueUrl): Promise<Record<string, string>> {
  const command = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] });
  return (await client.send(command)).Attributes ?? {};
}

test('a message comes as it was sent, with its system attributes and digests', async () => {
  const MessageId = (
    await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'äöü 😀 <&>',
        MessageGroupId: 'tenant-1',
        MessageAttributes: {
          text: { DataType: 'String', StringValue: 'ä' },
          count: { DataType: 'Number.int', StringValue: '42' },
          bytes: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 1, 255) },
        },
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-5759e988' } },
      }),
    )
  ).MessageId;
  clock.advance(1500);
  expect(await receiveOne()).toMatchObject({
    MessageId,
    Body: 'äöü 😀 <&>',
    MessageAttributes: {
      text: { DataType: 'String', StringValue: 'ä' },
      count: { DataType: 'Number.int', StringValue: '42' },
      bytes: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 1, 255) },
    },
    Attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(start),
      ApproximateFirstReceiveTimestamp: String(start + 1500),
      SenderId: expect.stringMatching(/^\w+$/),
      MessageGroupId: 'tenant-1',
      AWSTraceHeader: 'Root=1-5759e988',
    },
  });
  expect(seen).toContain('äöü 😀 <&>');
});

test('the digest of attributes is the one that AWS gave for the same attributes', async () => {
  // The values stand in snapshots that were recorded from AWS.
  const string = (StringValue: string) => ({ DataType: 'String', StringValue });
  const binary = Buffer.from('traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01');
  const MessageAttributes = { General: string('Kenobi'), Hello: string('There'), 'Help.Me': string('Me') };
  const text = await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'msg', MessageAttributes }));
  expect(text.MD5OfMessageAttributes).toBe('4c360f3fdafd970e05fae2f149d997f5');
  const bytes = await client.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody: 'test',
      MessageAttributes: { attr1: { DataType: 'Binary', BinaryValue: binary } },
    }),
  );
  expect(bytes.MD5OfMessageAttributes).toBe('8cbe4db156db8a94db8b801b7addb984');
  const prefixed = await receiveOne({ MessageAttributeNames: ['Hel.*'], VisibilityTimeout: 0 });
  expect(prefixed.MD5OfMessageAttributes).toBe('83fee93c1bcd8b9a5a923ffacdc636c7');
  const named = await receiveOne({ MessageAttributeNames: ['Hello', 'nothing'] });
  expect(named.MD5OfMessageAttributes).toBe('a311262e065454b75da111d535b8dacd');
});

test('attributes that are not asked for stay away', async () => {
  const MessageAttributes = { a: { DataType: 'String', StringValue: 'x' } };
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'm', MessageAttributes }));
  const message = await receiveOne({ MessageAttributeNames: [], MessageSystemAttributeNames: ['SentTimestamp'] });
  expect(message.MessageAttributes).toBeUndefined();
  expect(message.MD5OfMessageAttributes).toBeUndefined();
  expect(message.Attributes).toEqual({ SentTimestamp: String(start) });
});

test('a received message is hidden for the visibility timeout and comes again with a higher count', async () => {
  await send('m');
  const first = await receiveOne();
  expect(await receive()).toEqual([]);
  clock.advance(29_999);
  expect(await receive()).toEqual([]);
  clock.advance(1);
  const second = await receiveOne({ VisibilityTimeout: 5 });
  expect(second.Attributes?.ApproximateReceiveCount).toBe('2');
  expect(second.Attributes?.ApproximateFirstReceiveTimestamp).toBe(String(start));
  expect(second.ReceiptHandle).not.toBe(first.ReceiptHandle);
  clock.advance(5000);
  expect(await receive()).toHaveLength(1);
});

test('a visibility of 0 gives the message back at once', async () => {
  await send('m');
  const { ReceiptHandle } = await receiveOne();
  await hide(ReceiptHandle, 0);
  expect(await receive()).toHaveLength(1);
});

test('visibility counts from the change, and is refused beyond 12 hours since the receive', async () => {
  await send('m');
  const { ReceiptHandle } = await receiveOne();
  clock.advance(20_000);
  await hide(ReceiptHandle, 43_180);
  await expect(hide(ReceiptHandle, 43_181)).rejects.toMatchObject({
    Code: 'InvalidParameterValue',
    message:
      'Value 43181 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]',
  });
  clock.moveTo(start + 12 * hour - 1);
  expect(await receive()).toEqual([]);
  clock.advance(1);
  // The limit counts anew from the next receive.
  await hide((await receiveOne()).ReceiptHandle, 43_200);
});

test('a handle deletes after its visibility ended, but not after the message was received again', async () => {
  await send('m');
  const first = await receiveOne();
  clock.advance(30_000);
  const second = await receiveOne();
  await remove(first.ReceiptHandle);
  expect(local.sqs.queue('orders').size).toBe(1);
  clock.advance(30_000);
  await remove(second.ReceiptHandle);
  expect(local.sqs.queue('orders').size).toBe(0);
  await remove(second.ReceiptHandle);
});

test('an old handle still changes the visibility of the flight of today', async () => {
  await send('m');
  const { ReceiptHandle } = await receiveOne({ VisibilityTimeout: 0 });
  await receiveOne();
  await hide(ReceiptHandle, 0);
  expect(await receive()).toHaveLength(1);
});

test('a handle is refused that is none, of another queue or a deleted message, or 12 hours old', async () => {
  await send('m');
  const { ReceiptHandle } = await receiveOne();
  await expect(remove('garbage')).rejects.toMatchObject({
    name: 'ReceiptHandleIsInvalid',
    message: 'The input receipt handle "garbage" is not a valid receipt handle.',
  });
  const other = local.sqs.createQueue('other').url;
  await expect(client.send(new DeleteMessageCommand({ QueueUrl: other, ReceiptHandle }))).rejects.toMatchObject({
    name: 'ReceiptHandleIsInvalid',
  });
  clock.advance(12 * hour + 1);
  await expect(remove(ReceiptHandle)).rejects.toMatchObject({ Code: 'InvalidParameterValue' });
  const again = await receiveOne();
  await remove(again.ReceiptHandle);
  await expect(hide(again.ReceiptHandle, 1)).rejects.toMatchObject({
    Code: 'InvalidParameterValue',
    message: expect.stringContaining('Message does not exist or is not available for visibility timeout change.'),
  });
});

test('a delayed message comes when its own delay is over, else that of the queue when it was sent', async () => {
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'own', DelaySeconds: 10 }));
  await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: '20' } }));
  await send('queue');
  await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { DelaySeconds: '0' } }));
  expect((await attributes()).ApproximateNumberOfMessagesDelayed).toBe('2');
  expect(await receive()).toEqual([]);
  clock.advance(10_000);
  expect((await receive({ MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).toEqual(['own']);
  clock.advance(10_000);
  expect((await receive({ MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).toEqual(['queue']);
});

test('retention ends a message, in flight or not, counted from its sending', async () => {
  await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { MessageRetentionPeriod: '60' } }));
  await send('in flight');
  clock.advance(30_000);
  await receiveOne({ VisibilityTimeout: 600 });
  await send('later');
  clock.advance(30_000);
  expect(local.sqs.queue('orders').messages.map(({ body }) => body)).toEqual(['later']);
  clock.advance(20_000);
  await send('latest');
  await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { MessageRetentionPeriod: '120' } }));
  clock.advance(20_000);
  expect(local.sqs.queue('orders').size).toBe(2);
  // Shortened, it ends at once what is older.
  await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { MessageRetentionPeriod: '60' } }));
  expect(local.sqs.queue('orders').messages.map(({ body }) => body)).toEqual(['latest']);
});

test('the receive beyond maxReceiveCount moves the message to the dead-letter queue as it is', async () => {
  const dead = local.sqs.createQueue('orders-dead', { MessageRetentionPeriod: '1209600' });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
  await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { RedrivePolicy } }));
  const MessageAttributes = { a: { DataType: 'String', StringValue: 'x' } };
  const sent = await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'poison', MessageAttributes }));
  for (const count of ['1', '2']) {
    expect((await receiveOne()).Attributes?.ApproximateReceiveCount).toBe(count);
    clock.advance(30_000);
  }
  expect(dead.size).toBe(0);
  expect(await receive()).toEqual([]);
  expect(local.sqs.queue('orders').size).toBe(0);
  expect(await receiveOne({ QueueUrl: dead.url })).toMatchObject({
    MessageId: sent.MessageId,
    MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
    Attributes: {
      // Recorded from AWS: the count goes on in the dead-letter queue.
      ApproximateReceiveCount: '3',
      SentTimestamp: String(start),
      DeadLetterQueueSourceArn: local.sqs.queue('orders').arn,
    },
  });
  clock.moveTo(start + 14 * 24 * hour);
  expect(dead.size).toBe(0);
  const sources = await client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead.url }));
  expect(sources.queueUrls).toEqual([QueueUrl]);
});

test('a message can be delivered twice, in flight or deleted', async () => {
  const queue = local.sqs.queue('orders');
  const id = await send('m');
  const first = await receiveOne();
  queue.deliverAgain(id);
  const second = await receiveOne();
  expect(second.MessageId).toBe(first.MessageId);
  expect(await receive()).toEqual([]);
  await remove(second.ReceiptHandle);
  expect(queue.size).toBe(0);
  queue.deliverAgain(id);
  const third = await receiveOne();
  expect(third.MessageId).toBe(id);
  // Asked for while it is in flight, the copy comes although the message is deleted before.
  queue.deliverAgain(id);
  await remove(third.ReceiptHandle);
  expect((await receive()).map(({ MessageId }) => MessageId)).toEqual([id]);
});

test('the order with shuffle is another one for another seed, and the same for the same', () => {
  const order = (seed: number) => {
    let state = seed;
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
    const queue = createSqs({ now: () => 0, random, shuffle: true }).createQueue('q');
    for (let i = 0; i < 10; i++) queue.send({ body: String(i) });
    return queue.receive({ maxMessages: 10 }).map(({ body }) => body);
  };
  expect(order(1)).toEqual(order(1));
  expect(order(1)).not.toEqual(order(2));
  expect(order(1).toSorted()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});

test('without shuffle those that wait longest come first, so failing ones do not starve the rest', async () => {
  for (const body of ['a', 'b', 'c']) await send(body);
  clock.advance(1000);
  await hide((await receiveOne()).ReceiptHandle, 0);
  expect((await receive({ MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).toEqual(['b', 'c', 'a']);
});

test('what was received three times goes to the back, and the metric of the oldest passes over it', async () => {
  const sqs = createSqs({ now: clock.now });
  const queue = sqs.createQueue('poisoned');
  queue.send({ body: 'poison' });
  clock.advance(60_000);
  queue.send({ body: 'good' });
  expect(queue.ageOfOldestSeconds()).toBe(60);

  for (let receives = 1; receives < 3; receives += 1) queue.receive({ visibilitySeconds: 0 });
  queue.receive({ maxMessages: 10, visibilitySeconds: 900 });
  expect(queue.messages.map(({ body }) => body)).toEqual(['good', 'poison']);
  clock.advance(30_000);
  expect(queue.ageOfOldestSeconds()).toBe(30);

  const [good] = queue.messages;
  for (let receives = 0; receives < 2; receives += 1) {
    queue.deliverAgain(good?.id ?? '');
    queue.receive({ visibilitySeconds: 900 });
  }
  expect(queue.ageOfOldestSeconds(), 'nothing else is left').toBeUndefined();
});

test('the oldest of a FIFO queue stays in its place; a dead letter’s age begins when it was moved', async () => {
  const sqs = createSqs({ now: clock.now });
  const dead = sqs.createQueue('orders-dlq');
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
  const [source, fifo] = [sqs.createQueue('source', { RedrivePolicy }), sqs.createQueue('orders.fifo')];
  source.send({ body: 'dies' });
  for (const id of ['1', '2']) fifo.send({ body: id, groupId: 'a', deduplicationId: id });
  clock.advance(60_000);
  for (let receives = 0; receives < 4; receives += 1) fifo.receive({ visibilitySeconds: 0 });
  for (let receives = 0; receives < 2; receives += 1) source.receive({ visibilitySeconds: 0 });
  clock.advance(10_000);
  expect(fifo.messages.map(({ body }) => body)).toEqual(['1', '2']);
  expect([fifo.ageOfOldestSeconds(), source.ageOfOldestSeconds(), dead.ageOfOldestSeconds()]).toEqual([
    70,
    undefined,
    10,
  ]);
});

test('a short poll beyond the quota in flight is OverLimit, and a long one finds nothing', async () => {
  await local.server.stop();
  local = await startSqs({ now: clock.now, inFlightQuota: 3 });
  const here = new SQSClient({ ...connection, endpoint: local.url });
  const queue = local.sqs.createQueue('small');
  for (let i = 0; i < 5; i++) queue.send({ body: 'm' });
  const poll = (input = {}) => here.send(new ReceiveMessageCommand({ QueueUrl: queue.url, ...input }));
  expect((await poll({ MaxNumberOfMessages: 10 })).Messages).toHaveLength(3);
  await expect(poll()).rejects.toMatchObject({ name: 'OverLimit', $metadata: { httpStatusCode: 403 } });
  expect((await poll({ WaitTimeSeconds: 1 })).Messages).toBeUndefined();
  clock.advance(30_000);
  expect((await poll()).Messages).toHaveLength(1);
  here.destroy();
});

test('a batch says of each entry what became of it', async () => {
  const sent = await client.send(
    new SendMessageBatchCommand({
      QueueUrl,
      Entries: [
        { Id: 'good', MessageBody: 'good' },
        { Id: 'bad', MessageBody: '\u0001' },
        { Id: 'late', MessageBody: 'late', DelaySeconds: 901 },
      ],
    }),
  );
  expect(sent.Successful?.map(({ Id }) => Id)).toEqual(['good']);
  expect(sent.Failed).toMatchObject([
    { Id: 'bad', SenderFault: true, Code: 'InvalidMessageContents' },
    { Id: 'late', SenderFault: true, Code: 'InvalidParameterValue' },
  ]);
  const { ReceiptHandle } = await receiveOne();
  const hidden = await client.send(
    new ChangeMessageVisibilityBatchCommand({
      QueueUrl,
      Entries: [
        { Id: 'good', ReceiptHandle, VisibilityTimeout: 60 },
        { Id: 'long', ReceiptHandle, VisibilityTimeout: 43_201 },
      ],
    }),
  );
  expect([hidden.Successful, hidden.Failed]).toMatchObject([[{ Id: 'good' }], [{ Id: 'long' }]]);
  const deleted = await client.send(
    new DeleteMessageBatchCommand({
      QueueUrl,
      Entries: [
        { Id: 'none', ReceiptHandle: 'garbage' },
        { Id: 'good', ReceiptHandle },
      ],
    }),
  );
  expect([deleted.Successful, deleted.Failed]).toMatchObject([
    [{ Id: 'good' }],
    [{ Id: 'none', Code: 'ReceiptHandleIsInvalid' }],
  ]);
  expect(local.sqs.queue('orders').size).toBe(0);
});

test('counts tell visible, in flight and delayed messages apart', async () => {
  for (const body of ['a', 'b', 'c']) await send(body);
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'd', DelaySeconds: 5 }));
  await receiveOne();
  expect(await attributes()).toMatchObject({
    ApproximateNumberOfMessages: '2',
    ApproximateNumberOfMessagesNotVisible: '1',
    ApproximateNumberOfMessagesDelayed: '1',
    QueueArn: 'arn:aws:sqs:eu-central-1:123456789012:orders',
    VisibilityTimeout: '30',
    MaximumMessageSize: '1048576',
    MessageRetentionPeriod: '345600',
  });
});

test('queues are created once, found, listed and emptied', async () => {
  const create = (Attributes: Record<string, string>) =>
    client.send(new CreateQueueCommand({ QueueName: 'new', Attributes }));
  const { QueueUrl: url = '' } = await create({ VisibilityTimeout: '60' });
  expect((await create({ VisibilityTimeout: '60' })).QueueUrl).toBe(url);
  await expect(create({ VisibilityTimeout: '61' })).rejects.toMatchObject({ name: 'QueueNameExists' });
  expect((await client.send(new GetQueueUrlCommand({ QueueName: 'new' }))).QueueUrl).toBe(url);
  expect((await client.send(new ListQueuesCommand({ QueueNamePrefix: 'ne' }))).QueueUrls).toEqual([url]);
  await expect(client.send(new GetQueueUrlCommand({ QueueName: 'none' }))).rejects.toMatchObject({
    name: 'QueueDoesNotExist',
    Code: 'AWS.SimpleQueueService.NonExistentQueue',
  });
  await send('m');
  await client.send(new PurgeQueueCommand({ QueueUrl }));
  expect(local.sqs.queue('orders').size).toBe(0);
  await expect(client.send(new PurgeQueueCommand({ QueueUrl }))).rejects.toMatchObject({
    name: 'PurgeQueueInProgress',
  });
});

test('a queue is found by its URL on whatever host', async () => {
  const url = 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders';
  await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'm' }));
  expect(local.sqs.queue('orders').size).toBe(1);
});

test('access that was taken away is denied over the protocol until it is given back', async () => {
  local.sqs.denyAccess('orders', true);
  await expect(send('m')).rejects.toMatchObject({
    Code: 'AccessDenied',
    $metadata: { httpStatusCode: 403 },
    message: expect.stringContaining('sqs:sendmessage on resource: arn:aws:sqs:eu-central-1:123456789012:orders'),
  });
  local.sqs.denyAccess('orders', false);
  await send('m');
});

test('a long poll waits for an arrival', async () => {
  const poll = receive({ WaitTimeSeconds: 20 });
  // Answered only after the poll: both go over sockets, and the second proves that the first is being served.
  await attributes();
  await send('m');
  expect((await poll).map(({ Body }) => Body)).toEqual(['m']);
});

test('a long poll ends empty when its time is over', async () => {
  const began = performance.now();
  expect(await receive({ WaitTimeSeconds: 1 })).toEqual([]);
  expect(performance.now() - began).toBeGreaterThan(950);
});

test('facts about a queue can be waited for, and say what they waited for in vain', async () => {
  const queue = local.sqs.queue('orders');
  const full = waitForMessages(queue, 2);
  await send('a');
  await send('b');
  await full;
  await expect(waitUntilEmpty(queue, { timeoutMs: 10 })).rejects.toThrow('waited 10 ms in vain: orders is empty');
  const empty = waitUntilEmpty(queue);
  for (const { receiptHandle } of queue.receive({ maxMessages: 10 })) queue.delete(receiptHandle);
  await empty;
});

test('a server that was stopped and started again has the messages still', async () => {
  await send('m');
  await local.server.stop();
  await expect(send('lost')).rejects.toThrow();
  await local.server.start();
  expect((await receive({ MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).toEqual(['m']);
});
