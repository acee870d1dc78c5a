/**
 * An esbuild plugin: what a package is asked for by `import()` stays outside of the bundle, as a file beside it that is
 * bundled apart. In one build with it, esbuild would keep in the shared chunks whatever any of the lazy packages uses: the
 * S3 client's XML would be loaded by each cold start that only reads a secret.
 */
import type { Plugin } from 'esbuild';

export interface LazyPackage {
  /** Of the file, without `.mjs`. */
  readonly name: string;
  /** The module that is imported. */
  readonly path: string;
}

/** @param onFound told each module that a package is asked for by `import()` */
export function lazyPackages(onFound: (found: LazyPackage) => void): Plugin {
  return {
    name: 'lazy-packages',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^[^:]+$/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
        if (kind !== 'dynamic-import' || pluginData === RESOLVING) return undefined;
        const resolved = await resolve(path, { kind, importer, resolveDir, pluginData: RESOLVING });
        const inPackage = resolved.path.split('node_modules/').at(-1);
        // A file of our own shares what is warm with its bundle.
        if (resolved.namespace !== 'file' || inPackage === undefined || inPackage === resolved.path) return undefined;
        const name = `lazy-${inPackage.replace(/\.\w+$/, '').replace(/[^\w]+/g, '-')}`;
        onFound({ name, path: resolved.path });
        return { path: `./${name}.mjs`, external: true };
      });
    },
  };
}

const RESOLVING = Symbol('resolving');
