/**
 * What the relay tells the outside: one line for each attempt to deliver a message, and metrics by destination, both as
 * Powertools would write them. The field names here are what alarms and queries are built on. No secret, token or payload
 * comes this far: only what these types name.
 */
import type { Logger } from '@aws-lambda-powertools/logger';
import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { createLog, isPowertoolsNeeded, type Level } from './log.ts';
import { createMetrics, MAX_VALUES, type Metric } from './metrics.ts';

/** The fields of the line `delivery.attempted`. */
export interface AttemptLine {
  readonly destination: string;
  readonly messageId: string;
  /** SAP's id of the message processing log, where the answer named it. */
  readonly mplId?: string;
  /** How many times SQS has handed the message out; 1 for a webhook. */
  readonly attempt: number;
  readonly status?: number;
  readonly outcome: 'delivered' | 'rejected' | 'failed' | 'blocked';
  /** Whether the flow ran. */
  readonly executed: 'yes' | 'no' | 'unknown';
  /** Why it was not delivered, and who must act. */
  readonly reason?: string;
  readonly durationMs: number;
  /** How often the message went out in this attempt; 2 after a healed 401. */
  readonly calls: number;
  /** `new`: got during this attempt. */
  readonly token?: 'new' | 'warm';
  readonly tokenAgeMs?: number;
  /** True if a dead socket made the client send a second time. */
  readonly resent?: boolean;
  /** Of the payload. */
  readonly bytes: number;
}

/** The fields of the line `webhook.queued`. */
export interface QueuedLine {
  readonly destination: string;
  readonly messageId: string;
  /** Of the payload. */
  readonly bytes: number;
  /** Until SQS had confirmed it, S3 before it where it was needed. */
  readonly durationMs: number;
}

export interface Telemetry {
  attempted(line: AttemptLine): void;
  /** Messages handed back untried. */
  postponed(line: { destination: string; messages: number; reason: string }): void;
  /** A webhook's message that SQS has confirmed. */
  queued(line: QueuedLine): void;
  /** A webhook's message that SQS or S3 did not confirm: its sender is told to try again. */
  notQueued(line: { destination: string; messageId: string; reason: string }): void;
  /** A message that is now in the dead-letter queue. */
  buried(line: { destination: string; messageId: string; outcome: string }): void;
  /** Something that belongs to no one message: a queue without destination, a webhook whose secret is unreadable. */
  problem(event: string, fields: Readonly<Record<string, string | number>>): void;
  tokenRequested(): void;
  /** A token could not be renewed ahead of its end; the one there is goes on. */
  renewalFailed(reason: string): void;
  /** For the entries: puts the invocation's id into each line, and publishes the metrics when it ends. */
  readonly middleware: MiddlewareObj;
}

const LEVEL = { delivered: 'info', rejected: 'error', failed: 'warn', blocked: 'error' } as const;
const COUNTED = { delivered: 'Delivered', rejected: 'Rejected', failed: 'Failed', blocked: 'Blocked' } as const;
const OUTCOMES = ['delivered', 'rejected', 'failed', 'blocked'] as const;
const NAMESPACE = 'TokenRelay';

export function createTelemetry(): Telemetry {
  const serviceName = process.env.POWERTOOLS_SERVICE_NAME ?? 'token-relay';
  const log = createLog({ service: serviceName });
  let powertools: Promise<Logger> | undefined;
  /** Where a setting of its own is in force. */
  let logger: Logger | undefined;
  const publishMetrics = createMetrics({
    namespace: process.env.POWERTOOLS_METRICS_NAMESPACE ?? NAMESPACE,
    service: serviceName,
  });
  const attempts = new Map<string, AttemptLine[]>();
  /** Metric → destination → count. */
  const counts = {
    Postponed: new Map<string, number>(),
    Buried: new Map<string, number>(),
    Queued: new Map<string, number>(),
    NotQueued: new Map<string, number>(),
  };
  let tokenRequests = 0;
  let failedRenewals = 0;

  /** One line of metrics for each destination, and for each hundred of its messages. */
  function publish(): void {
    for (const [destination, lines] of attempts) {
      for (let from = 0; from < lines.length; from += MAX_VALUES) {
        publishMetrics(metricsOf(lines.slice(from, from + MAX_VALUES)), destination);
      }
    }
    attempts.clear();
    for (const [name, byDestination] of Object.entries(counts)) {
      for (const [destination, messages] of byDestination) publishMetrics([counted(name, messages)], destination);
      byDestination.clear();
    }
    publishMetrics([
      ...(tokenRequests > 0 ? [counted('TokenRequests', tokenRequests)] : []),
      ...(failedRenewals > 0 ? [counted('TokenRenewalsFailed', failedRenewals)] : []),
    ]);
    tokenRequests = 0;
    failedRenewals = 0;
  }

  function end(): void {
    log.flush();
    publish();
  }

  function count(name: keyof typeof counts, destination: string, messages = 1): void {
    counts[name].set(destination, (counts[name].get(destination) ?? 0) + messages);
  }

  function write(level: Level, event: string, fields: object): void {
    if (logger === undefined) log.write(level, event, fields);
    else logger[level](event, { ...fields });
  }

  /** Asked for in the first invocation: what a setting changes is not worth a slower cold start for everyone. */
  async function loadPowertools(): Promise<void> {
    powertools ??= import('@aws-lambda-powertools/logger').then((module) => new module.Logger({ serviceName }));
    logger = await powertools;
  }

  return {
    attempted(line) {
      write(LEVEL[line.outcome], 'delivery.attempted', line);
      const lines = attempts.get(line.destination);
      if (lines === undefined) attempts.set(line.destination, [line]);
      else lines.push(line);
    },
    postponed(line) {
      write('warn', 'delivery.postponed', line);
      count('Postponed', line.destination, line.messages);
    },
    queued(line) {
      write('info', 'webhook.queued', line);
      count('Queued', line.destination);
    },
    notQueued(line) {
      write('error', 'webhook.not-queued', line);
      count('NotQueued', line.destination);
    },
    buried(line) {
      write('error', 'message.buried', line);
      count('Buried', line.destination);
    },
    problem: (event, fields) => write('error', event, fields),
    tokenRequested: () => {
      tokenRequests += 1;
    },
    renewalFailed(reason) {
      write('warn', 'token.renewal-failed', { reason });
      failedRenewals += 1;
    },
    middleware: {
      async before({ context }) {
        if (logger === undefined && isPowertoolsNeeded()) await loadPowertools();
        logger?.addContext(context as Context);
        log.begin(context as Context);
      },
      after: end,
      onError: end,
    },
  };
}

function metricsOf(lines: readonly AttemptLine[]): Metric[] {
  const outcomes = OUTCOMES.map((outcome) => {
    return counted(COUNTED[outcome], lines.filter((line) => line.outcome === outcome).length);
  });
  const durations = lines.map(({ durationMs }) => durationMs);
  return [...outcomes.filter(({ value }) => value !== 0), { name: 'Duration', unit: 'Milliseconds', value: durations }];
}

function counted(name: string, value: number): Metric {
  return { name, unit: 'Count', value };
}
