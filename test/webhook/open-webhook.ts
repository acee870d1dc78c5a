/** A webhook as the environment makes it, with a secret that can be changed and whose readings are counted. */

import type { Deadline } from '../../functions/deadline.ts';
import { RelayError } from '../../functions/error.ts';
import type { Send } from '../../functions/http/http.ts';
import type { WebhookSettings } from '../../functions/settings/destination.ts';
import type { Verification } from '../../functions/settings/verification.ts';
import type { Warm } from '../../functions/warm/warm.ts';
import { type Admission, admit } from '../../functions/webhook/admission.ts';
import { type HttpReply, readHttpEvent } from '../../functions/webhook/event.ts';
import type { WebhookRoute } from '../../functions/webhook/routes.ts';
import { createVerifiers } from '../../functions/webhook/verification/verifiers.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { createSimulatedTime, type SimulatedTime } from '../doubles/time.ts';
import { webhookEvent } from './aws-http-events.ts';

export const joe = { username: 'joe', password: 'Sésame: öffne dich' };
export const JOE = basicOf(joe);

const BASIC: Verification = { type: 'basic', secret: 'webhooks/orders' };

export function basicOf({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

export interface OpenWebhook {
  /** Lets in, or turns away, a request with Joe's credentials; `headers` without `authorization` come with them. */
  admit(fields?: Parameters<typeof webhookEvent>[0] & { headers?: Record<string, string> }): Promise<Admission>;
  /** As it is, with no credentials added. */
  admitEvent(event: unknown): Promise<Admission>;
  readonly route: WebhookRoute;
  readonly clock: SimulatedTime;
  /** At the end of an invocation: what it runs beside has ended. */
  settled(): Promise<void>;
  readonly readings: { count: number };
  /** The secret as it is now; an error is thrown by a reading. */
  secret: unknown;
  /** Others, by their names. */
  secrets: Record<string, unknown>;
  /** To an issuer. */
  send: Send;
  /** Of the invocation. */
  deadline: Deadline;
  /** Holds a reading back until it is settled. */
  reading: (signal: AbortSignal) => Promise<void> | undefined;
}

export function openWebhook(
  webhook: Partial<WebhookSettings> = {},
  forwardHeaders: readonly string[] = [],
): OpenWebhook {
  const clock = createSimulatedTime();
  const warms: Warm<object>[] = [];
  const readings = { count: 0 };
  const createVerifier = createVerifiers({
    async readSecret(name, signal = new AbortController().signal) {
      readings.count += 1;
      await opened.reading(signal);
      const secret = opened.secrets[name] ?? opened.secret;
      if (secret instanceof Error) throw secret;
      return { text: JSON.stringify(secret), versionId: 'v1' };
    },
    send: (request) => opened.send(request),
    clock,
    keepWarm: (value) => warms.push(value),
  });
  const verify: readonly Verification[] = webhook.verify ?? [BASIC];
  const route: WebhookRoute = {
    destination: 'orders',
    webhook: {
      verify,
      mode: 'direct',
      methods: ['POST'],
      maxBodyBytes: 6_291_456,
      maxHeaderBytes: 16_384,
      returnHeaders: [],
      allowedOrigins: [],
      ...webhook,
    },
    forwardHeaders,
    verifiers: verify.map(createVerifier),
    // Admission ends before the message is sent on.
    route: {} as WebhookRoute['route'],
    enqueue: () => Promise.reject(new Error('no message is to be queued')),
  };
  const opened: OpenWebhook = {
    route,
    clock,
    async settled() {
      await Promise.all(warms.map((value) => value.renewing()));
    },
    readings,
    secret: joe,
    secrets: {},
    send: () => Promise.reject(new Error('nobody is to be called')),
    deadline: deadlineOf(),
    reading: () => undefined,
    admit: ({ headers, ...fields } = {}) =>
      opened.admitEvent(
        webhookEvent({ ...fields, headers: { authorization: JOE, 'content-type': 'application/json', ...headers } }),
      ),
    admitEvent: (event) =>
      admit(readHttpEvent(event), (name) => (name === 'orders' ? route : undefined), opened.deadline),
  };
  return opened;
}

export function unavailable(): RelayError {
  return new RelayError('SECRET_UNAVAILABLE', 'secret "webhooks/orders" could not be read now; a later try may help');
}

/** The reply to one who was turned away; `undefined` for one who was let in. */
export function refusalOf(admission: Admission): HttpReply | undefined {
  return 'reply' in admission ? admission.reply : undefined;
}

/** Status of the refusal; `undefined` for one who was let in. */
export function statusOf(admission: Admission): number | undefined {
  return 'reply' in admission ? admission.reply.status : undefined;
}
