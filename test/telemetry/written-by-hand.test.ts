/** What is written by hand because Powertools takes long over it: held against what Powertools itself writes. */

import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLog, type Level } from '../../functions/telemetry/log.ts';
import { createMetrics } from '../../functions/telemetry/metrics.ts';
import { createTelemetry } from '../../functions/telemetry/telemetry.ts';
import { createSimulatedTime } from '../doubles/time.ts';

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

describe('A line', () => {
  test.each([
    ['on a cold start', { AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand' }],
    ['with provisioned concurrency', { AWS_LAMBDA_INITIALIZATION_TYPE: 'provisioned-concurrency' }],
    [
      'with a trace',
      { _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1' },
    ],
  ])('a line is byte for byte what Powertools would write, %s', (_, environment) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    vi.stubEnv('TZ', ':UTC');
    const logger = new Logger({ serviceName: 'token-relay' });
    const log = createLog({ service: 'token-relay' });

    for (let invocation = 0; invocation < 2; invocation += 1) {
      logger.addContext(CONTEXT);
      log.begin(CONTEXT);
      logger.info('delivery.attempted', FIELDS);
      log.write('info', 'delivery.attempted', FIELDS);
      log.flush();
    }

    expect(written).toHaveLength(4);
    const [theirs, ours, theirNext, ourNext] = written;
    expect(ours).toBe(theirs);
    expect(ourNext).toBe(theirNext);
  });

  test.each<[Level]>([['warn'], ['error']])(
    'a line of level %s is byte for byte what Powertools would write, where it writes it',
    (level) => {
      const fields = {
        ...FIELDS,
        outcome: 'failed',
        reason: 'the endpoint says "nö":\n\u2028\ttoo\\much',
        empty: '',
        none: null,
      };
      vi.stubEnv('TZ', ':UTC');
      const onError: string[] = [];
      vi.spyOn(process.stderr, 'write').mockImplementation((text) => onError.push(String(text)) > 0);
      const logger = new Logger({ serviceName: 'token-relay' });
      const log = createLog({ service: 'token-relay' });
      logger.addContext(CONTEXT);
      log.begin(CONTEXT);
      logger[level]('delivery.attempted', fields);
      log.write(level, 'delivery.attempted', fields);
      log.flush();
      expect(written).toEqual([]);
      expect(onError).toHaveLength(2);
      expect(onError[1]).toBe(onError[0]);
    },
  );

  test('a line stays behind those that were written before it, whatever their level', () => {
    const out: string[] = [];
    const log = createLog({
      service: 'x',
      output: (text, level) => out.push(`${level} ${text.split('\n').length - 1}`),
    });
    for (const level of ['info', 'info', 'warn', 'info'] as const) log.write(level, 'delivery.attempted', FIELDS);
    log.flush();
    expect(out).toEqual(['info 2', 'warn 1', 'info 1']);
  });

  test.each([
    {},
    { LOG_LEVEL: 'WARN' },
    { LOG_LEVEL: 'none of these' },
    { POWERTOOLS_LOG_LEVEL: 'ERROR', LOG_LEVEL: 'INFO' },
    { POWERTOOLS_LOG_LEVEL: 'DEBUG' },
    { POWERTOOLS_LOG_LEVEL: 'TRACE' },
    { POWERTOOLS_LOG_LEVEL: 'CRITICAL' },
    { POWERTOOLS_LOG_LEVEL: 'SILENT' },
    { AWS_LAMBDA_LOG_LEVEL: 'WARN', POWERTOOLS_LOG_LEVEL: 'ERROR' },
    { AWS_LAMBDA_LOG_LEVEL: 'FATAL' },
    { AWS_LAMBDA_LOG_LEVEL: 'INFO', LOG_LEVEL: 'SILENT' },
  ])('a line is written where Powertools would write it: %j', (environment) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const levels: string[] = [];
    const note = (text: unknown) => {
      const { level, message } = JSON.parse(String(text));
      // Powertools warns that two settings disagree.
      if (message === 'webhook.queued') levels.push(level);
      return true;
    };
    vi.spyOn(process.stdout, 'write').mockImplementation(note);
    vi.spyOn(process.stderr, 'write').mockImplementation(note);
    const logger = new Logger({ serviceName: 'token-relay' });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level]('webhook.queued', FIELDS);
    const theirs = levels.splice(0);
    const log = createLog({ service: 'token-relay' });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log.write(level, 'webhook.queued', FIELDS);
    log.flush();
    expect(levels).toEqual(theirs);
  });

  test.each([
    ['a level in lower case, which Powertools does not know', { LOG_LEVEL: 'error' }],
    ['the next setting, where one names no level', { POWERTOOLS_LOG_LEVEL: 'loud', LOG_LEVEL: 'ERROR' }],
  ])('a line obeys %s', (_, environment) => {
    const log = createLog({ service: 'x', environment, output: (text) => written.push(text) });
    for (const level of ['info', 'warn', 'error'] as const) log.write(level, 'webhook.queued', FIELDS);
    log.flush();
    expect(written.map((line) => JSON.parse(line).level)).toEqual(['ERROR']);
  });

  test.each(['POWERTOOLS_DEV', 'POWERTOOLS_LOGGER_SAMPLE_RATE', 'POWERTOOLS_LOGGER_LOG_EVENT', 'TZ'])(
    'a line is the same whatever %s says',
    (name) => {
      const line = (environment: Record<string, string>) => {
        const log = createLog({ service: 'x', environment, output: (text) => written.push(text) });
        log.begin(CONTEXT);
        log.write('info', 'webhook.queued', FIELDS);
        log.flush();
        return written.pop();
      };
      expect(line({ [name]: 'America/Lima' })).toBe(line({}));
    },
  );

  test('a line has the request id of its own invocation where several share the process', async () => {
    vi.stubEnv('AWS_LAMBDA_MAX_CONCURRENCY', '8');
    const telemetry = createTelemetry();
    const started: string[] = [];
    let bothAreAtWork: () => void;
    const meeting = new Promise<void>((resolve) => {
      bothAreAtWork = resolve;
    });
    const handler = middy<{ id: string }, void>({ timeoutEarlyInMillis: 0 })
      .use(telemetry.middleware)
      .handler(async ({ id }) => {
        if (started.push(id) === 2) bothAreAtWork();
        await meeting;
        telemetry.queued({ destination: 'orders', messageId: id, bytes: 1, durationMs: 1 });
      });
    await Promise.all(['one', 'two'].map((id) => handler({ id }, { ...CONTEXT, awsRequestId: `request-${id}` })));
    const lines = written.flatMap((text) => text.split('\n')).filter((line) => line.includes('webhook.queued'));
    const pairs = lines.map((line) => JSON.parse(line)).map((line) => [line.messageId, line.function_request_id]);
    expect(pairs.sort()).toEqual([
      ['one', 'request-one'],
      ['two', 'request-two'],
    ]);
  });

  test('a line goes out with those of the next twenty milliseconds, in one write', () => {
    const time = createSimulatedTime();
    const log = createLog({ service: 'x', after: time.after });
    log.begin(CONTEXT);
    for (let n = 0; n < 3; n += 1) log.write('info', 'delivery.attempted', FIELDS);
    log.append('{"a":"line"}\n');
    time.advance(19);
    expect(written).toEqual([]);
    time.advance(1);
    expect(written.map((text) => text.split('\n').length - 1)).toEqual([4]);
    log.write('info', 'delivery.attempted', FIELDS);
    expect(time.timers).toBe(1);
    log.flush();
    // Whoever has nothing left to write waits for nothing.
    expect(time.timers).toBe(0);
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
    const publish = createMetrics({
      namespace: 'TokenRelay',
      service: 'token-relay',
      output: (line) => written.push(line),
    });
    const delivered = { name: 'Delivered', unit: 'Count', value: durations.length } as const;
    publish([delivered, { name: 'Duration', unit: 'Milliseconds', value: durations }], 'orders');
  };

  test.each([[[5]], [[5, 7]], [Array.from({ length: 99 }, (_, n) => n)]])(
    'metrics are byte for byte what Powertools would write (%j)',
    (durations) => {
      publishTheirs(durations);
      publishOurs(durations);
      const [theirs, ours] = written;
      expect(ours).toBe(theirs);
    },
  );

  test('metrics without a destination have the service alone for a dimension', () => {
    const theirs = new Metrics({ namespace: 'TokenRelay', serviceName: 'token-relay' });
    theirs.addMetric('TokenRequests', MetricUnit.Count, 1);
    theirs.publishStoredMetrics();
    createMetrics({ namespace: 'TokenRelay', service: 'token-relay', output: (line) => written.push(line) })([
      { name: 'TokenRequests', unit: 'Count', value: 1 },
    ]);
    expect(written[1]).toBe(written[0]);
  });

  test.each(['POWERTOOLS_METRICS_DISABLED', 'POWERTOOLS_DEV'])(
    'metrics are turned off by %s, as with Powertools',
    (name) => {
      vi.stubEnv(name, 'true');
      publishTheirs([5]);
      publishOurs([5]);
      expect(written).toEqual([]);
    },
  );

  test('metrics are not written where there are none', () => {
    createMetrics({ namespace: 'TokenRelay', service: 'token-relay', output: (line) => written.push(line) })([]);
    expect(written).toEqual([]);
  });
});
