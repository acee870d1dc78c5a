/** A small run of `webhooks.ts`. */
import { expect, test } from 'vitest';
import { runWebhooks } from './webhook-senders.ts';

test('250 queued webhooks survive killed processes: each 202 is delivered or in a queue, with its bytes', {
  timeout: 120_000,
}, async () => {
  const result = await runWebhooks({ messages: 250, seed: 3, senders: 6 });

  expect(result.lost).toEqual([]);
  expect(result.strange).toEqual([]);
  expect(result.accepted).toBe(250);
  expect(result.delivered + result.queued + result.dead).toBe(250);
  expect(result.kills.webhook).toBeGreaterThan(0);
  expect(result.lostAnswersOfSqs).toBeGreaterThan(2);
});
