/**
 * An esbuild plugin: every import and require of one of Node's own modules in the bundle becomes
 * `process.getBuiltinModule`. An ES module's `import … from 'node:http'` makes Node build a facade that reads every
 * export, among them the lazy ones that load undici and http2: 26 ms and 10 MB at each cold start (nodejs/node#59686).
 */
import { isBuiltin } from 'node:module';
import { relative } from 'node:path';
import type { Plugin } from 'esbuild';

/** To read one of these from `node:http` loads undici, so they cannot be imported by name. */
const LOADS_UNDICI = ['WebSocket', 'CloseEvent', 'MessageEvent'];

/**
 * Default import, named imports, `import * as`, `import()` and `require()` of Node's modules all keep their meaning.
 */
export function builtinModules(): Plugin {
  return {
    name: 'builtin-modules',
    setup({ onResolve, onLoad, initialOptions: { absWorkingDir = '.' } }) {
      onResolve({ filter: /^(node:)?[a-z_\d]+(\/[a-z_\d]+)*$/ }, ({ path, kind, importer }) => {
        if (!isBuiltin(path)) return undefined;
        return {
          path: path.replace(/^node:/, ''),
          namespace: NAMESPACES[kind] ?? 'builtin-require',
          // Each importer has its own: one that two bundles share would be a file of its own.
          suffix: `?${relative(absWorkingDir, importer)}`,
          sideEffects: false,
        };
      });
      onLoad({ filter: /^/, namespace: 'builtin-require' }, ({ path }) => ({
        contents: `module.exports = ${getBuiltinModule(path)};`,
        loader: 'js',
      }));
      // A call marked as pure is dropped where its name is not imported: no lazy export is read.
      onLoad({ filter: /^/, namespace: 'builtin-import' }, ({ path }) => ({
        contents: [
          `const builtin = ${getBuiltinModule(path)};`,
          'export default builtin;',
          ...exportedNames(path).map((name) => `export const ${name} = /* @__PURE__ */ (() => builtin.${name})();`),
        ].join('\n'),
        loader: 'js',
      }));
      // Apart from the one above, which it would make read every export: `import()` hands out all of them.
      onLoad({ filter: /^/, namespace: 'builtin-dynamic' }, ({ path }) => {
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

/** By esbuild's kind of import. */
const NAMESPACES: Readonly<Record<string, string>> = {
  'import-statement': 'builtin-import',
  'dynamic-import': 'builtin-dynamic',
};

function getBuiltinModule(path: string): string {
  return `process.getBuiltinModule(${JSON.stringify(`node:${path}`)})`;
}

function exportedNames(path: string): string[] {
  const builtin: unknown = process.getBuiltinModule(`node:${path}`);
  return Object.keys(Object(builtin)).filter(
    (name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default' && !LOADS_UNDICI.includes(name),
  );
}
