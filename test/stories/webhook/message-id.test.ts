import { describe, expect, test } from 'vitest';
import { setStage, sha256, WEBHOOK_USER } from '../stage.ts';

const PLAN = { name: 'orders', webhook: WEBHOOK_USER } as const;

describe('the message id', () => {
  test.each([
    { what: 'webhook-id', headers: { 'webhook-id': 'w-1', 'X-Request-Id': 'r-1' }, id: 'w-1' },
    { what: 'ce-id', headers: { 'ce-id': 'c-1', 'X-Request-Id': 'r-1' }, id: 'c-1' },
    {
      what: 'Idempotency-Key, without its quotes',
      headers: { 'Idempotency-Key': '"i-1"', 'X-Request-Id': 'r-1' },
      id: 'i-1',
    },
    { what: 'X-Request-Id', headers: { 'X-Request-Id': 'r-1' }, id: 'r-1' },
    {
      what: 'the SHA-256 of what no header can carry',
      headers: { 'webhook-id': 'order 4711' },
      id: sha256('order 4711'),
    },
  ])('the message id is $what', async ({ headers, id }) => {
    const stage = await setStage({ plans: [PLAN] });

    await stage.post('/webhooks/orders', { headers: headers as Record<string, string> });

    expect(stage.runtimeNode.messages.map(({ messageId }) => messageId)).toEqual([id]);
    expect(stage.attempts.map(({ messageId }) => messageId)).toEqual([id]);
  });

  test.each([
    { setting: 'X-Order', id: 'o-1' },
    { setting: '/order/id', id: 'b-1' },
  ])('the message id is what the setting $setting points at', async ({ setting, id }) => {
    const webhook = { verify: 'basic', secret: 'webhooks/orders', mode: 'direct', messageId: setting };
    const stage = await setStage({ plans: [{ ...PLAN, settings: { webhook } }] });

    const headers = { 'X-Order': 'o-1', 'webhook-id': 'w-1' };
    await stage.post('/webhooks/orders', { headers, body: '{"order":{"id":"b-1"}}' });

    expect(stage.runtimeNode.messages.map(({ messageId }) => messageId)).toEqual([id]);
  });

  test('the message id is a new UUID for each request where the sender names none', async () => {
    const stage = await setStage({ plans: [PLAN] });

    await stage.post('/webhooks/orders');
    await stage.post('/webhooks/orders');

    const ids = stage.runtimeNode.messages.map(({ messageId = '' }) => messageId);
    expect(ids).toEqual(Array(2).fill(expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)));
    expect(new Set(ids).size).toBe(2);
    expect(stage.attempts.map(({ messageId }) => messageId)).toEqual(ids);
  });
});
