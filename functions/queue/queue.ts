/** Lambda entry of the queue function: an SQS batch in, the partial batch response out. */
import middy from '@middy/core';
import type { Context, SQSBatchResponse } from 'aws-lambda';
import { startReport } from '../deadline.ts';
import { createEnvironment, type InvocationTime } from '../environment.ts';
import type { QueuedMessage } from '../message/queued.ts';
import { deliverBatch } from './batch.ts';
import { keepInQueue, readBatch } from './event.ts';
import { createQueueRoutes } from './routes.ts';
import { hideAll } from './visibility.ts';

const environment = createEnvironment();
const queueRoute = createQueueRoutes(environment);
await environment.prepare();

function deliver(event: unknown, context: Context): Promise<SQSBatchResponse> {
  return environment.invoke(context, async (time) => {
    const kept: string[] = [];
    for (const [queueArn, messages] of byQueue(readBatch(event))) {
      kept.push(...(await deliverFrom(queueArn, messages, time)));
    }
    return keepInQueue(kept);
  });
}

/** @returns the ids of the records to keep */
async function deliverFrom(
  queueArn: string,
  messages: readonly QueuedMessage[],
  { deadline, reserve }: InvocationTime,
): Promise<string[]> {
  const { telemetry, clock, random } = environment;
  const queue = queueRoute(queueArn);
  if (queue === undefined) {
    const reason = 'no destination has this queue; the operator must set "queue" of one';
    telemetry.problem('queue.unknown', { queueArn, messages: messages.length, reason });
    return messages.map(({ recordId }) => recordId);
  }
  const kept = await deliverBatch(messages, queue, { deadline, reserve, telemetry, now: clock.now, random });
  if (kept.length === 0) return [];
  const report = startReport(reserve, clock);
  const missed = await hideAll(kept, { changeVisibility: queue.changeVisibility, deadline: report });
  report.end();
  if (missed > 0) telemetry.problem('visibility.unchanged', { queueArn, messages: missed });
  return kept.map(({ recordId }) => recordId);
}

/** AWS sends batches of one queue each; an event with several is handled queue by queue. */
function byQueue(messages: readonly QueuedMessage[]): Map<string, QueuedMessage[]> {
  const queues = new Map<string, QueuedMessage[]>();
  for (const message of messages) {
    const before = queues.get(message.queueArn);
    if (before === undefined) queues.set(message.queueArn, [message]);
    else before.push(message);
  }
  return queues;
}

// Middy's early timeout would fail the whole batch. The invocation has a deadline of our own.
export const handler = middy<unknown, SQSBatchResponse>({ timeoutEarlyInMillis: 0 })
  .use(environment.telemetry.middleware)
  .handler(deliver);
