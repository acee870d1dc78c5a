/** Lambda entry of the webhooks: an HTTP event in, the reply out. */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Deadline } from '../deadline.ts';
import { setup } from '../environment.ts';
import { admit } from './admission.ts';
import { DIRECT_CALLS, directReply } from './direct.ts';
import { handOver } from './dispatch.ts';
import { type HttpEvent, type HttpReply, readHttpEvent, toReply } from './event.ts';
import { messageGroupOf, queuedReply } from './queued.ts';
import { createRefusals } from './refusals.ts';
import { createDoors } from './routes.ts';

const environment = setup(DIRECT_CALLS);
const doorOf = createDoors(environment);
const refusals = createRefusals(environment.telemetry, environment.now);
// What is queued is delivered by the other function.
await environment.prepare(({ webhook }) => webhook !== undefined && webhook.mode !== 'queued');

function serve(event: unknown, context: Context) {
  const request = readHttpEvent(event);
  return environment.invoke(context, async ({ deadline }) => {
    try {
      return toReply(await answer(request, context.invokedFunctionArn, deadline), request);
    } finally {
      refusals.tell();
    }
  });
}

async function answer(request: HttpEvent | undefined, functionArn: string, deadline: Deadline): Promise<HttpReply> {
  const { telemetry, clock } = environment;
  const admission = await admit(request, doorOf, { deadline, now: clock.now });
  if ('refusal' in admission) {
    if (admission.cause !== undefined) telemetry.problem('webhook.unavailable', { reason: admission.cause.message });
    if (admission.turnedAway !== undefined) refusals.note(admission.turnedAway);
    return admission.refusal;
  }
  const { message, door } = admission;
  const group = request && messageGroupOf(request, door.webhook.messageGroupId);
  const eventSource = request?.headers['ce-source'] ?? '';
  const posting = { message, eventSource, functionArn, ...(group === undefined ? {} : { group }) };
  const { mode } = door.webhook;
  const became = await handOver(posting, door.behind, { mode, deadline, telemetry, clock });
  return typeof became === 'string' ? queuedReply(became, message.id) : directReply(became, door.webhook);
}

// Middy's own early timeout would cut a call that may have run: the deadline is ours.
export const handler = middy({ timeoutEarlyInMillis: 0 }).use(environment.telemetry.middleware).handler(serve);
