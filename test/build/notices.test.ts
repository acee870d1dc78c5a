/** The licences of what is bundled, beside the bundles. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build } from '../../infra/build/build.ts';

let folder: string;
let notices: string;
let inputs: readonly string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-relay-notices-'));
  await build({ outdir: folder, metafile: true, sourcemap: false });
  notices = await readFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
  inputs = Object.keys(JSON.parse(await readFile(join(folder, 'metafile.json'), 'utf8')).inputs);
});
afterAll(() => rm(folder, { recursive: true }));

test('the notices name every package that esbuild took something of, with version and licence, and no other', () => {
  const folders = inputs.flatMap((path) => path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []);
  const named = [...notices.matchAll(/^((?:@[\w.-]+\/)?[\w.-]+) \d+\.\d+\.\d+\S* \((.+)\)$/gm)];
  expect([...new Set(named.map(([, name]) => name))].sort()).toEqual([...new Set(folders)].sort());
  expect(folders).toContain('jose');
  const licences = new Set(named.map(([, , licence]) => licence));
  // What may go into a package that is handed on under the MIT licence.
  expect(
    [...licences].filter((licence) => !['MIT', 'Apache-2.0', '0BSD', 'ISC', 'BSD-3-Clause'].includes(licence ?? '')),
  ).toEqual([]);
});

test('the notices have the text of a licence for each package, or say who gave a licence without its text', () => {
  const blocks = notices.split(/^-{80}$/m);
  const given = /^(MIT|ISC|Apache-2\.0), says its package\.json; it brings no text\. Author: (?!undefined)\S/m;
  expect(blocks.filter((block) => !/permission|Apache License/i.test(block) && !given.test(block))).toEqual([]);
});

test('npm run sbom has the same packages in the same versions, as CycloneDX', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], {
    cwd: resolve(import.meta.dirname, '../..'),
    maxBuffer: 10_000_000,
  });
  const { bomFormat, components } = JSON.parse(stdout) as {
    readonly bomFormat: string;
    readonly components: readonly { readonly name: string; readonly version: string; readonly hashes: object }[];
  };
  const named = [...notices.matchAll(/^((?:@[\w.-]+\/)?[\w.-]+ \d+\.\d+\.\d+\S*) \(.+\)$/gm)].map(([, name]) => name);
  expect(bomFormat).toBe('CycloneDX');
  expect(components.map(({ name, version }) => `${name} ${version}`).sort()).toEqual(named.sort());
});

test('the notices are the same bytes each time', async () => {
  await build({ outdir: folder, metafile: true, sourcemap: false });
  expect(await readFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), 'utf8')).toBe(notices);
});
