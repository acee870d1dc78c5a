/**
 * The event that Lambda makes of received messages, record by record, and its size. When one is made is for
 * `queue-trigger.ts`.
 *
 * @see AWS: Lambda Developer Guide "Using Lambda with Amazon SQS", "Example standard queue message event" and "Example
 * FIFO queue message event"; `md5OfMessageAttributes` and the empty lists as recorded from AWS in localstack's
 * snapshots
 */
import type { SQSMessageAttributes, SQSRecord } from 'aws-lambda';
import { md5OfAttributes, md5OfBody } from '../sqs/digest.ts';
import type { MessageAttributes, ReceivedMessage } from '../sqs/message.ts';

/** Lambda's limit of an event. */
export const MAX_EVENT_BYTES = 6 * 1024 * 1024;

export function toRecord(message: ReceivedMessage, queueArn: string, region: string): SQSRecord {
  const md5OfMessageAttributes = md5OfAttributes(message.messageAttributes);
  return {
    messageId: message.messageId,
    receiptHandle: message.receiptHandle,
    body: message.body,
    // Their names are text that SQS gave; the type only says which are always there.
    attributes: message.attributes as unknown as SQSRecord['attributes'],
    messageAttributes: toAttributes(message.messageAttributes),
    ...(md5OfMessageAttributes === undefined ? {} : { md5OfMessageAttributes }),
    md5OfBody: md5OfBody(message.body),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}

function toAttributes(attributes: MessageAttributes): SQSMessageAttributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      {
        ...(stringValue === undefined ? {} : { stringValue }),
        ...(binaryValue === undefined ? {} : { binaryValue: Buffer.from(binaryValue).toString('base64') }),
        stringListValues: [],
        binaryListValues: [],
        dataType,
      },
    ]),
  );
}

/** The records in their order, cut into events of at most `maxRecords` and Lambda's limit of bytes. */
export function split(records: readonly SQSRecord[], maxRecords: number): SQSRecord[][] {
  const events: SQSRecord[][] = [];
  let bytes = 0;
  for (const record of records) {
    const recordBytes = Buffer.byteLength(JSON.stringify(record)) + 1;
    const current = events.at(-1);
    if (current !== undefined && current.length < maxRecords && bytes + recordBytes <= MAX_EVENT_BYTES) {
      current.push(record);
      bytes += recordBytes;
    } else {
      events.push([record]);
      bytes = '{"Records":[]}'.length + recordBytes;
    }
  }
  return events;
}
