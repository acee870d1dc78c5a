/**
 * What becomes of a message that is given up: when that is, and how its letter fits into SQS's limits. The landscape's
 * own model of SQS is the judge of what fits; nothing of the product is asked.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attribute } from '../../functions/aws/sqs.ts';
import type { QueuedMessage } from '../../functions/message/queued.ts';
import { isGivenUp, type Letter, letterOf } from '../../functions/queue/letter.ts';
import type { Outcome } from '../../functions/relay/outcome.ts';
import { messageBytes } from '../../infra/local/aws/sqs/digest.ts';
import { checkMessage } from '../../infra/local/aws/sqs/limits.ts';
import type { MessageAttributes } from '../../infra/local/aws/sqs/message.ts';
import {
  BLOCKED,
  DELIVERED,
  FAILED,
  FIFO_ARN,
  HOUR_MS,
  queuedMessage,
  REJECTED,
  SENT_AT,
  STANDARD_ARN,
  textAttributes,
} from './queued.ts';

const MIB = 1_048_576;
const DEAD_AT = SENT_AT + 90_000;
const OPTIONS = { destination: 'orders', now: DEAD_AT };
const WITH_BUCKET = { ...OPTIONS, payloadBucket: 'payloads' };

describe('A message is given up', () => {
  const DAY_MS = 24 * HOUR_MS;
  test.each([
    { what: 'rejected at once', outcome: REJECTED, receivedMs: 0, is: true },
    { what: 'rejected, and sent in the future by another clock', outcome: REJECTED, sentMs: -HOUR_MS, is: true },
    { what: 'failed within retryForHours', outcome: FAILED, receivedMs: 72 * HOUR_MS, is: false },
    { what: 'failed a millisecond after', outcome: FAILED, receivedMs: 72 * HOUR_MS + 1, is: true },
    { what: 'failed after eleven days in which nobody received it', outcome: FAILED, sentMs: 11 * DAY_MS, is: false },
    {
      what: 'failed after twelve days in which nobody received it',
      outcome: FAILED,
      sentMs: 12 * DAY_MS + 1,
      is: true,
    },
    { what: 'blocked far beyond retryForHours', outcome: BLOCKED, receivedMs: 11 * DAY_MS, is: false },
    { what: 'blocked, sent twelve days ago', outcome: BLOCKED, receivedMs: 12 * DAY_MS, is: false },
    { what: 'blocked, sent longer ago', outcome: BLOCKED, sentMs: 12 * DAY_MS + 1, is: true },
    { what: 'delivered, however old', outcome: DELIVERED, receivedMs: 13 * DAY_MS, is: false },
    { what: 'failed, received and sent in the future', outcome: FAILED, receivedMs: -HOUR_MS, is: false },
  ])('a message is given up $what: $is', ({ outcome, receivedMs = 0, sentMs = receivedMs, is }) => {
    const queued = queuedMessage({ sentAt: SENT_AT - sentMs, firstReceivedAt: SENT_AT - receivedMs });
    expect(isGivenUp(outcome, queued, { retryForHours: 72 }, SENT_AT)).toBe(is);
  });

  test('a message is never given up for its age where the record has neither time of sending nor of receipt', () => {
    const queued = queuedMessage({ sentAt: Number.MAX_SAFE_INTEGER, firstReceivedAt: Number.MAX_SAFE_INTEGER });
    for (const outcome of [FAILED, BLOCKED]) {
      expect(isGivenUp(outcome, queued, { retryForHours: 1 }, DEAD_AT)).toBe(false);
    }
  });
});

describe('A letter', () => {
  test('a letter is the message as it was, with one attribute that says everything', () => {
    const attributes = textAttributes({ contentType: 'text/xml', tenant: 'acme' });
    const queued = queuedMessage({ body: '<order/>', attributes, receiveCount: 3, firstReceivedAt: SENT_AT + 1_000 });

    const { message, store } = letter(queued);

    expect(store).toBeUndefined();
    expect(message.body).toBe('<order/>');
    expect(Object.keys(message.attributes)).toEqual(['contentType', 'tenant', 'deadLetter']);
    expect(message.attributes).toMatchObject({
      contentType: { DataType: 'String', StringValue: 'text/xml' },
      tenant: { DataType: 'String', StringValue: 'acme' },
      deadLetter: { DataType: 'String' },
    });
    expect(reasonIn(message.attributes)).toEqual({
      reason: 'the endpoint answered 422: it will never take this message; the sender must correct it',
      outcome: 'rejected',
      status: 422,
      mplId: 'AGXYZabcdefghijklmnopqrstuvw',
      messageId: '059f36b4-87a3-44ab-83d2-661975830a7d',
      destination: 'orders',
      queueArn: STANDARD_ARN,
      receiveCount: 3,
      sentAt: '2026-09-01T08:00:00.000Z',
      firstReceivedAt: '2026-09-01T08:00:01.000Z',
      deadAt: '2026-09-01T08:01:30.000Z',
    });
  });

  test('a letter has a link to the log where the tenant’s monitor is known and the answer named a log', () => {
    const monitored = { ...OPTIONS, monitor: 'acme.integrationsuite.cfapps.eu10.hana.ondemand.com' };
    const told = (outcome: Outcome) =>
      reasonIn(letterOf(queuedMessage(), outcome, monitored)?.message.attributes ?? {});
    expect(told(REJECTED).mplLink).toBe(
      'https://acme.integrationsuite.cfapps.eu10.hana.ondemand.com/shell/monitoring/Messages/%7B%22identifier%22%3A%22AGXYZabcdefghijklmnopqrstuvw%22%7D',
    );
    expect(told(FAILED)).not.toHaveProperty('mplLink');
  });

  test('a letter goes without the link where that is all that does not fit', () => {
    const monitored = { ...OPTIONS, monitor: 'acme.integrationsuite.cfapps.eu10.hana.ondemand.com' };
    const plain = letterOf(queuedMessage(), REJECTED, OPTIONS)?.message;
    const beside = messageBytes('', sentAttributes(plain?.attributes ?? {}));
    const queued = queuedMessage({ body: 'x'.repeat(MIB - beside) });
    const { message, store } = letterOf(queued, REJECTED, monitored) ?? {};
    expect(store).toBeUndefined();
    expect(message?.attributes).toEqual(letterOf(queued, REJECTED, OPTIONS)?.message.attributes);
  });

  test('a letter of a standard queue has no group, of a FIFO queue its own group and the id of the record', () => {
    const standard = letter(queuedMessage()).message;
    expect(standard).not.toHaveProperty('groupId');
    expect(standard).not.toHaveProperty('deduplicationId');
    const fifo = letter(queuedMessage({ group: 'acme', recordId: 'record-2', messageId: 'order-4711' })).message;
    expect(fifo).toMatchObject({ groupId: 'acme', deduplicationId: 'record-2' });
    expect(reasonIn(fifo.attributes)).toMatchObject({ messageId: 'order-4711', queueArn: FIFO_ARN });
  });

  test('a letter names the side of a cut-over, and none where there is no cut-over', () => {
    const { message } = letterOf(queuedMessage(), REJECTED, { ...OPTIONS, side: 'old' }) ?? {};
    expect(reasonIn(message?.attributes ?? {})).toMatchObject({ destination: 'orders', side: 'old' });
    expect(reasonIn(letter(queuedMessage()).message.attributes)).not.toHaveProperty('side');
  });

  test('a letter keeps types with labels and bytes', () => {
    const attributes = {
      amount: { dataType: 'Number.decimal' as 'Number', stringValue: '1.50' },
      seal: { dataType: 'Binary' as const, binaryValue: Buffer.from([0, 255, 1]).toString('base64') },
    };
    const { message } = letter(queuedMessage({ attributes }));
    expect(message.attributes).toMatchObject({
      amount: { DataType: 'Number.decimal', StringValue: '1.50' },
      seal: { DataType: 'Binary' },
    });
    expect(Buffer.from(message.attributes.seal?.BinaryValue ?? [])).toEqual(Buffer.from([0, 255, 1]));
  });

  test('a letter has the endpoint’s own words beside the reason', () => {
    const detail = 'Plant 4711 is unknown '.repeat(40);
    const told = reasonIn(letter(queuedMessage(), saying(detail)).message.attributes);
    expect(Object.keys(told).slice(0, 3)).toEqual(['reason', 'detail', 'outcome']);
    expect(told).toMatchObject({ detail });
  });

  test('a letter of a letter that failed once more reports the last time', () => {
    const first = letter(queuedMessage()).message.attributes.deadLetter?.StringValue ?? '';
    const { message } = letter(queuedMessage({ attributes: textAttributes({ deadLetter: first }) }), FAILED);
    expect(Object.keys(message.attributes)).toEqual(['deadLetter']);
    expect(reasonIn(message.attributes)).toMatchObject({ outcome: 'failed', status: 503 });
  });

  test('a letter has 500 characters of a reason, however long it is', () => {
    const outcome: Outcome = { kind: 'blocked', executed: 'no', reason: 'x"'.repeat(5_000) };
    expect(reasonIn(letter(queuedMessage(), outcome).message.attributes).reason).toBe('x"'.repeat(250));
  });

  test.each([
    { what: 'an answer without status and log', outcome: { kind: 'blocked', executed: 'no', reason: 'no secret' } },
    { what: 'a time that is none', outcome: FAILED, sentAt: Number.MAX_SAFE_INTEGER },
  ] as const)('a letter of $what leaves out what is not known', ({ outcome, ...overrides }) => {
    const told = reasonIn(letter(queuedMessage(overrides), outcome).message.attributes);
    expect(Object.values(told)).not.toContain(null);
    expect(told).toMatchObject({ outcome: outcome.kind, destination: 'orders' });
  });
});

describe('Ten attributes, and one more to come:', () => {
  test.each([
    { user: 9, moved: false, names: 10 },
    { user: 10, moved: true, names: 1 },
  ])('a letter with $user attributes of the user has $names', ({ user, moved, names }) => {
    const texts = Object.fromEntries(Array.from({ length: user }, (_, index) => [`user${index}`, `value ${index}`]));
    const { message } = letter(queuedMessage({ attributes: textAttributes(texts) }));

    expect(Object.keys(message.attributes)).toHaveLength(names);
    const told = reasonIn(message.attributes).attributes;
    expect(told === undefined).toBe(!moved);
    if (moved) {
      const plain = Object.entries(texts).map(([name, value]) => [name, { dataType: 'String', value }]);
      expect(told).toEqual(Object.fromEntries(plain));
    }
  });

  test('the relay’s own attributes stay, so that the letter is still a message; the user’s are inside', () => {
    const own = { messageId: 'order-4711', contentType: 'text/xml', headers: '{}', bodyEncoding: 'base64' };
    const texts = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`user${index}`, 'v']));
    const attributes = {
      ...textAttributes({ ...own, ...texts }),
      seal: { dataType: 'Binary' as const, binaryValue: 'AP8B' },
    };
    const { message } = letter(queuedMessage({ body: 'AAAA', attributes }));
    expect(Object.keys(message.attributes).sort()).toEqual([
      'bodyEncoding',
      'contentType',
      'deadLetter',
      'headers',
      'messageId',
    ]);
    expect(reasonIn(message.attributes).attributes).toMatchObject({ seal: { dataType: 'Binary', value: 'AP8B' } });
  });

  test.each([200, 2_000, 90_000])(
    'ten attributes of %i bytes each move into the letter, which has no limit but SQS’s own',
    (bytes) => {
      const texts = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`user${index}`, 'v'.repeat(bytes)]));
      const { message } = letter(queuedMessage({ attributes: textAttributes(texts) }));
      const plain = Object.entries(texts).map(([name, value]) => [name, { dataType: 'String', value }]);
      expect(reasonIn(message.attributes).attributes).toEqual(Object.fromEntries(plain));
    },
  );

  test('a letter beyond 1 MiB with its attributes cannot be dead-lettered, whatever bucket there is', () => {
    const texts = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`user${index}`, '"'.repeat(100_000)]));
    expect(letterOf(queuedMessage({ attributes: textAttributes(texts) }), REJECTED, WITH_BUCKET)).toBeUndefined();
  });
});

describe('At the byte:', () => {
  /** Of everything but the body. */
  const beside = messageBytes('', sentAttributes(letter(queuedMessage({ body: 'x' })).message.attributes));

  test('a body that just leaves room for the reason stays in the queue, whole', () => {
    const body = 'x'.repeat(MIB - beside);
    const { message, store } = letter(queuedMessage({ body }), REJECTED, WITH_BUCKET);
    expect(store).toBeUndefined();
    expect(message.body).toBe(body);
    expect(messageBytes(message.body, sentAttributes(message.attributes))).toBe(MIB);
  });

  test('a user’s attribute that is one byte too many moves into the letter, and then the body must go', () => {
    const attributes = textAttributes({ u: 'v' });
    const room = MIB - beside - 'uStringv'.length;
    expect(letter(queuedMessage({ body: 'x'.repeat(room), attributes })).message.attributes).toHaveProperty('u');
    expect(letterOf(queuedMessage({ body: 'x'.repeat(room + 1), attributes }), REJECTED, OPTIONS)).toBeUndefined();
  });

  test.each([
    { what: 'one byte more than leaves room', bytes: MIB - beside + 1 },
    { what: 'exactly 1 MiB', bytes: MIB },
  ])('a body of $what goes to S3 where a bucket is set, and stays where none is', ({ bytes }) => {
    const queued = queuedMessage({ body: 'x'.repeat(bytes) });
    expect(letterOf(queued, REJECTED, OPTIONS)).toBeUndefined();

    const { message, store } = letter(queued, REJECTED, WITH_BUCKET);

    expect(store?.at).toEqual({ bucket: 'payloads', key: `dead-letters/orders/${queued.recordId}` });
    expect(store?.body.equals(Buffer.from(queued.body))).toBe(true);
    expect(JSON.parse(message.body)).toEqual([
      'software.amazon.payloadoffloading.PayloadS3Pointer',
      { s3BucketName: 'payloads', s3Key: `dead-letters/orders/${queued.recordId}` },
    ]);
    expect(message.attributes.ExtendedPayloadSize).toEqual({ DataType: 'Number', StringValue: String(bytes) });
  });

  test('a payload that goes to S3 is no longer base64, nor called so', () => {
    const payload = Buffer.alloc(786_432, 7);
    const attributes = textAttributes({ bodyEncoding: 'base64', contentType: 'application/pdf' });
    const { message, store } = letter(
      queuedMessage({ body: payload.toString('base64'), attributes }),
      REJECTED,
      WITH_BUCKET,
    );
    expect(store?.body.equals(payload)).toBe(true);
    expect(message.attributes).not.toHaveProperty('bodyEncoding');
    expect(message.attributes).toMatchObject({ ExtendedPayloadSize: { StringValue: '786432' }, contentType: {} });
  });

  test('the endpoint’s own words give way before a letter does', () => {
    const body = 'x'.repeat(MIB - beside);
    const detail = 'Plant 4711 is unknown '.repeat(40);
    const outcome = saying(detail);
    const { message } = letter(queuedMessage({ body }), outcome, OPTIONS);
    expect(message.body).toBe(body);
    expect(reasonIn(message.attributes)).not.toHaveProperty('detail');
    const stored = letter(queuedMessage({ body }), outcome, WITH_BUCKET);
    expect(stored.store?.body.byteLength).toBe(body.length);
    expect(reasonIn(stored.message.attributes)).toMatchObject({ detail });
  });

  test('the size of a letter counts bytes as UTF-8', () => {
    const body = 'ü'.repeat((MIB - beside + (beside % 2)) / 2);
    expect(Buffer.byteLength(body)).toBeGreaterThanOrEqual(MIB - beside);
    const fits = Buffer.byteLength(body) <= MIB - beside;
    expect(letterOf(queuedMessage({ body }), REJECTED, OPTIONS) !== undefined).toBe(fits);
    expect(letterOf(queuedMessage({ body: `${body}ü` }), REJECTED, OPTIONS)).toBeUndefined();
  });
});

test('a letter that SQS redrives and that is rejected again keeps the attributes that moved into it', () => {
  const texts = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`user${index}`, `value ${index}`]));
  const first = letterOf(queuedMessage({ attributes: textAttributes(texts) }), REJECTED, OPTIONS);
  const deadLetter = first?.message.attributes.deadLetter?.StringValue ?? '';
  expect(Object.keys(JSON.parse(deadLetter).attributes)).toHaveLength(10);

  const second = letterOf(queuedMessage({ attributes: textAttributes({ deadLetter }) }), REJECTED, OPTIONS);

  const { deadLetter: told, ...beside } = second?.message.attributes ?? {};
  const inside = Object.keys(JSON.parse(told?.StringValue ?? '{}').attributes ?? {});
  expect([...inside, ...Object.keys(beside)].sort()).toEqual(Object.keys(texts).sort());
});

test.each([
  { what: 'an attribute of 3 KB', user: 1, beside: true },
  { what: 'ten of them', user: 10, beside: false },
])('a body of nearly 1 MiB beside $what goes to S3: what has room as an attribute stays one', ({ user, beside }) => {
  const texts = Object.fromEntries(Array.from({ length: user }, (_, index) => [`trace${index}`, 't'.repeat(3_000)]));
  const body = 'x'.repeat(MIB - user * ('trace0String'.length + 3_000));

  const { message, store } = letter(queuedMessage({ body, attributes: textAttributes(texts) }), REJECTED, WITH_BUCKET);

  expect(store?.body.byteLength).toBe(body.length);
  expect(Object.keys(message.attributes).includes('trace0')).toBe(beside);
  const inside = beside ? undefined : expect.objectContaining({ trace9: { dataType: 'String', value: texts.trace9 } });
  expect(reasonIn(message.attributes).attributes).toEqual(inside);
});

test('a letter of any message that SQS took is taken by SQS, and nothing of the message is missing there', () => {
  const value = fc.stringMatching(/^[ -~äöü✓]{1,120}$/);
  const name = fc.oneof(
    fc.stringMatching(/^u[A-Za-z0-9_-]{0,20}$/),
    fc.constantFrom('messageId', 'contentType', 'headers', 'bodyEncoding'),
  );
  const message = fc.record({
    texts: fc.dictionary(name, value, { maxKeys: 10 }),
    bytes: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: MIB - 3_000, max: MIB })),
    group: fc.option(fc.stringMatching(/^[!-~]{1,128}$/), { nil: undefined }),
    payloadBucket: fc.option(fc.constant('payloads'), { nil: undefined }),
  });
  fc.assert(
    fc.property(message, ({ texts, bytes, group, payloadBucket }) => {
      const attributes = textAttributes(texts);
      const space =
        MIB -
        Object.entries(texts).reduce((sum, [key, text]) => sum + `${key}String`.length + Buffer.byteLength(text), 0);
      const body = 'x'.repeat(Math.min(bytes, space));
      const queued = queuedMessage({ body, attributes, ...(group === undefined ? {} : { group }) });
      const written = letterOf(queued, REJECTED, {
        ...OPTIONS,
        ...(payloadBucket === undefined ? {} : { payloadBucket }),
      });
      if (written === undefined) return;

      const { message: sent, store } = written;
      const { body: sentBody, groupId, deduplicationId } = sent;
      const ids =
        groupId === undefined ? {} : { groupId, ...(deduplicationId === undefined ? {} : { deduplicationId }) };
      const rules = { fifo: group !== undefined, contentBasedDeduplication: false, maximumMessageBytes: MIB };
      checkMessage({ body: sentBody, attributes: sentAttributes(sent.attributes), ...ids }, rules);
      if (store === undefined) expect(sentBody).toBe(body);
      const inside = (reasonIn(sent.attributes).attributes ?? {}) as Record<string, { value: string }>;
      for (const [key, text] of Object.entries(texts)) {
        if (key === 'bodyEncoding' && store !== undefined) continue;
        expect(sent.attributes[key]?.StringValue ?? inside[key]?.value).toBe(text);
      }
    }),
    { numRuns: 300 },
  );
});

function saying(detail: string): Outcome {
  return { kind: 'rejected', executed: 'unknown', status: 400, reason: 'no', detail };
}

function letter(
  queued: QueuedMessage,
  outcome: Outcome = REJECTED,
  options: Parameters<typeof letterOf>[2] = OPTIONS,
): Letter {
  const written = letterOf(queued, outcome, options);
  if (written === undefined) throw new Error('no letter');
  return written;
}

function reasonIn({ deadLetter }: Readonly<Record<string, Attribute>>): Record<string, unknown> {
  return JSON.parse(deadLetter?.StringValue ?? '');
}

/** As the landscape has them. */
function sentAttributes(attributes: Readonly<Record<string, Attribute>>): MessageAttributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType: dataType, StringValue, BinaryValue }]) => [
      name,
      BinaryValue === undefined ? { dataType, stringValue: StringValue ?? '' } : { dataType, binaryValue: BinaryValue },
    ]),
  );
}
