/**
 * What the answer to an OData batch means for the message with the batch. Its status is 202, whether the operations
 * succeeded or not; each operation has an answer inside. A batch counts as delivered only if every operation has
 * succeeded.
 *
 * @see OData V2, "Batch Processing"
 */
import type { HttpAnswer } from '../../../http/http.ts';
import type { Token } from '../../../token/token-endpoint.ts';
import { type Finding, type Outcome, outcomeOfAnswer } from '../../outcome.ts';
import { mediaTypeOf } from '../charset.ts';
import { answersIn, type BatchAnswer, type Operation } from '../multipart.ts';
import { errorFindingIn, meaningOf, type ODataWords } from './finding.ts';

export const BATCH = 'multipart/mixed';

export interface BatchOptions {
  readonly token: Token;
  /** How many operations each part of the request has. Absent: not known. */
  readonly asked?: readonly number[] | undefined;
  /** Whether a batch is sent again after a part of it was carried out. */
  readonly resendPartialBatch: boolean;
}

/** Reads a 2xx. @returns undefined if every operation was carried out */
export async function readBatch(answer: HttpAnswer, options: BatchOptions): Promise<Finding | undefined> {
  const { token, asked, resendPartialBatch } = options;
  const { operations, isWhole } = answersIn(answer, asked);
  const answered = operations.filter((operation) => operation !== undefined);
  const failed = answered.filter(({ status }) => !isSuccess(status));
  const isCounted = asked !== undefined || isWhole;
  const isComplete = isCounted && answered.length === operations.length;
  if (isComplete && failed.length === 0) return undefined;

  // One answer may stand for all operations of a change set.
  const outcomes = [...new Set(failed)].map((operation) => ({ operation, outcome: outcomeInBatch(operation) }));
  // The message is given up only if nothing else can help: neither an operator nor a later try.
  const kind = KINDS.find((one) => outcomes.some(({ outcome }) => outcome.kind === one)) ?? 'failed';
  const deciding = outcomes.find(({ outcome }) => outcome.kind === kind)?.operation;
  const words =
    deciding === undefined
      ? { says: wordsForOpen(answer, isWhole, `${answered.length} of ${operations.length}`) }
      : await wordsForFailure(deciding, `${failed.length} of ${operations.length}`, token);
  if (isComplete && failed.length === operations.length) {
    const isRefused = outcomes.every(({ outcome }) => outcome.executed === 'no');
    return { kind, ...words, executed: isRefused ? 'no' : 'unknown' };
  }

  const done = carriedOut(operations, isComplete, isCounted);
  if (isComplete && kind === 'rejected') return { kind, ...words, conclusion: `${done}; ${THEN.rejected}` };
  if (resendPartialBatch && kind !== 'rejected') return { kind, ...words, conclusion: `${done}; ${THEN[kind]}` };
  // If it were sent again, what was carried out would run twice. So a person decides, by the dead letter.
  const twice = isComplete ? 'would run twice if the batch were sent again' : 'sent again they would run twice';
  return { kind: 'rejected', ...words, conclusion: `${done}, and ${twice}; the operator must decide` };
}

const KINDS = ['blocked', 'failed', 'rejected'] as const;
const THEN = {
  rejected: 'the rest will never be taken, and the sender must correct it',
  failed: 'all of it is kept for a later try',
  blocked: 'the operator must look into it, then all of it is sent again',
} as const;

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The message itself named what the operation is about, so a 404 or 405 is its sender's fault. */
function outcomeInBatch(operation: Operation): Outcome {
  const { kind } = meaningOf(operation.status, true);
  const finding = kind === undefined ? undefined : ({ kind, says: '', executed: 'unknown' } as const);
  return outcomeOfAnswer({ ...operation, truncated: false }, { finding });
}

async function wordsForFailure(operation: Operation, count: string, token: Token): Promise<ODataWords> {
  const error = await errorFindingIn(operation, token);
  const failure = error === undefined ? `${operation.status}` : `${operation.status} and ${error.says}`;
  return { ...error, says: `${count} operations of the batch failed, one with ${failure}` };
}

function wordsForOpen({ headers }: HttpAnswer, isWhole: boolean, count: string): string {
  if (mediaTypeOf(headers['content-type']) !== BATCH) return 'something that is no batch answer';
  return isWhole ? `answers to ${count} operations of the batch` : 'a batch answer that cannot be read to its end';
}

/** The rest of a longer list is only counted. */
const MOST_RANGES = 6;

/**
 * Which operations were carried out, as far as it is known: "operations 1 to 3 and 5 of 6 were carried out".
 *
 * @param isCounted whether it is known how many there are
 */
function carriedOut(operations: BatchAnswer['operations'], isComplete: boolean, isCounted: boolean): string {
  const ranges: { readonly first: number; last: number }[] = [];
  let total = 0;
  for (const [index, operation] of operations.entries()) {
    if (operation === undefined || !isSuccess(operation.status)) continue;
    total += 1;
    const range = ranges.at(-1);
    if (range?.last === index) range.last = index + 1;
    else ranges.push({ first: index + 1, last: index + 1 });
  }
  const unknown = 'which operations were carried out is unknown';
  if (!isCounted || total === 0) return unknown;
  const shown = ranges.slice(0, MOST_RANGES);
  const words = shown.map(({ first, last }) => (first === last ? `${first}` : `${first} to ${last}`));
  const others = shown.reduce((rest, { first, last }) => rest - (last - first + 1), total);
  if (others > 0) words.push(`${others} more`);
  const list = new Intl.ListFormat('en-GB').format(words);
  const [noun, verb] = total === 1 ? ['operation', 'was'] : ['operations', 'were'];
  const known = `${noun} ${list} of ${operations.length} ${verb} carried out`;
  return isComplete ? known : `${known}; ${unknown} beyond that`;
}
