/** A warm value, case by case: joined while it loads, kept until it is stale or forgotten, a failure never kept. */

import { describe, expect, test } from 'vitest';
import { warm } from '../../functions/warm/warm.ts';
import { turn } from '../doubles/time.ts';
import { start } from './hand-settled.ts';

describe('A value', () => {
  test('a value is loaded once for all who ask while it loads, and kept for those who ask after', async () => {
    const { value, loads } = start();
    const asked = [value.get(), value.get(), value.get()];
    await turn();
    expect(loads).toHaveLength(1);
    loads[0]?.resolve({ n: 1 });
    const got = await Promise.all([...asked, value.get()]);
    expect(new Set(got).size).toBe(1);
    expect(await value.get()).toBe(got[0]);
    expect(loads).toHaveLength(1);
  });

  test('a value is loaded when it is wanted and not before', async () => {
    const { loads } = start();
    await turn();
    expect(loads).toHaveLength(0);
  });

  test('a value that is stale is loaded anew, and not handed out even if the load fails', async () => {
    let fresh = true;
    const { value, loads } = start({ isFresh: () => fresh });
    const first = value.get();
    await turn();
    loads[0]?.resolve({ n: 1 });
    await first;
    fresh = false;
    const second = value.get();
    await turn();
    loads[1]?.reject(new Error('down'));
    await expect(second).rejects.toThrow('down');
    fresh = true;
    expect(await value.get()).toEqual({ n: 1 });
  });
});

describe('A failure', () => {
  test('a failure goes to all who wait and to nobody who comes after', async () => {
    const { value, loads } = start();
    const waiting = [value.get(), value.get()].map((asked) => asked.catch((error: Error) => error.message));
    await turn();
    loads[0]?.reject(new Error('down'));
    expect(await Promise.all(waiting)).toEqual(['down', 'down']);
    const after = value.get();
    await turn();
    loads[1]?.resolve({ n: 2 });
    expect(await after).toEqual({ n: 2 });
  });

  test('a failure that is thrown before there is a promise is one like any other', async () => {
    let calls = 0;
    const value = warm<object>({
      load: () => {
        calls += 1;
        throw new TypeError('at once');
      },
    });
    await expect(value.get()).rejects.toThrow('at once');
    await expect(value.get()).rejects.toThrow('at once');
    expect(calls).toBe(2);
  });
});

describe('A value that is forgotten', () => {
  async function loaded() {
    const { value, loads } = start();
    const asked = value.get();
    await turn();
    loads[0]?.resolve({ n: 1 });
    return { value, loads, turn, old: await asked };
  }

  test('a value that is forgotten is loaded anew', async () => {
    const { value, loads, old } = await loaded();
    value.forget(old);
    const next = value.get();
    await turn();
    loads[1]?.resolve({ n: 2 });
    expect(await next).toEqual({ n: 2 });
  });

  test('a value that is forgotten does not take its successor along', async () => {
    const { value, loads, old } = await loaded();
    value.forget(old);
    const next = value.get();
    await turn();
    loads[1]?.resolve({ n: 2 });
    const successor = await next;
    value.forget(old);
    expect(await value.get()).toBe(successor);
  });

  test('a value that is forgotten does not end the load of its successor', async () => {
    const { value, loads, old } = await loaded();
    value.forget(old);
    const next = value.get();
    await turn();
    value.forget(old);
    expect(loads[1]?.signal.aborted).toBe(false);
    loads[1]?.resolve({ n: 2 });
    expect(await next).toEqual({ n: 2 });
  });

  test('a forgotten value is known by its identity', async () => {
    const { value, old } = await loaded();
    value.forget({ ...old });
    expect(await value.get()).toBe(old);
  });

  test('a forgotten value is not kept, and cannot be looked at', async () => {
    const { value, old } = await loaded();
    expect(value.peek()).toBe(old);
    value.forget(old);
    expect(value.peek()).toBeUndefined();
  });
});

describe('What is kept', () => {
  test('a kept value is none before the first load, while it goes on, and after a failure', async () => {
    const { value, loads } = start();
    expect(value.peek()).toBeUndefined();
    const asked = value.get().catch(() => 'failed');
    await turn();
    expect(value.peek()).toBeUndefined();
    loads[0]?.reject(new Error('down'));
    await asked;
    expect(value.peek()).toBeUndefined();
  });

  test('a kept value can be looked at even if it is stale', async () => {
    let fresh = true;
    const { value, loads } = start({ isFresh: () => fresh });
    const asked = value.get();
    await turn();
    loads[0]?.resolve({ n: 1 });
    const first = await asked;
    fresh = false;
    expect(value.peek()).toBe(first);
  });
});
