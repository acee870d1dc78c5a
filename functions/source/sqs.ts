/** SQS as a source: the event of a batch, and the reply that says which messages to keep. Judges nothing. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { fromRecord, type QueuedMessage } from '../envelope.ts';

/** @see AWS Lambda Developer Guide, "Using Lambda with Amazon SQS" */
export function readBatch(event: SQSEvent): QueuedMessage[] {
  return event.Records.map(fromRecord);
}

/**
 * Everything not named here is deleted from the queue.
 *
 * @see AWS Lambda Developer Guide, "Implementing partial batch responses"
 */
export function keepInQueue(recordIds: readonly string[]): SQSBatchResponse {
  return { batchItemFailures: recordIds.map((itemIdentifier) => ({ itemIdentifier })) };
}
