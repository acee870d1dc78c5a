/**
 * `THIRD-PARTY-NOTICES.txt`, beside the bundles and in the zip: name, version, licence and its text of each package that
 * esbuild took something of.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As SPDX names it. */
  readonly license: string;
  /** Its file of the licence; where it brings none, who says so. */
  readonly text: string;
}

export const NOTICES_FILE = 'THIRD-PARTY-NOTICES.txt';

/** @param inputs paths of esbuild's metafile, from `root` @returns in the order of their names */
export async function bundledPackages(inputs: readonly string[], root: string): Promise<readonly BundledPackage[]> {
  // Of `builtin-dynamic:async_hooks?node_modules/…`, a plugin's own module, the package that asked for it.
  const folderOf = (path: string) => /^(?:.*\?)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
  const folders = new Set(inputs.flatMap((path) => folderOf(path) ?? []));
  const packages = await Promise.all([...folders].sort().map((folder) => packageIn(resolve(root, folder))));
  return packages.sort((one, other) => (`${one.name}@${one.version}` < `${other.name}@${other.version}` ? -1 : 1));
}

async function packageIn(folder: string): Promise<BundledPackage> {
  const { name, version, license, author } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const by = typeof author === 'string' ? author : author?.name;
  const file = (await readdir(folder)).sort().find((entry) => /^licen[cs]e(\.\w+)?$/i.test(entry));
  const text = file && (await readFile(join(folder, file), 'utf8')).trim();
  return {
    name,
    version,
    license,
    text: text ?? `${license}, says its package.json; it brings no text. Author: ${by}`,
  };
}

/** The same bytes for the same packages; a text that several have stands once, behind all of their names. @returns '' for none */
export function notices(packages: readonly BundledPackage[]): string {
  if (packages.length === 0) return '';
  const byText = Map.groupBy(packages, ({ text }) => text);
  const blocks = [...byText].map(([text, group]) => {
    const names = group.map(({ name, version, license }) => `${name} ${version} (${license})`);
    return `${names.join('\n')}\n\n${text}\n`;
  });
  return `token-relay contains parts of these packages.\n\n${blocks.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
