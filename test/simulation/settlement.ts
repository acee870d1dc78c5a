/**
 * The end of a run: where every message is, why any was delivered more than once, and whether everything came to rest
 * once nothing went wrong any more. Also whether anything confidential was printed on the way.
 */
import { isTaken } from './delivery-watch.ts';
import type { Invocation } from './lambda.ts';
import { type Ledger, named, type Tracked } from './ledger.ts';
import type { Exchange } from './network.ts';
import { MARK } from './senders.ts';

export interface SettlementOptions {
  readonly ledger: Ledger;
  /** Whether its dead-letter queue holds it. */
  readonly liesDead: (message: Tracked) => boolean;
  readonly liesInQueue: (message: Tracked) => boolean;
  /** May wait in its queue for good: nothing can be done for it there. */
  readonly mayStay: (message: Tracked) => boolean;
  /** SQS has dropped it in the end: a letter that nobody took, or a message that had no dead-letter queue. */
  readonly isExpired: (message: Tracked) => boolean;
}

export function settle(options: SettlementOptions): void {
  const { ledger } = options;
  for (const message of ledger.messages) {
    if (message.accepted) account(message, options);
    explain(message, ledger);
  }
  scan(ledger);
}

function account(message: Tracked, { ledger, liesDead, liesInQueue, mayStay, isExpired }: SettlementOptions): void {
  ledger.count('messages', 'accepted');
  const isDead = liesDead(message);
  if (message.runs.length > 0) ledger.count('messages', 'delivered');
  else if (isDead) ledger.count('messages', 'dead');
  if (liesInQueue(message)) {
    if (mayStay(message)) ledger.count('messages', 'kept');
    else ledger.violate('everything comes to rest', `${named(message)} still lies in its queue`);
  } else if (message.runs.length === 0 && !isDead && isExpired(message)) {
    ledger.count('messages', 'dropped by SQS after 14 days, as a letter or for want of a dead-letter queue');
  } else if (message.runs.length === 0 && !isDead) {
    ledger.violate(
      'nothing is lost',
      `${named(message)} was neither delivered nor is it a dead letter or in its queue`,
    );
  }
}

/** Each delivery after the first has a cause on the wire, in Lambda, in SQS, or at the sender. */
function explain(message: Tracked, ledger: Ledger): void {
  // As the calls began: a system that was slow runs an earlier one late.
  const runs = [...message.runs].sort((one, other) => one.exchange.number - other.exchange.number);
  for (const [index, next] of runs.entries()) {
    const before = runs[index - 1];
    if (before === undefined) continue;
    const cause = causeOf(before.exchange, next.exchange, message, ledger);
    if (cause === undefined) ledger.violate('every duplicate has a cause', `${named(message)} ran ${index + 1} times`);
    else ledger.count('duplicates', cause);
  }
}

function causeOf(before: Exchange, next: Exchange, message: Tracked, ledger: Ledger): string | undefined {
  if (before.end !== 'whole' || !isTaken(before.status)) return `answer lost: ${wordOf(before)}`;
  const invocation = before.invocation as Invocation | undefined;
  if (invocation !== undefined && invocation.end !== 'replied') return `environment ${invocation.end ?? 'at work'}`;
  if (invocation !== undefined && ledger.books(invocation).isResultLost) return 'result of the invocation lost';
  if (message.undeleted > 0) return 'deletion refused';
  const repliedAt = invocation?.endedAt ?? 0;
  // The same record may have waited for a cold start, or for a token, since SQS handed it out once more.
  const { askedAt = next.startedAt } = (next.invocation ?? {}) as Partial<Invocation>;
  const handedOutAt = message.recordIds.size > 1 ? next.startedAt : askedAt;
  if (handedOutAt <= repliedAt + 100) return 'handed out again meanwhile';
  // Though that try was postponed: the receipt of the one before no longer deletes it.
  const wasHandedOut = (at: number) => at > (invocation?.askedAt ?? repliedAt) && at <= repliedAt + 100;
  if (message.handedOutAt.some(wasHandedOut)) return 'handed out again meanwhile';
  if (message.deliveredAgain > 0) return 'delivered again by SQS';
  if (message.takenAgain > 0) return 'SQS took it twice: answer lost';
  if (message.putBack > 0) return 'put back by the operator';
  if (message.sends > 1) return 'sent again by its sender';
  return undefined;
}

function wordOf({ fate, end }: Exchange): string {
  if (fate === undefined) return end === 'given up' ? 'given up' : 'cut off';
  return typeof fate === 'string' ? fate : 'slow';
}

/**
 * By words, since there are thousands of secrets and of lines: of each secret its longest run of characters that may
 * stand in a token. What marks payloads and passwords is looked for as it is.
 */
function scan({ output, secrets, violate }: Ledger): void {
  const words = new Set([...secrets].map(longestWord).filter((word) => word.length >= 8));
  for (const line of output) {
    const found = line.includes(MARK) ? MARK : (line.match(WORD) ?? []).find((word) => words.has(word));
    if (found !== undefined)
      violate('nothing confidential is printed', `${found.slice(0, 12)}… in: ${line.slice(0, 80)}`);
  }
}

const WORD = /[\w-]{8,}/g;

function longestWord(secret: string): string {
  return (secret.match(WORD) ?? ['']).reduce((longest, word) => (word.length > longest.length ? word : longest));
}
