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
  /** Runs `npm run --silent template -- <options>`; `zone` is the time zone of its process. */
  plain(options: readonly string[], zone?: string): Promise<Ran>;
  /** Runs `npm run --silent deploy -- <options>`, which finds an account only by the service's environment. */
  deploy(...options: string[]): Promise<Ran>;
  /** Runs `npm run --silent remove -- <options>`. */
  removeStage(...options: string[]): Promise<Ran>;
  /** Another `custom`, or another serverless.yml. */
  change(content: object | string): Promise<void>;
  remove(): Promise<void>;
}

export interface Ran {
  readonly exitCode: number;
  readonly output: string[];
  readonly errors: string[];
}

export interface Packaged extends Ran {
  /** What was made; fails if nothing was. */
  template(): Promise<Template>;
  artifact(): Promise<Map<string, Buffer>>;
}

/**
 * @param content in place of the shipped `custom`; a text in place of the whole serverless.yml
 * @param environment beside what every process needs; without it there are no credentials
 */
export async function createService(
  content?: object | string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-service-'));
  for (const name of ['functions', 'infra', 'node_modules', 'package.json']) {
    await symlink(join(PROJECT, name), join(folder, name));
  }
  const shipped = await readFile(join(PROJECT, 'serverless.yml'), 'utf8');
  const write = (written?: object | string) => writeFile(join(folder, 'serverless.yml'), yamlOf(shipped, written));
  await write(content);
  return {
    folder,
    package: (...options) => packageIn(folder, options),
    plain: (options, zone) => run(folder, 'template', options, zone === undefined ? {} : { TZ: zone }),
    deploy: (...options) => run(folder, 'deploy', options, environment),
    removeStage: (...options) => run(folder, 'remove', options, environment),
    change: write,
    remove: () => rm(folder, { recursive: true }),
  };
}

function yamlOf(shipped: string, content: object | string | undefined): string {
  if (typeof content === 'object') return stringify({ ...parse(shipped), custom: content });
  return content ?? shipped;
}

async function packageIn(folder: string, options: readonly string[]): Promise<Packaged> {
  const place = options.indexOf('--package');
  const made = join(folder, place < 0 ? '.serverless' : (options[place + 1] ?? ''));
  return {
    ...(await run(folder, 'package', options)),
    template: async () => JSON.parse(await readFile(join(made, 'cloudformation-template-update-stack.json'), 'utf8')),
    artifact: async () => unzip(await readFile(join(made, 'token-relay.zip'))),
  };
}

async function run(
  folder: string,
  script: string,
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const env = { ...environment, PATH: `${join(PROJECT, 'node_modules/.bin')}:${process.env.PATH}`, HOME: folder };
  return new Promise((settle) => {
    execFile('npm', ['run', '--silent', script, '--', ...options], { cwd: folder, env }, (error, stdout, stderr) => {
      settle({ exitCode: error === null ? 0 : Number(error.code), output: lines(stdout), errors: lines(stderr) });
    });
  });
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
