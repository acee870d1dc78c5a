/**
 * The composition root: what one execution environment keeps warm, made once from its settings. The only file that knows
 * which part gets which; the parts get what they need handed in.
 */
import { createSecretReader, type ReadSecret } from './aws/secrets-manager.ts';
import type { QueueRoute } from './delivery/batch.ts';
import { RelayError } from './error.ts';
import { createHttpClient, type Send } from './http-client.ts';
import { httpsAdapter } from './relay/adapter/https.ts';
import type { Destination } from './relay/destination.ts';
import type { Route } from './relay/relay.ts';
import { readSettings, type Settings } from './settings.ts';
import type { Door } from './source/admission.ts';
import { readBasicEntries } from './source/verification/basic.ts';
import { createTelemetry, type Telemetry } from './telemetry.ts';
import { readCredentials } from './token/credentials.ts';
import { warmToken } from './token/token.ts';
import type { Token } from './token/token-endpoint.ts';
import { type Warm, warm } from './warm.ts';

/** What comes from outside; every default is the real thing. */
export interface Outside {
  readonly send?: Send;
  readonly readSecret?: ReadSecret;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  readonly after?: (ms: number, callback: () => void) => () => void;
  readonly telemetry?: Telemetry;
}

export interface Environment {
  readonly telemetry: Telemetry;
  readonly now: () => number;
  readonly after?: (ms: number, callback: () => void) => () => void;
  /** Where the messages of a queue go; undefined if no destination has it. */
  queueRoute(queueArn: string): QueueRoute | undefined;
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
  const { now = Date.now, telemetry = createTelemetry(), readSecret = createSecretReader() } = outside;
  const maxSockets = Math.max(10, ...destinations.map(({ concurrency }) => concurrency));
  const send = outside.send ?? createHttpClient({ maxSockets, now });

  const tokens = new Map<string, Warm<Token>>();
  const routes = new Map<string, Route>();
  const doors = new Map<string, Door<Route>>();

  /** Destinations with the same credentials share one token. */
  function tokenOf({ secret, tokenFormat }: Destination): Warm<Token> {
    const key = `${tokenFormat} ${secret}`;
    const known = tokens.get(key);
    if (known !== undefined) return known;
    const credentials = warm({ load: async (signal) => readCredentials(await readSecret(secret, signal), secret) });
    const made = warmToken({ credentials, tokenFormat, send, now, onRequest: telemetry.tokenRequested });
    tokens.set(key, made);
    return made;
  }

  for (const destination of destinations) {
    const { name, webhook, forwardHeaders } = destination;
    const adapter = httpsAdapter({ destination, send, ...adapterOptions });
    const route: Route = { token: tokenOf(destination), adapter, now };
    routes.set(name, route);
    if (webhook === undefined) continue;
    const { secret } = webhook;
    const entries = warm({ load: async (signal) => readBasicEntries(await readSecret(secret, signal), secret) });
    doors.set(name, { name, webhook, forwardHeaders, entries, lastReadAgain: 0, behind: route });
  }

  return {
    telemetry,
    now,
    ...(outside.after === undefined ? {} : { after: outside.after }),
    door: (name) => doors.get(name),
    queueRoute(queueArn) {
      const found = destinationOfQueue(queueArn, settings);
      if (found === undefined) return undefined;
      const [destination, value] = found;
      const route = value instanceof RelayError ? value : routes.get(destination);
      if (route === undefined) return undefined;
      return { destination, route, concurrency: value instanceof RelayError ? 1 : value.concurrency };
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
