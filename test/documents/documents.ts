/** The documents, and what stands in them. */
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

/** Paths from the root, those that a person has written; `test/bench/RESULTS.md` is written by the bench. */
export const DOCUMENTS = globSync(['*.md', '.github/*.md', '{functions,infra,test}/**/*.md'], {
  cwd: ROOT,
  exclude: (path) => path.includes('node_modules') || path.endsWith('RESULTS.md'),
}).sort();

export const read = (document: string) => readFileSync(resolve(ROOT, document), 'utf8');

const FENCE = /^```(\w*)\n(.*?)^```$/gms;

/** Without what stands in fences. */
export const proseOf = (document: string) => read(document).replace(FENCE, '');

/** @returns what stands in fences of that language */
export function fencesOf(document: string, language: string): string[] {
  return [...read(document).matchAll(FENCE)].flatMap(([, of, text = '']) => (of === language ? [text] : []));
}

/** The rows of the first table below a line that contains `heading`, without its head, as cells. */
export function tableBelow(document: string, heading: string): string[][] {
  const text = read(document);
  const from = text.indexOf(heading);
  if (from < 0) throw new Error(`${document} has no "${heading}"`);
  const [table = ''] = /(?:^\|.*\n)+/m.exec(text.slice(from)) ?? [];
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** Names in backticks. */
export const namesIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
