/**
 * What is compared: the product's own bundle, the same source with esbuild's defaults, peers and limits. Builds
 * and finds the bundles; how they are measured is each part's.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build as esbuild } from 'esbuild';
import { build } from '../../infra/build/build.ts';

export interface Subject {
  readonly name: string;
  /** For tables. */
  readonly label: string;
  readonly kind: 'empty' | 'limit' | 'product' | 'defaults' | 'peer';
  /** Path of the module with the handler. */
  readonly bundle: string;
  /** Read by every cold start; undefined where nothing was bundled. */
  readonly loadedBytes: number | undefined;
}

export interface Subjects {
  readonly empty: Subject;
  readonly product: Subject;
  readonly defaults: Subject;
  readonly bareHttps: Subject;
  readonly bareTls: Subject;
  readonly modern: Subject;
  readonly typical: Subject;
  readonly peers: readonly Subject[];
}

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
const PEERS = join(HERE, 'peers');

const PEER_LABELS = {
  modern: 'modern peer: openid-client, fetch, Powertools, zod, middy',
  typical: 'typical peer: axios, simple-oauth2, Powertools, zod, middy',
  'simple-oauth2': 'simple-oauth2 with axios',
  'sap-cloud-sdk': '@sap-cloud-sdk/http-client',
  'undici-oidc': 'undici-oidc-interceptor',
} as const;

/** Installs the peers' packages where they are missing: only the bench needs them. */
export function installPeers(print: (line: string) => void): void {
  if (existsSync(join(PEERS, 'node_modules/.package-lock.json'))) return;
  print('installing the peers into test/bench/peers/node_modules (npm ci, once)');
  const { status, stderr } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit'], {
    cwd: PEERS,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm ci in test/bench/peers failed:\n${stderr}`);
}

/** @param folder for the bundles that are only the bench's */
export async function buildSubjects(folder: string): Promise<Subjects> {
  const productFolder = join(folder, 'product');
  const [queue] = await build({ outdir: productFolder, sourcemap: false });
  if (queue === undefined) throw new Error('the build made no bundle');
  const defaults = await buildWithDefaults(join(folder, 'defaults'));
  const peers = await Promise.all(
    Object.entries(PEER_LABELS).map(async ([name, label]): Promise<Subject> => {
      const bundle = join(folder, 'peers', `${name}.cjs`);
      await esbuild({
        entryPoints: [join(PEERS, `${name}.mjs`)],
        outfile: bundle,
        bundle: true,
        platform: 'node',
        target: 'node24',
        minify: true,
        logLevel: 'error',
      });
      return { name, label, kind: 'peer', bundle, loadedBytes: statSync(bundle).size };
    }),
  );
  const peer = (name: keyof typeof PEER_LABELS): Subject => {
    const found = peers.find((subject) => subject.name === name);
    if (found === undefined) throw new Error(`no peer ${name}`);
    return found;
  };
  const limit = (name: string, label: string, kind: 'limit' | 'empty' = 'limit'): Subject => ({
    name,
    label,
    kind,
    bundle: join(HERE, 'limits', `${name}.mjs`),
    loadedBytes: undefined,
  });
  return {
    empty: limit('empty', 'empty handler', 'empty'),
    product: {
      name: 'token-relay',
      label: 'token-relay',
      kind: 'product',
      bundle: join(productFolder, 'queue.mjs'),
      loadedBytes: queue.loadedBytes,
    },
    defaults,
    bareHttps: limit('bare-https', 'limit: bare node:https'),
    bareTls: limit('bare-tls', 'limit: bare TLS socket'),
    modern: peer('modern'),
    typical: peer('typical'),
    peers,
  };
}

/** The product's source as esbuild bundles it with its defaults. */
async function buildWithDefaults(folder: string): Promise<Subject> {
  const bundle = join(folder, 'queue.mjs');
  await esbuild({
    entryPoints: [join(ROOT, 'functions/queue/queue.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    logLevel: 'error',
    // What everyone adds for CommonJS packages in an ES module.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const label = 'same source, esbuild defaults';
  return { name: 'defaults', label, kind: 'defaults', bundle, loadedBytes: statSync(bundle).size };
}

/** The product's bundle with a file of settings in its folder. */
export async function withDestinationsFile(product: Subject, folder: string, destinations: object): Promise<Subject> {
  await mkdir(folder, { recursive: true });
  const from = resolve(product.bundle, '..');
  for (const name of await readdir(from)) await copyFile(join(from, name), join(folder, name));
  await writeFile(join(folder, 'destinations.json'), JSON.stringify(destinations));
  return { ...product, bundle: join(folder, 'queue.mjs') };
}
