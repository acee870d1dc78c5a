/** How the story looks on a terminal: chapters, and a table of what was sent and what became of it. Prints; decides nothing. */
import { styleText } from 'node:util';
import type { Landscape } from '../landscape.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { Payload } from './payloads.ts';

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
  return runtimeNode.messages.some((arrived) => arrived.messageId === messageId && arrived.bodySha256 === sha256);
}

const COLUMNS = [38, 20, 11, 8, 9, 7, 21, 6] as const;

export function heading(print: Telling['print']): void {
  print(dim(`   ${columns(['message', 'payload', 'flow', 'status', 'attempt', 'calls', 'token', 'ms'])}`));
}

export function row({ landscape, log, print }: Telling, message: Sent): void {
  const attempts = log.attemptsOf(message.messageId);
  const last = attempts.at(-1);
  const flow = landscape.runtimeNode.messages.find(({ messageId }) => messageId === message.messageId)?.flow;
  const cells = [
    message.messageId,
    message.what,
    flow ?? '-',
    String(last?.status ?? '-'),
    String(last?.attempt ?? '-'),
    String(last?.calls ?? '-'),
    tokenOf(last),
    String(last?.durationMs ?? '-'),
  ];
  print(` ${mark(hasArrived(landscape, message))} ${columns(cells)}`);
  if (last?.reason !== undefined) print(`   ${last.reason}`);
}

function tokenOf(attempt: { token?: string; tokenAgeMs?: number } | undefined): string {
  if (attempt?.token === undefined) return '-';
  return attempt.token === 'new' ? 'new' : `warm, ${attempt.tokenAgeMs ?? 0} ms old`;
}

export function tokenRequestsSoFar({ landscape, print }: Telling): void {
  print(dim(`   token requests so far: ${landscape.authorizationServer.tokenRequests.length}`));
}

export function chapter(print: Telling['print'], number: string, title: string): void {
  print('');
  print(bold(`${number}  ${title}`));
}

function columns(cells: readonly string[]): string {
  return cells
    .map((cell, index) => cell.padEnd(COLUMNS[index] ?? 0))
    .join('')
    .trimEnd();
}

export const mark = (good: boolean) => (good ? styleText('green', '✓') : styleText('red', '✗'));
export const bold = (text: string) => styleText('bold', text);
export const dim = (text: string) => styleText('dim', text);
