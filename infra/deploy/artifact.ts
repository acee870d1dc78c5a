/**
 * A plugin of the framework, for what it leaves open: the zip, with bundles at its root and, where the settings are too large
 * for the environment, `destinations.json` beside them; the limits of AWS, before anything is uploaded; and whose package it
 * is that `deploy --package` names. The zip is built anew for each package and each deployment, so that what is deployed is
 * never an older `dist/`.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differences, readPackage } from './made-package.ts';
import { type CompiledTemplate, limitMistakes } from './stack/limits.ts';
import { stack } from './stack/stack.ts';
import { DESTINATIONS_FILE } from './stack/variable.ts';

/** What is used of the framework's instance; `zipFiles` is the one it makes layers with. */
interface Framework {
  readonly service: {
    readonly service: string;
    readonly custom?: unknown;
    readonly package: { artifact?: string; readonly path?: string };
    readonly provider: { readonly compiledCloudFormationTemplate: CompiledTemplate };
  };
  readonly processedInput: { readonly commands: readonly string[] };
  readonly pluginManager: { readonly plugins: readonly { zipFiles?: ZipFiles }[] };
  /** Its error is printed as its message alone. */
  readonly classes: { readonly Error: new (message: string) => Error };
  getProvider(name: 'aws'): { getStage(): string; getRegion(): string };
}
type ZipFiles = (files: readonly string[], zipFileName: string, stripped: string) => Promise<string>;

/** The framework calls this with `new`. */
export default function artifact(framework: Framework, options: { readonly package?: string }): object {
  /** Of the options and serverless.yml. */
  function asked() {
    const provider = framework.getProvider('aws');
    return { service: framework.service.service, stage: provider.getStage(), region: provider.getRegion() };
  }

  async function zip(): Promise<void> {
    const { service, pluginManager } = framework;
    const zipping = pluginManager.plugins.find((plugin) => plugin.zipFiles !== undefined);
    if (zipping?.zipFiles === undefined) throw new Error('The framework has no zipFiles: expected osls 4.3');
    const { destinations } = stack({ ...asked(), custom: service.custom });
    // On first need: every command of the framework loads this plugin, and few of them bundle.
    const { build } = await import('../build/build.ts');
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

  function holdToLimits(): void {
    const lines = limitMistakes(framework.service.provider.compiledCloudFormationTemplate);
    if (lines.length > 0) throw new framework.classes.Error(lines.join('\n'));
  }

  /** Before the framework takes the package's own stage for the one that was asked for. */
  async function refuseAnother(): Promise<void> {
    const folder = options.package ?? framework.service.package.path;
    if (framework.processedInput.commands.join(' ') !== 'deploy' || folder === undefined) return;
    const made = await readPackage(folder);
    if (made === undefined)
      throw new framework.classes.Error(`${folder}: there is no package, make it with: npm run package`);
    const wrong = differences(made, asked());
    if (wrong.length > 0) {
      const { stage, region } = made;
      throw new framework.classes.Error(
        `${folder}: this package is of ${wrong.join(', ')}; deploy it with --stage ${stage} --region ${region}, or make another`,
      );
    }
  }

  return {
    hooks: {
      initialize: refuseAnother,
      'before:package:createDeploymentArtifacts': zip,
      'before:package:function:package': zip,
      'after:aws:package:finalize:mergeCustomProviderResources': holdToLimits,
    },
  };
}
