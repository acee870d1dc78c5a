import type { SQSRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { toRecord } from '../../../infra/local/aws/queue-trigger/event.ts';
import { type Stage, setStage } from '../stage.ts';

const PLAN = { name: 'orders', flow: { csrfProtected: false } } as const;

/** Sends so many and takes them out of the queue, as the records of one event. */
function records({ orders: { queue } }: Stage): SQSRecord[] {
  return queue.receive({ maxMessages: 10 }).map((message) => toRecord(message, queue.arn, 'eu-central-1'));
}

/** What the reply names; a function that threw gives its error. */
async function invoke({ deployed }: Stage, event: unknown): Promise<string[] | string> {
  const result = await deployed.queueFunction.invoke(event);
  if (!result.ok) return `${result.errorType}: ${result.errorMessage}`;
  const { batchItemFailures } = result.payload as { batchItemFailures: { itemIdentifier: string }[] };
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

describe('An event that names no message keeps the whole batch: the invocation throws.', () => {
  test('an event that is none of SQS keeps the whole batch: the invocation throws', async () => {
    const stage = await setStage({ plans: [PLAN] });
    for (const event of [{}, null, 'text', [], { Records: {} }, { Records: null }, { records: [] }]) {
      expect(await invoke(stage, event)).toMatch(/RelayError.*no list of Records/);
    }
    expect(await invoke(stage, { Records: [] })).toEqual([]);
  });

  test.each([
    { what: 'no messageId', change: ({ messageId: _, ...rest }: SQSRecord) => rest },
    { what: 'an empty messageId', change: (record: SQSRecord) => ({ ...record, messageId: '' }) },
    { what: 'a messageId that is a number', change: (record: SQSRecord) => ({ ...record, messageId: 4711 }) },
    { what: 'nothing at all in it', change: () => null },
  ])('a record with $what keeps the whole batch: none of the good ones is sent', async ({ change }) => {
    const stage = await setStage({ plans: [PLAN] });
    stage.sendMany(3);
    const [first, second, third] = records(stage);

    expect(await invoke(stage, { Records: [first, second && change(second), third] })).toMatch(
      /RelayError.*a record has no messageId/,
    );

    expect(stage.attempts).toEqual([]);
    expect(stage.runtimeNode.requests).toEqual([]);
  });
});

describe('One malformed record among good ones fails alone, in plain words:', () => {
  test.each([
    { what: 'no body', change: { body: undefined }, outcome: 'failed', says: 'the record has no body' },
    { what: 'a body that is an object', change: { body: { order: 1 } }, outcome: 'failed', says: 'no body' },
    {
      what: 'a pointer that is no JSON',
      change: { body: 'no JSON', messageAttributes: { ExtendedPayloadSize: { stringValue: '9', dataType: 'Number' } } },
      outcome: 'rejected',
      says: 'the body is no pointer',
    },
    {
      what: 'a pointer of an unknown class',
      change: {
        body: '["com.example.Pointer",{"s3BucketName":"payloads","s3Key":"k"}]',
        messageAttributes: { SQSLargePayloadSize: { stringValue: '9', dataType: 'Number' } },
      },
      outcome: 'rejected',
      says: 'the body is no pointer',
    },
    {
      what: 'a pointer without a key',
      change: {
        body: '["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"payloads"}]',
        messageAttributes: { ExtendedPayloadSize: { stringValue: '9', dataType: 'Number' } },
      },
      outcome: 'rejected',
      says: 'the body is no pointer',
    },
    {
      what: 'a pointer to a bucket that nobody named',
      change: {
        body: '["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"others","s3Key":"k"}]',
        messageAttributes: { ExtendedPayloadSize: { stringValue: '9', dataType: 'Number' } },
      },
      outcome: 'rejected',
      says: 'not among payloadBuckets',
    },
    {
      what: 'headers that are a list',
      change: { messageAttributes: { headers: { stringValue: '["a"]', dataType: 'String' } } },
      outcome: 'rejected',
      says: 'message attribute "headers"',
    },
    {
      what: 'a header that is no text',
      change: { messageAttributes: { headers: { stringValue: '{"x-unlisted":7}', dataType: 'String' } } },
      outcome: 'rejected',
      says: 'message attribute "headers"',
    },
    ...[
      { what: 'a space in the name', headers: { 'x-a b': 'c' }, says: 'a name that no HTTP request can carry' },
      { what: 'a line break in the name', headers: { 'x-a\r\nb': 'c' }, says: 'a name that no HTTP request can carry' },
      { what: 'a control character in the value', headers: { 'x-a': 'b\u0000' }, says: '"x-a" of the message' },
      { what: 'a line break in the value', headers: { 'x-a': 'b\r\nX-Evil: 1' }, says: '"x-a" of the message' },
      { what: 'a character beyond Latin-1 in the value', headers: { 'x-a': '5 €' }, says: '"x-a" of the message' },
      { what: 'none of SAP’s languages', headers: { 'Content-Language': '日本語' }, says: '"content-language" of' },
    ].map(({ what, headers, says }) => ({
      what: `a header that goes along, with ${what}`,
      change: { messageAttributes: { headers: { stringValue: JSON.stringify(headers), dataType: 'String' } } },
      outcome: 'rejected',
      says,
    })),
    {
      what: 'a content type with a line break',
      change: { messageAttributes: { contentType: { stringValue: 'text/xml\r\nX-Evil: 1', dataType: 'String' } } },
      outcome: 'rejected',
      says: 'contentType',
    },
  ])('one malformed record among good ones fails alone, in plain words: $what', async ({ change, outcome, says }) => {
    // Without a dead-letter queue, so that the reply names what was rejected, too.
    const stage = await setStage({
      plans: [{ ...PLAN, settings: { deadLetterQueueUrl: undefined, forwardHeaders: ['x-a*'] } }],
    });
    const ids = stage.sendMany(3);
    const [first, ...others] = records(stage);
    const bad = { ...first, ...change };

    expect(await invoke(stage, { Records: [others[0], bad, others[1]] })).toEqual([first?.messageId]);

    expect(stage.attemptsOf(first?.messageId ?? '')).toMatchObject([{ outcome, executed: 'no', calls: 0 }]);
    expect(stage.attemptsOf(first?.messageId ?? '')[0]?.reason).toContain(says);
    expect(stage.arrivals().sort()).toEqual(ids.filter((id) => id !== first?.messageId));
  });
});

describe('What is odd and harmless is delivered:', () => {
  test.each([
    { what: 'no attributes of the system', change: { attributes: undefined } },
    { what: 'no message attributes', change: { messageAttributes: null } },
    { what: 'message attributes that are a list', change: { messageAttributes: [] } },
    {
      what: 'headers that no request could carry, and that do not go along',
      change: {
        messageAttributes: {
          headers: { stringValue: '{"x b":"c","x-d":"5 €","":"e","cookie":"\\n"}', dataType: 'String' },
        },
      },
    },
    { what: 'attributes of no type', change: { messageAttributes: { tenant: {}, other: null } } },
    {
      what: 'times that are no numbers',
      change: { attributes: { SentTimestamp: 'soon', ApproximateReceiveCount: '-1' } },
    },
    { what: 'an ARN that is none', change: { eventSourceARN: 'queue' } },
    { what: 'no ARN', change: { eventSourceARN: undefined } },
  ])('a record with $what is odd and harmless, and delivered', async ({ change }) => {
    // Without a queue's name there must be one destination alone, and it must name no queue.
    const stage = await setStage({ plans: [{ ...PLAN, settings: { queue: undefined } }], tokenDuringInit: true });
    const id = stage.send(stage.orders);
    const [record] = records(stage);

    expect(await invoke(stage, { Records: [{ ...record, ...change }] })).toEqual([]);

    expect(stage.arrivals()).toEqual([id]);
    expect(stage.attemptsOf(id)).toMatchObject([{ outcome: 'delivered' }]);
  });
});

describe('A record of a queue that no destination has', () => {
  const ARNS = ['arn:aws:sqs:eu-central-1:123456789012:unknown', 'queue', '', undefined];
  test.each(ARNS)(
    'a record of a queue that no destination has (%s) is kept alone, and the log names it',
    async (eventSourceARN) => {
      const stage = await setStage({ plans: [PLAN, { name: 'invoices', flow: { csrfProtected: false } }] });
      const ids = stage.sendMany(2);
      const [stray, good] = records(stage);

      const Records = [{ ...stray, eventSourceARN }, good];
      expect(await invoke(stage, { Records })).toEqual([stray?.messageId]);

      expect(stage.arrivals()).toEqual(ids.filter((id) => id === good?.messageId));
      expect(stage.told('queue.unknown')).toMatchObject([
        // An empty one is left out of the line.
        { messages: 1, ...(eventSourceARN ? { queueArn: eventSourceARN } : {}) },
      ]);
    },
  );
});

test('a record of another queue is not for the only destination that there is, if that names its own', async () => {
  // Nothing stands by, so that there is one destination alone.
  const stage = await setStage({ plans: [PLAN], tokenDuringInit: true });
  stage.sendMany(2);
  const [stray, good] = records(stage);
  const eventSourceARN = 'arn:aws:sqs:eu-central-1:123456789012:another';

  expect(await invoke(stage, { Records: [{ ...stray, eventSourceARN }, good] })).toEqual([stray?.messageId]);

  expect(stage.arrivals()).toEqual([good?.messageId]);
  expect(stage.told('queue.unknown')).toMatchObject([{ messages: 1, queueArn: eventSourceARN }]);
});

test('a record without a receipt is answered like any other; only its wait cannot be set', async () => {
  const stage = await setStage({
    plans: [{ ...PLAN, flow: { csrfProtected: false, answer: () => ({ status: 503 }) } }],
  });
  stage.send(stage.orders);
  const [{ receiptHandle: _, ...record } = { receiptHandle: '', messageId: '' }] = records(stage);

  expect(await invoke(stage, { Records: [record] })).toEqual([record.messageId]);

  expect(stage.told('visibility.unchanged')).toMatchObject([{ messages: 1 }]);
});
