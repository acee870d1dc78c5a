/**
 * The user's service as `npm run package` makes it: read, checked and resolved there, in a process of its own, so that a
 * mistake is told here exactly as there, and the landscape owes nothing to how the relay reads its settings.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../../deploy/package.ts', import.meta.url));

/** What is used of a resource of CloudFormation. */
interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** A package, as far as the landscape needs it. */
export interface Package {
  readonly region: string;
  /** `custom.destinations`, every variable resolved, without defaults. */
  readonly destinations: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Of the template. */
  readonly resources: Readonly<Record<string, Resource>>;
  /** What is no mistake and should still be meant. */
  readonly warnings: string;
}

/** What is wrong, as `npm run package` tells it. */
export interface Refused {
  readonly mistakes: string;
}

/** @param options of `npm run package` @param signal ends it, and everything that it has started */
export async function makePackage(options: readonly string[], signal: AbortSignal): Promise<Package | Refused> {
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-local-'));
  try {
    const made = join(folder, 'package');
    const { code, told } = await run([...options, '--package', made], { TMPDIR: folder }, signal);
    if (code !== 0) return { mistakes: told };
    const [state, template] = await Promise.all(
      ['serverless-state.json', 'cloudformation-template-update-stack.json'].map(async (name) =>
        JSON.parse(await readFile(join(made, name), 'utf8')),
      ),
    );
    return {
      region: state.service.provider.region,
      destinations: state.service.custom.destinations,
      resources: template.Resources,
      warnings: told,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param variables `TMPDIR`: what it leaves there goes with the folder, also when it is killed */
async function run(options: readonly string[], variables: { readonly TMPDIR: string }, signal: AbortSignal) {
  // A group of its own: the framework is a child of this child.
  const child = spawn(process.execPath, [PACKAGE, ...options], {
    detached: true,
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const end = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  try {
    const exited = new Promise<number | null>((settle, fail) => child.once('error', fail).once('close', settle));
    const [told, code] = await Promise.all([text(child.stderr), exited]);
    return { code, told: told.trimEnd() };
  } finally {
    signal.removeEventListener('abort', end);
  }
}
