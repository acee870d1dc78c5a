/**
 * An esbuild plugin: every import and require of one of Node's own modules in the bundle becomes
 * `process.getBuiltinModule`. An ES module's `import … from 'node:http'` makes Node build a facade that reads every
 * export, among them the lazy ones that load undici and http2: 26 ms and 10 MB at each cold start (nodejs/node#59686).
 */
import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/** Reading one of these off `node:http` is what loads undici. Nothing but `import()` of `node:http` misses them. */
const LOADS_UNDICI = ['WebSocket', 'CloseEvent', 'MessageEvent'];

/** Default import, named imports, `import * as`, `import()` and `require()` of Node's modules all keep their meaning. */
export function builtinModules(): Plugin {
  return {
    name: 'builtin-modules',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^(node:)?[a-z_\d]+(\/[a-z_\d]+)*$/ }, ({ path, kind }) => {
        if (!isBuiltin(path)) return undefined;
        const namespace = kind === 'dynamic-import' ? 'builtin-namespace' : 'builtin-module';
        return { path: path.replace(/^node:/, ''), namespace, sideEffects: false };
      });
      // CommonJS on purpose: esbuild then reads each named import off the module when it is used, and no lazy export before.
      onLoad({ filter: /^/, namespace: 'builtin-module' }, ({ path }) => ({
        contents: `module.exports = ${getBuiltinModule(path)};`,
        loader: 'js',
      }));
      // With splitting, `import()` of CommonJS gives a default export alone: here the names have to be told.
      onLoad({ filter: /^/, namespace: 'builtin-namespace' }, ({ path }) => {
        const names = exportedNames(path);
        const named = names.length === 0 ? '' : `export const { ${names.join(', ')} } = builtin;`;
        return {
          contents: `const builtin = ${getBuiltinModule(path)}; export default builtin; ${named}`,
          loader: 'js',
        };
      });
    },
  };
}

function getBuiltinModule(path: string): string {
  return `process.getBuiltinModule(${JSON.stringify(`node:${path}`)})`;
}

function exportedNames(path: string): string[] {
  const builtin: unknown = process.getBuiltinModule(`node:${path}`);
  return Object.keys(Object(builtin)).filter(
    (name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default' && !LOADS_UNDICI.includes(name),
  );
}
