/** The queue of an invalid destination is not known any more, so its messages are told as those of an unknown queue. */
import { expect, test } from 'vitest';
import { setStage } from './stage.ts';

test('every log line of a message for an invalid destination beside a valid one names the field', async () => {
  const stage = await setStage({ plans: [{ name: 'orders' }, { name: 'invoices', settings: { timeoutSeconds: 0 } }] });
  const invoices = stage.destinations[1] ?? stage.orders;
  const ids = stage.sendMany(3, invoices);

  await stage.poll(invoices);

  expect(stage.told('queue.unknown')).toEqual([]);
  expect(stage.attempts.map(({ messageId }) => messageId).sort()).toEqual(ids);
  for (const attempt of stage.attempts) {
    expect(attempt).toMatchObject({ destination: 'invoices', outcome: 'blocked', executed: 'no', calls: 0 });
    expect(attempt.reason).toContain('invoices.timeoutSeconds');
  }
});
