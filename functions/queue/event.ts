/** The event of an SQS batch, and the reply that names the messages to keep. */
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { RelayError } from '../error.ts';
import { fromRecord, type QueuedMessage } from '../message/queued.ts';

/**
 * @throws RelayError `EVENT_INVALID` if there are no records, or one has no id: the reply could not name that one, so
 * the whole batch is kept
 * @see AWS Lambda Developer Guide, "Using Lambda with Amazon SQS"
 */
export function readBatch(event: unknown): QueuedMessage[] {
  const { Records: records } = (event ?? {}) as Partial<SQSEvent>;
  if (!Array.isArray(records))
    throw new RelayError('EVENT_INVALID', 'the event has no list of Records: it is none of SQS');
  for (const record of records) {
    if (typeof record?.messageId === 'string' && record.messageId !== '') continue;
    throw new RelayError('EVENT_INVALID', 'a record has no messageId: the whole batch is kept');
  }
  return records.map(fromRecord);
}

/**
 * Everything not named here is deleted from the queue.
 *
 * @see AWS Lambda Developer Guide, "Implementing partial batch responses"
 */
export function keepInQueue(recordIds: readonly string[]): SQSBatchResponse {
  return { batchItemFailures: recordIds.map((itemIdentifier) => ({ itemIdentifier })) };
}
