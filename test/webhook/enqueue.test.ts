/**
 * A webhook's message on its way into a queue. What SQS takes is judged by the landscape's own model of it, and what
 * lies there is read back as the queue function reads it: the very same message must come out.
 */

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OutgoingMessage } from '../../functions/aws/sqs.ts';
import { RelayError } from '../../functions/error.ts';
import type { Message } from '../../functions/message/message.ts';
import { fromRecord } from '../../functions/message/queued.ts';
import { createEnqueue, type EnqueueOptions, type Origin } from '../../functions/webhook/enqueue.ts';
import { messageBytes } from '../../infra/local/aws/sqs/digest.ts';
import { checkMessage } from '../../infra/local/aws/sqs/limits.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';

const MIB = 1_048_576;
const FUNCTION_ARN = 'arn:aws:lambda:eu-west-1:210987654321:function:token-relay-dev-webhook';
const QUEUE_URL = 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders';

interface Sent extends OutgoingMessage {
  readonly queueUrl: string;
}

/** SQS, S3 and the log, in the order in which they were used. */
function postOffice(
  { sqsFails, s3Fails, ...settings }: Partial<EnqueueOptions['destination']> & Faults = {},
  newId = () => 'one-of-a-kind',
) {
  const events: string[] = [];
  const sent: Sent[] = [];
  const signals: AbortSignal[] = [];
  const objects = new Map<string, Uint8Array>();
  const times = [1_000, 1_042];
  const enqueue = createEnqueue({
    destination: {
      name: 'orders',
      headers: {},
      forwardHeaders: ['*'],
      ...('queue' in settings ? {} : { queueUrl: QUEUE_URL }),
      ...settings,
    },
    sqs: {
      send: async (queueUrl, message, signal) => {
        events.push('sqs');
        signals.push(signal);
        if (sqsFails) throw sqsFails;
        sent.push({ queueUrl, ...message });
      },
    },
    s3: {
      put: async ({ bucket, key }, body, signal) => {
        events.push(`s3 ${bucket}/${key}`);
        signals.push(signal);
        if (s3Fails) throw s3Fails;
        objects.set(`${bucket}/${key}`, body);
      },
    },
    telemetry: quietTelemetry({
      queued: (line) => events.push(`queued ${Object.values(line).join(' ')}`),
      notQueued: (line) => events.push(`not queued ${Object.values(line).join(' ')}`),
    }),
    now: () => times.shift() ?? 1_042,
    newId,
  });
  const send = (
    message: Partial<Message> & { payload?: Buffer | string },
    origin: Partial<Origin> = {},
    deadline = TIME,
  ) => enqueue(messageWith(message), { eventSource: '', functionArn: FUNCTION_ARN, ...origin }, deadline);
  return { send, events, sent, objects, signals };
}

interface Faults {
  readonly sqsFails?: Error;
  readonly s3Fails?: Error;
}

const TIME = deadlineOf(20_000);
const NO_TIME = deadlineOf(0, AbortSignal.abort(new RelayError('DEADLINE', 'the time is over')));

function messageWith({
  payload = '{"order":4711}',
  ...rest
}: Partial<Message> & { payload?: Buffer | string }): Message {
  const bytes = Buffer.from(payload);
  return { id: 'm-1', headers: {}, body: { bytes: bytes.byteLength, open: async () => bytes }, ...rest };
}

const stringsOf = ({ attributes }: OutgoingMessage) =>
  Object.fromEntries(Object.entries(attributes).map(([name, { StringValue }]) => [name, StringValue]));

const landscapeAttributes = ({ attributes }: OutgoingMessage) =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType: dataType, StringValue: stringValue = '' }]) => [
      name,
      { dataType, stringValue },
    ]),
  );

/** As SQS hands it to the queue function. @throws if SQS would not have taken it */
function received(message: Sent) {
  const { body, groupId, deduplicationId } = message;
  const attributes = landscapeAttributes(message);
  const ids = groupId === undefined ? {} : { groupId, deduplicationId: deduplicationId ?? '' };
  checkMessage(
    { body, attributes, ...ids },
    {
      fifo: groupId !== undefined,
      contentBasedDeduplication: false,
      maximumMessageBytes: MIB,
    },
  );
  return fromRecord({
    messageId: 'sqs-1',
    receiptHandle: 'r',
    body,
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1', ApproximateFirstReceiveTimestamp: '1' },
    messageAttributes: attributes,
    eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:orders',
  } as unknown as SQSRecord);
}

describe('What lies in the queue', () => {
  test.each<[string, Buffer | string, string, Record<string, string>]>([
    ['a text as it is', '<größe>😀</größe>\r\n\t', '<größe>😀</größe>\r\n\t', {}],
    ['a byte order mark', '\uFEFF<a/>', '\uFEFF<a/>', {}],
    ['nothing at all', '', '-', { bodyEncoding: 'empty' }],
    ['a single hyphen', '-', '-', {}],
    ['a character that SQS refuses', 'a\u0000b', 'YQBi', { bodyEncoding: 'base64' }],
    ['the last that SQS takes', '\uFFFD', '\uFFFD', {}],
    ['the first beyond', '\uFFFE', '77++', { bodyEncoding: 'base64' }],
    ['Latin-1', Buffer.from('ä', 'latin1'), '5A==', { bodyEncoding: 'base64' }],
  ])('a queued message of %s is its body and no more attributes than needed', async (_, payload, body, attributes) => {
    const { send, sent, events } = postOffice();
    expect(await send({ payload })).toBe('queued');
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ queueUrl: QUEUE_URL, body });
    expect(stringsOf(sent[0] as Sent)).toEqual({ messageId: 'm-1', ...attributes });
    expect(events).toEqual(['sqs', `queued orders m-1 ${Buffer.byteLength(payload)} 42`]);
  });

  test('a queued message with content type and headers has at most four attributes', async () => {
    const { send, sent } = postOffice();
    const headers = { 'content-encoding': 'gzip', 'x-a': '1, 2' };
    await send({ payload: Buffer.from([0]), contentType: 'text/xml; charset="ISO-8859-1"', headers });
    expect(stringsOf(sent[0] as Sent)).toEqual({
      messageId: 'm-1',
      contentType: 'text/xml; charset="ISO-8859-1"',
      headers: '{"content-encoding":"gzip","x-a":"1, 2"}',
      bodyEncoding: 'base64',
    });
  });

  test('a queued message has neither group nor deduplication id on a standard queue', async () => {
    const { send, sent } = postOffice();
    await send({ group: 'lane' });
    expect(Object.keys(sent[0] ?? {}).sort()).toEqual(['attributes', 'body', 'queueUrl']);
  });

  test.each([
    ['in its group', 'customer-7', 'customer-7'],
    ['without one in the destination’s', undefined, 'orders'],
  ])('a message goes into a FIFO queue %s', async (_, group, groupId) => {
    const { send, sent } = postOffice({ queueUrl: `${QUEUE_URL}.fifo` });
    await send(group === undefined ? {} : { group });
    expect(sent[0]).toMatchObject({ groupId });
  });

  const text = fc.string({ unit: 'binary', minLength: 0, maxLength: 300 });
  const fieldValue = fc.stringMatching(/^[\t\x20-\x7E\x80-\xFF]{0,80}$/);
  const fieldName = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9a-z-]{1,20}$/);
  const message = fc.record({
    id: fc.stringMatching(/^[\x21-\x7E]{1,128}$/),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
      text.map((value) => Buffer.from(value)),
      fc.base64String().map((value) => Buffer.from(value)),
    ),
    contentType: fc.option(fc.stringMatching(/^[\t\x20-\x7E\x80-\xFF]{1,80}$/), { nil: undefined }),
    headers: fc.dictionary(fieldName, fieldValue, { maxKeys: 8 }),
    fifo: fc.boolean(),
  });

  describe('is on FIFO one message with another', () => {
    const FIFO = { queueUrl: `${QUEUE_URL}.fifo` };
    const first = { id: 'm-1', payload: '{"order":4711}', eventSource: '/erp' };
    const sha256 = (...parts: (string | Buffer)[]) =>
      createHash('sha256')
        .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
        .digest('hex');

    test.each<[string, Partial<typeof first> & { payload?: string | Buffer }, boolean]>([
      ['of the same source, id and bytes: a sender’s retry', {}, true],
      ['but not of other bytes: a captured body under the next order’s id', { payload: '{"order":4712}' }, false],
      ['but not of another id', { id: 'm-2' }, false],
      ['but not of another source', { eventSource: '/crm' }, false],
      ['but not of no source', { eventSource: '' }, false],
      ['but not where a character wanders from one to the next', { id: 'm-1{', payload: '"order":4711}' }, false],
      ['but not where two long ids begin alike', { id: `${'x'.repeat(127)}1` }, false],
    ])('two requests are one message on FIFO %s', async (_, change, isSame) => {
      const { send, sent } = postOffice(FIFO);
      for (const { eventSource, ...message } of [first, { ...first, ...change }]) await send(message, { eventSource });
      expect(sent[0]?.deduplicationId === sent[1]?.deduplicationId).toBe(isSame);
    });

    test.each([
      ['of a text', '{"order":"größe"}', '/erp'],
      ['of any bytes', Buffer.from([0, 255, 10]), '/erp'],
      ['of none', '', ''],
    ])(
      'the deduplication id is the SHA-256 over source, id and the bytes as they came: %s',
      async (_, payload, eventSource) => {
        const { send, sent } = postOffice(FIFO);
        await send({ id: 'm-1', payload }, { eventSource });
        expect(sent[0]?.deduplicationId).toBe(sha256(eventSource, '\0', 'm-1', '\0', payload));
      },
    );

    test('the deduplication id does not depend on the name of an object in S3', async () => {
      const names = ['one', 'two'];
      const { send, sent } = postOffice({ ...FIFO, payloadBucket: 'payloads' }, () => names.shift() ?? '');
      const payload = Buffer.alloc(MIB + 1, 'a');
      for (let attempt = 0; attempt < 2; attempt += 1) await send({ payload });
      expect(sent[0]?.body).not.toBe(sent[1]?.body);
      expect(sent.map(({ deduplicationId }) => deduplicationId)).toEqual(Array(2).fill(sha256('\0m-1\0', payload)));
    });
  });

  test('a message comes out of the queue as it went in: any bytes, any content type, any headers', async () => {
    await fc.assert(
      fc.asyncProperty(message, async ({ id, payload, contentType, headers, fifo }) => {
        const { send, sent } = postOffice({ queueUrl: fifo ? `${QUEUE_URL}.fifo` : QUEUE_URL });
        const type = contentType === undefined ? {} : { contentType };
        expect(await send({ id, payload, headers, ...type })).toBe('queued');
        const queued = received(sent[0] as Sent);
        if (queued.message instanceof RelayError || 'pointer' in queued.message) throw new Error('expected a message');
        const { body, ...head } = queued.message;
        expect(head).toEqual({ id, headers, ...type });
        expect(queued.messageId).toBe(id);
        expect(Buffer.compare(Buffer.from((await body.open()) as string | Buffer), payload)).toBe(0);
        expect(Object.keys(queued.attributes).length).toBeLessThanOrEqual(4);
      }),
      { numRuns: 300 },
    );
  });
});

describe('A message beyond 1 MiB', () => {
  /** Of an `a` so many that body and attributes are so many bytes. */
  const ofBytes = (total: number) => {
    const own = messageBytes('', { messageId: { dataType: 'String', stringValue: 'm-1' } });
    return Buffer.alloc(total - own, 'a');
  };

  test('a message of exactly 1 MiB with its attributes stays in the queue', async () => {
    const { send, sent, events } = postOffice({ payloadBucket: 'payloads' });
    expect(await send({ payload: ofBytes(MIB) })).toBe('queued');
    expect(events[0]).toBe('sqs');
    expect(messageBytes(sent[0]?.body ?? '', landscapeAttributes(sent[0] as Sent))).toBe(MIB);
  });

  test.each([
    ['a text', ofBytes(MIB + 1)],
    ['bytes that are too many as base64', Buffer.alloc(800_000, 255)],
  ])('a message beyond 1 MiB lies in S3, as it is, before SQS knows where: %s', async (_, payload) => {
    const { send, sent, events, objects } = postOffice({ payloadBucket: 'payloads' });
    expect(await send({ payload, contentType: 'application/pdf' })).toBe('queued');
    const key = 'webhooks/orders/one-of-a-kind';
    expect(events).toEqual([`s3 payloads/${key}`, 'sqs', `queued orders m-1 ${payload.byteLength} 42`]);
    expect(Buffer.compare(objects.get(`payloads/${key}`) ?? Buffer.alloc(0), payload)).toBe(0);
    expect(sent[0]?.body).toBe(
      JSON.stringify(['software.amazon.payloadoffloading.PayloadS3Pointer', { s3BucketName: 'payloads', s3Key: key }]),
    );
    expect(sent[0]?.attributes.ExtendedPayloadSize).toEqual({
      DataType: 'Number',
      StringValue: String(payload.byteLength),
    });
    expect(stringsOf(sent[0] as Sent)).not.toHaveProperty('bodyEncoding');
    expect(received(sent[0] as Sent).message).toEqual({
      id: 'm-1',
      contentType: 'application/pdf',
      headers: {},
      pointer: { bucket: 'payloads', key },
    });
  });

  test('a message beyond 1 MiB is too large without a bucket, and nothing of it goes out', async () => {
    const { send, events } = postOffice();
    expect(await send({ payload: ofBytes(MIB + 1) })).toBe('too-large');
    expect(events).toEqual([]);
  });

  test('a message beyond 1 MiB is not in the queue if S3 did not take it', async () => {
    const s3Fails = new RelayError('PAYLOAD_UNAVAILABLE', 'S3 is down');
    const { send, events } = postOffice({ payloadBucket: 'payloads', s3Fails });
    expect(await send({ payload: ofBytes(MIB + 1) })).toBe('unavailable');
    expect(events).toEqual(['s3 payloads/webhooks/orders/one-of-a-kind', 'not queued orders m-1 S3 is down']);
  });
});

describe('Nothing is called queued', () => {
  test('no message is called queued that SQS has not confirmed', async () => {
    const { send, events } = postOffice({ sqsFails: new RelayError('QUEUE_UNAVAILABLE', 'SQS did not confirm it') });
    expect(await send({})).toBe('unavailable');
    expect(events).toEqual(['sqs', 'not queued orders m-1 SQS did not confirm it']);
  });

  test('S3 and SQS calls end with the time that is left, and the message is not called queued', async () => {
    const { send, signals } = postOffice({ payloadBucket: 'payloads' });
    const deadline = deadlineOf(20_000);
    await send({ payload: Buffer.alloc(MIB + 1, 'x') }, {}, deadline);
    expect(signals).toHaveLength(2);
    for (const signal of signals) expect(signal).toBe(deadline.signal);
  });

  test('no message is sent after the time is over', async () => {
    const { send, events } = postOffice();
    expect(await send({}, {}, NO_TIME)).toBe('unavailable');
    expect(events).toEqual(['not queued orders m-1 the time is over']);
  });

  test('a message without a queue is not called queued, and the operator must act', async () => {
    const { send, events } = postOffice({ queue: undefined as never });
    expect(await send({})).toBe('unavailable');
    expect(events).toEqual([
      'not queued orders m-1 orders.queueUrl: required for a webhook that is queued; the operator must set it, or queue',
    ]);
  });

  test('a bug in queueing is not quoted in the reply: it may hold the payload', async () => {
    const { send, events } = postOffice({ sqsFails: new TypeError('hunter22') });
    expect(await send({})).toBe('unavailable');
    expect(events).toEqual(['sqs', 'not queued orders m-1 unexpected TypeError in the relay']);
  });

  test.each([
    { headers: { 'x a': 'v' }, enqueued: 'unsendable' },
    { headers: { 'x-a': '5 €' }, enqueued: 'unsendable' },
    { headers: { 'x-a': 'b\r\nX-Evil: 1' }, enqueued: 'unsendable' },
    { headers: { 'x-ours': '5 €' }, enqueued: 'queued' },
    { headers: { 'x-id': '5 €' }, enqueued: 'queued' },
  ])(
    'a message with headers %j is not called queued, unless ours stand in their place',
    async ({ headers, enqueued }) => {
      const { send } = postOffice({ headers: { 'X-Ours': 'v' }, idHeader: 'X-Id' });
      expect(await send({ headers })).toBe(enqueued);
    },
  );

  test('a message whose content type no request can carry is not called queued', async () => {
    const { send, events } = postOffice();
    expect(await send({ contentType: 'text/plain\u0000' })).toBe('unsendable');
    expect(events).toEqual([]);
  });
});

describe('The queue is', () => {
  test.each([
    ['the one at queueUrl, whatever queue says', { queueUrl: QUEUE_URL, queue: 'other' }, QUEUE_URL],
    [
      'the one of the ARN',
      { queue: 'arn:aws:sqs:us-east-1:999999999999:legacy.fifo' },
      'https://sqs.us-east-1.amazonaws.com/999999999999/legacy.fifo',
    ],
    [
      'the one of this name beside the function',
      { queue: 'token-relay-dev-orders' },
      'https://sqs.eu-west-1.amazonaws.com/210987654321/token-relay-dev-orders',
    ],
  ])('the URL of the queue is %s', async (_, settings, queueUrl) => {
    const { send, sent } = postOffice(settings);
    expect(await send({})).toBe('queued');
    expect(sent[0]?.queueUrl).toBe(queueUrl);
  });

  test('a queue in China is found at China’s endpoint', async () => {
    const { send, sent } = postOffice({ queue: 'orders' });
    await send({}, { functionArn: 'arn:aws-cn:lambda:cn-north-1:210987654321:function:webhook:live' });
    expect(sent[0]?.queueUrl).toBe('https://sqs.cn-north-1.amazonaws.com.cn/210987654321/orders');
  });
});

test('a body that is a stream is read whole', async () => {
  const { send, sent } = postOffice();
  const body = { bytes: 4, open: async () => Readable.from([Buffer.from('or'), Buffer.from('der')]) };
  await send({ body });
  expect(sent[0]?.body).toBe('order');
});
