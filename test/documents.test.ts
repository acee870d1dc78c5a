/** What README and the landscape's page say is shown by a test is shown by one: the file is there, and has those words. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const LANDSCAPE = 'infra/local/sap/README.md';

/** Rows of the tables whose last column is `test`, as cells. */
function rowsOf(page: string): string[][] {
  const tables = readFileSync(resolve(ROOT, page), 'utf8')
    .split('\n\n')
    .filter((block) => /^\|.*\| test \|$/m.test(block));
  return tables.flatMap((table) => table.trim().split('\n').slice(2)).map((row) => row.split('|').slice(1, -1));
}

/** In the last column `folder/file`, and in quotes words of a title, an ellipsis for what was left out. */
function citedIn(page: string): (string | undefined)[][] {
  return rowsOf(page).flatMap((cells) =>
    [...(cells.at(-1) ?? '').matchAll(/`((?:[a-z-]+\/)+[a-z-]+)`(?::\s"([^"]+)")?/g)].map(([, ...found]) => found),
  );
}

describe.each(['README.md', LANDSCAPE])('%s names a test that exists:', (page) => {
  const cited = citedIn(page);

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

test("each row of the landscape's page names its kind of source, and a test", () => {
  const rows = rowsOf(LANDSCAPE).slice(1);
  const bare = rows.filter(([, , source = '', shownBy = '']) => {
    return !/^ (?:SAP|run|code|seen|standard|assumed)\b/.test(source) || !shownBy.includes('`');
  });
  expect(bare).toEqual([]);
});

describe('Every document that speaks of a lifecycle rule', () => {
  const documents = globSync(['README.md', '{functions,infra,test}/**/README.md'], { cwd: ROOT });
  const paragraphs = documents.flatMap((path) =>
    readFileSync(resolve(ROOT, path), 'utf8')
      .split('\n\n')
      .filter((paragraph) => /lifecycle rule/i.test(paragraph))
      .map((paragraph): [string, string] => [path, paragraph]),
  );

  test.each(paragraphs)('asks for 60 days, as %s does: longer than blocked, dead and replayed together', (_, text) => {
    expect(text).toContain('60 days');
  });

  test('is found', () => {
    expect(new Set(paragraphs.map(([path]) => path)).size).toBeGreaterThanOrEqual(2);
  });
});
