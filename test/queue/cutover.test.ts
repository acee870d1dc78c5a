/** A batch with messages of both sides of a cut-over: each side by itself, as if it were a queue of its own. */
import { describe, expect, test } from 'vitest';
import type { Environment } from '../../functions/environment.ts';
import { createEnvironment } from '../../functions/environment.ts';
import { fromRecord } from '../../functions/message/queued.ts';
import { createBreaker } from '../../functions/queue/breaker.ts';
import { createQueueRoutes } from '../../functions/queue/routes.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';
import { recordWith } from '../message/sqs-event.ts';
import { FIFO_ARN, queuedMessage, SENT_AT, STANDARD_ARN, textAttributes } from './queued.ts';
import { createSimulatedQueue } from './simulated-queue.ts';

const isNew = (id: string) => id.endsWith('new');
const standard = (...ids: string[]) => ids.map((recordId) => queuedMessage({ recordId }));
const fifo = (...ids: string[]) => ids.map((id) => queuedMessage({ recordId: id, group: id.slice(0, 1) }));
const many = (side: string, count = 6) =>
  standard(...Array.from({ length: count }, (_, number) => `${number}-${side}`));
const open = () => {
  const breaker = createBreaker();
  for (let count = 0; count < 5; count += 1) breaker.record('failed');
  return breaker;
};

describe('A batch over a cut-over', () => {
  test('an attempt is logged with its side', async () => {
    const { lines } = await createSimulatedQueue({ cutover: { isNew } }).deliver(standard('1-old', '2-new'));
    expect(lines.map(({ messageId, side }) => [messageId, side])).toEqual([
      ['1-old', 'old'],
      ['2-new', 'new'],
    ]);
  });

  test('an attempt without a cut-over is logged without a side', async () => {
    const { lines } = await createSimulatedQueue().deliver(standard('1-old'));
    expect(lines).toEqual([expect.objectContaining({ side: undefined })]);
  });

  test('an open breaker of the old side holds back nothing of the new one', async () => {
    const queue = createSimulatedQueue({
      cutover: { isNew },
      answer: (id) => (isNew(id) ? 200 : 503),
      breaker: open(),
    });
    const { calls, postponed } = await queue.deliver([...many('old'), ...many('new')]);
    expect(calls.filter((id) => !isNew(id))).toHaveLength(1);
    expect(calls.filter(isNew)).toHaveLength(6);
    expect(postponed).toEqual([
      { side: 'old', messages: 5, reason: expect.stringContaining('failed one after another') },
    ]);
  });

  test('an open breaker of the new side has a probe of its own', async () => {
    const cutover = { isNew, breaker: open() };
    const queue = createSimulatedQueue({ cutover, answer: (id) => (isNew(id) ? 503 : 200) });
    const { calls, postponed } = await queue.deliver([...many('old'), ...many('new')]);
    expect(calls.filter(isNew)).toHaveLength(1);
    expect(calls.filter((id) => !isNew(id))).toHaveLength(6);
    expect(postponed).toMatchObject([{ side: 'new', messages: 5 }]);
  });

  test('failures of the old side do not open the breaker of the new one', async () => {
    const breaker = createBreaker();
    const queue = createSimulatedQueue({ cutover: { isNew, breaker }, answer: (id) => (isNew(id) ? 200 : 503) });
    await queue.deliver([...many('old'), ...many('new')]);
    expect(queue.breaker.isOpen).toBe(true);
    expect(breaker.isOpen).toBe(false);
  });

  test('a side that hangs takes no place of the other one’s calls', async () => {
    const queue = createSimulatedQueue({
      cutover: { isNew },
      concurrency: 2,
      callMs: (id) => (isNew(id) ? 100 : 60_000),
    });
    const { answered } = await queue.deliver([...many('old', 2), ...many('new', 4)]);
    expect(answered.slice(0, 4).every(isNew)).toBe(true);
  });

  test('a stuck message of the old side keeps the newer ones of its group waiting, and the log says so', async () => {
    const queue = createSimulatedQueue({ cutover: { isNew }, answer: (id) => (id === 'a1-old' ? 503 : 200) });
    const { calls, kept, postponed } = await queue.deliver(fifo('a1-old', 'a2-old', 'a3-new', 'b1-new'));
    expect(calls).toEqual(['a1-old', 'b1-new']);
    expect(kept.map(({ recordId }) => recordId)).toEqual(['a1-old', 'a2-old', 'a3-new']);
    const behind = 'not tried: behind a message of their group that stays';
    expect(postponed).toEqual([
      { side: 'old', messages: 1, reason: behind },
      { side: 'new', messages: 1, reason: `${behind} and belongs to the old side` },
    ]);
  });

  test('both sides together keep to their calls at once, where groups go over since', async () => {
    const queue = createSimulatedQueue({
      cutover: { isNew },
      concurrency: 2,
      callMs: (id) => (isNew(id) ? 1_000 : 10),
    });
    // After 20 ms no call of the old side is left: four of the new one, two at a time.
    const { tookMs } = await queue.deliver(fifo('c1-new', 'd1-new', 'a1-old', 'a2-new', 'b1-old', 'b2-new'));
    expect(tookMs).toBeGreaterThanOrEqual(2_000);
  });

  test('no call of a side is begun that may take longer than the time left, by what its own calls took', async () => {
    const queue = createSimulatedQueue({ cutover: { isNew }, callMs: (id) => (isNew(id) ? 60_000 : 12_000) });
    const olds = Array.from({ length: 8 }, (_, index) => `a${index}-old`);
    const { lines, kept } = await queue.deliver(fifo('b1-new', ...olds, 'a9-new'));
    expect(lines.filter(({ executed }) => executed === 'unknown')).toEqual([]);
    expect(kept.map(({ recordId }) => recordId)).toEqual(['a9-new']);
  });

  test('a group goes over since in its order, one at a time', async () => {
    const queue = createSimulatedQueue({ cutover: { isNew } });
    const delivery = await queue.deliver(fifo('a1-old', 'a2-new', 'a3-new', 'b1-old', 'b2-new'));
    expect(delivery).toMatchObject({ kept: [], mostOfGroup: 1 });
    expect(delivery.answered.filter((id) => id.startsWith('a'))).toEqual(['a1-old', 'a2-new', 'a3-new']);
  });
});

const SINCE = new Date(SENT_AT).toISOString();

function routeFor(share: number) {
  const flow = { secret: 'cpi/orders-neo', url: 'https://neo.example.com/http/orders' };
  const cutover = { secret: 'cpi/orders-cf', since: SINCE, share };
  const settings = readSettings({
    DESTINATIONS: JSON.stringify({
      orders: { ...flow, queue: STANDARD_ARN, cutover },
      lanes: { ...flow, queue: FIFO_ARN, cutover },
    }),
  });
  const environment: Environment = createEnvironment({ settings, outside: { telemetry: quietTelemetry() } });
  const routes = createQueueRoutes(environment);
  return (queueArn: string) => {
    const { cutover: made } = routes(queueArn) ?? {};
    if (made === undefined) throw new Error('expected a cut-over');
    return made.sideOf;
  };
}

const letter = (said: object) => textAttributes({ deadLetter: JSON.stringify(said) });
const earlier = new Date(SENT_AT - 1_000).toISOString();

describe('The side of a queued message', () => {
  test.each([
    { what: 'sent before since', message: { sentAt: SENT_AT - 1 }, side: 'old' },
    { what: 'sent at since', message: { sentAt: SENT_AT }, side: 'new' },
    { what: 'sent at since, received years later', message: { firstReceivedAt: SENT_AT * 2 }, side: 'new' },
    {
      what: 'queued by a webhook that took it before since',
      message: { attributes: textAttributes({ cameInAt: earlier }) },
      side: 'old',
    },
    {
      what: 'a letter of a webhook that took it before since, redriven as it is',
      message: { attributes: { ...letter({ sentAt: SINCE }), ...textAttributes({ cameInAt: earlier }) } },
      side: 'old',
    },
    {
      what: 'put back to the old side',
      message: { attributes: textAttributes({ cutoverSide: 'old', cameInAt: SINCE }) },
      side: 'old',
    },
    {
      what: 'put back to the new side',
      message: { sentAt: SENT_AT - 1, attributes: textAttributes({ cutoverSide: 'new' }) },
      side: 'new',
    },
    { what: 'a letter that is redriven as it is', message: { attributes: letter({ side: 'old' }) }, side: 'old' },
    {
      what: 'a letter of before the setting, redriven as it is',
      message: { attributes: letter({ sentAt: earlier }) },
      side: 'old',
    },
    { what: 'with a letter that says nothing', message: { attributes: letter({ sentAt: 'x', side: 4 }) }, side: 'new' },
  ])('a message that is $what belongs to the $side side', ({ message, side }) => {
    expect(routeFor(100)(STANDARD_ARN)(queuedMessage(message))).toBe(side);
  });

  test('a share goes by the message id, and not by what SQS calls the record', () => {
    const of = routeFor(50)(STANDARD_ARN);
    for (const messageId of ['order-1', 'order-2', 'order-3', 'order-4', 'order-5']) {
      const sides = ['r1', 'r2', 'r3', 'r4'].map((recordId) => of(queuedMessage({ recordId, messageId })));
      expect(new Set(sides).size).toBe(1);
    }
  });

  test('a share on FIFO goes by the group, so that a group is on one side', () => {
    const of = routeFor(50)(FIFO_ARN);
    const groups = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const found = groups.map((group) => {
      const sides = ['1', '2', '3', '4', '5'].map((recordId) => of(queuedMessage({ recordId, group })));
      expect(new Set(sides).size).toBe(1);
      return sides[0];
    });
    expect(new Set(found)).toEqual(new Set(['old', 'new']));
  });

  test('the attributes of a cut-over are ours, and no user’s that could be the rest of a path', () => {
    const { message } = fromRecord(recordWith('{}', { cutoverSide: 'old', cameInAt: SINCE, shop: 'north' }));
    expect(message).toMatchObject({ attributes: { shop: 'north' } });
  });

  test.each([
    [{ cutoverSide: 'Old' }, 'message attribute "cutoverSide": expected old or new; the sender must correct it'],
    [{ cutoverSide: '' }, 'message attribute "cutoverSide": expected old or new; the sender must correct it'],
    [{ cameInAt: 'noon' }, 'message attribute "cameInAt": expected a time; the sender must correct it'],
  ])('a side that nobody understands rejects the message, and takes it to neither: %j', (attributes, reason) => {
    const { message } = fromRecord(recordWith('{}', attributes));
    expect(message).toMatchObject({ code: 'MESSAGE_INVALID', message: reason });
  });
});
