/**
 * A batch on its way, in simulated time: what goes out beside what, in which order, where it stops, and for how long
 * what stays is out of sight.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { QueuedMessage } from '../../functions/message/queued.ts';
import { createBreaker } from '../../functions/queue/breaker.ts';
import { HOUR_MS, queuedMessage, SENT_AT } from './queued.ts';
import { createSimulatedQueue, type Delivery } from './simulated-queue.ts';

/** Of a standard queue: `1`, `2`, … */
const standard = (count: number, overrides: Partial<QueuedMessage> = {}): QueuedMessage[] =>
  Array.from({ length: count }, (_, index) => queuedMessage({ recordId: String(index + 1), ...overrides }));
/** Of a FIFO queue: `a1` is the first of group `a`. */
const fifo = (...ids: string[]): QueuedMessage[] =>
  ids.map((id) => queuedMessage({ recordId: id, group: id.slice(0, 1) }));
const waits = ({ kept }: Delivery) => Object.fromEntries(kept.map(({ recordId, waitMs }) => [recordId, waitMs]));
const ofGroup = (ids: readonly string[], group: string) => ids.filter((id) => id.startsWith(group));
const failing =
  (...ids: string[]) =>
  (id: string) =>
    ids.includes(id) ? 503 : 200;
const openBreaker = () => {
  const breaker = createBreaker();
  for (let count = 0; count < 5; count += 1) breaker.record('failed');
  return breaker;
};

describe('On a standard queue', () => {
  test.each([
    { messages: 10, concurrency: 10, atOnce: 10, tookMs: 100 },
    { messages: 10, concurrency: 3, atOnce: 3, tookMs: 400 },
    { messages: 10, concurrency: 1, atOnce: 1, tookMs: 1_000 },
    { messages: 3, concurrency: 10, atOnce: 3, tookMs: 100 },
    { messages: 5_000, concurrency: 50, atOnce: 50, tookMs: 10_000 },
    { messages: 0, concurrency: 10, atOnce: 0, tookMs: 0 },
  ])(
    'a batch of $messages messages of a standard queue goes out $atOnce at a time, none twice',
    async ({ messages, concurrency, atOnce, tookMs }) => {
      const delivery = await createSimulatedQueue({ concurrency }).deliver(standard(messages));
      expect(delivery).toMatchObject({ kept: [], mostAtOnce: atOnce, tookMs });
      expect(new Set(delivery.calls).size).toBe(messages);
      expect(delivery.calls).toHaveLength(messages);
    },
  );

  test('a slow message of a standard queue holds nothing back', async () => {
    const callMs = (id: string) => (id === '1' ? 5_000 : 100);
    const delivery = await createSimulatedQueue({ concurrency: 2, callMs }).deliver(standard(10));
    expect(delivery.answered.at(-1)).toBe('1');
    expect(delivery).toMatchObject({ kept: [], tookMs: 5_000 });
  });

  test('a message of a standard queue that fails is kept alone, with the wait of its receives', async () => {
    const messages = standard(3).map((one) => ({ ...one, receiveCount: Number(one.recordId) }));
    const delivery = await createSimulatedQueue({ answer: () => 503 }).deliver(messages);
    expect(waits(delivery)).toEqual({ 1: 1_500, 2: 3_000, 3: 6_000 });
  });

  test('a record that is twice in one batch of a standard queue goes out one after the other', async () => {
    const [one] = standard(1);
    if (one === undefined) throw new Error('none');
    expect(await createSimulatedQueue().deliver([one, one])).toMatchObject({ mostAtOnce: 1, calls: ['1', '1'] });
  });
});

describe('On FIFO', () => {
  test('a group on FIFO goes one at a time and in order, while others go beside it', async () => {
    const messages = fifo('a1', 'b1', 'a2', 'c1', 'b2', 'a3');
    const delivery = await createSimulatedQueue().deliver(messages);
    expect(delivery).toMatchObject({ kept: [], mostAtOnce: 3, mostOfGroup: 1, tookMs: 300 });
    expect(ofGroup(delivery.answered, 'a')).toEqual(['a1', 'a2', 'a3']);
    expect(ofGroup(delivery.answered, 'b')).toEqual(['b1', 'b2']);
  });

  test('a failure on FIFO keeps the rest of the group unsent, and only its head waits', async () => {
    const delivery = await createSimulatedQueue({ answer: failing('a2') }).deliver(
      fifo('a1', 'a2', 'a3', 'a4', 'b1', 'b2'),
    );
    expect(delivery.calls.toSorted()).toEqual(['a1', 'a2', 'b1', 'b2']);
    expect(delivery.kept.map(({ recordId }) => recordId)).toEqual(['a2', 'a3', 'a4']);
    expect(waits(delivery)).toEqual({ a2: 1_500, a3: 0, a4: 0 });
    expect(delivery.postponed).toMatchObject([
      { messages: 2, reason: expect.stringContaining('behind a message of their group') },
    ]);
  });

  test('a group on FIFO goes on after a rejected message that is safe in the dead-letter queue', async () => {
    const answer = (id: string) => (id === 'a1' ? 422 : 200);
    const delivery = await createSimulatedQueue({ answer }).deliver(fifo('a1', 'a2', 'a3'));
    expect(delivery).toMatchObject({ kept: [], deadLettered: ['a1'], answered: ['a1', 'a2', 'a3'], postponed: [] });
  });

  test('a rejected message on FIFO without a dead letter closes its group, and returns often enough', async () => {
    const answer = (id: string) => (id === 'a1' ? 422 : 200);
    const delivery = await createSimulatedQueue({ answer, writesLetters: false }).deliver(fifo('a1', 'a2', 'b1'));
    expect(delivery.calls.toSorted()).toEqual(['a1', 'b1']);
    expect(waits(delivery)).toEqual({ a1: 450_000, a2: 0 });
  });

  test('a message on FIFO that cannot be read is rejected in its place, and the group goes on', async () => {
    const messages = fifo('a1', 'a2').map((one) =>
      one.recordId === 'a1' ? { ...one, message: new RelayError('MESSAGE_INVALID', 'unreadable') } : one,
    );
    const delivery = await createSimulatedQueue().deliver(messages);
    expect(delivery).toMatchObject({ kept: [], deadLettered: ['a1'], calls: ['a2'] });
  });

  test('no group on FIFO is overtaken, runs beside itself, or loses a message', async () => {
    const run = fc.record({
      ids: fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 9 })), {
        maxLength: 12,
        selector: ([group, number]) => `${group}${number}`,
      }),
      statuses: fc
        .dictionary(fc.string(), fc.constant(0))
        .chain(() => fc.func(fc.constantFrom(200, 200, 200, 422, 503, 404))),
      concurrency: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(run, async ({ ids, statuses, concurrency }) => {
        const names = ids.map(([group, number]) => `${group}${number}`);
        const answer = (id: string) => statuses(id);
        const delivery = await createSimulatedQueue({ answer, concurrency }).deliver(fifo(...names));
        expect(delivery.mostOfGroup).toBeLessThanOrEqual(1);
        expect(delivery.mostAtOnce).toBeLessThanOrEqual(concurrency);
        const kept = delivery.kept.map(({ recordId }) => recordId);
        const gone = [...delivery.answered.filter((id) => answer(id) === 200), ...delivery.deadLettered];
        expect([...kept, ...gone].toSorted()).toEqual(names.toSorted());
        for (const group of ['a', 'b', 'c']) {
          const sent = ofGroup(names, group);
          // What went out is the beginning of the group; what stays is its end, the head first.
          expect(ofGroup(delivery.calls, group)).toEqual(sent.slice(0, ofGroup(delivery.calls, group).length));
          expect(ofGroup(kept, group)).toEqual(sent.slice(sent.length - ofGroup(kept, group).length));
          const [, ...behind] = ofGroup(kept, group);
          for (const id of behind) expect(waits(delivery)[id]).toBe(0);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('What is asked for and what is blocked', () => {
  test('a Retry-After is followed', async () => {
    const delivery = await createSimulatedQueue({ answer: () => 503, retryAfterSeconds: 120 }).deliver(standard(1));
    expect(waits(delivery)).toEqual({ 1: 120_000 });
  });

  test('a blocked message comes back slowly, whatever its receives', async () => {
    const messages = standard(1, { receiveCount: 7 });
    expect(waits(await createSimulatedQueue({ answer: () => 404 }).deliver(messages))).toEqual({ 1: 1_350_000 });
  });
});

describe('After five in a row that failed', () => {
  test('the rest of a batch stays unsent after five failures in a row, with spread waits', async () => {
    const delivery = await createSimulatedQueue({ concurrency: 1, answer: () => 503 }).deliver(standard(20));
    expect(delivery.calls).toEqual(['1', '2', '3', '4', '5']);
    expect(delivery.kept).toHaveLength(20);
    expect(delivery.kept.every(({ waitMs }) => waitMs === 1_500)).toBe(true);
    expect(delivery.postponed).toMatchObject([
      { messages: 15, reason: expect.stringContaining('failed one after another') },
    ]);
  });

  test('each group on FIFO stays whole after five failures, its head with a wait and the rest with none', async () => {
    const queue = createSimulatedQueue({ concurrency: 1, answer: () => 404 });
    const delivery = await queue.deliver(fifo('a1', 'b1', 'c1', 'd1', 'e1', 'f1', 'f2', 'f3'));
    expect(delivery.calls).toHaveLength(5);
    expect(waits(delivery)).toMatchObject({ a1: 1_350_000, f1: 1_350_000, f2: 0, f3: 0 });
  });

  test.each([
    { last: 503, waitMs: 1_500 },
    { last: 404, waitMs: 1_350_000 },
  ])('the last of five mixed failures, $last, decides how long the rest waits', async ({ last, waitMs }) => {
    const answer = (id: string) => (id === '5' ? last : Number(id) % 2 === 0 ? 503 : 404);
    const delivery = await createSimulatedQueue({ concurrency: 1, answer }).deliver(standard(10));
    expect(delivery.calls).toHaveLength(5);
    expect(delivery.kept.slice(5).map((kept) => kept.waitMs)).toEqual(Array(5).fill(waitMs));
  });

  test.each([
    { probe: 404, waitMs: 1_350_000 },
    { probe: 503, waitMs: 1_500 },
  ])('a probe after five failures that is answered $probe says how long the others wait', async ({ probe, waitMs }) => {
    const queue = createSimulatedQueue({ breaker: openBreaker(), answer: () => probe });
    const { kept } = await queue.deliver(standard(10));
    expect(kept.map((one) => one.waitMs)).toEqual(Array(10).fill(waitMs));
  });

  test('a message sent over twelve days ago is tried after five failures, too', async () => {
    const sentAt = SENT_AT - 12 * 24 * HOUR_MS - 1;
    const messages = [...standard(3), ...['old 1', 'old 2'].map((recordId) => queuedMessage({ recordId, sentAt }))];
    const delivery = await createSimulatedQueue({ breaker: openBreaker(), answer: () => 404 }).deliver(messages);
    expect(delivery.calls).toEqual(['1', 'old 1', 'old 2']);
  });

  test('a message in flight at the fifth failure is waited for, and its success closes the breaker', async () => {
    const callMs = (id: string) => (id === '1' ? 250 : 100);
    const queue = createSimulatedQueue({ concurrency: 6, callMs, answer: (id) => (id === '1' ? 200 : 503) });
    const delivery = await queue.deliver(standard(20));
    // Six at first, four more in the places of those that failed before the fifth did.
    expect(delivery.calls).toHaveLength(10);
    expect(delivery.answered.at(-1)).toBe('1');
    expect(delivery.kept).toHaveLength(19);
    expect((await queue.deliver(standard(10), { answer: () => 200 })).mostAtOnce).toBe(6);
  });

  test.each([
    { probe: 503, sent: 1, left: 10 },
    { probe: 404, sent: 1, left: 10 },
    { probe: 200, sent: 10, left: 0 },
    { probe: 422, sent: 10, left: 0 },
  ])(
    'a later invocation after five failures tries one alone: answered $probe, $sent go out',
    async ({ probe, sent, left }) => {
      const answer = (id: string) => (id === '1' ? probe : 200);
      const delivery = await createSimulatedQueue({ breaker: openBreaker(), answer }).deliver(standard(10));
      expect(delivery.calls).toHaveLength(sent);
      expect(delivery.kept).toHaveLength(left);
      expect(delivery.calls[0]).toBe('1');
      // Nothing went beside the probe.
      expect(delivery.tookMs).toBeGreaterThanOrEqual(sent === 1 ? 100 : 200);
    },
  );

  test('one message is tried in each invocation after five failures until one succeeds, and then all', async () => {
    const queue = createSimulatedQueue({ concurrency: 2 });
    expect((await queue.deliver(standard(10), { answer: () => 503 })).calls.length).toBeLessThanOrEqual(6);
    for (const _ of [1, 2, 3]) expect((await queue.deliver(standard(10), { answer: () => 503 })).calls).toEqual(['1']);
    expect((await queue.deliver(standard(10))).calls).toHaveLength(10);
    expect((await queue.deliver(standard(10))).mostAtOnce).toBe(2);
  });

  test('the probe on FIFO is the head of a group; when it succeeds its group goes on first', async () => {
    const delivery = await createSimulatedQueue({ breaker: openBreaker() }).deliver(fifo('a1', 'b1', 'a2'));
    expect(delivery).toMatchObject({ kept: [], calls: ['a1', 'a2', 'b1'] });
  });

  test('a probe on FIFO that fails keeps its whole group and all others', async () => {
    const queue = createSimulatedQueue({ breaker: openBreaker(), answer: () => 503 });
    const delivery = await queue.deliver(fifo('a1', 'b1', 'a2'));
    expect(delivery.calls).toEqual(['a1']);
    expect(waits(delivery)).toEqual({ a1: 1_500, a2: 0, b1: 1_500 });
  });
});

describe('What never reached the endpoint says nothing of it:', () => {
  const unreadable = (code: 'EVENT_INVALID' | 'MESSAGE_INVALID') => ({ message: new RelayError(code, 'unreadable') });

  test('five records without a body fail, and exactly those; the good ones behind them are delivered', async () => {
    const messages = standard(10).map((one, index) => (index < 5 ? { ...one, ...unreadable('EVENT_INVALID') } : one));
    const delivery = await createSimulatedQueue({ concurrency: 1 }).deliver(messages);
    expect(delivery.kept.map(({ recordId }) => recordId)).toEqual(['1', '2', '3', '4', '5']);
    expect(delivery.calls).toEqual(['6', '7', '8', '9', '10']);
  });

  test('a first message that cannot be read is no probe: the next one is', async () => {
    const messages = standard(10).map((one, index) => (index < 1 ? { ...one, ...unreadable('MESSAGE_INVALID') } : one));
    const queue = createSimulatedQueue({ breaker: openBreaker(), answer: () => 503 });
    const delivery = await queue.deliver(messages);
    expect(delivery).toMatchObject({ calls: ['2'], deadLettered: ['1'] });
    expect(delivery.kept).toHaveLength(9);
  });
});

describe('Near the end of the time', () => {
  test.each([10, 100, 5_000])(
    'a batch of %i begins no call that the rest of the time cannot carry',
    async (messages) => {
      const queue = createSimulatedQueue({ concurrency: 2, callMs: () => 3_000, remainingMs: 14_000 });
      const delivery = await queue.deliver(standard(messages));
      // 12 s for the work; a call is begun while 1.5 times the longest so far is left: at 0, 3 and 6 s.
      expect(delivery.calls).toHaveLength(6);
      expect(delivery.answered).toHaveLength(6);
      expect(delivery.kept).toHaveLength(messages - 6);
      expect(delivery.tookMs).toBe(9_000);
      expect(delivery.kept.every(({ waitMs }) => waitMs === 3_000)).toBe(true);
      expect(delivery.postponed).toMatchObject([
        { messages: messages - 6, reason: expect.stringContaining('no time left') },
      ]);
    },
  );

  test('a call cut off at the deadline is logged as unknown, and does not count for the breaker', async () => {
    const queue = createSimulatedQueue({ concurrency: 10, answer: () => 'hang', remainingMs: 10_000 });
    const delivery = await queue.deliver(standard(20));
    expect(delivery.tookMs).toBe(8_000);
    expect(delivery.kept).toHaveLength(20);
    expect(delivery.lines.map(({ outcome, executed }) => `${outcome} ${executed}`)).toEqual(
      Array(10).fill('failed unknown'),
    );
    expect(queue.breaker.isOpen).toBe(false);
  });

  test('no call is begun in the last half second', async () => {
    const delivery = await createSimulatedQueue({ remainingMs: 600 }).deliver(standard(3));
    expect(delivery).toMatchObject({ calls: [], tookMs: 0 });
    expect(delivery.kept).toHaveLength(3);
  });

  test('the first message on FIFO that there is no time for keeps those behind it', async () => {
    const queue = createSimulatedQueue({ callMs: () => 3_000, remainingMs: 7_000 });
    const delivery = await queue.deliver(fifo('a1', 'a2', 'a3'));
    expect(delivery.calls).toEqual(['a1']);
    expect(waits(delivery)).toEqual({ a2: 3_000, a3: 0 });
  });
});

test('each message has one line for each attempt, and none where there was none', async () => {
  const delivery = await createSimulatedQueue({ answer: failing('2') }).deliver(standard(3));
  expect(
    delivery.lines
      .map(({ messageId, outcome, calls, attempt }) => `${messageId} ${outcome} ${calls} ${attempt}`)
      .toSorted(),
  ).toEqual(['1 delivered 1 1', '2 failed 1 1', '3 delivered 1 1']);
});

test.each<[string, number, number, (number | undefined)[]]>([
  ['delivered has none', 200, SENT_AT, [undefined]],
  ['that stays is counted from when it was sent to when its call was over', 503, SENT_AT - 61_950, [62]],
  ['that is given up has one as well', 422, SENT_AT - HOUR_MS, [3_600]],
  ['of which nobody knows when it was sent has none', 503, Number.MAX_SAFE_INTEGER, [undefined]],
])('the age of a message is logged %s', async (_, status, sentAt, ages) => {
  const delivery = await createSimulatedQueue({ answer: () => status }).deliver(standard(1, { sentAt }));
  expect(delivery.lines.map(({ ageSeconds }) => ageSeconds)).toEqual(ages);
});

/** Sent an hour before it was first received, two hours before this attempt. */
const OLD = { sentAt: SENT_AT - 2 * HOUR_MS, firstReceivedAt: SENT_AT - HOUR_MS };
const retried = (overrides: Partial<QueuedMessage> = {}) => standard(1, { ...OLD, receiveCount: 2, ...overrides });

test.each<[string, number, QueuedMessage[], (number | undefined)[]]>([
  ['failed again', 503, retried(), [3_600]],
  ['was blocked again', 404, retried(), [3_600]],
  ['failed again in FIFO', 503, retried({ group: 'a' }), [3_600]],
  ['failed at its first attempt, however long it had waited', 503, retried({ receiveCount: 1 }), [undefined]],
  ['was blocked at its first attempt', 404, retried({ receiveCount: 1 }), [undefined]],
  ['is rejected, and will not be tried again', 422, retried(), [undefined]],
  ['is delivered in the end', 200, retried(), [undefined]],
  ['has no time of its first receive', 503, retried({ firstReceivedAt: Number.MAX_SAFE_INTEGER }), [undefined]],
])('how long SAP has not taken a message that %s', async (_, status, messages, seconds) => {
  const delivery = await createSimulatedQueue({ answer: () => status }).deliver(messages);
  expect(delivery.lines.map(({ triedForSeconds }) => triedForSeconds)).toEqual(seconds);
});
