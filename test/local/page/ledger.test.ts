import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSqs, type MessageAttributes } from '../../../infra/local/aws/sqs/sqs.ts';
import { createLedger, type KnownQueue, type Ledger, type Sums } from '../../../infra/local/page/ledger.ts';

const QUEUES: Readonly<Record<string, KnownQueue>> = {
  orders: { destination: 'orders', deadLetters: false },
  'orders-dlq': { destination: 'orders', deadLetters: true },
};

/** A queue of the landscape's own model, which the ledger hears of. */
function open({ maxReceiveCount = 1000 } = {}) {
  const ledger = createLedger();
  let now = Date.parse('2027-01-01T00:00:00Z');
  const sqs = createSqs({
    now: () => now,
    onEvent: (event) => {
      const known = QUEUES[event.queue];
      if (known !== undefined) ledger.queue(event, known, event.what === 'redriven' ? QUEUES[event.to] : undefined);
    },
  });
  const deadLetters = sqs.createQueue('orders-dlq');
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount });
  const queue = sqs.createQueue('orders', { VisibilityTimeout: '30', RedrivePolicy });
  return {
    ledger,
    queue,
    deadLetters,
    wait: (ms: number) => {
      now += ms;
    },
  };
}

const text = (stringValue: string) => ({ dataType: 'String', stringValue });
const sha256 = (body: string) => createHash('sha256').update(body).digest('hex');
const arrive = (ledger: Ledger, id: string | undefined, body: string) =>
  ledger.arrived({ destination: 'orders', id, sha256: sha256(body), status: 200 });

/** What is not nought. */
function sumsOf(ledger: Ledger): Partial<Sums> {
  const { sums } = ledger;
  const { sent, ...places } = sums;
  expect(Object.values(places).reduce((sum, count) => sum + count, 0)).toBe(sent);
  return Object.fromEntries(Object.entries(sums).filter(([, count]) => count > 0));
}

describe('the line that adds up', () => {
  test('the ledger of messages adds up from the sending to the delivery, by id and SHA-256', () => {
    const { ledger, queue } = open();
    const { messageId } = queue.send({ body: 'one' });
    expect(sumsOf(ledger)).toEqual({ sent: 1, waiting: 1 });
    const [received] = queue.receive();
    ledger.begun([messageId]);
    expect(sumsOf(ledger)).toEqual({ sent: 1, 'in flight': 1 });
    arrive(ledger, messageId, 'one');
    expect(sumsOf(ledger)).toEqual({ sent: 1, delivered: 1 });
    queue.delete(received?.receiptHandle ?? '');
    ledger.over([messageId], undefined);
    expect(sumsOf(ledger)).toEqual({ sent: 1, delivered: 1 });
    expect(ledger.rows).toMatchObject([{ id: messageId, place: 'delivered', tries: 1 }]);
  });

  test.each([
    ['purged', ({ queue }: ReturnType<typeof open>) => queue.purge()],
    [
      'deleted though no flow has run',
      ({ queue }: ReturnType<typeof open>) => queue.delete(queue.receive()[0]?.receiptHandle ?? ''),
    ],
    [
      'gone at the end of its retention',
      ({ queue, wait }: ReturnType<typeof open>) => {
        wait(4 * 86_400_000);
        expect(queue.size).toBe(0);
      },
    ],
  ])('the ledger of messages shows a message as lost that was %s', (_how, lose) => {
    const opened = open();
    opened.queue.send({ body: 'one' });
    lose(opened);
    expect(sumsOf(opened.ledger)).toEqual({ sent: 1, lost: 1 });
  });

  test('the ledger of messages takes neither other bytes under the id nor a refused run for a delivery', () => {
    const { ledger, queue } = open();
    const { messageId } = queue.send({ body: 'one' });
    const [received] = queue.receive();
    arrive(ledger, messageId, 'another');
    ledger.arrived({ destination: 'orders', id: messageId, sha256: sha256('one'), status: 422 });
    queue.delete(received?.receiptHandle ?? '');
    expect(sumsOf(ledger)).toEqual({ sent: 1, lost: 1 });
  });

  test('the ledger of messages counts an id sent twice once, and another payload under it as another message', () => {
    const { ledger, queue } = open();
    const attributes = { messageId: text('order-1') };
    queue.send({ body: 'one', attributes });
    queue.send({ body: 'one', attributes });
    queue.send({ body: 'two', attributes });
    expect(sumsOf(ledger)).toEqual({ sent: 2, waiting: 2 });
    arrive(ledger, 'order-1', 'two');
    expect(ledger.rows.map(({ id, place }) => [id, place])).toEqual([
      ['order-1', 'waiting'],
      ['order-1', 'delivered'],
    ]);
  });

  test.each<[string, string, MessageAttributes]>([
    ['text', 'ü', {}],
    ['bytes', Buffer.from([0, 255, 128]).toString('base64'), { bodyEncoding: text('base64') }],
    ['nothing', '-', { bodyEncoding: text('empty') }],
  ])('the ledger of messages knows the payload of a message that is %s', (_what, body, attributes) => {
    const { ledger, queue } = open();
    const { messageId } = queue.send({ body, attributes });
    const payload = attributes.bodyEncoding?.stringValue === 'base64' ? Buffer.from(body, 'base64') : Buffer.from(body);
    const bytes = attributes.bodyEncoding?.stringValue === 'empty' ? Buffer.alloc(0) : payload;
    const sha = createHash('sha256').update(bytes).digest('hex');
    ledger.arrived({ destination: 'orders', id: messageId, sha256: sha, status: 204 });
    expect(ledger.rows).toMatchObject([{ place: 'delivered', bytes: bytes.byteLength }]);
  });

  test('the ledger of messages calls a message as the flow will, where its id fits into no header', () => {
    const { ledger, queue } = open();
    queue.send({ body: 'one', attributes: { messageId: text('Auftrag für Müller') } });
    expect(ledger.rows.map(({ id }) => id)).toEqual([sha256('Auftrag für Müller')]);
  });

  test('the ledger of messages finds a message by its bytes where the receiver knows another id', () => {
    const { ledger, queue } = open();
    queue.send({ body: 'one' });
    queue.send({ body: 'one' });
    arrive(ledger, 'a-guid-of-its-own', 'one');
    expect(sumsOf(ledger)).toEqual({ sent: 2, delivered: 1, waiting: 1 });
    arrive(ledger, 'another-guid', 'one');
    arrive(ledger, 'a-third', 'one');
    expect(sumsOf(ledger)).toEqual({ sent: 2, delivered: 2 });
  });

  test('the ledger of messages follows a message into a letter, and out of it again', () => {
    const { ledger, queue, deadLetters } = open();
    const { messageId } = queue.send({ body: 'one' });
    const [received] = queue.receive();
    const letter = { messageId, reason: 'refused', outcome: 'rejected', status: 422 };
    deadLetters.send({ body: 'one', attributes: { deadLetter: text(JSON.stringify(letter)) } });
    queue.delete(received?.receiptHandle ?? '');
    expect(sumsOf(ledger)).toEqual({ sent: 1, dead: 1 });
    queue.send({ body: 'one', attributes: { messageId: text(messageId) } });
    deadLetters.delete(deadLetters.receive()[0]?.receiptHandle ?? '');
    expect(sumsOf(ledger)).toEqual({ sent: 1, waiting: 1 });
    expect(ledger.lifeOf(1)?.map(({ what }) => what)).toEqual([
      'queued',
      'received',
      'letter',
      'deleted',
      'queued',
      'letter taken',
    ]);
    expect(ledger.lifeOf(1)).toContainEqual(
      expect.objectContaining({ what: 'letter', reason: 'refused', status: 422 }),
    );
  });

  test('the ledger of messages sees what SQS itself has dead-lettered, and what is hidden until when', () => {
    const { ledger, queue, wait } = open({ maxReceiveCount: 1 });
    const { messageId } = queue.send({ body: 'one' });
    const [received] = queue.receive();
    queue.changeVisibility(received?.receiptHandle ?? '', 60);
    expect(sumsOf(ledger)).toEqual({ sent: 1, hidden: 1 });
    expect(ledger.nextVisibleAt).toBe(Date.parse('2027-01-01T00:01:00Z'));
    wait(60_000);
    expect(queue.receive()).toEqual([]);
    expect(sumsOf(ledger)).toEqual({ sent: 1, dead: 1 });
    expect(ledger.newestOf(messageId)?.place).toBe('dead');
  });

  test('the ledger of messages takes letters that somebody has written by hand as they are', () => {
    const { ledger, deadLetters } = open();
    for (const letter of ['{', 'null', '7', '"x"']) {
      deadLetters.send({ body: 'one', attributes: { deadLetter: text(letter) } });
    }
    expect(sumsOf(ledger)).toEqual({ sent: 4, dead: 4 });
  });

  test('the ledger of messages keeps 20,000 messages, and counts them all', () => {
    const { ledger, queue } = open();
    for (let sent = 0; sent < 20_005; sent += 1) {
      const { messageId } = queue.send({ body: 'one' });
      if (sent > 2) arrive(ledger, messageId, 'one');
      const [{ receiptHandle } = { receiptHandle: '' }] = sent > 2 ? queue.receive() : [];
      if (sent > 2) queue.delete(receiptHandle);
      if (sent === 2) for (let held = 0; held < 3; held += 1) queue.receive();
    }
    expect(sumsOf(ledger)).toEqual({ sent: 20_005, delivered: 20_002, hidden: 3 });
    expect(ledger.rows).toHaveLength(20_000);
    expect(ledger.rows.slice(0, 4).map(({ key }) => key)).toEqual([1, 2, 3, 9]);
  });
});
