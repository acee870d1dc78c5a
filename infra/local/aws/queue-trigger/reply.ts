/**
 * What a function's reply says of its batch: which records are done and which come again. What follows is for
 * `queue-trigger.ts`.
 *
 * @see AWS: Lambda Developer Guide "Handling errors for an SQS event source in Lambda", "Implementing partial batch
 * responses" with its success and failure conditions. `{}` and `{"batchItemFailures":[{"foo":"…"}]}` as recorded from
 * AWS in localstack's snapshots
 */
import { isJsonObject } from '../aws-json.ts';

export type BatchResult =
  | { readonly failedIds: ReadonlySet<string> }
  /** The whole batch has failed, for this reason. */
  | { readonly invalid: string };

/**
 * Nothing, `{}`, a missing, null or empty list: all done. A reply of another shape, or an item that names no record of
 * the batch: nothing is done.
 */
export function readReply(payload: unknown, batchIds: readonly string[]): BatchResult {
  if (payload === undefined || payload === null) return { failedIds: new Set() };
  if (!isJsonObject(payload)) return { invalid: 'the reply is not an object' };
  const failures = payload.batchItemFailures ?? [];
  if (!Array.isArray(failures)) return { invalid: 'batchItemFailures is not a list' };
  const ids = new Set<string>();
  for (const failure of failures) {
    const id: unknown = isJsonObject(failure) ? failure.itemIdentifier : undefined;
    if (typeof id !== 'string' || id === '') return { invalid: 'an item has no itemIdentifier' };
    if (!batchIds.includes(id)) return { invalid: `itemIdentifier ${id} is not in the batch` };
    ids.add(id);
  }
  return { failedIds: ids };
}
