/** The load of a warm value: it belongs to those who wait for it, and ends when the last of them gives up. */

import { describe, expect, test } from 'vitest';
import { deadlineOf } from '../doubles/deadline.ts';
import { turn } from '../doubles/time.ts';
import { start } from './hand-settled.ts';

describe('A load', () => {
  test('a load belongs to those who wait: the last who gives up ends it, with the reason', async () => {
    const { value, loads } = start();
    const aborts = [new AbortController(), new AbortController()] as const;
    const asked = aborts.map(({ signal }) =>
      value.get(deadlineOf(30_000, signal)).catch((error: Error) => error.message),
    );
    await turn();
    aborts[0].abort(new Error('first'));
    await turn();
    expect(loads[0]?.signal.aborted).toBe(false);
    aborts[1].abort(new Error('last'));
    expect(await Promise.all(asked)).toEqual(['first', 'last']);
    expect(loads[0]?.signal).toMatchObject({ aborted: true, reason: new Error('last') });
  });

  test('a load is not ended while somebody without a signal waits', async () => {
    const { value, loads } = start();
    const abort = new AbortController();
    const [givenUp, patient] = [value.get(deadlineOf(30_000, abort.signal)).catch(() => 'given up'), value.get()];
    await turn();
    abort.abort();
    expect(await givenUp).toBe('given up');
    expect(loads[0]?.signal.aborted).toBe(false);
    loads[0]?.resolve({ n: 1 });
    expect(await patient).toEqual({ n: 1 });
  });

  test('a load that was given up and comes after all overwrites nothing', async () => {
    const { value, loads } = start();
    const abort = new AbortController();
    const givenUp = value.get(deadlineOf(30_000, abort.signal)).catch(() => 'given up');
    await turn();
    abort.abort();
    await givenUp;
    const next = value.get();
    await turn();
    loads[1]?.resolve({ n: 2 });
    await next;
    loads[0]?.resolve({ n: 1 });
    await turn();
    expect(await value.get()).toEqual({ n: 2 });
  });

  test('a load that was given up and comes after all is not kept, nor does it end its successor', async () => {
    const { value, loads } = start();
    const abort = new AbortController();
    const givenUp = value.get(deadlineOf(30_000, abort.signal)).catch(() => 'given up');
    await turn();
    abort.abort();
    await givenUp;
    const next = value.get();
    await turn();
    loads[0]?.resolve({ n: 1 });
    await turn();
    const joined = value.get();
    await turn();
    expect(loads).toHaveLength(2);
    loads[1]?.resolve({ n: 2 });
    expect([await next, await joined]).toEqual([{ n: 2 }, { n: 2 }]);
  });

  test.each([
    ['has brought its value', true],
    ['has failed', false],
  ])('a load that %s is not ended afterwards', async (_, brought) => {
    const { value, loads } = start();
    const asked = value.get(deadlineOf()).catch(() => undefined);
    await turn();
    if (brought) loads[0]?.resolve({ n: 1 });
    else loads[0]?.reject(new Error('down'));
    await asked;
    await turn();
    expect(loads[0]?.signal.aborted).toBe(false);
  });

  test('a load is not begun for one who has given up before', async () => {
    const { value, loads } = start();
    await expect(value.get(deadlineOf(30_000, AbortSignal.abort(new Error('over'))))).rejects.toThrow('over');
    await turn();
    expect(loads).toHaveLength(0);
  });

  test('a load has as long as the most patient of those who wait, from moment to moment', async () => {
    const { value, loads } = start();
    const abort = new AbortController();
    const patient = value.get(deadlineOf(20_000, abort.signal)).catch(() => 'given up');
    const hasty = value.get(deadlineOf(700));
    await turn();
    expect(loads[0]?.deadline.remainingMs()).toBe(20_000);
    abort.abort();
    await patient;
    expect(loads[0]?.deadline.remainingMs()).toBe(700);
    const endless = value.get();
    expect(loads[0]?.deadline.remainingMs()).toBe(Number.POSITIVE_INFINITY);
    loads[0]?.resolve({ n: 1 });
    expect(await Promise.all([hasty, endless])).toEqual([{ n: 1 }, { n: 1 }]);
    expect(loads[0]?.deadline.remainingMs()).toBe(0);
  });

  test('a load goes on while one of two waits who ask with the same deadline', async () => {
    const { value, loads } = start();
    const deadline = deadlineOf(700);
    const asked = [value.get(deadline), value.get(deadline)];
    await turn();
    expect(loads).toHaveLength(1);
    expect(loads[0]?.deadline.remainingMs()).toBe(700);
    loads[0]?.resolve({ n: 1 });
    expect(await Promise.all(asked)).toEqual([{ n: 1 }, { n: 1 }]);
  });
});
