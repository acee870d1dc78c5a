/** What was found, as people read it in 80 columns, and as programs do. */
import { wrap } from '../replay/terminal.ts';
import { GROUPS } from './findings.ts';
import type { Line } from './line.ts';

const COLUMNS = 80;
const MARKS = { ok: '√', warning: '‼', error: '×', 'not-checked': '·' } as const;

/** Grouped by what is of all, then by destination; in order of dependency. */
export function textReport(lines: readonly Line[]): string[] {
  const owners = [...new Set(lines.map(ownerOf))];
  return [
    ...owners.flatMap((owner) => [
      ...(owner === undefined ? [] : ['', owner]),
      ...GROUPS.flatMap((group) =>
        ofGroup(
          group,
          lines.filter((line) => line.group === group && ownerOf(line) === owner),
        ),
      ),
    ]),
    '',
    summary(lines),
  ];
}

/** Each side of a cut-over has a part of its own, and what is said of both comes behind them. */
function ownerOf({ destination, side, group }: Line): string | undefined {
  if (group === 'cutover') return `${destination}, cut-over`;
  return side === undefined ? destination : `${destination}, ${side} side`;
}

function ofGroup(group: string, lines: readonly Line[]): string[] {
  return lines.length === 0 ? [] : [`  ${group}`, ...lines.flatMap(lineText)];
}

function lineText({ result, reason, actor, anchor, commands = [] }: Line): string[] {
  const [first = '', ...rest] = wrap(reason, COLUMNS - 6);
  return [
    `    ${MARKS[result]} ${first}`,
    ...rest.map((words) => `      ${words}`),
    // Whole, however long: to be copied.
    ...commands.map((command) => `      ${command}`),
    ...(actor === undefined ? [] : [`      for ${actor}: see ${anchor}`]),
  ];
}

function summary(lines: readonly Line[]): string {
  const count = (result: Line['result']) => lines.filter((line) => line.result === result).length;
  const errors = `${count('error')} ${count('error') === 1 ? 'error' : 'errors'}`;
  const warnings = `${count('warning')} ${count('warning') === 1 ? 'warning' : 'warnings'}`;
  return `${errors}, ${warnings}, ${count('ok')} fine, ${count('not-checked')} not checked`;
}

export function jsonReport(lines: readonly Line[]): string {
  const findings = lines.map(({ isHindered: _, ...line }) => line);
  return JSON.stringify(
    { success: lines.every(({ result }) => result !== 'error' && result !== 'warning'), findings },
    null,
    2,
  );
}
