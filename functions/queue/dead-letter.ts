/** Puts a message into the dead-letter queue of its destination and logs that. If it is not safe there, it is kept. */
import type { S3 } from '../aws/s3.ts';
import type { Sqs } from '../aws/sqs.ts';
import type { Deadline } from '../deadline.ts';
import { queueUrlOf } from '../message/queue-url.ts';
import type { QueuedMessage } from '../message/queued.ts';
import type { Outcome } from '../relay/outcome.ts';
import type { Destination } from '../settings/destination.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { letterOf } from './letter.ts';

export interface DeadLetterWriterOptions {
  readonly destination: Destination;
  readonly sqs: Sqs;
  readonly s3: S3;
  readonly telemetry: Telemetry;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** @returns whether the message is safe in the dead-letter queue; never rejects */
export type WriteDeadLetter = (queued: QueuedMessage, outcome: Outcome, deadline: Deadline) => Promise<boolean>;

export function createDeadLetterWriter({
  destination,
  sqs,
  s3,
  telemetry,
  now,
}: DeadLetterWriterOptions): WriteDeadLetter {
  const { name, payloadBucket, monitor, side } = destination;

  return async function writeDeadLetter(queued, outcome, { signal }) {
    const { messageId, queueArn } = queued;
    const queueUrl = deadLetterQueueOf(destination, queueArn);
    if (queueUrl === undefined) return false;
    const options = {
      destination: name,
      now: now(),
      ...(payloadBucket === undefined ? {} : { payloadBucket }),
      ...(monitor === undefined ? {} : { monitor }),
      ...(side === undefined ? {} : { side }),
    };
    try {
      const letter = letterOf(queued, outcome, options);
      if (letter === undefined) {
        const where = payloadBucket === undefined ? ', and payloadBucket is not set' : '';
        const problem = `it does not fit into SQS beside its reason${where}`;
        const reason = `${problem}: it stays in its queue until SQS moves it away`;
        telemetry.problem('dead-letter.impossible', { destination: name, messageId, reason });
        return false;
      }
      if (letter.store !== undefined) await s3.put(letter.store.at, letter.store.body, signal);
      await sqs.send(queueUrl, letter.message, signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown error';
      telemetry.problem('dead-letter.failed', { destination: name, messageId, reason });
      return false;
    }
    telemetry.deadLettered({ destination: name, side, messageId, outcome: outcome.kind });
    return true;
  };
}

/** The one in the settings; else, for a queue that the service created and named, the one that was created with it. */
function deadLetterQueueOf({ deadLetterQueueUrl, queue }: Destination, queueArn: string): string | undefined {
  if (deadLetterQueueUrl !== undefined) return deadLetterQueueUrl;
  if (queue === undefined || queue.startsWith('arn:')) return undefined;
  return queueUrlOf(queueArn.replace(/(\.fifo)?$/, (ending) => `-dlq${ending}`));
}
