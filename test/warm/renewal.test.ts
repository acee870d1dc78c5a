/**
 * A successor loaded beside the work: nobody waits for it, a failure costs nothing, and it does not outlive its
 * invocation.
 */

import { describe, expect, test } from 'vitest';
import { RENEWAL_PAUSE_MS } from '../../functions/warm/warm.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { turn } from '../doubles/time.ts';
import { startDue } from './hand-settled.ts';

describe('A value that is due', () => {
  test('a due value is handed out at once, while its successor is loaded once for all', async () => {
    const { value, loads, first } = await startDue();
    expect(await Promise.all([value.get(), value.get(), value.get()])).toEqual([first, first, first]);
    await turn();
    expect(loads).toHaveLength(2);
    expect(value.renewing()).toBeInstanceOf(Promise);
    loads[1]?.resolve({ n: 2 });
    await turn();
    expect(await value.get()).toEqual({ n: 2 });
    expect(value.renewing()).toBeUndefined();
    expect(loads).toHaveLength(2);
  });

  test('a due value is not renewed before somebody wants it', async () => {
    const { value, loads } = await startDue();
    await turn();
    expect(loads).toHaveLength(1);
    expect(value.renewing()).toBeUndefined();
  });

  test('a due value that goes stale meanwhile makes all wait for its successor', async () => {
    const { value, loads, state } = await startDue();
    await value.get();
    await turn();
    state.fresh = false;
    const waiting = value.get();
    await turn();
    expect(loads).toHaveLength(2);
    loads[1]?.resolve({ n: 2 });
    expect(await waiting).toEqual({ n: 2 });
  });

  test('a due value that is forgotten meanwhile is not handed out again, and its successor is', async () => {
    const { value, loads, first } = await startDue();
    await value.get();
    value.forget(first);
    const waiting = value.get();
    await turn();
    expect(loads).toHaveLength(2);
    loads[1]?.resolve({ n: 2 });
    expect(await waiting).toEqual({ n: 2 });
  });
});

describe('A renewal that fails', () => {
  test('a renewal that fails is reported, keeps the value, and is begun again 30 s after it began', async () => {
    const { value, loads, first, failures, clock } = await startDue();
    await value.get();
    await turn();
    const down = new Error('down');
    loads[1]?.reject(down);
    await value.renewing();
    expect(failures).toEqual([down]);
    clock.advance(RENEWAL_PAUSE_MS - 1);
    expect(await value.get()).toBe(first);
    await turn();
    expect(loads).toHaveLength(2);
    clock.advance(1);
    expect(await value.get()).toBe(first);
    await turn();
    expect(loads).toHaveLength(3);
    expect(RENEWAL_PAUSE_MS).toBe(30_000);
  });

  test('a renewal that fails, fails for those who wait for it, too, and is reported all the same', async () => {
    const { value, loads, first, failures } = await startDue();
    await value.get();
    const waiting = value.renew(first).catch((error: Error) => error.message);
    await turn();
    loads[1]?.reject(new Error('down'));
    expect(await waiting).toBe('down');
    await turn();
    expect(failures).toHaveLength(1);
    expect(value.peek()).toBe(first);
  });
});

describe('A renewal that is ended', () => {
  test('a renewal that is ended is aborted, counts as failed, and what it brings after all is not kept', async () => {
    const { value, loads, first } = await startDue();
    await value.get();
    await turn();
    const renewing = value.renewing();
    value.abortRenewal();
    expect(loads[1]?.signal.aborted).toBe(true);
    expect(value.renewing()).toBeUndefined();
    loads[1]?.resolve({ n: 2 });
    await renewing;
    expect(await value.get()).toBe(first);
  });

  test('a renewal that is ended goes on for somebody who waits for it, and ends with him', async () => {
    const { value, loads, first } = await startDue();
    await value.get();
    const abort = new AbortController();
    const waiting = value.renew(first, deadlineOf(30_000, abort.signal)).catch(() => 'given up');
    await turn();
    value.abortRenewal();
    expect(loads[1]?.signal.aborted).toBe(false);
    abort.abort();
    expect(await waiting).toBe('given up');
    expect(loads[1]?.signal.aborted).toBe(true);
  });

  test('ending a renewal where there is none changes nothing', async () => {
    const { value, loads, first } = await startDue();
    value.abortRenewal();
    expect(await value.get()).toBe(first);
    await turn();
    expect(loads[1]?.signal.aborted).toBe(false);
  });

  test('a renewal is not ended by one who waited for it and gives up', async () => {
    const { value, loads, first } = await startDue();
    await value.get();
    const abort = new AbortController();
    const waiting = value.renew(first, deadlineOf(30_000, abort.signal)).catch(() => 'given up');
    await turn();
    abort.abort();
    expect(await waiting).toBe('given up');
    expect(loads[1]?.signal.aborted).toBe(false);
  });
});

test('a renewal has the time that is left of its invocation', async () => {
  const { value, loads } = await startDue();
  await value.get(deadlineOf(4_700));
  await turn();
  expect(loads[1]?.deadline.remainingMs()).toBe(4_700);
});
