/**
 * Which destination a queue's messages belong to: by the ARN, else by the queue's name, else the only one, if that
 * names no queue.
 */
import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../../functions/environment.ts';
import { RelayError } from '../../functions/error.ts';
import { createQueueRoutes } from '../../functions/queue/routes.ts';
import { destinationOfQueue, readSettings } from '../../functions/settings/settings.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';
import { orders } from './destination.ts';

const OURS = 'arn:aws:sqs:eu-central-1:111111111111:in';
const THEIRS = 'arn:aws:sqs:eu-central-1:999999999999:in';
const ELSEWHERE = 'arn:aws:sqs:us-east-1:111111111111:in';

const read = (destinations: object) => readSettings({ DESTINATIONS: JSON.stringify(destinations) });
/** A destination for each of these, by name: its queue, or none. */
const withQueues = (queues: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(queues).map(([name, queue]) => [name, { ...orders, queue }]));

describe('The messages of a queue belong', () => {
  test.each<[string, Record<string, string | undefined>, string | undefined]>([
    ['to the destination with its ARN', { other: 'other', ours: OURS }, 'ours'],
    ['to the destination with its name', { other: 'other', ours: 'in' }, 'ours'],
    ['to the one with its ARN before one with its name', { named: 'in', ours: OURS }, 'ours'],
    ['to the one with its bare name before a namesake in another account', { theirs: THEIRS, ours: 'in' }, 'ours'],
    ['to the one with its bare name, wherever it stands', { ours: 'in', theirs: THEIRS }, 'ours'],
    ['to a namesake’s, where there is no better one', { other: 'other', theirs: THEIRS }, 'theirs'],
    ['to the one in its own region', { elsewhere: ELSEWHERE, ours: OURS }, 'ours'],
    ['to the only destination, if that names no queue', { only: undefined }, 'only'],
    ['to nobody, where the only destination names another queue', { only: 'other' }, undefined],
    [
      'to nobody, where the only destination names another queue by its ARN',
      { only: ELSEWHERE.replace(':in', ':out') },
      undefined,
    ],
    ['to nobody, where two name no queue', { one: undefined, two: undefined }, undefined],
    ['to nobody, where two name other queues', { one: 'in-1', two: 'xin' }, undefined],
  ])('the messages of a queue belong %s', (_, queues, name) => {
    // Two that name one queue are a mistake of their own; shown here is who gets the messages all the same.
    const found = destinationOfQueue(OURS, read(withQueues(queues)));
    expect(found?.[0]).toBe(name);
  });

  test('the messages of a queue belong to an invalid destination, too, if its queue can be read', () => {
    const settings = read({ bad: { ...orders, queue: 'in', csrf: 1 }, good: { ...orders, queue: 'other' } });
    expect(destinationOfQueue(OURS, settings)).toMatchObject([
      'bad',
      { queue: 'in', error: { code: 'SETTING_INVALID' } },
    ]);
  });

  test('the messages of a queue do not belong to a destination whose queue is no text', () => {
    const settings = read({ bad: { ...orders, queue: 7 }, good: { ...orders, queue: 'other' } });
    expect(settings.destinations.get('bad')).not.toHaveProperty('queue');
    expect(destinationOfQueue(OURS, settings)).toBeUndefined();
  });
});

describe('The route of a queue', () => {
  const telemetry = quietTelemetry();

  function routeOf(destinations: object) {
    const readSecret = async () => ({ text: '', versionId: '' });
    return createQueueRoutes(createEnvironment({ settings: read(destinations), outside: { telemetry, readSecret } }))(
      OURS,
    );
  }

  test('the route of an invalid destination’s queue is its mistake, which blocks its messages', () => {
    const found = routeOf({ bad: { ...orders, queue: 'in', csrf: 1 }, good: { ...orders, queue: 'two' } });
    expect(found).toMatchObject({ destination: 'bad', route: expect.any(RelayError) });
    expect(found).toMatchObject({ route: { message: expect.stringContaining('bad.csrf: expected true or false') } });
  });

  test('the route of a queue of this account is not taken for its namesake’s in another account', () => {
    expect(routeOf(withQueues({ theirs: THEIRS, ours: 'in' }))).toMatchObject({ destination: 'ours' });
  });

  test('the route of a queue that no destination has is none', () => {
    expect(routeOf(withQueues({ one: 'other', two: 'others' }))).toBeUndefined();
  });
});
