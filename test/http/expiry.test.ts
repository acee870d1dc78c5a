/** One timer for all calls with the same time: each ends when it would with a timer of its own. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createExpiry, type Expiry } from '../../functions/http/timeouts.ts';

let expiry: Expiry;
let over: string[];
const add = (ms: number, name: string) => expiry.add(ms, () => over.push(`${name} at ${Date.now()}`));

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  expiry = createExpiry();
  over = [];
});
afterEach(() => void vi.useRealTimers());

test('each call ends when its own time is over, whatever the others have', () => {
  add(100, 'first');
  vi.advanceTimersByTime(30);
  add(100, 'second');
  add(20, 'short');
  vi.advanceTimersByTime(30);
  add(100, 'third');
  vi.advanceTimersByTime(1_000);
  expect(over).toEqual(['short at 50', 'first at 100', 'second at 130', 'third at 160']);
});

test('what is taken back never ends, and what was begun after it still does in its own time', () => {
  const first = add(100, 'first');
  vi.advanceTimersByTime(40);
  const second = add(100, 'second');
  add(100, 'third');
  first();
  second();
  second();
  vi.advanceTimersByTime(1_000);
  expect(over).toEqual(['third at 140']);
});

test('while nothing is under way there is no timer, and never more than one for a time', () => {
  expect(vi.getTimerCount()).toBe(0);
  const ends = Array.from({ length: 50 }, (_, n) => add(100, String(n)));
  expect(vi.getTimerCount()).toBe(1);
  for (const end of ends) end();
  expect(vi.getTimerCount()).toBe(0);
  add(100, 'last');
  vi.advanceTimersByTime(100);
  expect([over, vi.getTimerCount()]).toEqual([['last at 100'], 0]);
});

test('one that begins another when it ends gives it its whole time', () => {
  expiry.add(100, () => {
    add(100, 'again');
  });
  add(100, 'beside');
  vi.advanceTimersByTime(500);
  expect(over).toEqual(['beside at 100', 'again at 200']);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([600_000, -600_000])(
  'the time of day may be put right meanwhile, by %i ms: nobody ends sooner or later',
  (stepMs) => {
    const ended: [string, number][] = [];
    const startedAt = performance.now();
    const note = (name: string) => () => ended.push([name, performance.now() - startedAt]);
    expiry.add(100, note('first'));
    vi.advanceTimersByTime(50);
    expiry.add(100, note('second'));
    vi.setSystemTime(Date.now() + stepMs);
    vi.advanceTimersByTime(25);
    expiry.add(100, note('third'));
    vi.advanceTimersByTime(1_000);
    expect(ended).toEqual([
      ['first', 100],
      ['second', 150],
      ['third', 175],
    ]);
  },
);
