/** What is put back is the message as it was, with its id; and which letters cannot be put back. */
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromRecord } from '../../functions/message/queued.ts';
import { asRecord, type DeadLetters, startDeadLetters, statesIn, string } from './dead-letters.ts';

let letters: DeadLetters;
beforeEach(async () => {
  letters = await startDeadLetters();
});
afterEach(() => letters[Symbol.asyncDispose]());

describe('a message that was put back', () => {
  test('a message that was put back is what it was, and its id is the same', async () => {
    const attributes = {
      contentType: string('application/xml'),
      headers: string('{"traceparent":"00-1-2-01"}'),
      tenant: string('acme'),
      weight: { dataType: 'Number' as const, stringValue: '1.50' },
      blob: { dataType: 'Binary' as const, binaryValue: Buffer.from([0, 255, 128]).toString('base64') },
    };
    const id = await letters.bury({ body: '<größe>☃ \u2028</größe>', attributes });
    await letters.run(['--send']);
    const [sent] = letters.queue.messages;
    if (sent === undefined) throw new Error('nothing was sent');
    const record = asRecord(sent, letters.queue);
    expect(record.body).toBe('<größe>☃ \u2028</größe>');
    expect(record.messageAttributes).toEqual({ ...attributes, messageId: string(id) });
    expect(fromRecord(record)).toMatchObject({ messageId: id, message: { id, contentType: 'application/xml' } });
    expect(id).not.toBe(record.messageId);
  });

  test('a message that was put back keeps an id that fits into no header, as the flow sees it', async () => {
    const messageId = 'Bestellung Nr. 7 – größer';
    const id = await letters.bury({ attributes: { messageId: string(messageId) } });
    await letters.run(['--send']);
    const [sent] = letters.queue.messages;
    if (sent === undefined) throw new Error('nothing was sent');
    expect(sent.attributes.messageId?.stringValue).toBe(messageId);
    expect(fromRecord(asRecord(sent, letters.queue)).messageId).toBe(id);
  });

  test('a message that was put back has all its attributes, also those that moved into the letter', async () => {
    const binary = { dataType: 'Binary.png' as 'Binary', binaryValue: Buffer.from([137, 80]).toString('base64') };
    const many = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [`user.${index}`, string(`value ${index}`)]),
    );
    const attributes = { ...many, messageId: string('order-7'), picture: binary };
    await letters.bury({ attributes });
    const [letter] = letters.deadLetterQueue.messages;
    expect(Object.keys(letter?.attributes ?? {}).sort()).toEqual(['deadLetter', 'messageId']);
    await letters.run(['--send']);
    const [sent] = letters.queue.messages;
    if (sent === undefined) throw new Error('nothing was sent');
    expect(asRecord(sent, letters.queue).messageAttributes).toEqual(attributes);
  });

  test('a message that was put back is still the pointer that it was, where the payload is in S3', async () => {
    const body = '["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]';
    const attributes = { ExtendedPayloadSize: { dataType: 'Number' as const, stringValue: '2000000' } };
    const id = await letters.bury({ body, attributes });
    await letters.run(['--send']);
    const [sent] = letters.queue.messages;
    if (sent === undefined) throw new Error('nothing was sent');
    expect(fromRecord(asRecord(sent, letters.queue))).toMatchObject({
      messageId: id,
      body,
      message: { pointer: { bucket: 'b', key: 'k' } },
    });
  });

  test.each([
    { attributes: {}, id: 'SQS’s' },
    { attributes: { messageId: { DataType: 'String', StringValue: 'order-7' } }, id: 'its own' },
  ])(
    'a message that was put back goes to the queue that SQS moved it from, with the id that it had there: $id',
    async ({ attributes }) => {
      const { queue, deadLetterQueue, client } = letters;
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: deadLetterQueue.arn, maxReceiveCount: 1 });
      queue.setAttributes({ RedrivePolicy });
      await client.send(
        new SendMessageCommand({ QueueUrl: queue.url, MessageBody: '{}', MessageAttributes: attributes }),
      );
      const [{ messageId } = { messageId: '' }] = queue.receive({ visibilitySeconds: 0 });
      queue.receive();
      const id = attributes.messageId?.StringValue ?? messageId;
      expect((await letters.run([])).out).toContain(id);
      await letters.run(['--send']);
      const [sent] = queue.messages;
      expect(sent?.attributes).toEqual({ messageId: { dataType: 'String', stringValue: id } });
      expect(deadLetterQueue.size).toBe(0);
    },
  );
});

describe('a letter that cannot be put back stays, and the run fails:', () => {
  async function buryBy(StringValue: string): Promise<void> {
    const MessageAttributes = { deadLetter: { DataType: 'String', StringValue } };
    const QueueUrl = letters.deadLetterQueue.url;
    await letters.client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'by hand', MessageAttributes }));
  }

  test.each([
    ['no JSON', 'x', 'its attribute "deadLetter" cannot be read'],
    ['no object', '[1]', 'its attribute "deadLetter" cannot be read'],
    ['moved attributes that are none', '{"attributes":{"a":1}}', 'its attribute "deadLetter" cannot be read'],
    ['no queue', '{"outcome":"failed"}', 'it does not say which queue it came from; --queue names one'],
    ['no ARN', '{"queueArn":"orders"}', 'what it names as its queue is no ARN of a queue'],
    ['another region', '{"queueArn":"arn:aws:sqs:us-east-1:123456789012:orders"}', 'its queue is in us-east-1'],
    [
      'its dead-letter queue',
      '{"queueArn":"arn:aws:sqs:eu-central-1:123456789012:token-relay-dev-orders-dlq"}',
      'it names its dead-letter queue as its queue',
    ],
    [
      'a FIFO queue, and no group',
      '{"queueArn":"arn:aws:sqs:eu-central-1:123456789012:token-relay-dev-orders.fifo"}',
      'it has no message group, and its queue is a FIFO queue',
    ],
  ])('a letter that cannot be put back stays, and the run fails: %s', async (_, deadLetter, why) => {
    await buryBy(deadLetter);
    expect((await letters.run([])).out).toContain(`    cannot be put back: ${why}`);
    const { code, out, notes } = await letters.run(['--send']);
    expect(code).toBe(1);
    expect(notes).toContain(`it cannot be put back: ${why}`);
    expect(out).toContain('selected 1, sent 0, deleted 0, failed 1');
    expect(statesIn(letters.deadLetterQueue)).toEqual(['visible']);
  });

  test('a letter without room for its id stays, and the run fails; --allow-new-id sends it without', async () => {
    const attributes = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`user.${index}`, string('value')]));
    await letters.bury({ attributes });
    const { code, notes } = await letters.run(['--send']);
    expect(code).toBe(1);
    expect(notes).toContain('there is no room for its id beside its attributes');
    expect((await letters.run(['--send', '--allow-new-id'])).code).toBe(0);
    const [sent] = letters.queue.messages;
    if (sent === undefined) throw new Error('nothing was sent');
    expect(asRecord(sent, letters.queue).messageAttributes).toEqual(attributes);
  });

  test('a letter without room for its id in 1 MiB stays, and the run fails', async () => {
    const { client, deadLetterQueue, queue } = letters;
    const MessageBody = 'b'.repeat(1_048_576 - 40);
    await client.send(new SendMessageCommand({ QueueUrl: deadLetterQueue.url, MessageBody }));
    const { code, notes } = await letters.run(['--send', '--queue', queue.url]);
    expect(code).toBe(1);
    expect(notes).toContain('there is no room for its id');
    expect((await letters.run(['--send', '--queue', queue.url, '--allow-new-id'])).code).toBe(0);
    expect(queue.size).toBe(1);
  });
});
