/** Which destination a queue's messages belong to; each test says what is expected, and fails. */
import { expect, test } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import { readSettings } from '../../functions/settings.ts';
import { setup } from '../../functions/setup.ts';
import type { Telemetry } from '../../functions/telemetry.ts';
import { orders } from './destination.ts';

const ignore = () => undefined;
const telemetry: Telemetry = {
  attempted: ignore,
  postponed: ignore,
  problem: ignore,
  tokenRequested: ignore,
  middleware: {},
};

function routeOf(destinations: object, queueName: string) {
  const settings = readSettings({ DESTINATIONS: JSON.stringify(destinations) });
  const readSecret = async () => ({ text: '', versionId: '' });
  return setup({ settings, outside: { telemetry, readSecret } }).queueRoute(
    `arn:aws:sqs:eu-central-1:111111111111:${queueName}`,
  );
}

test('Messages of an invalid destination are blocked with the field’s name, not of an unknown queue', () => {
  // design.md, "Environment": one invalid destination is `blocked` with the field's name in every log line of its messages.
  const found = routeOf({ bad: { ...orders, queue: 'one', csrf: 1 }, good: { ...orders, queue: 'two' } }, 'one');
  expect(found).toMatchObject({ destination: 'bad', route: expect.any(RelayError) });
});

test('A queue of this account is not taken for its namesake in another account', () => {
  // Messages for `ours` go to the flow of `theirs`, only because it stands first.
  const theirs = { ...orders, queue: 'arn:aws:sqs:eu-central-1:999999999999:in' };
  expect(routeOf({ theirs, ours: { ...orders, queue: 'in' } }, 'in')).toMatchObject({ destination: 'ours' });
});
