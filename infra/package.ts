/**
 * `npm run package`: everything that a deployment uploads, made offline and without an account, in `.serverless/` of the
 * working directory. Options go on to the framework (`--stage prod --region eu-west-1`); a mistake in `custom` of
 * serverless.yml is told in a line of its own, without the framework's words around it.
 */
import { spawn } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const FRAMEWORK = fileURLToPath(import.meta.resolve('osls/bin/serverless.js'));
const TEMPLATE = 'cloudformation-template-update-stack.json';

interface Run {
  readonly succeeded: boolean;
  readonly output: string;
  /** Warnings and, on a failure, nothing else. */
  readonly warnings: string;
}

async function runFramework(options: readonly string[]): Promise<Run> {
  const child = spawn(process.execPath, [FRAMEWORK, 'package', ...options], {
    env: { ...process.env, SLS_LOG_LEVEL: 'warning' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((settle, fail) => child.once('error', fail).once('close', settle));
  const [output, warnings, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { succeeded: code === 0, output: stripVTControlCharacters(output), warnings };
}

/** One line for each mistake; what else went wrong, in the framework's words. */
function mistakes({ output, warnings }: Run): string[] {
  const lines = output.split('\n').map((line) => line.trim());
  const found = lines
    .filter((line) => /^custom\.[^ ]/.test(line))
    .map((line) => line.replace(/^custom\.destinations\./, ''));
  // The same mistake comes back from each place of serverless.yml that depends on it.
  if (found.length > 0) return [...new Set(found)];
  return [...lines, ...warnings.split('\n')].filter(
    (line) => line !== '' && line !== 'Error:' && !line.startsWith('at '),
  );
}

async function summary(folder: string): Promise<string[]> {
  const template = JSON.parse(await readFile(join(folder, TEMPLATE), 'utf8')) as {
    readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
  };
  const counts = new Map<string, number>();
  for (const { Type } of Object.values(template.Resources)) counts.set(Type, (counts.get(Type) ?? 0) + 1);
  const zips = (await readdir(folder)).filter((name) => name.endsWith('.zip'));
  const files = [...zips, TEMPLATE].map(async (name) => {
    const path = join(folder, name);
    return `${relative('', path)}  ${((await stat(path)).size / 1000).toFixed(1)} kB`;
  });
  const resources = [...counts].sort().map(([type, count]) => `${count} ${type.replace(/^AWS::/, '')}`);
  return [
    ...(await Promise.all(files)),
    `${Object.keys(template.Resources).length} resources: ${resources.join(', ')}`,
  ];
}

/** `--package <folder>`, the framework's option for another place than `.serverless`. */
function packageFolder(options: readonly string[]): string {
  const index = options.findIndex((option) => /^(--package|-p)(=|$)/.test(option));
  const [, inline] = options[index]?.split('=') ?? [];
  return resolve(inline ?? (index < 0 ? '.serverless' : (options[index + 1] ?? '.serverless')));
}

const HELP = `Usage: npm run package [-- <options>]

Makes everything that a deployment uploads, offline and without an account, and checks serverless.yml on the way.

  --stage <name>     default dev
  --region <name>    default eu-central-1
  --package <folder> where it is put, default .serverless
  --help             this text

Other options go on to the framework. Then: npm run deploy -- --stage <name> --package <folder>`;

const options = process.argv.slice(2);
if (options.some((option) => option === '--help' || option === '-h')) {
  console.log(HELP);
  process.exit();
}
const run = await runFramework(options);
if (run.succeeded) {
  if (run.warnings.trim() !== '') console.error(run.warnings.trim());
  for (const line of await summary(packageFolder(options))) console.log(line);
} else {
  for (const line of mistakes(run)) console.error(line);
  process.exitCode = 1;
}
