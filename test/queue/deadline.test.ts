/** The time of an invocation: what of it is for the work, what for reporting, and what is left of it at each moment. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startBefore, startDeadline, startReport, startReserve, wait } from '../../functions/deadline.ts';
import { createSimulatedTime } from '../doubles/time.ts';
import { SENT_AT } from './queued.ts';

describe('Of the time that Lambda leaves', () => {
  test.each([
    { remainingMs: 900_000, workMs: 898_000, reportingMs: 899_750 },
    { remainingMs: 150_000, workMs: 148_000, reportingMs: 149_750 },
    { remainingMs: 10_000, workMs: 8_000, reportingMs: 9_750 },
    { remainingMs: 3_000, workMs: 2_400, reportingMs: 2_750 },
    { remainingMs: 1_000, workMs: 800, reportingMs: 750 },
    { remainingMs: 200, workMs: 160, reportingMs: 0 },
    { remainingMs: 0, workMs: 0, reportingMs: 0 },
  ])(
    'the time that Lambda leaves, $remainingMs ms, gives $workMs to the work, and reports end at $reportingMs',
    async ({ remainingMs, workMs, reportingMs }) => {
      const time = createSimulatedTime(SENT_AT);
      const deadline = startDeadline(remainingMs, time);
      const reserve = startReserve(remainingMs, time);
      expect(deadline.remainingMs()).toBe(workMs);
      expect(reserve.remainingMs()).toBe(reportingMs);

      const abortedAt = (signal: AbortSignal) =>
        new Promise<number>((resolve) => signal.addEventListener('abort', () => resolve(time.now() - SENT_AT)));
      const [work, reporting] = await time.run(Promise.all([abortedAt(deadline.signal), abortedAt(reserve.signal)]));
      expect([work, reporting]).toEqual([workMs, reportingMs]);
      expect(deadline.remainingMs()).toBe(0);
      expect(deadline.signal.reason).toMatchObject({ code: 'DEADLINE', executed: 'no' });
    },
  );

  test('work and reports end before the invocation’s time does, whatever it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900_000 }), (remainingMs) => {
        const time = createSimulatedTime(SENT_AT);
        expect(startDeadline(remainingMs, time).remainingMs()).toBeLessThan(remainingMs);
        expect(startReserve(remainingMs, time).remainingMs()).toBeLessThan(remainingMs);
      }),
    );
  });
});

test.each([
  { what: 'the work ended early', elapsedMs: 100, reportMs: 2_000 },
  { what: 'the work took all its time', elapsedMs: 8_000, reportMs: 1_750 },
  { what: 'letters took of it, too', elapsedMs: 9_500, reportMs: 250 },
  { what: 'nothing is left', elapsedMs: 9_900, reportMs: 0 },
])('reporting gets $reportMs ms of 10 s after $elapsedMs ms, since $what', async ({ elapsedMs, reportMs }) => {
  const time = createSimulatedTime(SENT_AT);
  const reserve = startReserve(10_000, time);
  await time.run(time.sleep(elapsedMs));
  expect(startReport(reserve, time).remainingMs()).toBe(reportMs);
});

test('the remaining time falls with the clock, and is never below 0', async () => {
  const time = createSimulatedTime(SENT_AT);
  const deadline = startDeadline(10_000, time);
  await time.run(time.sleep(3_000));
  expect(deadline.remainingMs()).toBe(5_000);
  await time.run(time.sleep(60_000));
  expect(deadline.remainingMs()).toBe(0);
});

test('a deadline that was ended leaves no timer behind', async () => {
  const time = createSimulatedTime(SENT_AT);
  const deadline = startDeadline(10_000, time);
  deadline.end();
  await expect(time.run(new Promise(() => undefined))).rejects.toThrow('no timer is left');
  expect(deadline.signal.aborted).toBe(false);
});

describe('Waiting', () => {
  test('a wait ends when its time is over', async () => {
    const time = createSimulatedTime(SENT_AT);
    await time.run(wait(5_000, new AbortController().signal, time));
    expect(time.now()).toBe(SENT_AT + 5_000);
  });

  test('a wait ends with the deadline, and says so', async () => {
    const time = createSimulatedTime(SENT_AT);
    const { signal } = startDeadline(10_000, time);
    await expect(time.run(wait(60_000, signal, time))).rejects.toMatchObject({ code: 'DEADLINE' });
    expect(time.now()).toBe(SENT_AT + 8_000);
    await expect(wait(1, signal, time)).rejects.toMatchObject({ code: 'DEADLINE' });
  });
});

test('the time kept for what follows a call is a quarter of it where that is less', async () => {
  const time = createSimulatedTime(SENT_AT);
  const deadline = startDeadline(29_000, time);
  const call = startBefore(deadline, 3_000, time);
  expect(deadline.remainingMs() - call.remainingMs()).toBe(3_000);
  expect(startBefore({ remainingMs: () => 2_000 }, 3_000, time).remainingMs()).toBe(1_500);

  const order: string[] = [];
  call.signal.addEventListener('abort', () => order.push('call'));
  deadline.signal.addEventListener('abort', () => order.push('deadline'));
  await time.run(new Promise<void>((resolve) => deadline.signal.addEventListener('abort', () => resolve())));
  expect(order).toEqual(['call', 'deadline']);
});
