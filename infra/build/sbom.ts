/** `npm run sbom`: npm's own list of the project's packages, less those that nothing of is bundled. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.ts';
import { bundledPackages } from './notices.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const HELP = `npm run sbom [-- --help] > token-relay.cdx.json

Writes a software bill of materials of what is deployed, as CycloneDX (JSON), to
the standard output: the packages that esbuild takes something of, as npm sbom
describes them by package-lock.json. Their licences and texts are in the zip, in
THIRD-PARTY-NOTICES.txt.`;

interface Bom {
  readonly components: readonly { readonly name: string; readonly version: string; readonly 'bom-ref': string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

if (parseArgs({ options: { help: { type: 'boolean', short: 'h' } } }).values.help) console.log(HELP);
else console.log(JSON.stringify(await sbom(), null, 2));

async function sbom(): Promise<Bom> {
  const packages = await bundled();
  const { status, stdout, stderr } = spawnSync('npm', ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 100_000_000,
  });
  if (status !== 0) throw new Error(`npm sbom failed: ${stderr.trim()}`);
  const all = JSON.parse(stdout) as Bom;
  const components = all.components.filter(({ name, version }) => packages.has(`${name}@${version}`));
  if (components.length < packages.size)
    throw new Error('package-lock.json lacks packages that are bundled: run npm ci');
  const refs = new Set(components.map((component) => component['bom-ref']));
  const dependencies = all.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }));
  return { ...all, components, dependencies };
}

/** `name@version` of each. */
async function bundled(): Promise<ReadonlySet<string>> {
  const outdir = await mkdtemp(join(tmpdir(), 'token-relay-sbom-'));
  try {
    await build({ outdir, metafile: true, sourcemap: false });
    const { inputs } = JSON.parse(await readFile(join(outdir, 'metafile.json'), 'utf8')) as { readonly inputs: object };
    const packages = await bundledPackages(Object.keys(inputs), ROOT);
    return new Set(packages.map(({ name, version }) => `${name}@${version}`));
  } finally {
    await rm(outdir, { recursive: true });
  }
}
