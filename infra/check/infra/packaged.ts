/**
 * A stage as `npm run package` makes it, offline and without an account, in a folder that holds nothing else; and the
 * plain template of it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { parse, stringify } from 'yaml';
import { COMPILED_TEMPLATE } from '../../deploy/packaging.ts';
import { plainTemplate, templateText } from '../../deploy/plain-template.ts';
import type { PackagedStage } from './finding.ts';
import { REGION, type Stage } from './stages.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');

type Files = Pick<PackagedStage, 'path' | 'template' | 'zip'>;

/**
 * @param files where they are put: `path` the framework's template, `template` the plain one, `zip` the zip of both
 * @throws Error with what the packaging said, if it makes nothing
 */
export async function packageStage({ name, custom, provider = {} }: Stage, files: Files): Promise<void> {
  const { path, template, zip } = files;
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-check-'));
  try {
    for (const entry of ['functions', 'infra', 'node_modules', 'package.json'])
      await symlink(join(PROJECT, entry), join(folder, entry));
    const written = parse(await readFile(join(PROJECT, 'serverless.yml'), 'utf8')) as { readonly provider: object };
    const changed = { ...written, custom, provider: { ...written.provider, ...provider } };
    await writeFile(join(folder, 'serverless.yml'), stringify(changed));
    await run(folder, ['infra/deploy/package.ts', '--stage', name, '--region', REGION]);
    await mkdir(resolve(path, '..'), { recursive: true });
    const made = join(folder, '.serverless');
    await copyFile(join(made, COMPILED_TEMPLATE), path);
    await copyFile(join(made, 'token-relay.zip'), zip);
    const sha256 = createHash('sha256')
      .update(await readFile(zip))
      .digest('hex');
    const plain = plainTemplate(JSON.parse(await readFile(path, 'utf8')), { name: `token-relay-${name}`, sha256 });
    await writeFile(template, templateText(plain));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function run(cwd: string, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise<number | null>((settle, fail) => child.once('error', fail).once('close', settle));
  const [errors, code] = await Promise.all([text(child.stderr), exited]);
  if (code !== 0) throw new Error(`packaging failed:\n${errors.trim()}`);
}
