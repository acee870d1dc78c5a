/** Routes of the webhook function: for each webhook, who may send to it, and how its messages reach the destination. */
import type { Environment } from '../environment.ts';
import type { Message } from '../message/message.ts';
import type { Routes } from '../relay/relay.ts';
import { type Side, sideOf } from '../relay/side.ts';
import type { Destination, WebhookSettings } from '../settings/destination.ts';
import { createEnqueue, type Enqueue } from './enqueue.ts';
import type { Verifier } from './verification/verifier.ts';
import { createVerifiers } from './verification/verifiers.ts';

export interface WebhookRoute extends Routes {
  readonly destination: string;
  readonly webhook: WebhookSettings;
  /** The destination's, for a webhook that lists none of its own. */
  readonly forwardHeaders: readonly string[];
  /** Any one of them lets a request in. */
  readonly verifiers: readonly Verifier[];
  /** The side that a message is sent to which came in then, epoch milliseconds. Absent: there is no cut-over. */
  readonly sideOf?: (message: Message, cameInAt: number) => Side;
  readonly enqueue: Enqueue;
}

/** By the name in the path. `unusable`: its settings are invalid. Undefined: there is no webhook of this name. */
export type WebhookRoutes = (name: string) => WebhookRoute | 'unusable' | undefined;

/** A webhook whose settings are invalid is logged here, once. */
export function createWebhookRoutes(environment: Environment): WebhookRoutes {
  const { settings, telemetry, routes } = environment;
  const createVerifier = createVerifiers(environment);
  const known = new Map<string, WebhookRoute | 'unusable'>();
  for (const [name, destination] of settings.destinations) {
    if ('error' in destination) {
      if (!destination.hasWebhook) continue;
      known.set(name, 'unusable');
      telemetry.problem('webhook.unavailable', { destination: name, reason: destination.error.message });
      continue;
    }
    const { webhook, forwardHeaders } = destination;
    const ways = routes.get(name);
    if (webhook === undefined || ways === undefined) continue;
    const enqueue = createEnqueue({ ...environment, destination });
    const verifiers = webhook.verify.map(createVerifier);
    known.set(name, { destination: name, webhook, forwardHeaders, verifiers, ...ways, ...sides(destination), enqueue });
  }
  return (name) => known.get(name);
}

function sides({ name, cutover, fifo, queueUrl }: Destination): Pick<WebhookRoute, 'sideOf'> {
  if (cutover === undefined) return {};
  const isFifo = fifo || queueUrl?.endsWith('.fifo') === true;
  // As it is queued: without a group of its own it is in the one of the destination.
  return { sideOf: ({ id, group = name }, cameInAt) => sideOf(cutover, cameInAt, isFifo ? group : id) };
}
