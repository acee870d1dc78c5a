/**
 * The tools that are written in Python, in a virtual environment of their own below `dist/`, with the versions and the
 * hashes of requirements.txt. Made at the first run, and anew when requirements.txt changes.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const ENVIRONMENT = resolve(import.meta.dirname, '../../../dist/check/python');
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
/** Written last: an installation that was broken off is made anew. */
const INSTALLED = join(ENVIRONMENT, 'installed');
/** What requirements.txt is made for; newer ones are fine. */
const OLDEST = [3, 11] as const;
/** One hundred packages took 45 s; a slow network gets ten times that. */
const INSTALL_MS = 450_000;
/** A tool took 3 s. */
const TOOL_MS = 120_000;

/** Why the tools cannot run here; the rest of the check goes on. */
export class Unavailable extends Error {}

export interface Ran {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/**
 * @param tell called once, before an installation
 * @throws Unavailable without Python, or where its packages cannot be installed
 */
export async function installTools(tell: (line: string) => void): Promise<void> {
  const python = process.env.PYTHON ?? 'python3';
  const version = await versionOf(python);
  const stamp = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .update(version)
    .digest('hex');
  if ((await readFile(INSTALLED, 'utf8').catch(ignoreAbsent)) === stamp) return;
  tell('installing cfn-lint, checkov and moto below dist/, once, about a minute …');
  await rm(ENVIRONMENT, { recursive: true, force: true });
  await succeed(python, ['-m', 'venv', ENVIRONMENT]);
  const quiet = ['--disable-pip-version-check', '--no-input', '--quiet'];
  await succeed(join(ENVIRONMENT, 'bin/pip'), ['install', ...quiet, '--require-hashes', '-r', REQUIREMENTS]);
  await writeFile(INSTALLED, stamp);
}

/** @param tool `cfn-lint`, of an environment that `installTools` made */
export async function runTool(tool: string, args: readonly string[]): Promise<Ran> {
  return run(join(ENVIRONMENT, 'bin', tool), args, TOOL_MS);
}

async function versionOf(python: string): Promise<string> {
  const script = 'import sys; print("%d.%d" % sys.version_info[:2])';
  const ran = await run(python, ['-c', script], TOOL_MS).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const version = ran?.output.trim() ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major !== OLDEST[0] || minor < OLDEST[1]) {
    const found = version === '' ? 'not found' : `is ${version}`;
    throw new Unavailable(`${found}, expected ${OLDEST.join('.')} or newer`);
  }
  return version;
}

async function succeed(command: string, args: readonly string[]): Promise<void> {
  const { code, errors } = await run(command, args, INSTALL_MS);
  if (code !== 0) throw new Unavailable(errors.trim().split('\n').at(-1) ?? `${command} failed`);
}

async function run(command: string, args: readonly string[], timeout: number): Promise<Ran> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout });
  const exited = new Promise<number | null>((settle, fail) => child.once('error', fail).once('close', settle));
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { code, output, errors };
}

function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
