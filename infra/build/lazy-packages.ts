/**
 * An esbuild plugin: what our code imports from a package by `import()` stays outside of the bundle, as a file next to
 * it from a build of its own. In one build, esbuild would put into the shared chunks whatever any of the lazy packages
 * uses, and each cold start that only reads a secret would load the S3 client's XML as well.
 */
import type { Plugin } from 'esbuild';

export interface LazyPackage {
  /** Of the file, without `.mjs`. */
  readonly name: string;
  /** The module that is imported. */
  readonly path: string;
}

/** @param onFound gets each module of a package that is imported by `import()` */
export function lazyPackages(onFound: (found: LazyPackage) => void): Plugin {
  return {
    name: 'lazy-packages',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^[^:]+$/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
        if (kind !== 'dynamic-import' || pluginData === RESOLVING) return undefined;
        const resolved = await resolve(path, { kind, importer, resolveDir, pluginData: RESOLVING });
        const inPackage = resolved.path.split('node_modules/').at(-1);
        // Our own files stay in the bundle: they share its state.
        if (resolved.namespace !== 'file' || inPackage === undefined || inPackage === resolved.path) return undefined;
        const name = `lazy-${inPackage.replace(/\.\w+$/, '').replace(/[^\w]+/g, '-')}`;
        onFound({ name, path: resolved.path });
        return { path: `./${name}.mjs`, external: true };
      });
    },
  };
}

const RESOLVING = Symbol('resolving');
