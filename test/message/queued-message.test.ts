/** Messages as they lie in a queue, read: by hand with a body and nothing else, by us with the table's attributes. */
import { createHash } from 'node:crypto';
import type { SQSRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { Message } from '../../functions/message/message.ts';
import { fromRecord } from '../../functions/message/queued.ts';
import { keepInQueue, readBatch } from '../../functions/queue/event.ts';
import { fifoBatch, recordWith, standardBatch } from './sqs-event.ts';

function messageIn(record: SQSRecord): Message {
  const { message } = fromRecord(record);
  if (message instanceof RelayError) throw message;
  if ('pointer' in message) throw new Error('expected a payload in the queue');
  return message;
}

async function payloadOf(record: SQSRecord): Promise<Buffer> {
  return Buffer.from((await messageIn(record).body.open()) as Uint8Array);
}

describe('AWS’s sample batch', () => {
  test('a sample batch of AWS of a standard queue is two messages, each on its own', () => {
    const read = readBatch(standardBatch);
    expect(
      read.map(({ recordId, messageId, receiveCount, bytes }) => [recordId, messageId, receiveCount, bytes]),
    ).toEqual([
      ['059f36b4-87a3-44ab-83d2-661975830a7d', '059f36b4-87a3-44ab-83d2-661975830a7d', 1, 13],
      ['2e1424d4-f796-459a-8184-9c92662be6da', '2e1424d4-f796-459a-8184-9c92662be6da', 1, 13],
    ]);
    for (const queued of read) {
      expect(queued.queueArn).toBe('arn:aws:sqs:us-east-2:123456789012:my-queue');
      expect(queued).not.toHaveProperty('group');
      expect(queued.message).toMatchObject({ id: queued.recordId, headers: {} });
      expect(queued.message).not.toHaveProperty('contentType');
    }
  });

  test('a sample batch of AWS of a FIFO queue is a message in its group', () => {
    expect(readBatch(fifoBatch)).toMatchObject([{ recordId: '11d6ee51-4cc7-4302-9e22-7cd8afdaadf5', group: '1' }]);
    expect(readBatch(fifoBatch)).toMatchObject([{ message: { group: '1' } }]);
  });

  test('a sample batch of AWS is answered with what is to be kept', () => {
    expect(keepInQueue([])).toEqual({ batchItemFailures: [] });
    expect(keepInQueue(['a', 'b'])).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'b' }] });
  });

  test('a sample batch of AWS says when each message was sent and first received', () => {
    const [record] = standardBatch.Records as [SQSRecord];
    const messageAttributes = { priority: { stringValue: 'high', dataType: 'String' as const } };
    expect(fromRecord({ ...record, messageAttributes })).toMatchObject({
      receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...',
      sentAt: 1545082649183,
      firstReceivedAt: 1545082649185,
      body: 'Test message.',
      attributes: messageAttributes,
    });
  });
});

describe('A group', () => {
  test('a group on a standard queue means fairness, and no order', () => {
    const [sample] = fifoBatch.Records as [SQSRecord];
    const record = { ...sample, eventSourceARN: 'arn:aws:sqs:us-east-2:123456789012:fifo' };
    expect(fromRecord(record)).not.toHaveProperty('group');
    expect(messageIn(record)).not.toHaveProperty('group');
  });

  test('a group on a FIFO queue is one even if its name is missing', () => {
    const [sample] = fifoBatch.Records as [SQSRecord];
    const { MessageGroupId: _group, ...attributes } = sample.attributes;
    expect(fromRecord({ ...sample, attributes })).toMatchObject({ group: '' });
  });
});

describe('A receive count', () => {
  test.each([
    ['1', 1],
    ['17', 17],
    ['1000', 1000],
    ['0', 1],
    ['-1', 1],
    ['many', 1],
    ['', 1],
  ])('a receive count of %j is read as %d', (ApproximateReceiveCount, receiveCount) => {
    const record = recordWith('{}');
    const attributes = { ...record.attributes, ApproximateReceiveCount };
    expect(fromRecord({ ...record, attributes })).toMatchObject({ receiveCount });
  });
});

describe('The payload', () => {
  test.each<[string, string, Record<string, string>, Buffer]>([
    ['is the body', '{"order":4711}', {}, Buffer.from('{"order":4711}')],
    ['is the body in UTF-8', 'Jörg \u{1F511}', {}, Buffer.from('Jörg \u{1F511}')],
    ['keeps a byte order mark', '\uFEFF<a/>', {}, Buffer.from('\uFEFF<a/>')],
    ['keeps line breaks as they are', 'a\r\nb\nc\r', {}, Buffer.from('a\r\nb\nc\r')],
    ['that looks like base64 stays text', 'AAAA', {}, Buffer.from('AAAA')],
    ['that is a - stays one', '-', {}, Buffer.from('-')],
    ['in base64 is its bytes', 'AP+A/w==', { bodyEncoding: 'base64' }, Buffer.from([0, 255, 128, 255])],
    ['that is empty has no bytes', '-', { bodyEncoding: 'empty' }, Buffer.alloc(0)],
  ])('the payload %s', async (_, body, attributes, bytes) => {
    const record = recordWith(body, attributes);
    expect(await payloadOf(record)).toEqual(bytes);
    expect(messageIn(record).body.bytes).toBe(bytes.byteLength);
  });

  test('the payload opens as often as it is sent', async () => {
    const record = recordWith('AP8=', { bodyEncoding: 'base64' });
    const { body } = messageIn(record);
    expect(await body.open()).toEqual(await body.open());
  });

  test('the size of a payload counts as it lies in the queue', () => {
    expect(fromRecord(recordWith('AP+A/w==', { bodyEncoding: 'base64' })).bytes).toBe(8);
    expect(fromRecord(recordWith('ö')).bytes).toBe(2);
  });
});

describe('The attribute', () => {
  test.each([
    ['orders-4711', 'orders-4711'],
    ['urn:uuid:0', 'urn:uuid:0'],
    ['x'.repeat(128), 'x'.repeat(128)],
    ['with space', createHash('sha256').update('with space').digest('hex')],
    ['jörg', createHash('sha256').update('jörg').digest('hex')],
    ['x'.repeat(129), createHash('sha256').update('x'.repeat(129)).digest('hex')],
  ])('the attribute messageId %j gives the id', (messageId, id) => {
    const queued = fromRecord(recordWith('{}', { messageId }));
    expect(queued).toMatchObject({ messageId: id, recordId: '059f36b4-87a3-44ab-83d2-661975830a7d', message: { id } });
  });

  test.each(['application/xml', 'Text/XML; Charset="ISO-8859-1"', ''])(
    'the attribute contentType %j is kept as sent',
    (contentType) => {
      expect(messageIn(recordWith('{}', { contentType }))).toMatchObject({ contentType });
    },
  );

  test.each<[string, object]>([
    ['{}', {}],
    ['{"content-encoding":"gzip","ce-id":"1"}', { 'content-encoding': 'gzip', 'ce-id': '1' }],
    ['{"X-Id":"1"}', { 'x-id': '1' }],
    ['{"x-list":"1, 2","x-empty":""}', { 'x-list': '1, 2', 'x-empty': '' }],
  ])('the attribute headers %s gives the headers', (headers, expected) => {
    expect(messageIn(recordWith('{}', { headers })).headers).toEqual(expected);
  });

  test('an attribute of somebody else changes nothing', () => {
    const record = recordWith('{}', { priority: 'high', AWSTraceHeader: 'Root=1', deadLetter: '{"reason":"x"}' });
    expect(messageIn(record)).toMatchObject({ id: record.messageId, headers: {} });
    const binary = {
      ...record,
      messageAttributes: { contentType: { binaryValue: 'AAAA', dataType: 'Binary' as const } },
    };
    expect(messageIn(binary)).not.toHaveProperty('contentType');
  });

  test('an attribute of somebody else is a text beside the message, by its name in lower case', () => {
    const own = { messageId: 'order-4711', contentType: 'a/b', headers: '{}', deadLetter: '{}' };
    const record = recordWith('{}', { ...own, orderPath: 'de/4711', 'X-Prio': 'high' });
    expect(messageIn(record).attributes).toEqual({ orderpath: 'de/4711', 'x-prio': 'high' });
    expect(messageIn(recordWith('{}', own))).not.toHaveProperty('attributes');
    const binary = { photo: { binaryValue: 'AAAA', dataType: 'Binary' as const } };
    expect(messageIn({ ...record, messageAttributes: binary })).not.toHaveProperty('attributes');
  });

  test('all attributes may be missing, as in an event made by hand', () => {
    const { messageAttributes: _attributes, ...record } = recordWith('{}');
    expect(messageIn(record as SQSRecord)).toMatchObject({ id: record.messageId, headers: {} });
  });
});
