/**
 * Bundles the Lambda entries: `functions/<entry>/<entry>.ts` becomes `dist/<entry>.mjs`, with the chunks that esbuild
 * splits off next to it, so that what is needed late (SDK clients, credential providers) is loaded late. What each step
 * saves: `README.md`. What goes into the deployed zip is decided in `deploy/artifact.ts`.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type BuildOptions as BuildSettings, build as esbuild, type Metafile, type OutputFile } from 'esbuild';
import { builtinModules } from './builtin-modules.ts';
import { lazyPackages } from './lazy-packages.ts';
import { bundledPackages, NOTICES_FILE, notices } from './notices.ts';
import { sdkParts } from './sdk-parts.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface BuildOptions {
  /** Default `dist` in the project. Bundles of an earlier build in it are removed. */
  readonly outdir?: string;
  /** Files to bundle, each under its own name. Default `functions/queue/queue.ts`, `functions/webhook/webhook.ts`. */
  readonly entryPoints?: readonly string[];
  /** Writes `<file>.map` for `node --enable-source-maps` on a developer's machine; never deployed. Default true. */
  readonly sourcemap?: boolean;
  /** Also writes `metafile.json`, esbuild's account of what every byte is for. Default false. */
  readonly metafile?: boolean;
  /** For the bench: changes the settings with which esbuild bundles an entry. */
  readonly adapt?: (settings: BuildSettings) => BuildSettings;
}

export interface Bundle {
  /** `queue` for `dist/queue.mjs`. */
  readonly entry: string;
  /** Size of `<entry>.mjs` alone. */
  readonly bytes: number;
  /** Size of everything that a cold start reads: the entry and, transitively, the chunks it imports statically. */
  readonly loadedBytes: number;
}

/**
 * Builds all entries. Every file is put in place by a rename, entries last, and a file that did not change is not
 * touched: a process that reads the folder meanwhile, or builds into it at the same time, finds it whole.
 *
 * @returns one line for each entry, in the order of `entryPoints`
 * @throws esbuild's `BuildFailure` if the sources cannot be bundled; the folder is then as it was
 */
export async function build(options: BuildOptions = {}): Promise<Bundle[]> {
  const outdir = resolve(ROOT, options.outdir ?? 'dist');
  const entryPoints = options.entryPoints ?? ['functions/queue/queue.ts', 'functions/webhook/webhook.ts'];
  const lazy = new Map<string, string>();
  const common = { ...SETTINGS, outdir, sourcemap: (options.sourcemap ?? true) ? 'external' : false } as const;
  const settingsOf = (entryPoint: string): BuildSettings => ({
    ...common,
    // In a module V8 parses an arrow function whole where it only skims any other function. Not in the lazy packages:
    // esbuild then writes constructors that take `this` before `super()`, as the S3 client's.
    supported: { arrow: false },
    entryPoints: [entryPoint],
    plugins: [...sdkParts(), builtinModules(), lazyPackages(({ name, path }) => lazy.set(name, path))],
  });
  const { adapt = (settings) => settings } = options;
  // Each on its own: a function loads nothing that only the other one uses.
  const apart = await Promise.all(
    entryPoints.map((entryPoint) => esbuild({ ...adapt(settingsOf(entryPoint)), write: false, metafile: true })),
  );
  const lazily = await esbuild({
    ...common,
    entryPoints: [...lazy].map(([out, path]) => ({ in: path, out })).sort(byName),
    plugins: [builtinModules()],
  });
  const built = joined([...apart, lazily]);
  const outputs = outputsByName(built.metafile);
  const metafile = { path: 'metafile.json', contents: Buffer.from(JSON.stringify(built.metafile)) };
  const packages = await bundledPackages(Object.keys(built.metafile.inputs), ROOT);
  const licences = { path: NOTICES_FILE, contents: Buffer.from(notices(packages)) };
  const beside = [licences, ...(options.metafile ? [metafile] : [])];
  await replaceFiles(outdir, [...beside, ...entriesLast(built.outputFiles, outputs)]);
  return entryPoints.map((entryPoint) => {
    const entry = basename(entryPoint).replace(/\.\w+$/, '');
    const name = `${entry}.mjs`;
    return { entry, bytes: outputs[name]?.bytes ?? 0, loadedBytes: loadedBytes(name, outputs) };
  });
}

const SETTINGS = {
  absWorkingDir: ROOT,
  write: false,
  metafile: true,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // The ES modules of the SDK instead of its CommonJS: only these can be split, and only these lose what is unused.
  mainFields: ['module', 'main'],
  minify: true,
  outExtension: { '.js': '.mjs' },
  entryNames: '[name]',
  chunkNames: 'chunk-[hash]',
  legalComments: 'external',
  logLevel: 'silent',
} satisfies BuildSettings;

interface Built {
  readonly outputFiles: readonly OutputFile[];
  readonly metafile: Metafile;
}

/** A chunk that two builds made has one name and one content. */
function joined(builds: readonly Built[]): Built {
  const files = new Map(builds.flatMap(({ outputFiles }) => outputFiles.map((file) => [file.path, file])));
  const inputs = Object.assign({}, ...builds.map(({ metafile }) => metafile.inputs));
  const outputs = Object.assign({}, ...builds.map(({ metafile }) => metafile.outputs));
  return { outputFiles: [...files.values()], metafile: { inputs, outputs } };
}

function byName(one: { readonly out: string }, other: { readonly out: string }): number {
  return one.out < other.out ? -1 : 1;
}

type Outputs = Readonly<Record<string, Metafile['outputs'][string]>>;

/** esbuild names outputs by their path from the working directory; all of ours lie in one folder. */
function outputsByName(metafile: Metafile): Outputs {
  return Object.fromEntries(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
}

function loadedBytes(entry: string, outputs: Outputs): number {
  const loaded = new Set([entry]);
  for (const name of loaded) {
    for (const { kind, path } of outputs[name]?.imports ?? []) {
      if (kind === 'import-statement') loaded.add(basename(path));
    }
  }
  return [...loaded].reduce((sum, name) => sum + (outputs[name]?.bytes ?? 0), 0);
}

function entriesLast(files: readonly OutputFile[], outputs: Outputs): OutputFile[] {
  const isEntry = (file: OutputFile) => outputs[basename(file.path)]?.entryPoint !== undefined;
  return [...files.filter((file) => !isEntry(file)), ...files.filter(isEntry)];
}

async function replaceFiles(folder: string, files: readonly Pick<OutputFile, 'path' | 'contents'>[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names = new Set<string>();
  for (const { path, contents } of files) {
    const name = basename(path);
    // esbuild gives each bundle a file for legal comments, an empty one too.
    if (contents.length === 0) continue;
    names.add(name);
    await replaceFile(join(folder, name), contents);
  }
  // A dot marks the unfinished file of another build; folders are others', as `dist/local` is the landscape's.
  const stale = (await readdir(folder, { withFileTypes: true })).filter(
    (entry) => entry.isFile() && !names.has(entry.name) && !entry.name.startsWith('.'),
  );
  await Promise.all(stale.map(({ name }) => rm(join(folder, name), { force: true })));
}

async function replaceFile(path: string, contents: Uint8Array): Promise<void> {
  const present = await readFile(path).catch(ignoreAbsent);
  if (present?.equals(contents)) return;
  const unfinished = join(path, '..', `.${basename(path)}.${randomUUID()}`);
  try {
    await writeFile(unfinished, contents);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

const HELP = `npm run build [-- <options>]

Bundles the two functions into dist/, for the local landscape and the tests, and
prints how large they are. What is deployed npm run package builds anew.

  --outdir <folder>  default dist; files of an earlier build in it are removed
  --metafile         also writes metafile.json, esbuild's account of every byte
  --quiet            prints nothing
  --help             this text`;

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      outdir: { type: 'string' },
      metafile: { type: 'boolean' },
      quiet: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) console.log(HELP);
  else await run(values);
}

async function run({
  outdir,
  metafile = false,
  quiet = false,
}: {
  outdir?: string;
  metafile?: boolean;
  quiet?: boolean;
}) {
  const bundles = await build({ ...(outdir === undefined ? {} : { outdir }), metafile });
  if (quiet) return;
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`.padStart(9);
  for (const { entry, bytes, loadedBytes } of bundles) {
    console.log(
      `${`${entry}.mjs`.padEnd(12)}${kilobytes(bytes)}   with what it loads at once${kilobytes(loadedBytes)}`,
    );
  }
}
