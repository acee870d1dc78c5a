/** A value that may be read again, such as a webhook's secret: how often it is read, whoever asks. */

import { describe, expect, test } from 'vitest';
import { createRereadable } from '../../functions/warm/rereadable.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { createSimulatedTime } from '../doubles/time.ts';
import { unavailable } from '../webhook/open-webhook.ts';

function start() {
  const clock = createSimulatedTime();
  const outcomes: (Error | undefined)[] = [];
  let reads = 0;
  const known = createRereadable<{ read: number }>({
    async load() {
      reads += 1;
      const failure = outcomes.shift();
      if (failure !== undefined) throw failure;
      return { read: reads };
    },
    dueAfterMs: 600_000,
    clock: { now: clock.now },
  });
  return { clock, outcomes, known, reads: () => reads, deadline: deadlineOf() };
}

describe('Beyond a value that did not hold', () => {
  test('a value newer than a rejected one is what another had read meanwhile, without another reading', async () => {
    const { known, deadline, reads } = start();
    const old = await known.get(deadline);
    expect(await known.newerThan(old, deadline)).toEqual({ read: 2 });
    expect(await known.newerThan(old, deadline)).toEqual({ read: 2 });
    expect(reads()).toBe(2);
  });

  test('no value newer than a rejected one is read for 30 s after a reading', async () => {
    const { known, deadline, clock } = start();
    const newer = await known.newerThan(await known.get(deadline), deadline);
    if (newer === undefined) throw new Error('expected a newer value');
    clock.advance(29_999);
    expect(await known.newerThan(newer, deadline)).toBeUndefined();
    clock.advance(1);
    expect(await known.newerThan(newer, deadline)).toEqual({ read: 3 });
  });

  test('no value newer than a rejected one is had while it cannot be read, and the old one stays', async () => {
    const { known, deadline, outcomes } = start();
    const old = await known.get(deadline);
    outcomes.push(unavailable());
    expect(await known.newerThan(old, deadline)).toBeUndefined();
    expect(await known.get(deadline)).toBe(old);
  });

  test('a bug in reading a newer value is not hidden', async () => {
    const { known, deadline, outcomes } = start();
    const old = await known.get(deadline);
    outcomes.push(new TypeError('bug'));
    await expect(known.newerThan(old, deadline)).rejects.toThrow('bug');
  });
});
