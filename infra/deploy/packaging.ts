/**
 * A packaging by the framework, offline and without an account: what `npm run package` shows and `npm run template` makes
 * plain CloudFormation of. A mistake in `custom` of serverless.yml is told in a line of its own, without the framework's
 * words around it.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { readPackage } from './made-package.ts';
import { inServiceFolder, PACKAGE_FOLDER } from './service-folder.ts';
import type { ServiceInput } from './stack/destination.ts';
import { keyAt, misspeltCustom } from './yaml-text.ts';

const FRAMEWORK = fileURLToPath(import.meta.resolve('osls/bin/serverless.js'));
/** In the folder of a package. */
export const COMPILED_TEMPLATE = 'cloudformation-template-update-stack.json';

export type Packaging =
  | { readonly made: ServiceInput; readonly warnings: readonly string[] }
  /** One line each; nothing was made. */
  | { readonly made: undefined; readonly mistakes: readonly string[] };

/**
 * @param options of the framework's `package`, without `--package`
 * @param place `folder`: where the package is put, which leaves `.serverless/` as it is if that is another folder;
 * `configuration`: path of serverless.yml
 */
export async function packageService(
  options: readonly string[],
  { folder, configuration }: { readonly folder: string; readonly configuration: string },
): Promise<Packaging> {
  const run =
    resolve(folder) === resolve(PACKAGE_FOLDER)
      ? await runFramework(options, '.')
      : await inServiceFolder((cwd) => runFramework([...options, '--package', resolve(folder)], cwd));
  const made = run.succeeded ? await readPackage(folder) : undefined;
  if (made !== undefined) return { made, warnings: run.warnings.split('\n').filter((line) => line.trim() !== '') };
  const lines = await Promise.all(mistakes(run).map((line) => withKey(line, configuration)));
  return { made, mistakes: lines };
}

interface Run {
  readonly succeeded: boolean;
  readonly output: string;
  /** Warnings and, on a failure, nothing else. */
  readonly warnings: string;
}

async function runFramework(options: readonly string[], cwd: string): Promise<Run> {
  const child = spawn(process.execPath, [FRAMEWORK, 'package', ...options], {
    cwd,
    env: { ...process.env, SLS_LOG_LEVEL: 'warning' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((settle, fail) => child.once('error', fail).once('close', settle));
  const [output, warnings, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { succeeded: code === 0, output: stripVTControlCharacters(output), warnings };
}

/** How a mistake comes out of the framework, and how it is told here: its place, and what is wrong there. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // Ours.
  [/^((?:custom|provider|service|destinations|layers|package)(?:\..*?)?: .*)$/, '$1'],
  [/^(?:Configuration error )?at '(.+?)': (.*)$/, '$1: $2'],
  [/^- Cannot resolve variable at "([^"]+)": (?!Cannot resolve .*"resources\.cjs")(.*)$/, '$1: $2'],
  [/^'?Invalid "--config" value: (.*)$/, '--config: $1'],
  [/^Cannot parse "(.+?)": (.*) in ".*" \((\d+:\d+)\)$/, '$1:$3: $2'],
];

/** One line for each mistake; what else went wrong, in the framework's words. */
function mistakes({ output, warnings }: Run): string[] {
  const lines = output.split('\n').map((line) => line.trim());
  const found = lines.flatMap((line) => {
    const [shape, told] = SHAPES.find(([pattern]) => pattern.test(line)) ?? [];
    return shape === undefined || told === undefined ? [] : [line.replace(shape, told)];
  });
  // The same mistake comes back from each place of serverless.yml that depends on it.
  if (found.length > 0) return [...new Set(found.map((line) => line.replace(/^custom\.destinations\./, '')))];
  return [...lines, ...warnings.split('\n')].filter(
    (line) => line !== '' && line !== 'Error:' && !line.startsWith('at '),
  );
}

/** What the framework says of a variable of the environment that is not set, whichever it is. */
const NOT_SET = 'Value not found at "env" source';
const NO_DESTINATIONS = 'custom.destinations: expected an object with at least one destination';

/** The same line with the key, or the variable, in it that the text of `configuration` shows there. */
async function withKey(line: string, configuration: string): Promise<string> {
  if (line.endsWith(NOT_SET)) {
    const names = variablesIn(await readFile(configuration, 'utf8')).filter((name) => process.env[name] === undefined);
    return names.length === 0 ? line : line.replace(NOT_SET, `not set in the environment: ${names.join(', ')}`);
  }
  const [, file, place = ''] = /^(.+?):(\d+:\d+): duplicated mapping key$/.exec(line) ?? [];
  if (file === undefined && line !== NO_DESTINATIONS) return line;
  const text = await readFile(file ?? configuration, 'utf8');
  const key = file === undefined ? misspeltCustom(text) : keyAt(text, place);
  if (key === undefined) return line;
  return file === undefined ? `${key}: unknown field, did you mean custom?` : `${line} ${key}`;
}

/** Of the environment, those that have no other value beside them. */
function variablesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\$\{env:(\w{1,200})\}/g)].map(([, name = '']) => name))];
}
