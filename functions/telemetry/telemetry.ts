/**
 * What the relay reports: one line for each attempt to deliver a message, and metrics by destination, both as
 * Powertools would write them. Alarms and queries are built on the names of the fields here. No secret, token or
 * payload comes this far: only what these types name.
 */
import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { createLog } from './log.ts';
import { createMetrics, MAX_VALUES, type Metric } from './metrics.ts';

type Side = 'old' | 'new';

/** The fields of the line `delivery.attempted`; those that are undefined are not written. */
export interface AttemptLine {
  readonly destination: string;
  /** Of a cut-over. Absent: the destination has none. */
  readonly side?: Side | undefined;
  readonly messageId: string;
  /** SAP's id of the message processing log, where the answer named it. */
  readonly mplId?: string | undefined;
  /** How many times SQS has handed the message out; 1 for a webhook. */
  readonly attempt: number;
  readonly status?: number | undefined;
  readonly outcome: 'delivered' | 'rejected' | 'failed' | 'blocked';
  /** Whether the flow ran. */
  readonly executed: 'yes' | 'no' | 'unknown';
  /** Why it was not delivered, and who must act. */
  readonly reason?: string | undefined;
  readonly durationMs: number;
  /** How long ago it was sent to its queue; of a message on a queue that was not delivered. */
  readonly ageSeconds?: number | undefined;
  /**
   * How long ago SQS first handed it out; of a message that failed or was blocked again. A first attempt is none that
   * waited for SAP, however long the message had waited in its queue.
   */
  readonly triedForSeconds?: number | undefined;
  /** How often the message went out in this attempt; 2 after a healed 401. */
  readonly calls: number;
  /** `new`: got during this attempt. */
  readonly token?: 'new' | 'warm' | undefined;
  readonly tokenAgeMs?: number | undefined;
  /** True if a dead socket made the client send a second time. */
  readonly resent?: true | undefined;
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

/** Why verification turned a request away; nothing of the request. */
export interface Refusal {
  /** `unknown` for what is no webhook's name. */
  readonly destination: string;
  /** The kinds of verification that it came to; absent for an unknown destination, as is `why`. */
  readonly verify?: string | undefined;
  readonly why?: string | undefined;
}

export interface Telemetry {
  attempted(line: AttemptLine): void;
  /** Messages handed back untried. */
  postponed(line: { destination: string; side?: Side | undefined; messages: number; reason: string }): void;
  /** A webhook's message that SQS has confirmed. */
  queued(line: QueuedLine): void;
  /** A webhook's message that SQS or S3 did not confirm: its sender gets 503 and tries again. */
  notQueued(line: { destination: string; messageId: string; reason: string }): void;
  /** A webhook's request that verification turned away: counted, and written where the level is `debug`. */
  turnedAway(refusal: Refusal): void;
  /** Such requests, summed up: a line for each would be a stranger's to write. */
  refused(line: Refusal & { readonly count: number }): void;
  /** A message that is now in the dead-letter queue. */
  deadLettered(line: { destination: string; side?: Side | undefined; messageId: string; outcome: string }): void;
  /** Something that belongs to no one message: a queue without destination, a webhook whose secret is unreadable. */
  problem(event: string, fields: Readonly<Record<string, string | number>>): void;
  tokenRequested(): void;
  /** The authorization server refused the credentials of a destination. */
  tokenRefused(destination: string, side?: Side): void;
  /** A secret with a client certificate was read; told where few days are left. */
  certificateRead(certificate: { readonly secret: string; readonly daysLeft: number }): void;
  /** A token could not be renewed ahead of its end; the one there is goes on. */
  renewalFailed(reason: string): void;
  /** For the entries: puts the invocation's id into each line, and publishes the metrics when it ends. */
  readonly middleware: MiddlewareObj;
}

const LEVEL = { delivered: 'info', rejected: 'error', failed: 'warn', blocked: 'error' } as const;
const COUNTED = { delivered: 'Delivered', rejected: 'Rejected', failed: 'Failed', blocked: 'Blocked' } as const;
const OUTCOMES = ['delivered', 'rejected', 'failed', 'blocked'] as const;
const NAMESPACE = 'TokenRelay';
/** A certificate that ends in so many days or less gets a line, which names it; the metric and its alarm do not. */
const ENDING_DAYS = 30;

/** What is not yet published of the attempts of a destination, or of one side of its cut-over. */
interface Attempts {
  readonly destination: string;
  readonly side: Side | undefined;
  readonly numbers: Record<AttemptLine['outcome'], number>;
  readonly durationsMs: number[];
  /** The longest that one has been tried; absent while none was tried again in vain. */
  triedForSeconds?: number;
}

export function createTelemetry(): Telemetry {
  const serviceName = process.env.POWERTOOLS_SERVICE_NAME ?? 'token-relay';
  const log = createLog({ service: serviceName });
  const publishMetrics = createMetrics({
    namespace: process.env.POWERTOOLS_METRICS_NAMESPACE ?? NAMESPACE,
    service: serviceName,
    output: log.append,
  });
  const attempts = new Map<string, Attempts>();
  /** Metric → destination, or side of its cut-over, as `keyOf` writes it → count. */
  const counts = {
    Postponed: new Map<string, number>(),
    DeadLettered: new Map<string, number>(),
    Queued: new Map<string, number>(),
    NotQueued: new Map<string, number>(),
    Refused: new Map<string, number>(),
    TokensRefused: new Map<string, number>(),
  };
  let tokenRequests = 0;
  let failedRenewals = 0;
  let daysLeft = Number.POSITIVE_INFINITY;

  /** One line of metrics for each destination; each hundred of its attempts had theirs. */
  function publish(): void {
    for (const made of attempts.values()) publishMetrics(metricsOf(made), made.destination, made.side);
    attempts.clear();
    for (const [name, byDestination] of Object.entries(counts)) {
      for (const [key, messages] of byDestination) {
        const [destination, side] = key.split(' ') as [string, Side?];
        publishMetrics([counted(name, messages)], destination, side);
      }
      byDestination.clear();
    }
    publishMetrics([
      ...(tokenRequests > 0 ? [counted('TokenRequests', tokenRequests)] : []),
      ...(failedRenewals > 0 ? [counted('TokenRenewalsFailed', failedRenewals)] : []),
      ...(Number.isFinite(daysLeft) ? [{ name: 'CredentialDaysLeft', unit: 'None', value: daysLeft } as const] : []),
    ]);
    tokenRequests = 0;
    failedRenewals = 0;
    daysLeft = Number.POSITIVE_INFINITY;
  }

  function end(): void {
    publish();
    log.flush();
  }

  function count(name: keyof typeof counts, key: string, messages = 1): void {
    counts[name].set(key, (counts[name].get(key) ?? 0) + messages);
  }

  return {
    attempted(line) {
      log.write(LEVEL[line.outcome], 'delivery.attempted', line);
      const { destination, side, outcome, durationMs, triedForSeconds } = line;
      const key = keyOf(destination, side);
      const known = attempts.get(key);
      const made: Attempts = known ?? {
        destination,
        side,
        numbers: { delivered: 0, rejected: 0, failed: 0, blocked: 0 },
        durationsMs: [],
      };
      made.numbers[outcome] += 1;
      if (triedForSeconds !== undefined) made.triedForSeconds = Math.max(made.triedForSeconds ?? 0, triedForSeconds);
      if (made.durationsMs.push(durationMs) === MAX_VALUES) {
        publishMetrics(metricsOf(made), destination, side);
        attempts.delete(key);
      } else if (known === undefined) attempts.set(key, made);
    },
    postponed(line) {
      log.write('warn', 'delivery.postponed', line);
      count('Postponed', keyOf(line.destination, line.side), line.messages);
    },
    queued(line) {
      log.write('info', 'webhook.queued', line);
      count('Queued', line.destination);
    },
    notQueued(line) {
      log.write('error', 'webhook.not-queued', line);
      count('NotQueued', line.destination);
    },
    turnedAway(refusal) {
      log.write('debug', 'webhook.turned-away', refusal);
      count('Refused', refusal.destination);
    },
    refused: (line) => log.write('warn', 'webhook.refused', line),
    deadLettered(line) {
      log.write('error', 'message.dead-lettered', line);
      count('DeadLettered', keyOf(line.destination, line.side));
    },
    problem: (event, fields) => log.write('error', event, fields),
    tokenRequested: () => {
      tokenRequests += 1;
    },
    tokenRefused: (destination, side) => count('TokensRefused', keyOf(destination, side)),
    certificateRead(certificate) {
      daysLeft = Math.min(daysLeft, certificate.daysLeft);
      if (certificate.daysLeft <= ENDING_DAYS) log.write('warn', 'certificate.ends', certificate);
    },
    renewalFailed(reason) {
      log.write('warn', 'token.renewal-failed', { reason });
      failedRenewals += 1;
    },
    middleware: {
      // Not async: what the log keeps for the invocation must be there when the handler begins.
      before({ context }) {
        log.begin(context as Context);
      },
      after: end,
      onError: end,
    },
  };
}

/** A name has no blank in it. */
function keyOf(destination: string, side: Side | undefined): string {
  return side === undefined ? destination : `${destination} ${side}`;
}

function metricsOf({ numbers, durationsMs, triedForSeconds }: Attempts): Metric[] {
  const outcomes = OUTCOMES.filter((outcome) => numbers[outcome] > 0);
  return [
    ...outcomes.map((outcome) => counted(COUNTED[outcome], numbers[outcome])),
    { name: 'Duration', unit: 'Milliseconds', value: durationsMs },
    ...(triedForSeconds === undefined
      ? []
      : [{ name: 'OldestUndelivered', unit: 'Seconds', value: triedForSeconds } as const]),
  ];
}

function counted(name: string, value: number): Metric {
  return { name, unit: 'Count', value };
}
