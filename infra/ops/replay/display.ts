/** Letters as an operator reads them: two or three lines in a list, or one letter in full. The body only where it is asked for. */
import type { Attribute } from '../../../functions/aws/sqs.ts';
import { DEAD_LETTER } from '../../../functions/message/queued.ts';
import { writeDuration } from './duration.ts';
import type { Letter, Reason } from './letter.ts';
import { harmless, shorten, wrap, writeBytes } from './terminal.ts';

const NAME_COLUMNS = 16;

/** Of what a list says of why a letter is dead: which operations of a batch were carried out is in the second. */
const WHY_LINES = 2;

/** @returns a line that says what it is, one or two why it is dead, and the link to its log. The id is never cut, since `--show` wants it whole. */
export function listed(letter: Letter, { now, columns }: { now: number; columns: number }): string[] {
  const { reason } = letter;
  const status = statusOf(letter);
  const facts = [
    letter.messageId.padEnd(36),
    shorten(status === undefined ? letter.outcome : `${letter.outcome} ${status}`, 12).padEnd(12),
    `${writeDuration(now - letter.deadAt)} ago`.padEnd(11),
    writeBytes(letter.bytes).padStart(10),
    shorten(letter.destination ?? '', 63),
  ];
  const lines = wrap(harmless(letter.why), columns - 4);
  const why = [...lines.slice(0, WHY_LINES - 1), lines.slice(WHY_LINES - 1).join(' ')].filter((line) => line !== '');
  const link = reason === undefined || reason === 'unreadable' ? undefined : linkIn(reason);
  return [
    facts.join('  ').trimEnd(),
    ...why.map((line) => `    ${shorten(line, columns - 4)}`),
    // Whole, however narrow the terminal is: cut, it would lead nowhere.
    ...(link === undefined ? [] : [`    ${link}`]),
  ];
}

/** Anyone may have written the letter: what is no link to a web page is none here. */
function linkIn({ mplLink }: Reason): string | undefined {
  return mplLink !== undefined && /^https:\/\/[!-~]+$/.test(mplLink) ? mplLink : undefined;
}

/** @param options `showBody`: the payload too, as it lies in the queue */
export function shown(
  letter: Letter,
  { now, columns, showBody }: { now: number; columns: number; showBody: boolean },
): string[] {
  const { stored, reason } = letter;
  const said = reason === undefined || reason === 'unreadable' ? {} : reason;
  const facts: readonly (readonly [string, string | number | undefined])[] = [
    ['message id', letter.messageId],
    ['letter id', letter.letterId],
    ['outcome', letter.outcome],
    ['status', said.status],
    ['reason', letter.why],
    ['detail', said.detail],
    ['MPL id', said.mplId],
    ['destination', letter.destination],
    ['side', said.side],
    ['queue', letter.queueArn],
    ['group', letter.groupId],
    ['received', said.receiveCount === undefined ? undefined : `${said.receiveCount} times`],
    ['sent', said.sentAt],
    ['first received', said.firstReceivedAt],
    ['dead', `${new Date(letter.deadAt).toISOString()}, ${writeDuration(now - letter.deadAt)} ago`],
    ['size', writeBytes(letter.bytes)],
  ];
  const link = linkIn(said);
  const { [DEAD_LETTER]: _, ...own } = stored.MessageAttributes;
  const attributes = Object.entries({ ...said.attributes, ...own });
  return [
    ...facts.flatMap(([name, value]) => (value === undefined ? [] : fact(name, harmless(String(value)), columns))),
    ...(link === undefined ? [] : [`${'MPL'.padEnd(NAME_COLUMNS)}${link}`]),
    ...(attributes.length === 0 ? [] : ['attributes']),
    ...attributes.map(([name, attribute]) => `  ${harmless(name)}  ${written(attribute)}`),
    // As it is, line breaks too, but without what a terminal would obey.
    ...(showBody ? ['', stored.Body.split(/\r?\n/).map(tabbed).join('\n')] : []),
  ];
}

function fact(name: string, value: string, columns: number): string[] {
  return wrap(value, columns - NAME_COLUMNS).map(
    (line, index) => (index === 0 ? name : '').padEnd(NAME_COLUMNS) + line,
  );
}

function statusOf({ reason }: Letter): number | undefined {
  return reason === undefined || reason === 'unreadable' ? undefined : reason.status;
}

function tabbed(line: string): string {
  return line.split('\t').map(harmless).join('\t');
}

function written({ DataType, StringValue, BinaryValue }: Attribute): string {
  const value = BinaryValue === undefined ? (StringValue ?? '') : `${BinaryValue.byteLength} bytes`;
  return harmless(`${DataType}  ${value}`);
}
