/** Renewals that overlap with one another, with a load that somebody waits for, and with the end of an invocation. */

import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { RENEWAL_PAUSE_MS, settleRenewals } from '../../functions/warm/warm.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { createSimulatedTime, NOON, turn } from '../doubles/time.ts';
import { startDue } from '../warm/hand-settled.ts';

describe('A renewal', () => {
  test('a renewal that was ended and comes back late does not hide the next one', async () => {
    const { value, loads, clock } = await startDue();
    await value.get();
    await turn();
    value.abortRenewal();
    clock.advance(RENEWAL_PAUSE_MS);
    await value.get();
    await turn();
    expect(loads).toHaveLength(3);
    loads[1]?.reject(new Error('late'));
    await turn();
    expect(value.renewing()).toBeInstanceOf(Promise);
    loads[2]?.resolve({ n: 3 });
    await turn();
    expect([value.peek(), value.renewing()]).toEqual([{ n: 3 }, undefined]);
  });

  test('a renewal is not begun while somebody waits for a successor already', async () => {
    const { value, loads, first } = await startDue();
    const waiting = value.renew(first);
    await turn();
    expect(await value.get()).toBe(first);
    await turn();
    expect(loads).toHaveLength(2);
    loads[1]?.resolve({ n: 2 });
    expect(await waiting).toEqual({ n: 2 });
  });

  test('a renewal that was ended is over before the invocation is', async () => {
    const { value, loads } = await startDue();
    await value.get();
    await turn();
    let isOver = false;
    const time = createSimulatedTime(NOON, { passesAtOnce: true });
    const settled = settleRenewals([value], time).then(() => {
      isOver = true;
    });
    await turn();
    // It was asked to end, and takes its time.
    expect([loads[1]?.signal.aborted, isOver]).toEqual([true, false]);
    loads[1]?.reject(new Error('ended'));
    await settled;
    expect(isOver).toBe(true);
  });
});

test('a renewal that somebody waits for beyond the invocation is neither ended nor awaited by it', async () => {
  const { value, loads, first } = await startDue();
  await value.get();
  const waiting = value.renew(first, deadlineOf());
  await turn();
  await settleRenewals([value], createSimulatedTime(NOON, { passesAtOnce: true }));
  expect(loads[1]?.signal.aborted).toBe(false);
  loads[1]?.resolve({ n: 2 });
  expect(await waiting).toEqual({ n: 2 });
});

test('whoever has waited leaves no listener on the signal of his deadline, however often he asks', async () => {
  const { value, loads, first } = await startDue();
  const { signal } = new AbortController();
  const waiting = [value.renew(first, deadlineOf(30_000, signal)), value.renew(first, deadlineOf(30_000, signal))];
  await turn();
  expect(getEventListeners(signal, 'abort').length).toBeGreaterThan(0);
  loads[1]?.resolve({ n: 2 });
  await Promise.all(waiting);
  await turn();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
