/**
 * A process of Node that runs Lambda's official runtime client on a function's module, with the flags and variables
 * that it has on Lambda. What it is told to do, and when it ends, is for environment.ts.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { bindToThisProcess } from './processes.ts';
import { type ProcessVariablesOptions, processVariables } from './variables.ts';

const require = createRequire(import.meta.url);
const RUNTIME = require.resolve('aws-lambda-ric');
const RUNTIME_CLIENT = fileURLToPath(new URL('runtime-client.cjs', import.meta.url));

export type RuntimeProcessOptions = ProcessVariablesOptions;

export function spawnRuntime(options: RuntimeProcessOptions): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(process.execPath, [...nodeFlags(options.memoryMb), `--require=${RUNTIME_CLIENT}`, RUNTIME], {
    cwd: dirname(options.bundle),
    env: processVariables(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  bindToThisProcess(child);
  return child;
}

/** As the start script of Lambda's Node runtimes sets them; seen in its `bootstrap`. */
function nodeFlags(memoryMb: number): readonly string[] {
  const newSpaceMb = Math.floor(memoryMb / 10);
  return [
    '--expose-gc',
    '--max-http-header-size=81920',
    `--max-semi-space-size=${Math.floor(newSpaceMb / 2)}`,
    `--max-old-space-size=${memoryMb - newSpaceMb}`,
  ];
}
