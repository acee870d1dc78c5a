/**
 * Events that are not what AWS documents: nothing of them may be deleted, so they are kept, alone where that can be.
 */
import type { SQSRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { fromRecord } from '../../functions/message/queued.ts';
import { readBatch } from '../../functions/queue/event.ts';
import { outcomeOfError } from '../../functions/relay/outcome.ts';
import { recordWith } from '../message/sqs-event.ts';

function errorOf(event: unknown): RelayError {
  try {
    readBatch(event);
  } catch (error) {
    if (error instanceof RelayError) return error;
    throw error;
  }
  throw new Error('expected an error');
}

/** A record without some of its fields, or with others. */
const recordLike = (fields: object): SQSRecord => ({ ...recordWith('{}'), ...fields });

describe('An event fails as a whole', () => {
  test.each<[string, unknown]>([
    ['it is nothing', undefined],
    ['it is null', null],
    ['it is a text', 'Records'],
    ['it is empty', {}],
    ['its records are null', { Records: null }],
    ['its records are an object', { Records: { 0: recordWith('{}') } }],
    ['it is of HTTP', { version: '2.0', rawPath: '/webhooks/orders' }],
  ])('an event fails as a whole where %s', (_, event) => {
    expect(errorOf(event)).toMatchObject({
      code: 'EVENT_INVALID',
      message: 'the event has no list of Records: it is none of SQS',
    });
  });

  test.each<[string, unknown]>([
    ['has no id', recordLike({ messageId: undefined })],
    ['has an empty id', recordLike({ messageId: '' })],
    ['has a number for an id', recordLike({ messageId: 7 })],
    ['is null', null],
    ['is a text', 'hunter22'],
  ])('an event fails as a whole where one of its records %s: what has no id cannot be kept alone', (_, record) => {
    const error = errorOf({ Records: [recordWith('{}'), record] });
    expect(error).toMatchObject({
      code: 'EVENT_INVALID',
      message: 'a record has no messageId: the whole batch is kept',
    });
  });

  test('an event that is only empty does not fail', () => {
    expect(readBatch({ Records: [] })).toEqual([]);
  });
});

describe('A record without a body', () => {
  test.each([undefined, null, 4711, { order: 4711 }])(
    'a record without a body (%j) is kept alone, since no sender is at fault',
    (body) => {
      const [queued, neighbour] = readBatch({ Records: [recordLike({ body }), recordWith('{}')] });
      expect(queued).toMatchObject({ bytes: 0, body: '', message: { code: 'EVENT_INVALID' } });
      expect(outcomeOfError(queued?.message)).toMatchObject({
        kind: 'failed',
        executed: 'no',
        reason: 'the record has no body: kept for a later try',
      });
      expect(neighbour?.message).toMatchObject({ headers: {} });
    },
  );
});

describe('A record without its attributes', () => {
  test.each([undefined, null, 'text', []])(
    'a record without its attributes (%j) counts as received for the first time, and as young',
    (attributes) => {
      expect(fromRecord(recordLike({ attributes }))).toMatchObject({
        receiveCount: 1,
        sentAt: Number.MAX_SAFE_INTEGER,
        firstReceivedAt: Number.MAX_SAFE_INTEGER,
        message: { headers: {} },
      });
    },
  );

  test.each([undefined, null, 'text', []])(
    'a record without attributes of the message (%j) has none',
    (messageAttributes) => {
      const record = recordLike({ messageAttributes });
      expect(fromRecord(record)).toMatchObject({ messageId: record.messageId, message: { headers: {} } });
    },
  );

  test.each([undefined, null, 7])('a record with %j for its queue is of no queue', (eventSourceARN) => {
    const queued = fromRecord(recordLike({ eventSourceARN }));
    expect(queued.queueArn).toBe('');
    expect(queued).not.toHaveProperty('group');
  });
});

describe('A dead letter that comes back', () => {
  const letter = (value: unknown) => JSON.stringify(value);

  test.each<[string, Record<string, string>, string]>([
    ['keeps the id that it had', { deadLetter: letter({ reason: 'x', messageId: 'order-4711' }) }, 'order-4711'],
    ['has the id that it bears itself', { deadLetter: letter({ messageId: 'b' }), messageId: 'a' }, 'a'],
    ['has SQS’s where it tells none', { deadLetter: letter({ reason: 'x' }) }, ''],
    ['has SQS’s where it is no JSON', { deadLetter: '{"messageId":"hunter22' }, ''],
    ['has SQS’s where the id is no text', { deadLetter: letter({ messageId: 7 }) }, ''],
  ])('a dead letter that comes back %s', (_, attributes, id) => {
    const record = recordWith('{}', attributes);
    expect(fromRecord(record).messageId).toBe(id === '' ? record.messageId : id);
  });
});
