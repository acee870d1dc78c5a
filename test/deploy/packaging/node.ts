/** Loads a module in a process of its own, by Node alone, and reports what was loaded with it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Loaded {
  readonly exports: string[];
  /** Node's own modules, as `process.moduleLoadList` names them. */
  readonly builtins: string[];
}

/** @param environment the whole environment of the process */
export async function load(folder: string, file: string, environment: Record<string, string> = {}): Promise<Loaded> {
  const script = `import(${JSON.stringify(`./${file}`)}).then((module) => console.log(JSON.stringify({
    exports: Object.keys(module), builtins: process.moduleLoadList,
  })))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: folder, env: environment });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** An environment as Lambda gives it, whose secrets nobody serves. */
export const lambdaEnvironment = (destinations: string): Record<string, string> => ({
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'synthetic',
  AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:1',
  DESTINATIONS: destinations,
});
