/** A stage as `npm run package` and `npm run template` make it, offline and without an account, in a folder that holds nothing else. */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { parse, stringify } from 'yaml';
import { REGION, type Stage } from './stages.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
const TEMPLATE = 'cloudformation-template-update-stack.json';

/**
 * @param path where the template is put
 * @param out folder for what `npm run template` makes
 * @throws Error with what the packaging said, if it makes nothing
 */
export async function packageStage({ name, custom }: Stage, path: string, out: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-check-'));
  try {
    for (const entry of ['functions', 'infra', 'node_modules', 'package.json'])
      await symlink(join(PROJECT, entry), join(folder, entry));
    const written = parse(await readFile(join(PROJECT, 'serverless.yml'), 'utf8')) as object;
    await writeFile(join(folder, 'serverless.yml'), stringify({ ...written, custom }));
    await run(folder, ['infra/deploy/package.ts', '--stage', name, '--region', REGION]);
    await mkdir(resolve(path, '..'), { recursive: true });
    await copyFile(join(folder, '.serverless', TEMPLATE), path);
    await run(folder, ['infra/deploy/template.ts', '--stage', name, '--region', REGION, '--out', out]);
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
