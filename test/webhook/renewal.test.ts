/** What webhooks are verified with is renewed beside the work; the invocation that it runs beside ends it. */
import { expect, test } from 'vitest';
import { createEnvironment } from '../../functions/environment.ts';
import { RelayError } from '../../functions/error.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import { admit } from '../../functions/webhook/admission.ts';
import { readHttpEvent } from '../../functions/webhook/event.ts';
import { createWebhookRoutes } from '../../functions/webhook/routes.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';
import { webhookEvent } from './aws-http-events.ts';
import { JOE, joe, statusOf } from './open-webhook.ts';

const TEN_MINUTES_MS = 600_000;
const orders = { secret: 'cpi', path: '/orders', webhook: { verify: 'basic', secret: 'webhooks/orders' } };

test('a secret over ten minutes old delays no reply, even if Secrets Manager hangs', async () => {
  const { now, after, sleep, run } = createSimulatedTime(NOON);
  const signals: (AbortSignal | undefined)[] = [];
  const environment = createEnvironment({
    settings: readSettings({ DESTINATIONS: JSON.stringify({ orders }) }),
    outside: {
      now,
      after,
      async readSecret(_, signal) {
        signals.push(signal);
        if (signals.length === 1) return { text: JSON.stringify(joe), versionId: 'v1' };
        return new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new RelayError('SECRET_UNAVAILABLE', 'broken off')));
        });
      },
    },
  });
  const routeOf = createWebhookRoutes(environment);
  const event = readHttpEvent(webhookEvent({ headers: { authorization: JOE } }));
  /** @returns when it was let in and when its reply left, in milliseconds since it came */
  async function invoke() {
    const cameAt = now();
    const admitted = await environment.invoke({ getRemainingTimeInMillis: () => 29_000 }, async ({ deadline }) => {
      const admission = await admit(event, routeOf, deadline);
      return { status: statusOf(admission), admittedMs: now() - cameAt };
    });
    return { ...admitted, repliedMs: now() - cameAt };
  }

  expect(await run(invoke())).toEqual({ status: undefined, admittedMs: 0, repliedMs: 0 });
  await run(sleep(TEN_MINUTES_MS));
  expect(await run(invoke())).toEqual({ status: undefined, admittedMs: 0, repliedMs: 1_000 });
  expect(signals.map((signal) => signal?.aborted)).toEqual([false, true]);
  expect(await run(invoke()), 'and is left alone for half a minute').toEqual({
    status: undefined,
    admittedMs: 0,
    repliedMs: 0,
  });
});
