/** Lambda entry of the queues: a batch of SQS in, the partial batch response out. */
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { startDeadline } from './deadline.ts';
import { deliverBatch } from './delivery/batch.ts';
import { setup } from './setup.ts';
import { keepInQueue, readBatch } from './source/sqs.ts';

const environment = setup();

async function deliver(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const { telemetry, clock } = environment;
  const messages = readBatch(event);
  const queueArn = messages[0]?.queueArn ?? '';
  const route = environment.queueRoute(queueArn);
  if (route === undefined) {
    telemetry.problem('queue.unknown', {
      queueArn,
      messages: messages.length,
      reason: 'no destination has this queue; the operator must set "queue" of one',
    });
    return keepInQueue(messages.map(({ recordId }) => recordId));
  }
  const deadline = startDeadline(context.getRemainingTimeInMillis(), clock);
  environment.begin();
  try {
    return keepInQueue(await deliverBatch(messages, route, { deadline, telemetry, now: clock.now }));
  } finally {
    await environment.end();
    deadline.end();
  }
}

// Middy's own early timeout would fail the whole batch: the deadline is ours.
export const handler = middy<SQSEvent, SQSBatchResponse>({ timeoutEarlyInMillis: 0 })
  .use(environment.telemetry.middleware)
  .handler(deliver);
