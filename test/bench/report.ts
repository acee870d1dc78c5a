/** How results are shown: tables for a terminal, Markdown for `RESULTS.md`, each goal with whether it was reached. */
import { styleText } from 'node:util';
import type { Machine } from './machine.ts';
import type { Goal, PartResult, Table } from './part.ts';

export function isReached({ goal, measured }: Goal): boolean {
  return measured <= goal;
}

/** For a terminal. */
export function printable(results: readonly PartResult[]): string {
  return results
    .flatMap(({ title, tables, goals, notes }) => [
      '',
      styleText('bold', title),
      ...tables.flatMap((table) => ['', table.title, ...aligned(table)]),
      '',
      ...notes.map((note) => styleText('dim', note)),
      ...(goals.length === 0 ? [] : ['', ...goals.map(goalLine)]),
    ])
    .join('\n');
}

function goalLine(goal: Goal): string {
  const mark = isReached(goal) ? styleText('green', '✓') : styleText('red', '✗');
  return `${mark} ${goal.figure}: ${measured(goal)} (goal: at most ${amount(goal.goal, goal)})`;
}

function amount(value: number, { unit }: Goal, moreDigits = 0): string {
  if (unit !== undefined) return `${Number.isInteger(value) ? value : value.toFixed(1 + moreDigits)} ${unit}`.trim();
  return value.toFixed((value < 0.1 ? 3 : 2) + moreDigits);
}

/** In as many digits as it takes to see that a goal was missed: 0.0503 where the goal is 0.050. */
function measured(goal: Goal): string {
  const texts = [0, 1, 2, 3].map((moreDigits) => amount(goal.measured, goal, moreDigits));
  const telling = texts.find((text) => isReached(goal) || Number.parseFloat(text) > goal.goal);
  return telling ?? String(goal.measured);
}

function aligned({ columns, rows }: Table): string[] {
  const lines = [columns, ...rows.map((row) => row.map(String))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join('  '),
  );
}

/** The whole of `RESULTS.md`. */
export function markdown(results: readonly PartResult[], machine: Machine, command: string): string {
  const lines = [
    '# Results of the bench',
    '',
    `Written by \`${command}\` on ${machine.date}.`,
    '',
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}`,
    `- Node ${machine.node}; the product at commit ${machine.commit}`,
    '- CPU is user and system time of the measured process, all its threads; wall time stands beside it. The machine is',
    '  shared, so absolute figures move with what else runs: compare within one table, where the variants ran in turns.',
    '- Everything is on loopback, without network latency, and nothing was measured on Lambda.',
    '',
    '## Goals',
    '',
    '| figure | goal, at most | measured | |',
    '| --- | ---: | ---: | --- |',
    ...results.flatMap(({ goals }) =>
      goals.map(
        (goal) =>
          `| ${goal.figure} | ${amount(goal.goal, goal)} | ${measured(goal)} | ${isReached(goal) ? 'reached' : '**missed**'} |`,
      ),
    ),
  ];
  for (const { title, tables, notes, plots = [] } of results) {
    lines.push('', `## ${title}`, '', ...notes.map((note) => `- ${note}`));
    for (const table of tables) lines.push('', `### ${table.title}`, '', ...markdownTable(table));
    for (const plot of plots) lines.push('', `![${plot.title}](${plot.name}.svg)`);
  }
  return `${lines.join('\n')}\n`;
}

function markdownTable({ columns, rows }: Table): string[] {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)];
}
