/** What is written by hand because Powertools takes long over it: held against what Powertools itself writes. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createDeliveredLog } from '../../functions/delivered-log.ts';
import { createMetrics } from '../../functions/metrics.ts';

const FIELDS = {
  destination: 'orders',
  messageId: '4711',
  attempt: 1,
  outcome: 'delivered',
  durationMs: 12,
  bytes: 16,
};
const CONTEXT = {
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:relay',
  memoryLimitInMB: '128',
  functionName: 'relay',
  awsRequestId: '8f507cfc-0000-4697-b07a-000000000001',
} as Context;

let written: string[];
beforeEach(() => {
  written = [];
  vi.useFakeTimers({ now: 1_760_000_000_123, toFake: ['Date'] });
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe('The line of a delivered message', () => {
  test.each([
    ['on a cold start', { AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand' }],
    ['with provisioned concurrency', { AWS_LAMBDA_INITIALIZATION_TYPE: 'provisioned-concurrency' }],
    [
      'with a trace',
      { _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1' },
    ],
  ])('is byte for byte what Powertools would write, %s', (_, environment) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    vi.stubEnv('TZ', ':UTC');
    const logger = new Logger({ serviceName: 'token-relay' });
    const log = createDeliveredLog({ service: 'token-relay', isEnabled: () => true });

    for (let invocation = 0; invocation < 2; invocation += 1) {
      logger.addContext(CONTEXT);
      log.begin(CONTEXT);
      logger.info('delivery.attempted', FIELDS);
      expect(log.write('delivery.attempted', FIELDS)).toBe(true);
      log.flush();
    }

    expect(written).toHaveLength(4);
    const [theirs, ours, theirNext, ourNext] = written;
    expect(ours).toBe(theirs);
    expect(ourNext).toBe(theirNext);
  });

  test.each(['POWERTOOLS_DEV', 'POWERTOOLS_LOGGER_SAMPLE_RATE', 'AWS_LAMBDA_MAX_CONCURRENCY'])(
    'is left to Powertools where %s changes it',
    (name) => {
      const log = createDeliveredLog({ service: 'x', isEnabled: () => true, environment: { [name]: '1' } });
      log.begin(CONTEXT);
      expect(log.write('delivery.attempted', FIELDS)).toBe(false);
    },
  );

  test('is left to Powertools in a time zone of its own', () => {
    const environment = { TZ: 'Europe/Berlin' };
    const log = createDeliveredLog({ service: 'x', isEnabled: () => true, environment });
    log.begin(CONTEXT);
    expect(log.write('delivery.attempted', FIELDS)).toBe(false);
  });

  test('is not written where the level does not let it pass', () => {
    const log = createDeliveredLog({ service: 'x', isEnabled: () => false });
    log.begin(CONTEXT);
    expect(log.write('delivery.attempted', FIELDS)).toBe(true);
    log.flush();
    expect(written).toEqual([]);
  });

  test('goes out with those of the same turn of the event loop, in one write', async () => {
    const log = createDeliveredLog({ service: 'x', isEnabled: () => true });
    log.begin(CONTEXT);
    for (let n = 0; n < 3; n += 1) log.write('delivery.attempted', FIELDS);
    expect(written).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(written.map((text) => text.split('\n').length - 1)).toEqual([3]);
  });
});

describe('Metrics', () => {
  const publishTheirs = (durations: readonly number[]) => {
    const metrics = new Metrics({ namespace: 'TokenRelay', serviceName: 'token-relay' });
    metrics.addDimension('destination', 'orders');
    metrics.addMetric('Delivered', MetricUnit.Count, durations.length);
    for (const duration of durations) metrics.addMetric('Duration', MetricUnit.Milliseconds, duration);
    metrics.publishStoredMetrics();
  };
  const publishOurs = (durations: readonly number[]) => {
    const publish = createMetrics({ namespace: 'TokenRelay', service: 'token-relay' });
    const delivered = { name: 'Delivered', unit: 'Count', value: durations.length } as const;
    publish([delivered, { name: 'Duration', unit: 'Milliseconds', value: durations }], 'orders');
  };

  test.each([[[5]], [[5, 7]], [Array.from({ length: 99 }, (_, n) => n)]])(
    'are byte for byte what Powertools would write (%j)',
    (durations) => {
      publishTheirs(durations);
      publishOurs(durations);
      const [theirs, ours] = written;
      expect(ours).toBe(theirs);
    },
  );

  test('of no destination have the service alone for a dimension', () => {
    const theirs = new Metrics({ namespace: 'TokenRelay', serviceName: 'token-relay' });
    theirs.addMetric('TokenRequests', MetricUnit.Count, 1);
    theirs.publishStoredMetrics();
    createMetrics({ namespace: 'TokenRelay', service: 'token-relay' })([
      { name: 'TokenRequests', unit: 'Count', value: 1 },
    ]);
    expect(written[1]).toBe(written[0]);
  });

  test.each(['POWERTOOLS_METRICS_DISABLED', 'POWERTOOLS_DEV'])('are off by %s, as with Powertools', (name) => {
    vi.stubEnv(name, 'true');
    publishTheirs([5]);
    publishOurs([5]);
    expect(written).toEqual([]);
  });

  test('are not written where there are none', () => {
    createMetrics({ namespace: 'TokenRelay', service: 'token-relay' })([]);
    expect(written).toEqual([]);
  });
});
