/** How the story looks on a terminal of 80 columns: a row for each part of it. */
import { styleText } from 'node:util';
import type { Landscape } from '../landscape.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { Payload } from './payloads.ts';
import { fitted } from './width.ts';

/** A message that was sent, by the id that it must arrive with. */
export interface Sent extends Payload {
  readonly messageId: string;
  readonly sha256: string;
}

export interface Telling {
  readonly landscape: Landscape;
  readonly log: DeliveryLog;
  readonly print: (line: string) => void;
}

export function hasArrived({ runtimeNode }: Landscape, { messageId, sha256 }: Sent): boolean {
  return runtimeNode.messages.some(
    (arrived) => arrived.messageId === messageId && arrived.bodySha256 === sha256 && arrived.status < 300,
  );
}

/** Of a title, so that what came of it begins in one column. */
const TITLE_COLUMNS = 42;

/** A part of the story: whether all of it arrived, what it was, and what came of it. */
export function row(good: boolean, title: string, result: string): string {
  return ` ${mark(good)} ${title.padEnd(TITLE_COLUMNS)}${result}`;
}

/** A message that did not arrive, and why, as far as the relay's log tells. */
export function missing({ log }: Telling, { messageId, what }: Sent): string {
  const { outcome = 'no attempt', reason = '' } = log.attemptsOf(messageId).at(-1) ?? {};
  return fitted(`     ${messageId}  ${what}: ${outcome} ${reason}`);
}

export const mark = (good: boolean) => (good ? styleText('green', '✓') : styleText('red', '✗'));
export const bold = (text: string) => styleText('bold', text);
