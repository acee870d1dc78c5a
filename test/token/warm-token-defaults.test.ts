/** A warm token with nothing but what it needs: the clock, the waiting and the randomness are the real ones. */

import { expect, test } from 'vitest';
import { warmToken } from '../../functions/token/token.ts';
import { warm } from '../../functions/warm/warm.ts';
import { answer, granted } from '../doubles/answer.ts';
import { createSimulatedTime } from '../doubles/time.ts';
import { cf, opaqueWanted } from './clients.ts';

const credentials = () => warm({ load: async () => cf });

test('without options a warm token uses the real clock and reports to nobody', async () => {
  const token = warmToken({
    credentials: credentials(),
    previousCredentials: async () => undefined,
    wanted: opaqueWanted,
    send: async () => granted('bought', { expires_in: 3_600 }),
  });
  const before = Date.now();
  const { issuedAt, expiresAt } = await token.get();
  expect(issuedAt).toBeGreaterThanOrEqual(before);
  expect(issuedAt).toBeLessThanOrEqual(Date.now());
  expect(expiresAt - issuedAt).toBe(3_600_000);
});

test('a renewal that fails with nobody to report to is no error of its own', async () => {
  const answers = [granted('bought', { expires_in: 3_600 }), answer(400)];
  const clock = createSimulatedTime(0);
  const token = warmToken({
    credentials: credentials(),
    previousCredentials: async () => undefined,
    wanted: opaqueWanted,
    send: async () => answers.shift() ?? answer(500),
    now: clock.now,
  });
  const first = await token.get();
  clock.moveTo(3_000_000);
  expect(await token.get()).toBe(first);
  await token.renewing();
  expect(await token.get()).toBe(first);
});

test('a pause longer than the time between renewals begins none, and none counts as failed', async () => {
  const failures: unknown[] = [];
  const clock = createSimulatedTime(0);
  let isUp = true;
  let requests = 0;
  const token = warmToken({
    credentials: credentials(),
    previousCredentials: async () => undefined,
    wanted: opaqueWanted,
    send: async () => {
      requests += 1;
      return isUp ? granted('bought', { expires_in: 3_600 }) : answer(400);
    },
    now: clock.now,
    random: () => 0,
    onRenewalFailed: (error) => void failures.push(error),
  });
  await token.get();
  isUp = false;
  // The pauses: 30 s, then a minute.
  for (const ms of [1_800_000, 1_830_000, 1_860_000, 1_889_999]) {
    clock.moveTo(ms);
    await token.get();
    await token.renewing();
  }
  expect([requests, failures.length]).toEqual([3, 2]);
});
