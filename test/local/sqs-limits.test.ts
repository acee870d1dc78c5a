/** What the local SQS refuses, as tables through the real SDK. */
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StartedSqs, startSqs } from '../../infra/local/aws/sqs/sqs.ts';

const MiB = 1_048_576;
const id128 = 'x'.repeat(128);
let local: StartedSqs;
let client: SQSClient;
let standard: string;
let fifo: string;

beforeAll(async () => {
  local = await startSqs();
  client = new SQSClient({
    endpoint: local.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  standard = local.sqs.createQueue('standard').url;
  fifo = local.sqs.createQueue('orders.fifo').url;
});

afterAll(async () => {
  client.destroy();
  await local.server.stop();
});

type Message = Partial<SendMessageCommandInput>;
const send = (QueueUrl: string, message: Message) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'm', ...message }));
const text = (StringValue: string) => ({ DataType: 'String', StringValue });
const attributes = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, text('x')]));

describe('a standard queue takes', () => {
  test.each<[string, Message]>([
    ['a body of 1 MiB', { MessageBody: 'x'.repeat(MiB) }],
    [
      'a body that has 1 MiB together with its attribute',
      { MessageBody: 'x'.repeat(MiB - 8), MessageAttributes: { a: text('x') } },
    ],
    ['ten attributes', { MessageAttributes: attributes(10) }],
    [
      'tab, line feed, carriage return and the edges of the ranges',
      { MessageBody: '\t\n\r \ud7ff\ue000\ufffd\u{10000}\u{10ffff}' },
    ],
    ['a group id of 128 characters', { MessageGroupId: id128 }],
    ['a delay of 900 s', { DelaySeconds: 900 }],
    ['a type with a label', { MessageAttributes: { a: { DataType: 'Number.float', StringValue: '-1.5e3' } } }],
    ['all characters of an attribute name', { MessageAttributes: { 'a_B-1.c': text('x') } }],
  ])('a standard queue accepts %s', async (_name, message) => {
    await expect(send(standard, message)).resolves.toMatchObject({ MessageId: expect.any(String) });
  });
});

describe('a standard queue refuses', () => {
  test.each<[string, Message, string]>([
    ['an empty body', { MessageBody: '' }, 'MissingParameter'],
    ['a body of 1 MiB and a byte', { MessageBody: 'x'.repeat(MiB + 1) }, 'InvalidParameterValue'],
    ['a body that counts over 1 MiB in UTF-8', { MessageBody: 'ä'.repeat(MiB / 2 + 1) }, 'InvalidParameterValue'],
    [
      'attributes that take it over 1 MiB',
      { MessageBody: 'x'.repeat(MiB - 7), MessageAttributes: { a: text('x') } },
      'InvalidParameterValue',
    ],
    ['eleven attributes', { MessageAttributes: attributes(11) }, 'InvalidParameterValue'],
    ['a NUL', { MessageBody: '\u0000' }, 'InvalidMessageContents'],
    ['a vertical tab', { MessageBody: '\u000b' }, 'InvalidMessageContents'],
    ['U+FFFE', { MessageBody: '\ufffe' }, 'InvalidMessageContents'],
    ['half a surrogate pair', { MessageBody: '\ud800' }, 'InvalidMessageContents'],
    ['an attribute without value', { MessageAttributes: { a: text('') } }, 'InvalidParameterValue'],
    [
      'an attribute of an unknown type',
      { MessageAttributes: { a: { DataType: 'Text', StringValue: 'x' } } },
      'InvalidParameterValue',
    ],
    [
      'a number that is none',
      { MessageAttributes: { a: { DataType: 'Number', StringValue: 'one' } } },
      'InvalidParameterValue',
    ],
    ['an attribute named by AWS', { MessageAttributes: { 'aws.a': text('x') } }, 'InvalidParameterValue'],
    [
      'an attribute name with two periods in a row',
      { MessageAttributes: { 'a..b': text('x') } },
      'InvalidParameterValue',
    ],
    ['an attribute name that ends with a period', { MessageAttributes: { 'a.': text('x') } }, 'InvalidParameterValue'],
    ['an attribute name with a space', { MessageAttributes: { 'a b': text('x') } }, 'InvalidParameterValue'],
    [
      'an attribute name of 257 characters',
      { MessageAttributes: { ['a'.repeat(257)]: text('x') } },
      'InvalidParameterValue',
    ],
    ['a delay of 901 s', { DelaySeconds: 901 }, 'InvalidParameterValue'],
    ['a group id with a space', { MessageGroupId: 'group 123' }, 'InvalidParameterValue'],
    ['a group id of 129 characters', { MessageGroupId: `${id128}x` }, 'InvalidParameterValue'],
    ['a deduplication id', { MessageDeduplicationId: 'x' }, 'InvalidParameterValue'],
  ])('a standard queue refuses %s', async (_name, message, Code) => {
    const before = local.sqs.queue('standard').size;
    await expect(send(standard, message)).rejects.toMatchObject({ Code, $metadata: { httpStatusCode: 400 } });
    expect(local.sqs.queue('standard').size).toBe(before);
  });
});

describe('a FIFO queue refuses', () => {
  const ids = { MessageGroupId: 'g', MessageDeduplicationId: 'd' };
  test.each<[string, Message, string]>([
    ['no group id', { MessageDeduplicationId: 'd' }, 'MissingParameter'],
    ['no deduplication id without content-based deduplication', { MessageGroupId: 'g' }, 'InvalidParameterValue'],
    ['a delay of its own', { ...ids, DelaySeconds: 2 }, 'InvalidParameterValue'],
    ['a deduplication id of 129 characters', { ...ids, MessageDeduplicationId: `${id128}x` }, 'InvalidParameterValue'],
    ['a deduplication id with an umlaut', { ...ids, MessageDeduplicationId: 'ä' }, 'InvalidParameterValue'],
    ['an empty group id', { ...ids, MessageGroupId: '' }, 'InvalidParameterValue'],
  ])('a FIFO queue refuses %s', async (_name, message, Code) => {
    await expect(send(fifo, message)).rejects.toMatchObject({ Code });
    expect(local.sqs.queue('orders.fifo').size).toBe(0);
  });
});

describe('a batch is refused as a whole', () => {
  const entry = (Id: string, more: object = {}) => ({ Id, MessageBody: 'm', ...more });
  const many = Array.from({ length: 11 }, (_, index) => entry(String(index)));
  const half = 'x'.repeat(MiB / 2);
  test.each<[string, () => string, ReturnType<typeof entry>[], string]>([
    ['without entries', () => standard, [], 'EmptyBatchRequest'],
    ['with eleven entries', () => standard, many, 'TooManyEntriesInBatchRequest'],
    ['with an id twice', () => standard, [entry('a'), entry('a')], 'BatchEntryIdsNotDistinct'],
    ['with an id of other characters', () => standard, [entry('a:b')], 'InvalidBatchEntryId'],
    ['with an id of 81 characters', () => standard, [entry('a'.repeat(81))], 'InvalidBatchEntryId'],
    [
      'over 1 MiB in all',
      () => standard,
      [entry('a', { MessageBody: half }), entry('b', { MessageBody: `${half}x` })],
      'BatchRequestTooLong',
    ],
    ['without a group id on FIFO', () => fifo, [entry('a', { MessageDeduplicationId: 'd' })], 'InvalidParameterValue'],
    ['without a deduplication id on FIFO', () => fifo, [entry('a', { MessageGroupId: 'g' })], 'InvalidParameterValue'],
  ])('a batch is refused as a whole: %s', async (_name, queueUrl, Entries, name) => {
    const error = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl(), Entries })).catch((e) => e);
    expect([error.name, error.Code?.replace('AWS.SimpleQueueService.', '')]).toContain(name);
  });

  test('a batch of deletions is refused as a whole, too', async () => {
    await expect(client.send(new DeleteMessageBatchCommand({ QueueUrl: standard, Entries: [] }))).rejects.toMatchObject(
      { name: 'EmptyBatchRequest' },
    );
  });
});

describe('a batch whose entries have 1 MiB in all', () => {
  test('a batch whose entries have 1 MiB in all is accepted', async () => {
    const body = 'x'.repeat(MiB / 2);
    const Entries = ['a', 'b'].map((Id) => ({ Id, MessageBody: body }));
    const { Successful } = await client.send(new SendMessageBatchCommand({ QueueUrl: standard, Entries }));
    expect(Successful).toHaveLength(2);
  });

  test('a batch whose entries have 1 MiB in all fails for one entry that is larger than the queue allows', async () => {
    const { url } = local.sqs.createQueue('small', { MaximumMessageSize: '1024' });
    const Entries = [
      { Id: 'large', MessageBody: 'x'.repeat(1025) },
      { Id: 'small', MessageBody: 'x'.repeat(1024) },
    ];
    const { Successful, Failed } = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    expect([Successful, Failed]).toMatchObject([
      [{ Id: 'small' }],
      [
        {
          Id: 'large',
          Message: 'One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.',
        },
      ],
    ]);
  });
});

describe('a receive is refused', () => {
  test.each([
    { MaxNumberOfMessages: 0 },
    { MaxNumberOfMessages: 11 },
    { VisibilityTimeout: -1 },
    { VisibilityTimeout: 43_201 },
    { WaitTimeSeconds: -1 },
    { WaitTimeSeconds: 21 },
  ])('a receive is refused with %j', async (input) => {
    await expect(client.send(new ReceiveMessageCommand({ QueueUrl: standard, ...input }))).rejects.toMatchObject({
      Code: 'InvalidParameterValue',
      message: expect.stringContaining(Object.keys(input)[0] ?? ''),
    });
  });
});

test('a visibility beyond 43,200 s is refused before the handle is looked at', async () => {
  const input = { QueueUrl: standard, ReceiptHandle: 'garbage', VisibilityTimeout: 43_201 };
  await expect(client.send(new ChangeMessageVisibilityCommand(input))).rejects.toMatchObject({
    Code: 'InvalidParameterValue',
  });
});

describe('a queue is not created', () => {
  test.each<[string, Record<string, string>, string]>([
    ['a b', {}, 'InvalidParameterValue'],
    ['x'.repeat(81), {}, 'InvalidParameterValue'],
    ['new', { FifoQueue: 'true' }, 'InvalidParameterValue'],
    ['new.fifo', {}, 'InvalidParameterValue'],
    ['new', { VisibilityTimeout: '43201' }, 'InvalidAttributeValue'],
    ['new', { MessageRetentionPeriod: '1209601' }, 'InvalidAttributeValue'],
    ['new', { ContentBasedDeduplication: 'true' }, 'InvalidAttributeName'],
    ['new', { RedrivePolicy: '{"deadLetterTargetArn":"dummy","maxReceiveCount":42}' }, 'InvalidParameterValue'],
    ['new', { RedrivePolicy: 'no JSON' }, 'InvalidParameterValue'],
    [
      'new',
      { RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:123456789012:none","maxReceiveCount":1}' },
      'InvalidParameterValue',
    ],
    [
      'new',
      {
        RedrivePolicy:
          '{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:123456789012:standard","maxReceiveCount":1001}',
      },
      'InvalidParameterValue',
    ],
  ])('a queue is not created %s with %j', async (QueueName, Attributes, Code) => {
    await expect(client.send(new CreateQueueCommand({ QueueName, Attributes }))).rejects.toMatchObject({ Code });
    expect(local.sqs.findQueue(QueueName)).toBeUndefined();
  });
});

test('the kind of a queue cannot be changed', async () => {
  const change = (QueueUrl: string, FifoQueue: string) =>
    client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { FifoQueue } }));
  await expect(change(standard, 'true')).rejects.toMatchObject({ name: 'InvalidAttributeName' });
  await expect(change(fifo, 'false')).rejects.toMatchObject({ name: 'InvalidAttributeValue' });
});

test('an operation that is not imitated says so', async () => {
  const headers = { 'x-amz-target': 'AmazonSQS.TagQueue' };
  const answer = await fetch(local.url, { method: 'POST', headers, body: '{}' });
  expect([answer.status, await answer.json()]).toMatchObject([404, { message: 'TagQueue is not imitated.' }]);
});
