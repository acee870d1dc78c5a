/**
 * A plugin of the framework that makes the zip: bundles at its root and, where the settings are too large for the
 * environment, `destinations.json` beside them. Built anew for each package and each deployment, so that what is
 * deployed is never an older `dist/`.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DESTINATIONS_FILE } from './stack/destinations.ts';
import { stack } from './stack/stack.ts';

/** What is used of the framework's instance; `zipFiles` is the one it makes layers with. */
interface Framework {
  readonly service: {
    readonly service: string;
    readonly custom?: unknown;
    readonly package: { artifact?: string };
  };
  readonly pluginManager: { readonly plugins: readonly { zipFiles?: ZipFiles }[] };
  getProvider(name: 'aws'): { getStage(): string; getRegion(): string };
}
type ZipFiles = (files: readonly string[], zipFileName: string, stripped: string) => Promise<string>;

/** The framework calls this with `new`. */
export default function artifact(framework: Framework): object {
  async function zip(): Promise<void> {
    const { service, pluginManager } = framework;
    const zipping = pluginManager.plugins.find((plugin) => plugin.zipFiles !== undefined);
    if (zipping?.zipFiles === undefined) throw new Error('The framework has no zipFiles: expected osls 4.3');
    const provider = framework.getProvider('aws');
    const { destinations } = stack({
      service: service.service,
      stage: provider.getStage(),
      region: provider.getRegion(),
      custom: service.custom,
    });
    // On first need: every command of the framework loads this plugin, and few of them bundle.
    const { build } = await import('./build.ts');
    const folder = await mkdtemp(join(tmpdir(), 'token-relay-'));
    try {
      await build({ outdir: folder, sourcemap: false });
      if (destinations.file !== undefined) await writeFile(join(folder, DESTINATIONS_FILE), destinations.file);
      const files = (await readdir(folder)).map((name) => join(folder, name));
      service.package.artifact = await zipping.zipFiles(files, `${service.service}.zip`, folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  return {
    hooks: {
      'before:package:createDeploymentArtifacts': zip,
      'before:package:function:package': zip,
    },
  };
}
