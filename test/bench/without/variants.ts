/** The product without one of its fast paths each: what stands in its place is the library's or Node's own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildOptions as BuildSettings, Plugin } from 'esbuild';

export type Adapt = (settings: BuildSettings) => BuildSettings;

export const VARIANTS: Readonly<Record<string, Adapt>> = {
  'nothing: the same bundle twice': (settings) => settings,
  'arrow: false': ({ supported: _, ...settings }) => settings,
  'builtin-modules.ts': (settings) => ({
    ...without('builtin-modules')(settings),
    // What everyone adds for CommonJS packages in an ES module.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  }),
  'lazy-packages.ts': without('lazy-packages'),
  'sdk-parts.ts: HTTP client': without('sdk-http-client'),
  'sdk-parts.ts: files': without('sdk-files'),
  'request-handler.ts, and the HTTP client': (settings) =>
    patched(
      'functions/aws/secrets-manager.ts',
      'createRequestHandler(send)',
      '{ requestTimeout: 5_000 }',
    )(without('sdk-http-client')(settings)),
  'socket-pool.ts': patched('functions/http/http.ts', 'createPool = createSocketPool', 'createPool = createPlainAgent'),
  'log.ts': replaced('log'),
  'metrics.ts': replaced('metrics'),
};

function without(name: string): Adapt {
  return (settings) => {
    const plugins = (settings.plugins ?? []).filter((plugin) => plugin.name !== name);
    if (plugins.length === settings.plugins?.length) throw new Error(`the build has no plugin ${name}`);
    return { ...settings, plugins };
  };
}

/** @param find must be in the file */
function patched(file: string, find: string, replace: string): Adapt {
  return first(({ onLoad }) => {
    onLoad({ filter: new RegExp(`/${file.replaceAll('.', '[.]')}$`) }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (!source.includes(find)) throw new Error(`${file} has no "${find}"`);
      return { contents: source.replace(find, replace), loader: 'ts' };
    });
  });
}

/** A file of `functions/telemetry` by the one of its name here. */
function replaced(name: 'log' | 'metrics'): Adapt {
  return first(({ onResolve }) => {
    onResolve({ filter: new RegExp(`^\\./${name}[.]ts$`) }, () => ({ path: join(import.meta.dirname, `${name}.ts`) }));
  });
}

function first(setup: Plugin['setup']): Adapt {
  return ({ plugins = [], ...settings }) => ({ ...settings, plugins: [{ name: 'without', setup }, ...plugins] });
}
