/** What `npm run build` makes: bundles that need Node and nothing else, and reach Node's own modules the cheap way. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Bundle, build } from '../../infra/build/build.ts';
import { lambdaEnvironment, load } from '../deploy/packaging/node.ts';
import { reply, startWire } from '../http/wire.ts';

const isBundle = (name: string) => name.endsWith('.mjs');
const folderOfItsOwn = () => mkdtemp(join(tmpdir(), 'token-relay-build-'));

/** Names of the files that Node reads for `name`: itself, and what it imports statically, and so on. */
async function loadedFiles(folder: string, name: string): Promise<string[]> {
  const loaded = new Set([name]);
  for (const file of loaded) {
    const source = await readFile(join(folder, file), 'utf8');
    for (const [, imported = ''] of source.matchAll(/(?:from|import)"\.\/([\w-]+\.mjs)"/g)) loaded.add(imported);
  }
  return [...loaded];
}

describe('the bundles', () => {
  let folder: string;
  let bundles: Bundle[];
  let sources: Map<string, string>;
  beforeAll(async () => {
    folder = await folderOfItsOwn();
    bundles = await build({ outdir: folder });
    const names = (await readdir(folder)).filter(isBundle);
    const read = names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const);
    sources = new Map(await Promise.all(read));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('the bundles are queue.mjs and webhook.mjs, measured as they are', async () => {
    expect(bundles.map(({ entry }) => entry)).toEqual(['queue', 'webhook']);
    for (const { entry, bytes, loadedBytes } of bundles) {
      const sizes = (await loadedFiles(folder, `${entry}.mjs`)).map(
        async (name) => (await stat(join(folder, name))).size,
      );
      const [own, ...chunks] = await Promise.all(sizes);
      expect(bytes).toBe(own);
      expect(loadedBytes).toBe(chunks.reduce((sum, size) => sum + size, bytes));
      expect(loadedBytes).toBeGreaterThan(bytes);
    }
  });

  test("the bundles leave out the SDK's own HTTP client", () => {
    const told = [...sources.values()].flatMap((source) => source.match(/\w+ was left out of this bundle/g) ?? []);
    expect(new Set(told)).toEqual(new Set(['streamCollector was left out of this bundle']));
  });

  // What esbuild makes of an arrow function in a derived class's constructor, where arrow functions are not to be used.
  test('the bundles take `this` in no constructor before `super()`', () => {
    const takes = /constructor\([^)]*\)\{(?:let|var|const) [^;]*?\w=this\b[^}]*\bsuper\(/;
    expect(takes.test('class A extends B{constructor(e){var t=this;super(e),this.f=function(){return t}}}')).toBe(true);
    expect([...sources].filter(([, source]) => takes.test(source)).map(([name]) => name)).toEqual([]);
  });

  // Not for the bytes themselves: 11 kB that nothing calls cost no time that can be measured (infra/build/README.md).
  test('the bundles have a cold start of the queue function read 256 kB at most', () => {
    expect(bundles.find(({ entry }) => entry === 'queue')?.loadedBytes).toBeLessThanOrEqual(256_000);
  });

  test('the bundles import nothing but each other', () => {
    const imports = [...sources.values()].flatMap((source) =>
      [...source.matchAll(/\b(?:from|import|import\(|require\()["']([^"']+)["']/g)].map(([, name]) => name),
    );
    const strangers = imports.filter((name) => !sources.has(name?.replace('./', '') ?? ''));
    // The SDK asks for the first and takes a refusal; the second stands in the text of an error.
    const known = ['@aws-sdk/signature-v4-crt', '@aws-sdk/signature-v4a'];
    expect(strangers.filter((name) => !known.includes(name ?? ''))).toEqual([]);
    expect(imports.length).toBeGreaterThan(strangers.length);
  });

  test.each(['queue', 'webhook'])('the bundle %s loads neither undici nor http2', async (entry) => {
    const settings = JSON.stringify({ orders: { secret: 'x', url: 'https://flows.example.com/' } });
    const { exports, builtins } = await load(folder, `${entry}.mjs`, lambdaEnvironment(settings));
    expect(exports).toEqual(['handler']);
    expect(builtins).toContain('NativeModule tls');
    expect(builtins.filter((name) => /undici|http2/.test(name))).toEqual([]);
  });

  describe('look for shared config files', () => {
    const settings = JSON.stringify({ orders: { secret: 'x', url: 'https://flows.example.com/' } });
    const KEYS = '[default]\naws_access_key_id = AKIAFROMAFILE0000000\naws_secret_access_key = synthetic\n';

    async function signerAt(home: string): Promise<{ signer: string | undefined; builtins: string[] }> {
      let signer: string | undefined;
      const wire = await startWire(({ socket, head }) => {
        signer = /Credential=(\w+)/.exec(head)?.[1];
        socket.write(reply('{}'));
      });
      const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...environment } = lambdaEnvironment(settings);
      // Nothing but the file may have keys: the metadata service of EC2, which comes after it, is off.
      const off = { AWS_EC2_METADATA_DISABLED: 'true', HOME: home };
      const own = { ...environment, ...off, AWS_ENDPOINT_URL_SECRETS_MANAGER: wire.url.origin };
      const { builtins } = await load(folder, 'queue.mjs', own);
      return { signer, builtins };
    }

    test('the bundles look for shared config files and read them where there are any', async () => {
      const home = await folderOfItsOwn();
      onTestFinished(() => rm(home, { recursive: true }));
      await mkdir(join(home, '.aws'));
      await writeFile(join(home, '.aws/credentials'), KEYS);
      expect(await signerAt(home)).toMatchObject({ signer: 'AKIAFROMAFILE0000000' });
    });

    test('the bundles load nothing for shared config files where there are none, as on Lambda', async () => {
      const { builtins } = await load(folder, 'queue.mjs', { ...lambdaEnvironment(settings), HOME: folder });
      expect(builtins).not.toContain('NativeModule fs/promises');
    });
  });

  test('the bundles load no SDK client before it is needed except the one for secrets', async () => {
    const loaded = await loadedFiles(folder, 'queue.mjs');
    const withClient = [...sources].flatMap(([name, source]) => (/"(SQS|S3|SSO|STS)"/.test(source) ? [name] : []));
    expect(withClient).not.toEqual([]);
    expect(withClient.filter((name) => loaded.includes(name))).toEqual([]);
  });

  test.each(['queue', 'webhook'])(
    'the bundles load no XML parser and no adapter except HTTPS before %s needs it',
    async (entry) => {
      const loaded = await loadedFiles(folder, `${entry}.mjs`);
      const marks = [
        'text data outside of root node',
        'http://schemas.xmlsoap.org/soap/envelope/',
        '/gw/odata/SAP/',
        'SOAPAction',
      ];
      // The source of a regular expression has its slashes escaped.
      const filesWith = (mark: string) =>
        [...sources].filter(([, source]) => source.replaceAll('\\/', '/').includes(mark)).map(([name]) => name);
      for (const mark of marks) {
        expect(filesWith(mark)).not.toEqual([]);
        expect(filesWith(mark).filter((name) => loaded.includes(name))).toEqual([]);
      }
    },
  );
});

describe('a build', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await folderOfItsOwn();
    onTestFinished(() => rm(folder, { recursive: true }));
  });

  async function entry(source: string): Promise<{ outdir: string; entryPoints: string[] }> {
    await writeFile(join(folder, 'entry.ts'), source);
    return { outdir: join(folder, 'dist'), entryPoints: [join(folder, 'entry.ts')] };
  }
  const filesOf = async (outdir: string) => (await readdir(outdir)).sort();

  test('a build keeps the meaning of every way to a module of Node', async () => {
    await writeFile(join(folder, 'common.cjs'), "module.exports = [require('path').sep, require('node:os').EOL];");
    const options = await entry(`
      import fs, { readFileSync } from 'node:fs';
      import * as path from 'path';
      import { setTimeout } from 'node:timers/promises';
      import common from './common.cjs';
      const http = await import('node:http');
      const { promises } = await import('fs');
      export const same = [
        fs.readFileSync === readFileSync, path.sep === common[0], common[1], typeof setTimeout,
        typeof http.request, http.default.Agent === http.Agent, promises === fs.promises,
      ].join(' ');
      if (same !== ${JSON.stringify('true true \n function function true true')}) throw new Error(same);`);
    await build(options);
    const { exports, builtins } = await load(options.outdir, 'entry.mjs');
    expect(exports).toEqual(['same']);
    expect(builtins).toContain('NativeModule http');
    expect(builtins.filter((name) => /undici|http2/.test(name))).toEqual([]);
  });

  test('a build removes what an earlier one left, and leaves a file alone that did not change', async () => {
    const options = await entry('export const answer = 42;');
    await build(options);
    const { ino, mtimeMs } = await stat(join(options.outdir, 'entry.mjs'));
    await writeFile(join(options.outdir, 'chunk-OLD.mjs'), '');
    await build(options);
    expect(await filesOf(options.outdir)).toEqual(['entry.mjs', 'entry.mjs.map']);
    expect(await stat(join(options.outdir, 'entry.mjs'))).toMatchObject({ ino, mtimeMs });
  });

  test('a build replaces a file that changed', async () => {
    const options = await entry('export const answer = 42;');
    await build(options);
    await build(await entry('export const answer = 43;'));
    expect(await readFile(join(options.outdir, 'entry.mjs'), 'utf8')).toContain('43');
  });

  test('a build may run beside others into the same folder', async () => {
    const options = await entry("export const late = () => import('./other.ts');");
    await writeFile(join(folder, 'other.ts'), 'export const other = true;');
    await Promise.all(Array.from({ length: 5 }, () => build(options)));
    const files = await filesOf(options.outdir);
    expect(files.filter(isBundle)).toEqual([expect.stringMatching(/^chunk-/), 'entry.mjs']);
    expect(files.filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a build never shows a file that is not yet whole', async () => {
    const text = (letter: string) => `export const text = ${JSON.stringify(letter.repeat(2_000_000))};`;
    const options = await entry(text('a'));
    await build(options);
    const whole = (await stat(join(options.outdir, 'entry.mjs'))).size;
    let building = true;
    const rebuilt = (async () => {
      for (const letter of ['b', 'c', 'd', 'e']) await build(await entry(text(letter)));
      building = false;
    })();
    const sizes = new Set<number>();
    while (building) sizes.add((await stat(join(options.outdir, 'entry.mjs'))).size);
    await rebuilt;
    expect([...sizes]).toEqual([whole]);
  });

  test('a build that fails leaves the folder as it was', async () => {
    const options = await entry('export const answer = 42;');
    await build(options);
    await expect(build(await entry('export const answer = ;'))).rejects.toThrow('Unexpected ";"');
    expect(await readFile(join(options.outdir, 'entry.mjs'), 'utf8')).toContain('42');
  });

  test('a build writes no map and no metafile unless asked', async () => {
    const options = await entry('export const answer = 42;');
    await build({ ...options, sourcemap: false });
    expect(await filesOf(options.outdir)).toEqual(['entry.mjs']);
    await build({ ...options, metafile: true });
    expect(await filesOf(options.outdir)).toEqual(['entry.mjs', 'entry.mjs.map', 'metafile.json']);
  });
});
