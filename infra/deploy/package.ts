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
import { differences, readPackage } from './made-package.ts';
import { readConfiguration } from './stack/configuration.ts';
import type { ServiceInput } from './stack/destination.ts';
import { keyAt, misspeltCustom } from './yaml-text.ts';

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

/** How a mistake comes out of the framework, and how it is told here: its place, and what is wrong there. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // Ours.
  [/^((?:custom|provider|service|destinations|layers|package)(?:\..*?)?: .*)$/, '$1'],
  [/^(?:Configuration error )?at '(.+?)': (.*)$/, '$1: $2'],
  [/^- Cannot resolve variable at "([^"]+)": (?!Cannot resolve .*"resources\.cjs")(.*)$/, '$1: $2'],
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

async function files(folder: string): Promise<string[]> {
  const zips = (await readdir(folder)).filter((name) => name.endsWith('.zip'));
  const lines = [...zips, TEMPLATE].map(async (name) => {
    const path = join(folder, name);
    return `${relative('', path)}  ${((await stat(path)).size / 1000).toFixed(1)} kB`;
  });
  return Promise.all(lines);
}

/** A line for each destination: where its messages come in, and where they go. */
function destinationLines(made: ServiceInput): string[] {
  const rows = readConfiguration(made).destinations.map(({ settings, queue }) => {
    const { name, webhook, adapter, url, path } = settings;
    const { origin, pathname } = URL.parse(url ?? '') ?? {};
    return [
      name,
      queue.created ? queue.name : (queue.arn ?? ''),
      `${path ?? `${origin}${pathname}`}${adapter === 'https' ? '' : ` (${adapter})`}`,
      webhook === undefined ? '' : `/webhooks/${name}`,
    ];
  });
  const table = [['destination', 'queue', 'flow', 'webhook'], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length))) ?? [];
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const NO_DESTINATIONS = 'custom.destinations: expected an object with at least one destination';

/** The same line with the key in it that the text of `configuration` shows there. */
async function withKey(line: string, configuration: string): Promise<string> {
  const [, file, place = ''] = /^(.+?):(\d+:\d+): duplicated mapping key$/.exec(line) ?? [];
  if (file === undefined && line !== NO_DESTINATIONS) return line;
  const text = await readFile(file ?? configuration, 'utf8');
  const key = file === undefined ? misspeltCustom(text) : keyAt(text, place);
  if (key === undefined) return line;
  return file === undefined ? `${key}: unknown field, did you mean custom?` : `${line} ${key}`;
}

/** Of the package that stood in the same place before: what this one would take away. */
function goneLines(before: ServiceInput | undefined, made: ServiceInput): string[] {
  if (before === undefined || differences(before, made).length > 0) return [];
  const names = ({ custom }: ServiceInput) => Object.keys((custom as { destinations?: object })?.destinations ?? {});
  const gone = names(before).filter((name) => !names(made).includes(name));
  if (gone.length === 0) return [];
  return [
    `In the package before, and not in this one: ${gone.join(', ')}. A deployment ends their polling; created queues stay.`,
  ];
}

/** `--package <folder>` or `--package=<folder>`, as the framework reads its options. */
function optionOf(options: readonly string[], name: string, short: string): string | undefined {
  const index = options.findIndex((option) => new RegExp(`^(--${name}|-${short})(=|$)`).test(option));
  const [, inline] = options[index]?.split('=') ?? [];
  return inline ?? (index < 0 ? undefined : options[index + 1]);
}

const HELP = `Usage: npm run package [-- <options>]

Makes everything that a deployment uploads, offline and without an account, and checks serverless.yml on the way.

  --stage <name>     default dev
  --region <name>    default eu-central-1
  --config <file>    another file than serverless.yml, beside it
  --package <folder> where it is put, default .serverless, which a deployment deletes
  --help             this text

Prints each destination with its queue, its flow and the path of its webhook, and which destinations were in the
package that stood there before and are not in this one.

Other options go on to the framework. Then: npm run deploy -- --stage <name> --package <folder>`;

const options = process.argv.slice(2);
if (options.some((option) => option === '--help' || option === '-h')) {
  console.log(HELP);
  process.exit();
}
const folder = resolve(optionOf(options, 'package', 'p') ?? '.serverless');
const configuration = optionOf(options, 'config', 'c') ?? 'serverless.yml';
const before = await readPackage(folder);
const run = await runFramework(options);
const made = run.succeeded ? await readPackage(folder) : undefined;
if (made !== undefined) {
  if (run.warnings.trim() !== '') console.error(run.warnings.trim());
  for (const line of goneLines(before, made)) console.error(line);
  for (const line of await files(folder)) console.log(line);
  for (const line of ['', ...destinationLines(made)]) console.log(line);
} else {
  for (const line of mistakes(run)) console.error(await withKey(line, configuration));
  process.exitCode = 1;
}
