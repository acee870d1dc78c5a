/**
 * The composition root: what one execution environment keeps warm, made once from its settings. The only file that knows
 * which part gets which; the parts get what they need handed in.
 */
import { randomUUID } from 'node:crypto';
import { createS3, type S3 } from './aws/s3.ts';
import { createSecretReader, type ReadSecret } from './aws/secrets-manager.ts';
import { createSqs, type Sqs } from './aws/sqs.ts';
import type { Clock, Deadline } from './deadline.ts';
import type { QueueRoute } from './delivery/batch.ts';
import { createBreaker } from './delivery/breaker.ts';
import { createBurial } from './delivery/burial.ts';
import { isGivenUp } from './delivery/dead-letter.ts';
import { createEnqueue } from './delivery/enqueue.ts';
import type { Ways } from './delivery/hand-over.ts';
import { createPayloads, createRoom } from './delivery/payload.ts';
import type { RelayError } from './error.ts';
import { createHttpClient, type Send } from './http-client.ts';
import { queueUrlOf } from './queue-url.ts';
import { adapterOf } from './relay/adapter/adapters.ts';
import type { Destination } from './relay/destination.ts';
import { createRejections } from './relay/rejection.ts';
import type { Route } from './relay/relay.ts';
import { destinationOfQueue, readSettings, type Settings } from './settings.ts';
import type { Door } from './source/admission.ts';
import { createVerifiers } from './source/verification/verifiers.ts';
import { createTelemetry, type Telemetry } from './telemetry.ts';
import { createTokens } from './token/tokens.ts';
import { settleRenewals } from './warm.ts';

/** What comes from outside; every default is the real thing. */
export interface Outside extends Clock {
  readonly send?: Send;
  readonly readSecret?: ReadSecret;
  readonly sqs?: Sqs;
  readonly s3?: S3;
  /** From 0 up to 1. */
  readonly random?: () => number;
  /** A name that nothing has yet. */
  readonly newId?: () => string;
  readonly telemetry?: Telemetry;
}

export interface Environment {
  readonly telemetry: Telemetry;
  readonly clock: Clock & { readonly now: () => number };
  readonly random: () => number;
  /** Where the messages of a queue go; undefined if no destination has it. */
  queueRoute(queueArn: string): QueueRoute | undefined;
  /** The webhook of this name; undefined if there is none. */
  door(name: string): Door<Ways> | undefined;
  /** An invocation begins; it must `end`. */
  begin(): void;
  /**
   * The work of an invocation is done: what still runs beside it is awaited shortly, then aborted. Never rejects.
   *
   * @param reserve what the reply leaves of the time. Default: enough
   */
  end(reserve?: Deadline): Promise<void>;
}

export interface SetupOptions {
  readonly settings?: Settings;
  readonly outside?: Outside;
  /** How much of an answer is kept, in bytes: all of it where it is passed on. Default: enough to find the MPL id. */
  readonly keepBytes?: number;
  /** Longest call of an endpoint, in milliseconds. Default: the destination's `timeoutSeconds`. */
  readonly maxCallMs?: number;
}

/** @throws RelayError `SETTING_INVALID` if there are no settings to work with */
export function setup({ settings = readSettings(), outside = {}, ...calls }: SetupOptions = {}): Environment {
  const destinations = [...settings.destinations.values()].filter((destination) => 'name' in destination);
  const { telemetry = createTelemetry(), readSecret = createSecretReader(), random = Math.random } = outside;
  const { sqs = createSqs(), s3 = createS3(), now = Date.now, newId = randomUUID } = outside;
  const clock = { now, ...(outside.after === undefined ? {} : { after: outside.after }) };
  const maxSockets = Math.max(10, ...destinations.map(({ concurrency }) => concurrency));
  const send = outside.send ?? createHttpClient({ maxSockets, now });
  const room = createRoom(memoryBytes() / 4);
  const tokens = createTokens({
    readSecret,
    send,
    random,
    ...clock,
    onRequest: telemetry.tokenRequested,
    onRenewalFailed: telemetry.renewalFailed,
  });
  const createVerifier = createVerifiers({ readSecret, send, now });
  const routes = new Map<string, Route>();
  const doors = new Map<string, Door<Ways>>();
  const queueRoutes = new Map<string, QueueRoute>();
  /** Several invocations share an environment on Lambda Managed Instances. */
  let active = 0;

  for (const destination of destinations) {
    const { name, webhook, forwardHeaders } = destination;
    const adapter = adapterOf({ destination, send, ...calls });
    const route = { token: tokens.of(destination), adapter, rejections: createRejections(now), now };
    routes.set(name, route);
    if (webhook === undefined) continue;
    const verifiers = webhook.verify.map(createVerifier);
    const behind = {
      destination: name,
      route,
      enqueue: createEnqueue({ destination, sqs, s3, telemetry, now, newId }),
    };
    doors.set(name, { name, webhook, forwardHeaders, verifiers, behind });
  }

  function usable(destination: Destination, route: Route, queueArn: string): QueueRoute {
    const { name, concurrency, payloadBucket, payloadBuckets, deletePayloads } = destination;
    const buckets = payloadBucket === undefined ? payloadBuckets : [payloadBucket, ...payloadBuckets];
    return {
      ...unusable(name, route, queueArn),
      concurrency,
      breaker: createBreaker(),
      payloads: createPayloads({ s3, buckets, room, deleteDelivered: deletePayloads }),
      isGivenUp: (outcome, queued) => isGivenUp(outcome, queued, destination, now()),
      bury: createBurial({ destination, sqs, s3, telemetry, now }),
    };
  }

  /** Each of its messages says in the log what is wrong; none is given up before an operator has mended it. */
  function unusable(destination: string, route: Route | RelayError, queueArn: string): QueueRoute {
    const queueUrl = queueUrlOf(queueArn);
    return {
      destination,
      route,
      concurrency: 1,
      breaker: { isOpen: false, record: () => undefined },
      payloads: createPayloads({ s3, buckets: [], room, deleteDelivered: false }),
      isGivenUp: (outcome, queued) => isGivenUp(outcome, queued, NO_RETRY_LIMIT, now()),
      bury: async () => false,
      changeVisibility: (entries, signal) => sqs.changeVisibility(queueUrl, entries, signal),
    };
  }

  function routeOf(queueArn: string): QueueRoute | undefined {
    const [name, destination] = destinationOfQueue(queueArn, settings) ?? [];
    if (name === undefined || destination === undefined) return undefined;
    if ('error' in destination) return unusable(name, destination.error, queueArn);
    const route = routes.get(name);
    return route && usable(destination, route, queueArn);
  }

  return {
    telemetry,
    clock,
    random,
    door: (name) => doors.get(name),
    queueRoute(queueArn) {
      const route = queueRoutes.get(queueArn) ?? routeOf(queueArn);
      if (route !== undefined) queueRoutes.set(queueArn, route);
      return route;
    },
    begin() {
      active += 1;
    },
    async end(reserve) {
      active -= 1;
      if (active === 0) await settleRenewals([...tokens.all], clock, reserve);
    },
  };
}

/** Of a destination that cannot be used nothing is known, but that SQS itself drops a message in the end. */
const NO_RETRY_LIMIT = { retryForHours: Number.POSITIVE_INFINITY };

/** What Lambda gave this environment. */
function memoryBytes(): number {
  return Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 128) * 1_048_576;
}
