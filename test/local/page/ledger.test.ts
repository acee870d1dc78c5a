import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSqs, type MessageAttributes } from '../../../infra/local/aws/sqs/sqs.ts';
import { digestsOfBody, type Settings } from '../../../infra/local/page/digest.ts';
import { createLedger, type KnownQueue, type Ledger, type Sums } from '../../../infra/local/page/ledger.ts';

const QUEUES: Readonly<Record<string, KnownQueue>> = {
  orders: { destination: 'orders', deadLetters: false },
  'orders-dlq': { destination: 'orders', deadLetters: true },
};

/** A queue of the landscape's own model, which the ledger hears of. */
function open({ maxReceiveCount = 1000, fifo = false } = {}) {
  const name = fifo ? 'orders.fifo' : 'orders';
  const ledger = createLedger();
  let now = Date.parse('2027-01-01T00:00:00Z');
  const sqs = createSqs({
    now: () => now,
    onEvent: (event) => {
      const known = knownAs(event.queue);
      if (known !== undefined) ledger.queue(event, known, event.what === 'redriven' ? knownAs(event.to) : undefined);
    },
  });
  const deadLetters = sqs.createQueue(name.replace('orders', 'orders-dlq'));
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount });
  const queue = sqs.createQueue(name, { VisibilityTimeout: '30', RedrivePolicy });
  return {
    ledger,
    queue,
    deadLetters,
    wait: (ms: number) => {
      now += ms;
    },
  };
}

const knownAs = (name: string) => QUEUES[name.replace('.fifo', '')];
const text = (stringValue: string) => ({ dataType: 'String', stringValue });
const arrive = (ledger: Ledger, id: string | undefined, body: string | Buffer, status = 200, settings: Settings = {}) =>
  ledger.arrived({ destination: 'orders', id, digests: digestsOfBody(Buffer.from(body), settings), status });

/** What is not nought. */
function sumsOf(ledger: Ledger): Partial<Sums> {
  const { sums } = ledger;
  const { sent, ...places } = sums;
  expect(Object.values(places).reduce((sum, count) => sum + count, 0)).toBe(sent);
  return Object.fromEntries(Object.entries(sums).filter(([, count]) => count > 0));
}

const DECLARED = '<?xml version="1.0" encoding="ISO-8859-1"?>';
const ENVELOPE = 'xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"';
const ID = '<messageId xmlns="http://www.sap.com/webas/640/soap/features/messageId/">uuid:4711</messageId>';
const enveloped = (inside: string, header = '') =>
  `<e:Envelope ${ENVELOPE}>${header}<e:Body>${inside}</e:Body></e:Envelope>`;
const HEADER = `<e:Header>${ID}</e:Header>`;
const WRAPS = { adapter: 'soap', soapWrap: true };
const ADDS_ID = { adapter: 'soap-rm', messageIdAs: 'header' };

type Changed = readonly [what: string, place: string, sent: string, arrived: string, settings: Settings];

/** What was sent, and what arrived under its id. */
const CHANGED: readonly Changed[] = [
  ['an envelope around it', 'delivered', '<a/>', enveloped('<a/>'), WRAPS],
  [
    'an envelope around all but its declaration',
    'delivered',
    `${DECLARED}\n<a>\xfc</a>\n`,
    `${DECLARED}${enveloped('\n<a>\xfc</a>\n')}`,
    WRAPS,
  ],
  [
    'an envelope around all but its byte order mark',
    'delivered',
    '\xef\xbb\xbf<?xml version="1.0"?><a/>',
    enveloped('<a/>'),
    WRAPS,
  ],
  ['the envelope that it is', 'delivered', enveloped('<a/>'), enveloped('<a/>'), WRAPS],
  ['an envelope with its id', 'delivered', '<a/>', enveloped('<a/>', HEADER), { ...ADDS_ID, soapWrap: true }],
  ['its id in a new header', 'delivered', enveloped('<a/>'), enveloped('<a/>', HEADER), ADDS_ID],
  ['its id in an empty header', 'delivered', enveloped('<a/>', '<e:Header/>'), enveloped('<a/>', HEADER), ADDS_ID],
  [
    'its id in its own header',
    'delivered',
    enveloped('<a/>', '<e:Header><b/></e:Header>'),
    enveloped('<a/>', `<e:Header>${ID}<b/></e:Header>`),
    ADDS_ID,
  ],
  // A setting allows what it does, and nothing else.
  ['an envelope that nothing asks for', 'lost', '<a/>', enveloped('<a/>'), { adapter: 'soap' }],
  ['an envelope where the id alone is asked for', 'lost', '<a/>', enveloped('<a/>'), ADDS_ID],
  ['an envelope around another payload', 'lost', '<a/>', enveloped('<b/>'), WRAPS],
  ['an envelope around a blank more', 'lost', '<a/>', enveloped('<a/> '), WRAPS],
  ['an envelope around an element more', 'lost', '<a/>', enveloped('<b/><a/>'), WRAPS],
  ['an envelope with something behind it', 'lost', '<a/>', `${enveloped('<a/>')}<!-- -->`, WRAPS],
  ['an envelope with a header', 'lost', '<a/>', enveloped('<a/>', '<e:Header><b/></e:Header>'), WRAPS],
  ['no envelope and no declaration', 'lost', `${DECLARED}<a/>`, '<a/>', WRAPS],
  ['no declaration', 'lost', `${DECLARED}<a/>`, '<a/>', {}],
  ['an id that nothing asks for', 'lost', enveloped('<a/>'), enveloped('<a/>', HEADER), WRAPS],
  ['an id and another payload', 'lost', enveloped('<a/>'), enveloped('<b/>', HEADER), ADDS_ID],
  ['the id twice', 'lost', enveloped('<a/>'), enveloped('<a/>', `<e:Header>${ID}${ID}</e:Header>`), ADDS_ID],
];

describe('the line that adds up', () => {
  test.each(CHANGED)('the ledger of messages is told of %s: %s', (_what, place, body, got, settings) => {
    const { ledger, queue } = open();
    const bytes = Buffer.from(body, 'latin1').toString('base64');
    const { messageId } = queue.send({ body: bytes, attributes: { bodyEncoding: text('base64') } });
    arrive(ledger, messageId, Buffer.from(got, 'latin1'), 200, settings);
    queue.delete(queue.receive()[0]?.receiptHandle ?? '');
    expect(sumsOf(ledger)).toEqual({ sent: 1, [place]: 1 });
  });

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
    arrive(ledger, messageId, 'one', 422);
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
    arrive(ledger, messageId, bytes, 204);
    expect(ledger.rows).toMatchObject([{ place: 'delivered', bytes: bytes.byteLength }]);
  });

  test('the ledger of messages calls a message as the flow will, where its id fits into no header', () => {
    const { ledger, queue } = open();
    queue.send({ body: 'one', attributes: { messageId: text('Auftrag für Müller') } });
    expect(ledger.rows.map(({ id }) => id)).toEqual([createHash('sha256').update('Auftrag für Müller').digest('hex')]);
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

  test('the ledger of messages tells behind which message of its group one waits, and counts no wait of its own', () => {
    const { ledger, queue, deadLetters, wait } = open({ fifo: true });
    const send = (body: string, groupId: string) =>
      queue.send({ body, groupId, deduplicationId: body, attributes: { messageId: text(body) } });
    for (const [body, group] of [
      ['a1', 'a'],
      ['a2', 'a'],
      ['b1', 'b'],
      ['a3', 'a'],
    ] as const)
      send(body, group);
    const behind = () => Object.fromEntries(ledger.rows.map((row) => [row.id, ledger.headOf(row)?.id]));
    expect(behind()).toEqual({ a1: undefined, a2: 'a1', b1: undefined, a3: 'a1' });
    const received = queue.receive({ maxMessages: 10 });
    const [a1] = received;
    for (const { receiptHandle, messageAttributes } of received) {
      const isHead = messageAttributes.messageId?.stringValue === 'a1';
      queue.changeVisibility(receiptHandle, isHead ? 600 : 10);
    }
    queue.delete(received.find(({ body }) => body === 'b1')?.receiptHandle ?? '');
    wait(20_000);
    expect(ledger.nextVisibleAt).toBe(Date.parse('2027-01-01T00:10:00Z'));
    expect(ledger.rows.filter(({ group }) => group !== undefined).map(({ id }) => id)).toEqual(['a1', 'a2', 'a3']);
    deadLetters.send({ body: 'a1', groupId: 'a', deduplicationId: 'letter', attributes: { messageId: text('a1') } });
    queue.delete(a1?.receiptHandle ?? '');
    expect(behind()).toMatchObject({ a1: undefined, a2: undefined, a3: 'a2' });
    // It is sent again, and goes to the end of its group.
    expect(ledger.replayed).toBe(0);
    queue.send({ body: 'a1', groupId: 'a', deduplicationId: 'replay', attributes: { messageId: text('a1') } });
    expect([behind(), ledger.replayed]).toMatchObject([{ a1: 'a2', a2: undefined, a3: 'a2' }, 1]);
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
