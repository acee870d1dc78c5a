/** What the settings do not hold to yet; each test says what is expected, and fails. */
import { describe, expect, test } from 'vitest';
import { problems } from '../../functions/settings.ts';
import { readCredentials } from '../../functions/token/credentials.ts';
import { basic, orders } from './destination.ts';
import { neutral } from './secrets.ts';

describe('Every mistake is found, not the first alone', () => {
  test('where two fields of a destination are unknown', () => {
    expect(problems({ orders: { ...orders, methd: 'PUT', timeout: 30 } })).toEqual([
      'orders.methd: unknown field',
      'orders.timeout: unknown field',
    ]);
  });

  test('where two fields of a webhook are unknown', () => {
    expect(problems({ orders: { ...orders, webhook: { ...basic, verfy: 1, mdoe: 2 } } })).toHaveLength(2);
  });
});

test('A list in place of a destination is named as such', () => {
  expect(problems({ orders: [] })).toEqual(['orders: expected an object']);
});

test('One queue, named once by its ARN and once by its name, is one queue', () => {
  const arn = 'arn:aws:sqs:eu-central-1:123456789012:in';
  expect(problems({ one: { ...orders, queue: arn }, two: { ...orders, queue: 'in' } })).toEqual([
    'two.queue: expected a queue of its own, one.queue is the same',
  ]);
});

test.each(['key', 'certificate'])('A neutral secret may have a further field "%s", which is ignored', (field) => {
  const text = JSON.stringify({ ...neutral, [field]: 'of somebody else' });
  expect(readCredentials({ text, versionId: 'v1' }, 'cpi/orders')).toMatchObject({ clientId: neutral.clientId });
});
