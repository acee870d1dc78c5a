/**
 * The composition root: what one execution environment keeps warm, made once from its settings. The only file that knows
 * which part gets which; the parts get what they need handed in.
 */
import { createS3, type S3 } from './aws/s3.ts';
import { createSecretReader, type ReadSecret } from './aws/secrets-manager.ts';
import { createSqs, queueUrlOf, type Sqs } from './aws/sqs.ts';
import { type Clock, type Deadline, wait } from './deadline.ts';
import type { QueueRoute } from './delivery/batch.ts';
import { createBreaker } from './delivery/breaker.ts';
import { createBurial } from './delivery/burial.ts';
import { isGivenUp } from './delivery/dead-letter.ts';
import { createPayloads, createRoom } from './delivery/payload.ts';
import type { VisibilityOptions } from './delivery/visibility.ts';
import { RelayError } from './error.ts';
import { createHttpClient, type Send } from './http-client.ts';
import { httpsAdapter } from './relay/adapter/https.ts';
import type { Destination } from './relay/destination.ts';
import { createRejections } from './relay/rejection.ts';
import type { Route } from './relay/relay.ts';
import { readSettings, type Settings } from './settings.ts';
import type { Door } from './source/admission.ts';
import { readBasicEntries } from './source/verification/basic.ts';
import { createTelemetry, type Telemetry } from './telemetry.ts';
import { certificateAccess } from './token/certificate-access.ts';
import { type Credentials, readCredentials } from './token/credentials.ts';
import { warmToken } from './token/token.ts';
import type { Token } from './token/token-endpoint.ts';
import { type Warm, warm } from './warm.ts';

/** What comes from outside; every default is the real thing. */
export interface Outside {
  readonly send?: Send;
  readonly readSecret?: ReadSecret;
  readonly sqs?: Sqs;
  readonly s3?: S3;
  readonly clock?: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
  readonly telemetry?: Telemetry;
}

export interface Environment {
  readonly telemetry: Telemetry;
  readonly clock: Required<Pick<Clock, 'now'>> & Clock;
  readonly random: () => number;
  /** How messages of a queue are put out of sight. */
  visibilityOf(queueArn: string): Pick<VisibilityOptions, 'changeVisibility'>;
  /** Where the messages of a queue go; undefined if no destination has it. */
  queueRoute(queueArn: string): QueueRoute | undefined;
  /** An invocation begins; it must `end`. */
  begin(): void;
  /** The work of an invocation is done: what still runs beside it is awaited shortly, then aborted. Never rejects. */
  end(): Promise<void>;
  /** The webhook of this name; undefined if there is none. */
  door(name: string): Door<Route> | undefined;
}

export interface SetupOptions {
  readonly settings?: Settings;
  readonly outside?: Outside;
  /** How much of an answer is kept, in bytes: all of it where it is passed on. Default: enough to find the MPL id. */
  readonly keepBytes?: number;
  /** Default: the destination's `timeoutSeconds`. */
  readonly maxCallMs?: number;
}

/** @throws RelayError `SETTING_INVALID` if there are no settings to work with */
export function setup({ settings = readSettings(), outside = {}, ...adapterOptions }: SetupOptions = {}): Environment {
  const destinations = [...settings.destinations.values()].filter(
    (it): it is Destination => !(it instanceof RelayError),
  );
  const { telemetry = createTelemetry(), readSecret = createSecretReader(), random = Math.random } = outside;
  const clock = { now: Date.now, ...outside.clock };
  const { now } = clock;
  const maxSockets = Math.max(10, ...destinations.map(({ concurrency }) => concurrency));
  const send = outside.send ?? createHttpClient({ maxSockets, now });
  const { sqs = createSqs(), s3 = createS3() } = outside;
  const room = createRoom(memoryBytes() / 4);

  const credentials = new Map<string, Warm<Credentials>>();
  const tokens = new Map<string, Warm<Token>>();
  const routes = new Map<string, Route>();
  const queueRoutes = new Map<string, QueueRoute>();
  const doors = new Map<string, Door<Route>>();
  /** Several invocations share an environment on Lambda Managed Instances. */
  let active = 0;

  /** One for each secret, whoever uses it: a new version is a new version for all. */
  function credentialsOf(secret: string): Warm<Credentials> {
    return once(credentials, secret, () =>
      warm({ load: async ({ signal }) => readCredentials(await readSecret(secret, signal), secret) }),
    );
  }

  async function previousCredentials(secret: string, { signal }: Deadline): Promise<Credentials | undefined> {
    try {
      return readCredentials(await readSecret(secret, signal, 'AWSPREVIOUS'), secret);
    } catch (error) {
      // A secret that was never rotated has no version before.
      if (error instanceof RelayError && error.code === 'SECRET_NOT_FOUND') return undefined;
      throw error;
    }
  }

  /** Destinations with the same credentials that want the same token share it. */
  function tokenOf({ secret, tokenFormat, scope, maxTokenUseSeconds, authentication }: Destination): Warm<Token> {
    const wanted = { tokenFormat, maxLifetimeMs: maxTokenUseSeconds * 1000, ...(scope === undefined ? {} : { scope }) };
    return once(tokens, JSON.stringify([authentication, secret, wanted]), () =>
      authentication === 'certificate'
        ? certificateAccess(credentialsOf(secret), secret, now)
        : warmToken({
            credentials: credentialsOf(secret),
            previousCredentials: (deadline) => previousCredentials(secret, deadline),
            wanted,
            send,
            onRequest: telemetry.tokenRequested,
            onRenewalFailed: (error) => telemetry.renewalFailed(reasonOf(error)),
            random,
            ...clock,
          }),
    );
  }

  function queueRouteOf(name: string, destination: Destination | RelayError): QueueRoute {
    const breaker = createBreaker();
    const route = destination instanceof RelayError ? destination : routes.get(name);
    if (destination instanceof RelayError || route === undefined) {
      // Each of its messages says in the log what is wrong with it; none is given up before an operator has mended it.
      const unusable = { isOpen: false, record: () => undefined };
      const payloads = createPayloads({ s3, buckets: [], room, deleteDelivered: false });
      const wrong =
        destination instanceof RelayError ? destination : new RelayError('SETTING_INVALID', 'no such route');
      return {
        destination: name,
        route: wrong,
        concurrency: 1,
        breaker: unusable,
        payloads,
        isGivenUp: () => false,
        bury: async () => false,
      };
    }
    const { payloadBucket, payloadBuckets, deletePayloads, concurrency } = destination;
    const buckets = payloadBucket === undefined ? payloadBuckets : [payloadBucket, ...payloadBuckets];
    return {
      destination: name,
      route,
      concurrency,
      breaker,
      payloads: createPayloads({ s3, buckets, room, deleteDelivered: deletePayloads }),
      isGivenUp: (outcome, queued) => isGivenUp(outcome, queued, destination, now()),
      bury: createBurial({ destination, sqs, s3, telemetry, now }),
    };
  }

  for (const destination of destinations) {
    const { name, webhook, forwardHeaders } = destination;
    const adapter = httpsAdapter({ destination, send, ...adapterOptions });
    const route: Route = { token: tokenOf(destination), adapter, rejections: createRejections(now), now };
    routes.set(name, route);
    if (webhook === undefined) continue;
    const { secret } = webhook;
    const entries = warm({ load: async ({ signal }) => readBasicEntries(await readSecret(secret, signal), secret) });
    doors.set(name, { name, webhook, forwardHeaders, entries, lastReadAgain: 0, behind: route });
  }

  return {
    telemetry,
    clock,
    begin() {
      active += 1;
    },
    async end() {
      active -= 1;
      if (active === 0) await settled([...tokens.values()], clock);
    },
    door: (name) => doors.get(name),
    random,
    visibilityOf(queueArn) {
      const queueUrl = queueUrlOf(queueArn);
      return { changeVisibility: (entries, signal) => sqs.changeVisibility(queueUrl, entries, signal) };
    },
    queueRoute(queueArn) {
      const found = destinationOfQueue(queueArn, settings);
      return found && once(queueRoutes, queueArn, () => queueRouteOf(...found));
    },
  };
}

/** By the ARN, else by the queue's name, else the only destination that there is. */
function destinationOfQueue(
  queueArn: string,
  { destinations }: Settings,
): [string, Destination | RelayError] | undefined {
  const queueName = queueArn.slice(queueArn.lastIndexOf(':') + 1);
  const entries = [...destinations];
  const queueIs = (wanted: (queue: string) => boolean) =>
    entries.find(([, value]) => !(value instanceof RelayError) && value.queue !== undefined && wanted(value.queue));
  return (
    queueIs((queue) => queue === queueArn) ??
    queueIs((queue) => queue.slice(queue.lastIndexOf(':') + 1) === queueName) ??
    (entries.length === 1 ? entries[0] : undefined)
  );
}

/** What Lambda gave this environment. */
function memoryBytes(): number {
  return Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 128) * 1_048_576;
}

/** How long a renewal that runs beside the work may go on after it, in milliseconds. */
const RENEWAL_GRACE_MS = 1_000;

async function settled(tokens: readonly Warm<Token>[], clock: Clock): Promise<void> {
  const renewals = tokens.map((token) => token.renewing()).filter((renewal) => renewal !== undefined);
  if (renewals.length === 0) return;
  const grace = new AbortController();
  const over = wait(RENEWAL_GRACE_MS, grace.signal, clock).catch(() => undefined);
  await Promise.race([Promise.all(renewals), over]);
  grace.abort();
  for (const token of tokens) token.abortRenewal();
  await Promise.all([over, ...renewals]);
}

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}

function reasonOf(error: unknown): string {
  return error instanceof RelayError ? error.message : 'unexpected error';
}
