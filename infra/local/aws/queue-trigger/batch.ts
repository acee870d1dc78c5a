/**
 * What an event source mapping does with one batch: invokes the function and deletes what it did. When a batch is due
 * is for `queue-trigger.ts`.
 *
 * @see AWS: Lambda Developer Guide "Handling errors for an SQS event source in Lambda"
 */
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { AwsError } from '../aws-json.ts';
import type { Queue } from '../sqs/sqs.ts';
import { split } from './event.ts';
import { readReply } from './reply.ts';

/** What a mapping needs to know of an invocation; the Lambda host's result has more. */
export type InvokeResult = { readonly requestId?: string } & (
  | { readonly ok: true; readonly payload: unknown }
  | { readonly ok: false; readonly errorType: string; readonly errorMessage: string }
);

/** One invocation that is over. */
export interface TriggerInvocation {
  /** When it began, epoch ms. */
  readonly at: number;
  /** Message ids in the order of the records. */
  readonly batch: readonly string[];
  readonly reply: InvokeResult;
  readonly deleted: readonly string[];
  /** Those that come again when their visibility ends. */
  readonly kept: readonly string[];
  /** Why the whole batch, or the deletion of a record, failed. */
  readonly error?: string;
}

export interface BatchRunnerOptions {
  readonly queue: Queue;
  readonly invoke: (event: SQSEvent) => Promise<InvokeResult>;
  /** Most records of one event. */
  readonly batchSize: number;
  readonly now: () => number;
  /** Called before each invocation, with the ids of its messages. */
  readonly begins: (batch: readonly string[]) => void;
  /** Called after each invocation, when its messages are dealt with. */
  readonly over: (invocation: TriggerInvocation) => void;
}

/** The returned function resolves when all of the batch was dealt with. */
export function createBatchRunner(options: BatchRunnerOptions): (records: readonly SQSRecord[]) => Promise<void> {
  const { queue, invoke, batchSize, now, begins, over } = options;

  /**
   * A batch beyond Lambda's 6 MB goes in several events, one after the other. On FIFO a group of which a record was
   * kept is not sent on, since its order would break.
   */
  async function runBatch(records: readonly SQSRecord[]): Promise<void> {
    const broken = new Set<string>();
    for (const event of split(records, batchSize)) {
      const inOrder = event.filter(({ attributes }) => !broken.has(attributes.MessageGroupId ?? ''));
      if (inOrder.length === 0) continue;
      const { kept } = await runEvent(inOrder);
      if (!queue.fifo) continue;
      for (const { messageId, attributes } of inOrder) {
        if (kept.includes(messageId)) broken.add(attributes.MessageGroupId ?? '');
      }
    }
  }

  async function runEvent(records: SQSRecord[]): Promise<TriggerInvocation> {
    const at = now();
    const batch = records.map(({ messageId }) => messageId);
    begins(batch);
    // Through JSON, as the function would get it: nothing of the event is shared with what is kept here.
    const reply = await invoke(JSON.parse(JSON.stringify({ Records: records })) as SQSEvent);
    const invocation = { at, batch, reply, ...settle(records, batch, reply) };
    over(invocation);
    return invocation;
  }

  function settle(records: readonly SQSRecord[], batch: readonly string[], reply: InvokeResult) {
    if (!reply.ok) return { deleted: [], kept: batch, error: `${reply.errorType}: ${reply.errorMessage}` };
    const result = readReply(reply.payload, batch);
    if ('invalid' in result) return { deleted: [], kept: batch, error: result.invalid };
    const deleted: string[] = [];
    const errors: string[] = [];
    for (const { messageId, receiptHandle } of records) {
      if (result.failedIds.has(messageId)) continue;
      const error = tryDelete(receiptHandle);
      if (error === undefined) deleted.push(messageId);
      else errors.push(error);
    }
    const kept = batch.filter((id) => !deleted.includes(id));
    return { deleted, kept, ...(errors[0] === undefined ? {} : { error: errors[0] }) };
  }

  /** A function that took longer than the visibility finds the handle expired, on FIFO queues. */
  function tryDelete(receiptHandle: string): string | undefined {
    try {
      queue.delete(receiptHandle);
      return undefined;
    } catch (error) {
      if (error instanceof AwsError) return error.message;
      throw error;
    }
  }

  return runBatch;
}
