/**
 * The books of a run: every message that was sent is found again as delivered or as a dead letter with a true reason,
 * each delivery too many has a cause that was seen, and no group was overtaken. Reads what the landscape and the
 * relay's log witnessed; causes and waits for nothing.
 */
import type { Sent } from './traffic.ts';

/** A flow that ran, in the order of the runs. */
export interface Run {
  readonly messageId: string | undefined;
  readonly bodySha256: string;
  readonly status: number;
}

/** What the attribute `deadLetter` of a message in a dead-letter queue says; undefined where SQS itself moved it. */
export type LetterTold = { readonly messageId: string; readonly outcome: string; readonly status?: number } | undefined;

export interface Letter {
  /** SQS's id of the letter. */
  readonly recordId: string;
  readonly told: LetterTold;
}

/**
 * How often something happened to a message, by its id, that may bring it twice. Told by the relay itself: `unknown`,
 * its own line that the flow may have run. Seen by the landscape: `again` and `killed`; `interrupted`, an exchange with
 * the runtime node that was cut; `unconfirmed`, the same of SQS and a letter.
 */
export type Causes = Readonly<
  Record<'again' | 'unknown' | 'killed' | 'interrupted' | 'unconfirmed', ReadonlyMap<string, number>>
>;

export interface Evidence {
  readonly sent: readonly Sent[];
  readonly runs: readonly Run[];
  readonly letters: readonly Letter[];
  readonly causes: Causes;
}

export interface Account {
  readonly sent: number;
  /** Messages that a flow took, each counted once. */
  readonly delivered: number;
  /** Messages in a dead-letter queue by outcome and status: `rejected 422`. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** Deliveries beyond the first of a message, by what caused them. */
  readonly duplicates: Readonly<Record<string, number>>;
  readonly duplicateLetters: number;
  /** Messages that are neither delivered nor a dead letter. */
  readonly lost: readonly string[];
  readonly orderBroken: readonly string[];
  /** Duplicates whose cause was seen, while the relay's log said that the flow had not run. */
  readonly untold: readonly string[];
  /** Everything else that must not be, in words. */
  readonly untrue: readonly string[];
}

export function isInOrder({ lost, orderBroken, untold, untrue }: Account): boolean {
  return lost.length + orderBroken.length + untold.length + untrue.length === 0;
}

export function account({ sent, runs, letters, causes }: Evidence): Account {
  const untrue: string[] = [];
  const untold: string[] = [];
  const delivered = countBy(runs.filter(isTaken), ({ messageId }) => messageId ?? 'without id');
  const deadLettered = countBy(letters, ({ recordId, told }) => told?.messageId ?? recordId);
  const byId = new Map(sent.map((one) => [one.messageId, one]));
  const deadLetters: Record<string, number> = {};
  const duplicates: Record<string, number> = {};
  let duplicateLetters = 0;

  for (const { messageId = 'without id', bodySha256 } of runs) {
    const known = byId.get(messageId);
    if (known === undefined) untrue.push(`${messageId} arrived and was never sent`);
    else if (known.bodySha256 !== bodySha256) untrue.push(`${messageId} arrived with another body`);
  }
  for (const { recordId, told } of letters) {
    if (told === undefined) untrue.push(`${recordId} is a dead letter without a reason`);
    else if (!isTrue(told, byId.get(told.messageId)))
      untrue.push(`dead letter with a wrong reason: ${JSON.stringify(told)}`);
    else add(deadLetters, `${told.outcome} ${told.status ?? '-'}`);
  }
  for (const { messageId } of sent) {
    const taken = delivered.get(messageId) ?? 0;
    const dead = deadLettered.get(messageId) ?? 0;
    if (taken > 0 && dead > 0) untrue.push(`${messageId} was delivered and dead-lettered`);
    const silent = explain(taken - 1, messageId, ['again', 'unknown', 'killed'], duplicates);
    const unexplained = explain(silent, messageId, ['interrupted'], duplicates);
    if (silent > unexplained) untold.push(`${messageId} was delivered ${taken} times, ${silent} of them untold`);
    if (unexplained > 0) untrue.push(`${messageId} was delivered ${taken} times, ${unexplained} of them for no reason`);
    duplicateLetters += Math.max(0, dead - 1);
    const unexplainedLetters = explain(dead - 1, messageId, ['again', 'unconfirmed', 'killed'], {});
    if (unexplainedLetters > 0)
      untrue.push(`${messageId} was dead-lettered ${dead} times, ${unexplainedLetters} of them for no reason`);
  }

  /** Books deliveries too many on their causes. @returns how many are left over */
  function explain(extra: number, id: string, by: readonly (keyof Causes)[], books: Record<string, number>): number {
    let left = Math.max(0, extra);
    for (const cause of by) {
      const booked = Math.min(left, causes[cause].get(id) ?? 0);
      left -= booked;
      if (booked > 0) add(books, cause, booked);
    }
    return left;
  }

  return {
    sent: sent.length,
    delivered: sent.filter(({ messageId }) => delivered.has(messageId)).length,
    deadLetters,
    duplicates,
    duplicateLetters,
    lost: sent.map(({ messageId }) => messageId).filter((id) => !delivered.has(id) && !deadLettered.has(id)),
    orderBroken: [...overtakings(sent, runs), ...overtakings(sent, runs.filter(isTaken))],
    untold,
    untrue,
  };
}

/** In each group the first runs must follow each other as the messages were sent. */
function overtakings(sent: readonly Sent[], runs: readonly Run[]): string[] {
  const byId = new Map(sent.map((one) => [one.messageId, one]));
  const seen = new Set<string>();
  const latest = new Map<string, number>();
  const broken: string[] = [];
  for (const { messageId = '' } of runs) {
    const { group, place = 0 } = byId.get(messageId) ?? {};
    if (group === undefined || seen.has(messageId)) continue;
    seen.add(messageId);
    const before = latest.get(group) ?? 0;
    if (place < before) broken.push(`${group}: ${place} came after ${before}`);
    latest.set(group, Math.max(before, place));
  }
  return broken;
}

/** The flow's verdict on the payload is the only reason for which a message of these runs may be given up. */
function isTrue({ outcome, status }: NonNullable<LetterTold>, sent: Sent | undefined): boolean {
  return sent !== undefined && outcome === 'rejected' && sent.verdict !== 200 && status === sent.verdict;
}

function isTaken({ status }: Run): boolean {
  return status >= 200 && status < 300;
}

export function countBy<T>(values: readonly T[], key: (value: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(key(value), (counts.get(key(value)) ?? 0) + 1);
  return counts;
}

function add(counts: Record<string, number>, key: string, count = 1): void {
  counts[key] = (counts[key] ?? 0) + count;
}
