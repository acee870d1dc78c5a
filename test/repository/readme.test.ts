/** What README says is shown by a test is shown by one: the file is there, and has those words. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const README = readFileSync(resolve(ROOT, 'README.md'), 'utf8');

/** Tables whose last column is `test`: there `folder/file`, and in quotes words of a title, an ellipsis for what was left out. */
const tables = README.split('\n\n').filter((block) => /^\|.*\| test \|$/m.test(block));
const cells = tables.flatMap((table) => table.split('\n').slice(2)).map((row) => row.split('|').at(-2) ?? '');
const cited = cells.flatMap((cell) =>
  [...cell.matchAll(/`([a-z-]+\/[a-z-]+)`(?::\s"([^"]+)")?/g)].map(([, ...found]) => found),
);

describe('README names a test that exists:', () => {
  test('there are such names', () => {
    expect(cited.length).toBeGreaterThan(30);
  });

  test.each(cited)('%s: %s', (file, title = '') => {
    const path = resolve(ROOT, `test/${file}.test.ts`);
    expect(existsSync(path), path).toBe(true);
    const source = readFileSync(path, 'utf8');
    const known = title.split('…').filter((part) => !source.includes(part.trim()));
    expect(known).toEqual([]);
  });
});
