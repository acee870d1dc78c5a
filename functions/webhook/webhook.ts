/** Lambda entry of the webhook function: an HTTP event in, the reply out. */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Deadline } from '../deadline.ts';
import { createEnvironment } from '../environment.ts';
import { admit, type Refusal } from './admission.ts';
import { dispatch } from './dispatch.ts';
import { type HttpEvent, type HttpReply, readHttpEvent, toReply } from './event.ts';
import { createRefusals } from './refusals.ts';
import { DIRECT_CALLS, directReply, queuedReply } from './reply.ts';
import { createWebhookRoutes } from './routes.ts';

const environment = createEnvironment(DIRECT_CALLS);
const { telemetry, clock } = environment;
const routeOf = createWebhookRoutes(environment);
const refusals = createRefusals(telemetry, clock.now);
// A queued message is delivered by the other function.
await environment.prepare(({ webhook }) => webhook !== undefined && webhook.mode !== 'queued');

function serve(event: unknown, context: Context) {
  const request = readHttpEvent(event);
  return environment.invoke(context, async ({ deadline }) => {
    try {
      return toReply(await answer(request, context.invokedFunctionArn, deadline), request);
    } finally {
      refusals.logDue();
    }
  });
}

async function answer(request: HttpEvent | undefined, functionArn: string, deadline: Deadline): Promise<HttpReply> {
  const admission = await admit(request, routeOf, deadline);
  if ('reply' in admission) return refused(admission);
  const { message, eventSource, route } = admission;
  const origin = { eventSource, functionArn };
  const result = await dispatch(message, route, { origin, deadline, telemetry, clock });
  return typeof result === 'string' ? queuedReply(result, message.id) : directReply(result, route.webhook);
}

function refused({ reply, cause, turnedAway }: Refusal): HttpReply {
  if (cause !== undefined) telemetry.problem('webhook.unavailable', { reason: cause.message });
  if (turnedAway !== undefined) refusals.note(turnedAway);
  return reply;
}

// Middy's early timeout would cut off a call that may have run. The invocation has a deadline of our own.
export const handler = middy({ timeoutEarlyInMillis: 0 }).use(telemetry.middleware).handler(serve);
