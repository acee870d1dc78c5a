/** A successor that is asked for by name of the value it is to follow: all who want one wait for the same. */

import { describe, expect, test } from 'vitest';
import { deadlineOf } from '../doubles/deadline.ts';
import { turn } from '../doubles/time.ts';
import { startDue } from './hand-settled.ts';

describe('To renew a value', () => {
  test('renewing a value loads its successor once for all who ask, and all wait', async () => {
    const { value, loads, first } = await startDue();
    const asked = [value.renew(first), value.renew(first)];
    await turn();
    expect(loads).toHaveLength(2);
    loads[1]?.resolve({ n: 2 });
    expect(await Promise.all(asked)).toEqual([{ n: 2 }, { n: 2 }]);
  });

  test('renewing a value that has been replaced already gives the current one', async () => {
    const { value, loads, first } = await startDue();
    const asked = value.renew(first);
    await turn();
    loads[1]?.resolve({ n: 2 });
    const second = await asked;
    expect(await value.renew(first)).toBe(second);
    expect(loads).toHaveLength(2);
  });

  test('renewing a value keeps it for the others until its successor is there, and if that fails', async () => {
    const { value, loads, first, state } = await startDue();
    state.due = false;
    const asked = value.renew(first).catch(() => 'failed');
    await turn();
    expect(await value.get()).toBe(first);
    loads[1]?.reject(new Error('down'));
    expect(await asked).toBe('failed');
    expect(await value.get()).toBe(first);
  });

  test('renewing a value loads one where there is none', async () => {
    const { value, loads, first } = await startDue();
    value.forget(first);
    const asked = value.renew(first);
    await turn();
    loads[1]?.resolve({ n: 2 });
    expect(await asked).toEqual({ n: 2 });
  });

  test('renewing a value does nothing for one whose time is over', async () => {
    const { value, loads, first } = await startDue();
    const over = deadlineOf(0, AbortSignal.abort(new Error('over')));
    await expect(value.renew(first, over)).rejects.toThrow('over');
    await turn();
    expect(loads).toHaveLength(1);
  });
});
