/**
 * What the answer to an OData batch means for the message that was the batch. Its status is 202 whatever became of the
 * operations; each of them has an answer inside. One that leaves any of them open must not count as delivered.
 *
 * @see OData V2, "Batch Processing"
 */
import type { HttpAnswer } from '../../../http/http.ts';
import type { Token } from '../../../token/token-endpoint.ts';
import { type Finding, type Outcome, outcomeOfAnswer } from '../../outcome.ts';
import { mediaTypeOf } from '../charset.ts';
import { meaningOf, type Told, toldIn } from './finding.ts';
import { answersIn, type BatchAnswer, type Operation } from './multipart.ts';

export const BATCH = 'multipart/mixed';

export interface BatchOptions {
  readonly token: Token;
  /** How many operations each part of the request has. Absent: not known. */
  readonly asked?: readonly number[] | undefined;
  /** Whether a batch of which a part was carried out is sent again. */
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

  // Of a change set one answer may stand for many operations.
  const outcomes = [...new Set(failed)].map((operation) => ({ operation, outcome: outcomeInBatch(operation) }));
  // The one that keeps the message longest decides: what an operator can mend, a later try, and only then nothing.
  const kind = KINDS.find((one) => outcomes.some(({ outcome }) => outcome.kind === one)) ?? 'failed';
  const deciding = outcomes.find(({ outcome }) => outcome.kind === kind)?.operation;
  const told =
    deciding === undefined
      ? { says: wordsForOpen(answer, isWhole, `${answered.length} of ${operations.length}`) }
      : await toldOfFailure(deciding, `${failed.length} of ${operations.length}`, token);
  if (isComplete && failed.length === operations.length) {
    const isRefused = outcomes.every(({ outcome }) => outcome.executed === 'no');
    return { kind, ...told, executed: isRefused ? 'no' : 'unknown' };
  }

  const done = carriedOut(operations, isComplete, isCounted);
  if (isComplete && kind === 'rejected') return { kind, ...told, conclusion: `${done}; ${THEN.rejected}` };
  if (resendPartialBatch && kind !== 'rejected') return { kind, ...told, conclusion: `${done}; ${THEN[kind]}` };
  // Sent again, what was carried out would be carried out twice: so it goes where a person decides.
  const twice = isComplete ? 'would run twice if the batch were sent again' : 'sent again they would run twice';
  return { kind: 'rejected', ...told, conclusion: `${done}, and ${twice}; the operator must decide` };
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

/** What an operation is about was said in the batch. */
function outcomeInBatch(operation: Operation): Outcome {
  const { kind } = meaningOf(operation.status, true);
  const finding = kind === undefined ? undefined : ({ kind, says: '', executed: 'unknown' } as const);
  return outcomeOfAnswer({ ...operation, truncated: false, resent: false }, { finding });
}

async function toldOfFailure(operation: Operation, count: string, token: Token): Promise<Told> {
  const error = await toldIn(operation, token);
  const failure = error === undefined ? `${operation.status}` : `${operation.status} and ${error.says}`;
  return { ...error, says: `${count} operations of the batch failed, one with ${failure}` };
}

function wordsForOpen({ headers }: HttpAnswer, isWhole: boolean, count: string): string {
  if (mediaTypeOf(headers['content-type']) !== BATCH) return 'something that is no batch answer';
  return isWhole ? `answers to ${count} operations of the batch` : 'a batch answer that cannot be read to its end';
}

/** Of a longer list the rest is counted. */
const MOST_RANGES = 6;

/**
 * Which operations were carried out, as far as is known: "operations 1 to 3 and 5 of 6 were carried out".
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
  const known = `operation${total === 1 ? '' : 's'} ${list} of ${operations.length} ${total === 1 ? 'was' : 'were'} carried out`;
  return isComplete ? known : `${known}; ${unknown} beyond that`;
}
