/** How waits are sent to SQS: in tens, the head of a group before the rest, best effort. */

import { describe, expect, test } from 'vitest';
import type { Visibility } from '../../functions/aws/sqs.ts';
import { hideAll } from '../../functions/queue/visibility.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { turn } from '../doubles/time.ts';

const TIME = deadlineOf(2_000);
const kept = (count: number, waitMs: number): Visibility[] =>
  Array.from({ length: count }, (_, index) => ({ receiptHandle: `${waitMs}-${index}`, waitMs }));

/** SQS, as far as this goes: every call is written down and answered by `answer`. */
function recorder(answer: (call: number) => Promise<number> | number = () => 0) {
  const calls: (readonly Visibility[])[] = [];
  let atOnce = 0;
  let most = 0;
  return {
    calls,
    most: () => most,
    changeVisibility: async (entries: readonly Visibility[]) => {
      calls.push(entries);
      atOnce += 1;
      most = Math.max(most, atOnce);
      try {
        return await answer(calls.length);
      } finally {
        atOnce -= 1;
      }
    },
  };
}

test.each([
  { messages: 0, sizes: [] },
  { messages: 1, sizes: [1] },
  { messages: 10, sizes: [10] },
  { messages: 11, sizes: [10, 1] },
  { messages: 25, sizes: [10, 10, 5] },
])('the visibility of $messages messages is changed in calls of $sizes', async ({ messages, sizes }) => {
  const { calls, changeVisibility } = recorder();

  expect(await hideAll(kept(messages, 5_000), { changeVisibility, deadline: TIME })).toBe(0);

  expect(calls.map((entries) => entries.length)).toEqual(sizes);
  expect(new Set(calls.flat().map(({ receiptHandle }) => receiptHandle)).size).toBe(messages);
});

test('every head of a group is hidden before those behind it are released: no group opens too early', async () => {
  const heads = Promise.withResolvers<number>();
  const { calls, changeVisibility } = recorder((call) => (call <= 2 ? heads.promise : 0));
  const mixed = kept(12, 3_000).flatMap((head, index) => [
    head,
    ...kept(1, 0).map((one) => ({ ...one, receiptHandle: `behind ${index}` })),
  ]);

  const hidden = hideAll(mixed, { changeVisibility, deadline: TIME });
  await turn();
  expect(calls.flat().every(({ waitMs }) => waitMs === 3_000)).toBe(true);
  expect(calls.flat()).toHaveLength(12);
  heads.resolve(0);

  expect(await hidden).toBe(0);
  expect(
    calls
      .flat()
      .slice(12)
      .map(({ waitMs }) => waitMs),
  ).toEqual(Array(12).fill(0));
});

test('at most ten calls run at once', async () => {
  const { calls, most, changeVisibility } = recorder(() => new Promise((resolve) => setImmediate(() => resolve(0))));
  await hideAll(kept(500, 1_000), { changeVisibility, deadline: TIME });
  expect(calls).toHaveLength(50);
  expect(most()).toBe(10);
});

describe('What SQS does not do is counted, and no more:', () => {
  test('entries that SQS refuses are counted, and no more', async () => {
    const { changeVisibility } = recorder(() => 3);
    expect(await hideAll(kept(10, 1_000), { changeVisibility, deadline: TIME })).toBe(3);
  });

  test.each([
    { what: 'the first of three calls', failing: [1], missed: 10 },
    { what: 'the second', failing: [2], missed: 10 },
    { what: 'the last', failing: [3], missed: 5 },
    { what: 'each', failing: [1, 2, 3], missed: 25 },
  ])('calls to SQS that fail, $what, are counted, while the others still go', async ({ failing, missed }) => {
    const { calls, changeVisibility } = recorder((call) =>
      failing.includes(call) ? Promise.reject(new Error('no')) : 0,
    );
    expect(await hideAll(kept(25, 1_000), { changeVisibility, deadline: TIME })).toBe(missed);
    expect(calls).toHaveLength(3);
  });

  test('a change of visibility that there is no time for is counted, and not even begun', async () => {
    const { calls, changeVisibility } = recorder();
    const deadline = deadlineOf(0, AbortSignal.abort());
    expect(await hideAll([...kept(20, 1_000), ...kept(5, 0)], { changeVisibility, deadline })).toBe(25);
    expect(calls).toEqual([]);
  });

  test('a change of visibility that the deadline cuts off is counted, and no further call begins', async () => {
    const over = new AbortController();
    const { calls, changeVisibility } = recorder(() => {
      over.abort();
      return 0;
    });
    const deadline = deadlineOf(1, over.signal);
    expect(await hideAll(kept(200, 1_000), { changeVisibility, deadline })).toBe(190);
    expect(calls).toHaveLength(1);
  });
});
