/** The relay's log as a person reads it while the landscape stays up. */
import { expect, test } from 'vitest';
import { shortLine } from '../../infra/local/story/short-line.ts';

const line = (message: string, fields: object) =>
  JSON.stringify({ level: 'INFO', message, timestamp: '2026-11-23T22:44:58.583Z', destination: 'orders', ...fields });

test.each([
  [
    'delivery.attempted',
    { messageId: 'm-1', outcome: 'delivered', status: 200, attempt: 1, durationMs: 10 },
    '22:44:58  orders  m-1  delivered  200  10 ms',
  ],
  [
    'delivery.attempted',
    { messageId: '0123456789', outcome: 'failed', attempt: 2, durationMs: 3, reason: 'x'.repeat(80) },
    `22:44:58  orders  0123456…  failed  attempt 2\n          ${'x'.repeat(80)}`,
  ],
  [
    'delivery.attempted',
    { messageId: 'm-1', outcome: 'blocked', status: 403, attempt: 1, durationMs: 3, reason: 'why '.repeat(30).trim() },
    `22:44:58  orders  m-1  blocked  403  ${'why '.repeat(10)}why\n          ${'why '.repeat(17).trim()}\n          why why`,
  ],
  ['delivery.postponed', { messages: 3, reason: 'why' }, '22:44:58  orders  postponed  3 messages  why'],
  ['delivery.postponed', { messages: 1, reason: 'why' }, '22:44:58  orders  postponed  1 message  why'],
  ['webhook.queued', { messageId: 'm-1', bytes: 11 }, '22:44:58  orders  m-1  queued  11 B'],
  ['webhook.not-queued', { messageId: 'm-1', reason: 'why' }, '22:44:58  orders  m-1  not queued  why'],
  [
    'webhook.turned-away',
    { verify: 'basic', why: 'wrong-credentials' },
    '22:44:58  orders  refused  basic: wrong-credentials',
  ],
  ['webhook.turned-away', { destination: 'unknown' }, "22:44:58  unknown  refused  no webhook's name"],
  ['webhook.unavailable', { destination: undefined, reason: 'why' }, '22:44:58  unavailable  why'],
  ['message.dead-lettered', { messageId: 'm-1', outcome: 'rejected' }, '22:44:58  orders  m-1  dead letter  rejected'],
])(
  'an entry with %s is one short line, its reason in as many of 80 columns as it needs',
  (message, fields, expected) => {
    expect(shortLine(line(message, fields), 80)).toBe(expected);
  },
);

const REASON =
  'no connection to the endpoint: ECONNREFUSED, tried again after 2 s: POST http://127.0.0.1:4112/http/orders/very/long';

test.each([
  [Number.POSITIVE_INFINITY, `22:44:58  orders  m-1  failed  attempt 2  ${REASON}`],
  [200, `22:44:58  orders  m-1  failed  attempt 2  ${REASON}`],
  [
    60,
    '22:44:58  orders  m-1  failed  attempt 2  no connection to\n' +
      '          the endpoint: ECONNREFUSED, tried again after 2 s:\n' +
      '          POST http://127.0.0.1:4112/http/orders/very/long',
  ],
])('a reason is whole, the address in it too, in %d columns', (columns, expected) => {
  const fields = { messageId: 'm-1', outcome: 'failed', attempt: 2, durationMs: 3, reason: REASON };
  expect(shortLine(line('delivery.attempted', fields), columns)).toBe(expected);
});

test.each(['START RequestId: 4711', '', 'null', '"text"', '[]', '{}', line('token.renewal-failed', { reason: 'why' })])(
  'a line without message or request is left out: %s',
  (other) => {
    expect(shortLine(other, 80)).toBeUndefined();
  },
);
