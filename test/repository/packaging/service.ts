/**
 * A user's copy of the service in a folder of its own, with the shipped serverless.yml or with another `custom` in it,
 * and what `npm run package` makes of it: in an environment without credentials, without an account, without a home.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Template } from './cloudformation.ts';
import { unzip } from './zip.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');

export interface Service {
  readonly folder: string;
  /** Runs `npm run --silent package -- <options>`. */
  package(...options: string[]): Promise<Packaged>;
  remove(): Promise<void>;
}

export interface Packaged {
  readonly exitCode: number;
  readonly output: string[];
  readonly errors: string[];
  /** What was made; fails if nothing was. */
  template(): Promise<Template>;
  artifact(): Promise<Map<string, Buffer>>;
}

/** @param custom in place of the shipped `custom` */
export async function createService(custom?: object): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-service-'));
  for (const name of ['functions', 'infra', 'node_modules', 'package.json']) {
    await symlink(join(PROJECT, name), join(folder, name));
  }
  const shipped = await readFile(join(PROJECT, 'serverless.yml'), 'utf8');
  const yaml = custom === undefined ? shipped : stringify({ ...parse(shipped), custom });
  await writeFile(join(folder, 'serverless.yml'), yaml);
  return {
    folder,
    package: (...options) => packageIn(folder, options),
    remove: () => rm(folder, { recursive: true }),
  };
}

async function packageIn(folder: string, options: readonly string[]): Promise<Packaged> {
  const env = { PATH: `${join(PROJECT, 'node_modules/.bin')}:${process.env.PATH}`, HOME: folder };
  const place = options.indexOf('--package');
  const made = join(folder, place < 0 ? '.serverless' : (options[place + 1] ?? ''));
  return new Promise((settle) => {
    execFile('npm', ['run', '--silent', 'package', '--', ...options], { cwd: folder, env }, (error, stdout, stderr) => {
      settle({
        exitCode: error === null ? 0 : Number(error.code),
        output: lines(stdout),
        errors: lines(stderr),
        template: async () =>
          JSON.parse(await readFile(join(made, 'cloudformation-template-update-stack.json'), 'utf8')),
        artifact: async () => unzip(await readFile(join(made, 'token-relay.zip'))),
      });
    });
  });
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
