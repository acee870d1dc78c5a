/**
 * The relay as it is deployed, entries and composition root included, bundled so that a simulation hands in what lies
 * below it: Node's own modules, the AWS SDK, the clock and randomness. Each call of a bundle is a new execution
 * environment. A planted bug is a patch of the source on its way into the bundle.
 */
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { compileFunction } from 'node:vm';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');

/** A change of one file of the relay; its text must be there exactly once. */
export interface Patch {
  /** From the project's root. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export type Entry = 'queue' | 'webhook';

/** What an environment runs on, in place of what Node gives. */
export interface Platform {
  readonly require: (name: string) => unknown;
  readonly Date: typeof Date;
  readonly performance: { readonly now: () => number };
  /** In place of `Math.random`. */
  readonly random: () => number;
  readonly setTimeout: (callback: () => void, ms?: number) => unknown;
  readonly clearTimeout: (timer: unknown) => void;
  readonly setImmediate: (callback: () => void) => unknown;
  readonly process: object;
  readonly console: object;
}

export type Handler = (event: unknown, context: object) => Promise<unknown>;

export interface Loaded {
  readonly handler: Handler;
  /** Resolves when the initialization is over. */
  readonly prepared: Promise<unknown>;
}

export interface Bundle {
  /** Loads the entry as a new execution environment does. @throws what its module level throws */
  load(entry: Entry, platform: Platform): Loaded;
}

const PARAMETERS = [
  'module',
  'require',
  'Date',
  'simulatedRandom',
  'setTimeout',
  'clearTimeout',
  'setImmediate',
  'process',
  'console',
  'performance',
  // Whatever would leave simulated time is not there at all.
  'setInterval',
  'fetch',
];

/** @throws Error if a patch does not fit, esbuild's `BuildFailure` */
export async function bundleRelay(patches: readonly Patch[] = []): Promise<Bundle> {
  const compiled = { queue: await compile('queue', patches), webhook: await compile('webhook', patches) };
  return {
    load(entry, platform) {
      const { random, setTimeout, clearTimeout, setImmediate, process, console, performance } = platform;
      const module = { exports: {} as Partial<Loaded> };
      compiled[entry](
        module,
        platform.require,
        platform.Date,
        random,
        setTimeout,
        clearTimeout,
        setImmediate,
        process,
        console,
        performance,
      );
      const { handler, prepared = Promise.resolve() } = module.exports;
      if (handler === undefined) throw new Error(`${entry}: the bundle exports no handler`);
      return { handler, prepared };
    },
  };
}

async function compile(entry: Entry, patches: readonly Patch[]): Promise<(...values: unknown[]) => void> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [`functions/${entry}/${entry}.ts`],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    external: ['@aws-sdk/*'],
    // Through `require`, like every other module.
    supported: { 'dynamic-import': false },
    define: { 'Math.random': 'simulatedRandom' },
    logLevel: 'silent',
    plugins: [patched(patches)],
  });
  const code = outputFiles[0]?.text ?? '';
  return compileFunction(code, PARAMETERS, { filename: `simulated-${entry}.cjs` }) as (...values: unknown[]) => void;
}

function patched(patches: readonly Patch[]): Plugin {
  return {
    name: 'planted bugs',
    setup({ onLoad }) {
      onLoad({ filter: /\/functions\/.*\.ts$/ }, async ({ path }) => {
        const own = patches.filter(({ file }) => file === relative(ROOT, path));
        let contents = await readFile(path, 'utf8');
        // What an entry awaits at its end, whoever loads it awaits: what is called like a function cannot wait itself.
        contents = contents.replace(/^await (?=environment\.)/m, 'export const prepared = ');
        for (const { file, find, replace } of own) {
          const found = contents.split(find).length - 1;
          if (found !== 1) throw new Error(`${file}: the text to be patched is there ${found} times: ${find}`);
          contents = contents.replace(find, () => replace);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}
