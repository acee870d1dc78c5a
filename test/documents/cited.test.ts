/** What the documents cite is there: tests, files, links and anchors; and README stays short. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DOCUMENTS, namesIn, proseOf, ROOT, read, tableBelow } from './documents.ts';

const LANDSCAPE = 'infra/local/sap/README.md';

/** Rows of the tables whose last column is `test`, as cells. */
function rowsOf(document: string): string[][] {
  const tables = read(document)
    .split('\n\n')
    .filter((block) => /^\|.*\| test \|$/m.test(block));
  return tables.flatMap((table) => table.trim().split('\n').slice(2)).map((row) => row.split('|').slice(1, -1));
}

/** In the last column `folder/file`, and in quotes words of a title, an ellipsis for what was left out. */
function citedIn(document: string): (string | undefined)[][] {
  return rowsOf(document).flatMap((cells) =>
    [...(cells.at(-1) ?? '').matchAll(/`((?:[a-z-]+\/)*[a-z-]+)`(?::\s"([^"]+)")?/g)].map(([, ...found]) => found),
  );
}

const citing = DOCUMENTS.filter((document) => rowsOf(document).length > 0);

test('the documents whose tables name tests are found', () => {
  expect(citing).toEqual(
    expect.arrayContaining([
      'functions/relay/README.md',
      'functions/relay/adapter/README.md',
      'functions/token/README.md',
      LANDSCAPE,
      'test/stories/README.md',
    ]),
  );
});

describe.each(citing)('%s names a test that exists:', (document) => {
  test('a table that names tests names one in every row', () => {
    const bare = rowsOf(document).filter((cells) => !cells.at(-1)?.includes('`'));
    expect(bare).toEqual([]);
  });

  test.each(citedIn(document))('a table names a test that exists: %s: %s', (file, title = '') => {
    const path = resolve(ROOT, `test/${file}.test.ts`);
    expect(existsSync(path), path).toBe(true);
    const source = readFileSync(path, 'utf8');
    const known = title.split('…').filter((part) => !source.includes(part.trim()));
    expect(known).toEqual([]);
  });
});

describe.each(DOCUMENTS)('%s', (document) => {
  test('a document has no line of more than 120 characters outside of tables and fences', () => {
    const long = proseOf(document)
      .split('\n')
      .filter((line) => line.length > 120 && !/^(\||\[[^\]]+\]: )/.test(line));
    expect(long).toEqual([]);
  });

  test('a document links to documents, anchors and files that are there', () => {
    const targets = [
      ...proseOf(document).matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$|(?:href|src|srcset)="([^"]+)"/gm),
    ]
      .map(([, inline, named, html]) => inline ?? named ?? html ?? '')
      .filter((target) => !target.startsWith('https://'));
    const broken = targets.filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = relative(ROOT, resolve(ROOT, path === '' ? document : `${dirname(document)}/${path}`));
      if (!existsSync(resolve(ROOT, file))) return true;
      return anchor !== undefined && !anchorsOf(file).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

/** Where code lies; what is made (`dist/`, `release/`) or imagined is elsewhere. */
const CODE = /^(?:functions|infra|test)\/[\w./-]*$/;
/** Tests go by their path below `test/`. */
const TEST =
  /^(?:aws|build|deploy|http|local|message|ops|queue|relay|settings|stories|telemetry|token|warm|webhook)\/[a-z/-]*[a-z]$/;

describe('Every file that is named', () => {
  const named = DOCUMENTS.flatMap((document) =>
    namesIn(proseOf(document))
      .filter((name) => CODE.test(name))
      .map((name): [string, string] => [document, name]),
  );

  const tests = DOCUMENTS.flatMap((document) => namesIn(proseOf(document)).filter((name) => TEST.test(name)));
  test.each([...new Set(tests)])('every file that is named in a sentence or a table as a test is one: %s', (name) => {
    expect(existsSync(resolve(ROOT, `test/${name}.test.ts`))).toBe(true);
  });

  test.each(named)('a file that is named in %s exists: %s', (_, name) => {
    const isThere = existsSync(resolve(ROOT, name)) || existsSync(resolve(ROOT, `${name}.test.ts`));
    expect(isThere).toBe(true);
  });

  const references = DOCUMENTS.filter((document) => read(document).includes('| file | what it'));
  test.each(references)('a file in the table of files of %s exists', (document) => {
    const names = tableBelow(document, '| file | what it').flatMap(([cell = '']) => namesIn(cell));
    const missing = names.filter(
      (name) => !existsSync(resolve(ROOT, name)) && !existsSync(resolve(ROOT, dirname(document), name)),
    );
    expect(names.length).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });
});

/** Documents that a document links to, and those that these link to. */
function reachedFrom(document: string, reached = new Set<string>()): ReadonlySet<string> {
  if (reached.has(document)) return reached;
  reached.add(document);
  for (const [, target = ''] of proseOf(document).matchAll(/\]\(([^)\s#]+\.md)(?:#[^)]*)?\)/g)) {
    if (target.startsWith('https:')) continue;
    const next = relative(ROOT, resolve(ROOT, dirname(document), target));
    if (DOCUMENTS.includes(next)) reachedFrom(next, reached);
  }
  return reached;
}

test('Every document is reached from README', () => {
  const reached = reachedFrom('README.md');
  expect(DOCUMENTS.filter((document) => !reached.has(document))).toEqual([]);
});

/** As GitHub makes them of headings: letters, digits, `_` and `-`, blanks as `-`. */
function anchorsOf(document: string): string[] {
  return [...proseOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('README has at most 200 lines', () => {
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(200);
});

test("each row of the landscape's page names its kind of source, and a test", () => {
  const rows = rowsOf(LANDSCAPE).slice(1);
  const bare = rows.filter(([, , source = '', shownBy = '']) => {
    return !/^ (?:SAP|run|code|seen|standard|assumed)\b/.test(source) || !shownBy.includes('`');
  });
  expect(bare).toEqual([]);
});

describe('Every document that speaks of a lifecycle rule', () => {
  const paragraphs = DOCUMENTS.flatMap((path) =>
    read(path)
      .split('\n\n')
      .filter((paragraph) => /lifecycle rule/i.test(paragraph))
      .map((paragraph): [string, string] => [path, paragraph]),
  );

  test.each(paragraphs)('a document that speaks of a lifecycle rule asks for 60 days, as %s does', (_, text) => {
    expect(text).toMatch(/60\s+days/);
  });

  test('a document that speaks of a lifecycle rule is found', () => {
    expect(new Set(paragraphs.map(([path]) => path)).size).toBeGreaterThanOrEqual(2);
  });
});
