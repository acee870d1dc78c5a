/**
 * The composition root: makes once, from the settings, what an execution environment keeps warm. Apart from the two
 * `routes.ts` no other file decides which part gets which.
 */
import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { createS3, type S3 } from './aws/s3.ts';
import { createSecretReader, type ReadSecret } from './aws/secrets-manager.ts';
import { createSqs, type Sqs } from './aws/sqs.ts';
import { type Clock, type Deadline, startDeadline, startReserve, startWithin } from './deadline.ts';
import { createHttpClient, type Send } from './http/http.ts';
import { adapterOf } from './relay/adapter/adapters.ts';
import { createEndpointToken } from './relay/endpoint-token.ts';
import type { Route, Routes } from './relay/relay.ts';
import { type Destination, endpoint, sidesOf } from './settings/destination.ts';
import { readSettings, type Settings } from './settings/settings.ts';
import { createTelemetry, type Telemetry } from './telemetry/telemetry.ts';
import type { Token } from './token/token-endpoint.ts';
import { createTokens } from './token/tokens.ts';
import { settleRenewals, type Warm } from './warm/warm.ts';

/** What comes from outside. Every default is the real thing. */
export interface Outside extends Clock {
  readonly send?: Send;
  readonly readSecret?: ReadSecret;
  readonly sqs?: Sqs;
  readonly s3?: S3;
  /** From 0 up to 1. */
  readonly random?: () => number;
  /** A new unique name. Default `randomUUID`. */
  readonly newId?: () => string;
  readonly telemetry?: Telemetry;
}

/** What an execution environment keeps, in either function. */
export interface Environment extends Required<Omit<Outside, 'after'>> {
  readonly settings: Settings;
  readonly clock: Clock & { readonly now: () => number };
  /** By the names of the destinations that can be used. */
  readonly routes: ReadonlyMap<string, Routes>;
  /**
   * During init, if all destinations share one token: gets it and connects to the endpoint, so that the first message
   * finds both. Not for several tokens: each would cost a request at every cold start, used or not. Ends within two
   * seconds; never rejects.
   *
   * @param isNeeded whether this function calls the destination. Default: all
   */
  prepare(isNeeded?: (destination: Destination) => boolean): Promise<void>;
  /** Adds a warm value, whose renewals end with the invocation, as those of the tokens do. */
  keepWarm(value: Warm<object>): void;
  /**
   * Runs an invocation: gives the work its time, then waits shortly for renewals that still run, and aborts them.
   *
   * @throws what the work throws
   */
  invoke<T>(context: InvocationContext, work: (time: InvocationTime) => Promise<T>): Promise<T>;
}

/** How long Lambda lets an invocation run. */
export type InvocationContext = Pick<Context, 'getRemainingTimeInMillis'>;

export interface InvocationTime {
  /** For the work. */
  readonly deadline: Deadline;
  /** For dead letters: the time that is reserved for reporting. */
  readonly reserve: Deadline;
}

export interface EnvironmentOptions {
  readonly settings?: Settings;
  readonly outside?: Outside;
  /** How much of an answer is kept, in bytes. Default: enough to find the MPL id. */
  readonly keepBytes?: number;
  /** Longest call of an endpoint, in milliseconds. Default: the destination's `timeoutSeconds`. */
  readonly maxCallMs?: number;
}

/** @throws RelayError `SETTING_INVALID` if there are no settings to work with */
export function createEnvironment({
  settings = readSettings(),
  outside = {},
  ...calls
}: EnvironmentOptions = {}): Environment {
  const destinations = [...settings.destinations.values()].filter((destination) => 'name' in destination);
  const sides = destinations.flatMap(sidesOf);
  const { telemetry = createTelemetry(), random = Math.random } = outside;
  const { sqs = createSqs(), s3 = createS3(), now = Date.now, newId = randomUUID } = outside;
  const clock = { now, ...(outside.after === undefined ? {} : { after: outside.after }) };
  // Both sides of a cut-over may be on one host: a side that hangs must leave the other one its sockets.
  const maxSockets = Math.max(10, ...destinations.map((one) => one.concurrency * sidesOf(one).length));
  const onPlainAgent = (reason: string) => telemetry.problem('http.plain-agent', { reason });
  const { send = createHttpClient({ maxSockets, now, onPlainAgent }) } = outside;
  const { readSecret = createSecretReader(send) } = outside;
  const tokens = createTokens({
    readSecret,
    send,
    random,
    ...clock,
    onRequest: telemetry.tokenRequested,
    onRefused: telemetry.tokenRefused,
    onCertificate: telemetry.certificateRead,
    onRenewalFailed: telemetry.renewalFailed,
  });
  const routeOf = (destination: Destination): Route => {
    const adapter = adapterOf({ destination, send, ...calls });
    return { token: createEndpointToken(tokens.of(destination), now), adapter, now };
  };
  const routes = destinations.map((destination): [string, Routes] => {
    const { name, cutover } = destination;
    const route = routeOf(destination);
    return [name, cutover === undefined ? { route } : { route, newSide: routeOf(cutover.newSide) }];
  });
  const keptWarm: Warm<object>[] = [];
  /** Several invocations share an environment on Lambda Managed Instances. */
  let active = 0;

  return {
    settings,
    telemetry,
    readSecret,
    send,
    sqs,
    s3,
    now,
    random,
    newId,
    clock,
    routes: new Map(routes),
    async prepare(isNeeded = () => true) {
      const [token, ...others] = tokens.all;
      const needed = sides.filter(isNeeded);
      if (token === undefined || others.length > 0 || needed.length === 0) return;
      const deadline = startWithin(PREPARE_MS, clock);
      // An error is dropped: the first message gets it again, and logs it.
      await reach(token, needed, send, deadline).catch(() => undefined);
      deadline.end();
    },
    keepWarm(value) {
      keptWarm.push(value);
    },
    async invoke(context, work) {
      const remainingMs = context.getRemainingTimeInMillis();
      const deadline = startDeadline(remainingMs, clock);
      const reserve = startReserve(remainingMs, clock);
      active += 1;
      try {
        return await work({ deadline, reserve });
      } finally {
        active -= 1;
        if (active === 0) await settleRenewals([...tokens.all, ...keptWarm], clock, reserve);
        deadline.end();
        reserve.end();
      }
    },
  };
}

/** Gets the token and connects to the endpoint; not to several hosts, of which most may not be called. */
async function reach(
  token: Warm<Token>,
  destinations: readonly Destination[],
  send: Send,
  deadline: Deadline,
): Promise<void> {
  const { serviceUrl, certificate } = await token.get(deadline);
  const [url, ...others] = destinations.map((destination) => endpoint(destination, serviceUrl));
  if (url === undefined || others.some(({ origin }) => origin !== url.origin)) return;
  await send.connect?.({ url, ...(certificate === undefined ? {} : { certificate }) }, deadline.signal);
}

/** How long init waits for a token and a connection, in milliseconds; Lambda ends an init after ten seconds. */
const PREPARE_MS = 2_000;
