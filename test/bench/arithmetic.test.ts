/** What stands between a measurement and a reader: turns, medians, and whether a goal counts as reached. */
import { describe, expect, test } from 'vitest';
import type { Goal, PartResult } from './part.ts';
import { roundsOf } from './part.ts';
import { svg } from './plot.ts';
import { isReached, markdown, printable } from './report.ts';
import { inTurns, median, minimum } from './rounds.ts';

test.each([
  [[3], 3],
  [[5, 1, 3], 3],
  [[4, 1, 3, 2], 2.5],
  [[10, 9, 100], 10],
])('The median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});

test('What was not measured is no number, and reaches no goal', () => {
  expect(median([])).toBeNaN();
  expect(median([Number.NaN, 1, 2])).toBeNaN();
  expect(minimum([1, Number.NaN])).toBeNaN();
  expect(isReached({ figure: 'x', goal: 1, measured: Number.NaN })).toBe(false);
});

test('Variants run in turns, every other round in reverse order, and keep their results apart', async () => {
  const order: string[] = [];
  const variants = ['a', 'b', 'c'].map((name) => ({
    name,
    run: async () => {
      order.push(name);
      return `${name}${order.length}`;
    },
  }));
  let done = 0;
  const results = await inTurns(variants, 3, () => {
    done += 1;
  });
  expect(order.join('')).toBe('abccbaabc');
  expect(results.get('a')).toEqual(['a1', 'a6', 'a7']);
  expect(done).toBe(9);
});

test.each([
  [1, 7, 7],
  [0.2, 7, 1],
  [0.01, 7, 1],
  [2, 7, 14],
])('An effort of %d makes %d rounds %d', (effort, full, rounds) => {
  expect(roundsOf({ effort }, full)).toBe(rounds);
});

describe('A report', () => {
  const goals: Goal[] = [
    { figure: 'reached', goal: 1.1, measured: 1.1 },
    { figure: 'missed', goal: 0.05, measured: 0.0501 },
    { figure: 'of memory', goal: 16, measured: 16.04, unit: 'MB' },
  ];
  const part: PartResult = {
    title: 'Part',
    tables: [{ title: 'Table', columns: ['', 'µs'], rows: [['one', 1.5]] }],
    goals,
    plots: [{ name: 'plot', title: 'Plot', unit: 'µs', bars: [] }],
    notes: ['A note.'],
  };
  const machine = { date: 'today', cpu: 'cpu', cores: 2, memoryGb: 8, system: 'Linux', node: '24', commit: 'abc' };

  test('says of each goal whether it was reached, in digits that show it', () => {
    const text = markdown([part], machine, 'npm run bench');
    expect(text).toContain('| reached | 1.10 | 1.10 | reached |');
    expect(text).toContain('| missed | 0.050 | 0.0501 | **missed** |');
    expect(text).toContain('| of memory | 16 MB | 16.04 MB | **missed** |');
  });

  test('has table, note, plot, machine and command', () => {
    const text = markdown([part], machine, 'npm run bench -- --save');
    for (const part of ['`npm run bench -- --save`', 'today', '| one | 1.5 |', '- A note.', '![Plot](plot.svg)', 'abc'])
      expect(text).toContain(part);
  });

  test('for the terminal has the same', () => {
    const text = printable([part]);
    for (const part of ['Part', 'Table', 'one', '1.5', 'A note.', 'missed: 0.0501 (goal: at most 0.050)'])
      expect(text).toContain(part);
  });
});

test('A plot has a bar for each subject, as long as its value, and no label can break it', () => {
  const bars = [
    { label: 'a <b> & "c"', value: 50, isOurs: false },
    { label: 'ours', value: 25, isOurs: true },
  ];
  const text = svg({ name: 'x', title: 'T', unit: 'µs', bars });
  const widths = [...text.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  expect(widths).toHaveLength(2);
  expect((widths[0] ?? 0) / (widths[1] ?? 1)).toBeCloseTo(2);
  expect(text).toContain('a &lt;b> &amp; &quot;c"'.replace('"', '&quot;'));
});
