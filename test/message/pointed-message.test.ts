/**
 * Messages whose payload lies in S3, as the Amazon SQS Extended Client Library puts it there: read, but not yet
 * fetched.
 */
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { fromRecord } from '../../functions/message/queued.ts';
import { recordWith } from './sqs-event.ts';

const NOW = 'software.amazon.payloadoffloading.PayloadS3Pointer';
/** Of the library's first version. */
const THEN = 'com.amazon.sqs.javamessaging.MessageS3Pointer';
const at = { s3BucketName: 'payloads', s3Key: 'orders/4711 ü.xml' };
const pointer = (name: string, value: unknown = at) => JSON.stringify([name, value]);

describe('A message in S3', () => {
  test.each([
    ['of today', 'ExtendedPayloadSize', NOW],
    ['of the first version', 'SQSLargePayloadSize', THEN],
    ['of the first version, by the attribute of today', 'ExtendedPayloadSize', THEN],
  ])('a message in S3 is recognised by the attribute and the pointer %s', (_, attribute, name) => {
    const record = recordWith(pointer(name), { [attribute]: '4711', contentType: 'text/xml', messageId: 'order-4711' });
    expect(fromRecord(record).message).toStrictEqual({
      id: 'order-4711',
      headers: {},
      contentType: 'text/xml',
      pointer: { bucket: 'payloads', key: 'orders/4711 ü.xml' },
    });
  });

  test('a message in S3 keeps its headers, and counts in the queue with its pointer', () => {
    const body = pointer(NOW);
    const record = recordWith(body, { ExtendedPayloadSize: '4711', headers: '{"ce-id":"1"}' });
    expect(fromRecord(record)).toMatchObject({
      message: { headers: { 'ce-id': '1' } },
      bytes: Buffer.byteLength(body),
    });
  });

  test('a message without the attribute is not in S3: a body that looks like a pointer is a payload', async () => {
    const { message } = fromRecord(recordWith(pointer(NOW)));
    if (message instanceof RelayError || 'pointer' in message) throw new Error('expected a payload');
    expect(String(await message.body.open())).toBe(pointer(NOW));
  });
});

describe('A pointer that is none', () => {
  test.each<[string, string]>([
    ['text', 'hunter22'],
    ['an empty body', ''],
    ['an object', JSON.stringify(at)],
    ['a list of one', JSON.stringify([NOW])],
    ['one of another class', pointer('java.lang.Runtime')],
    ['one without a bucket', pointer(NOW, { s3Key: 'hunter22' })],
    ['one without a key', pointer(NOW, { s3BucketName: 'hunter22' })],
    ['one with an empty bucket', pointer(NOW, { ...at, s3BucketName: '' })],
    ['one with an empty key', pointer(NOW, { ...at, s3Key: '' })],
    ['one with a number', pointer(NOW, { ...at, s3Key: 4711 })],
    ['one with a list', pointer(NOW, [at])],
    ['one with null', pointer(NOW, null)],
  ])('a pointer that is not valid is the sender’s to correct: %s', (_, body) => {
    for (const attribute of ['ExtendedPayloadSize', 'SQSLargePayloadSize']) {
      const { message } = fromRecord(recordWith(body, { [attribute]: '4711' }));
      expect(message).toMatchObject({ code: 'MESSAGE_INVALID', executed: 'no' });
      expect((message as RelayError).message).toBe(
        'message attribute "ExtendedPayloadSize": says that the payload is in S3, but the body is no pointer to it; the sender must correct it',
      );
      expect((message as RelayError).stack).not.toContain('hunter22');
    }
  });
});
