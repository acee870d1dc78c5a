/** The way of a letter into the dead-letter queue: stored first, then sent, and said only when it is safe there. */

import { describe, expect, test } from 'vitest';
import type { S3 } from '../../functions/aws/s3.ts';
import type { OutgoingMessage, Sqs } from '../../functions/aws/sqs.ts';
import { RelayError } from '../../functions/error.ts';
import { createDeadLetterWriter } from '../../functions/queue/dead-letter.ts';
import type { Destination } from '../../functions/settings/destination.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';
import { FAILED, queuedMessage, REJECTED, SENT_AT, STANDARD_ARN } from './queued.ts';

const DLQ = 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dlq';
const DEADLINE = deadlineOf(1_000);
const LARGE = queuedMessage({ body: 'x'.repeat(1_048_576) });

function destinationWith(settings: Readonly<Record<string, unknown>>): Destination {
  const orders = { secret: 'cpi/orders', url: 'https://orders.example/http/orders', ...settings };
  const destination = readSettings({ DESTINATIONS: JSON.stringify({ orders }) }).destinations.get('orders');
  if (destination === undefined || 'error' in destination) throw new Error('expected valid settings');
  return destination;
}

/** SQS, S3 and the log, in the order in which they were used. */
function cemetery({ settings = {}, sqsFails = false, s3Fails = false } = {}) {
  const events: string[] = [];
  const sent: OutgoingMessage[] = [];
  const sqs: Sqs = {
    send: async (queueUrl, message) => {
      events.push(`sqs ${queueUrl}`);
      if (sqsFails) throw new RelayError('QUEUE_UNAVAILABLE', 'SQS did not confirm it (AccessDenied)');
      sent.push(message);
    },
    changeVisibility: async () => 0,
  };
  const unused = () => Promise.reject(new Error('not for dead letters'));
  const s3: S3 = {
    describe: unused,
    open: unused,
    delete: unused,
    put: async ({ bucket, key }, body) => {
      events.push(`s3 ${bucket}/${key} ${body.byteLength}`);
      if (s3Fails) throw new RelayError('PAYLOAD_UNAVAILABLE', 'S3 is down');
    },
  };
  const telemetry = quietTelemetry({
    deadLettered: ({ destination, messageId, outcome }) =>
      events.push(`dead-lettered ${destination} ${messageId} ${outcome}`),
    problem: (event, { destination, messageId, reason }) =>
      events.push(`${event} ${destination} ${messageId} ${reason}`),
  });
  const destination = destinationWith({ queue: STANDARD_ARN, deadLetterQueueUrl: DLQ, ...settings });
  return {
    events,
    sent,
    writeDeadLetter: createDeadLetterWriter({ destination, sqs, s3, telemetry, now: () => SENT_AT }),
  };
}

describe('Where it goes:', () => {
  test.each([
    { what: 'to the queue that is set', settings: {}, to: DLQ },
    {
      what: 'beside a queue that the service named itself',
      settings: { queue: 'orders', deadLetterQueueUrl: undefined },
      to: 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dlq',
    },
  ])('a dead letter goes where it belongs: $what', async ({ settings, to }) => {
    const { writeDeadLetter, events } = cemetery({ settings });
    const queued = queuedMessage({ messageId: 'order-4711' });
    expect(await writeDeadLetter(queued, REJECTED, DEADLINE)).toBe(true);
    expect(events).toEqual([`sqs ${to}`, 'dead-lettered orders order-4711 rejected']);
  });

  test('a dead letter of a FIFO queue goes to a queue whose name ends in .fifo, too', async () => {
    const { writeDeadLetter, events, sent } = cemetery({
      settings: { queue: 'orders.fifo', fifo: true, deadLetterQueueUrl: undefined },
    });
    expect(await writeDeadLetter(queuedMessage({ group: 'acme', recordId: 'r-1' }), REJECTED, DEADLINE)).toBe(true);
    expect(events[0]).toBe('sqs https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dlq.fifo');
    expect(sent).toMatchObject([{ groupId: 'acme', deduplicationId: 'r-1' }]);
  });

  test.each([
    { what: 'a queue of others, by its ARN', queue: STANDARD_ARN },
    { what: 'no queue named at all', queue: undefined },
  ])('a dead letter goes nowhere for $what without deadLetterQueueUrl: the message is kept', async ({ queue }) => {
    const { writeDeadLetter, events } = cemetery({ settings: { queue, deadLetterQueueUrl: undefined } });
    expect(await writeDeadLetter(queuedMessage(), REJECTED, DEADLINE)).toBe(false);
    expect(events).toEqual([]);
  });
});

describe('What is too large', () => {
  test('a dead letter that is too large is stored before it is sent: it never points to nothing', async () => {
    const { writeDeadLetter, events } = cemetery({ settings: { payloadBucket: 'payloads' } });
    expect(await writeDeadLetter(LARGE, FAILED, DEADLINE)).toBe(true);
    expect(events).toEqual([
      `s3 payloads/dead-letters/orders/${LARGE.recordId} 1048576`,
      `sqs ${DLQ}`,
      `dead-lettered orders ${LARGE.messageId} failed`,
    ]);
  });

  test('a dead letter that is too large is not sent when it could not be stored', async () => {
    const { writeDeadLetter, events } = cemetery({ settings: { payloadBucket: 'payloads' }, s3Fails: true });
    expect(await writeDeadLetter(LARGE, REJECTED, DEADLINE)).toBe(false);
    expect(events.slice(1)).toEqual([`dead-letter.failed orders ${LARGE.messageId} S3 is down`]);
  });

  test('a dead letter that is too large is not sent without a bucket, and the log says so', async () => {
    const { writeDeadLetter, events } = cemetery();
    expect(await writeDeadLetter(LARGE, REJECTED, DEADLINE)).toBe(false);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatch(/^dead-letter\.impossible orders .*it stays in its queue/);
  });
});

test('a dead letter that SQS does not confirm is not safe: the message is kept, and the log says why', async () => {
  const { writeDeadLetter, events } = cemetery({ sqsFails: true });
  expect(await writeDeadLetter(queuedMessage(), REJECTED, DEADLINE)).toBe(false);
  expect(events.slice(1)).toEqual([
    'dead-letter.failed orders 059f36b4-87a3-44ab-83d2-661975830a7d SQS did not confirm it (AccessDenied)',
  ]);
});

test('the link in a letter is to the monitor of the destination', async () => {
  const { sent, writeDeadLetter } = cemetery({ settings: { monitor: 'acme-tmn.hci.eu1.hana.ondemand.com' } });
  await writeDeadLetter(queuedMessage(), REJECTED, DEADLINE);
  const [letter] = sent.map(({ attributes }) => JSON.parse(attributes.deadLetter?.StringValue ?? ''));
  expect(letter.mplLink).toContain('https://acme-tmn.hci.eu1.hana.ondemand.com/itspaces/');
});
