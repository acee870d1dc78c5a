/**
 * `npm run package`: everything that a deployment uploads, made offline and without an account, in `.serverless/` of the
 * working directory. Options go on to the framework (`--stage prod --region eu-west-1`); a mistake in `custom` of
 * serverless.yml is told in a line of its own, without the framework's words around it.
 */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { cutoverLines, movedLines, notComparedLines } from './cutover.ts';
import { differences, readMappings, readPackage } from './made-package.ts';
import { COMPILED_TEMPLATE, packageService } from './packaging.ts';
import { readConfiguration } from './stack/configuration.ts';
import type { ServiceInput } from './stack/destination.ts';
import { eventSourceMappingId } from './stack/queue.ts';

async function files(folder: string): Promise<string[]> {
  const zips = (await readdir(folder)).filter((name) => name.endsWith('.zip'));
  const lines = [...zips, COMPILED_TEMPLATE].map(async (name) => {
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

/** Of the package that stood in the same place before: what this one would take away. */
function goneLines(before: ServiceInput | undefined, made: ServiceInput): string[] {
  if (before === undefined || differences(before, made).length > 0) return [];
  const names = ({ custom }: ServiceInput) => Object.keys((custom as { destinations?: object })?.destinations ?? {});
  const gone = names(before).filter((name) => !names(made).includes(name));
  if (gone.length === 0) return [];
  return [
    `In the package before, and not in this one: ${gone.join(', ')}.`,
    'A deployment ends their polling; created queues stay.',
  ];
}

/** Whose messages in flight would change sides, against the package that stood in the same place before. */
function sideLines(before: ServiceInput | undefined, made: ServiceInput): string[] {
  const configuration = readConfiguration(made);
  const now = Date.now();
  if (before === undefined || differences(before, made).length > 0) return notComparedLines(configuration, now);
  return movedLines((before.custom as { destinations?: unknown } | undefined)?.destinations, configuration, now);
}

/** CloudFormation updates a mapping with all of its properties, `Enabled: true` among them. */
async function changedMappingLines(
  earlier: ServiceInput | undefined,
  mappings: ReadonlyMap<string, string>,
  made: ServiceInput,
): Promise<string[]> {
  if (earlier === undefined || differences(earlier, made).length > 0) return [];
  const now = await readMappings(join(folder, COMPILED_TEMPLATE));
  const changed = readConfiguration(made).destinations.flatMap(({ settings: { name, enabled } }) => {
    const [then, next] = [mappings, now].map((of) => of.get(eventSourceMappingId(name)));
    return enabled && then !== undefined && then !== next ? [name] : [];
  });
  if (changed.length === 0) return [];
  return [
    `Event source mappings that differ from the package before: ${changed.join(', ')}. A deployment may end their pause (npm run pause).`,
  ];
}

/** `--package <folder>` or `--package=<folder>`, as the framework reads its options. */
function optionOf(options: readonly string[], name: string, short: string): string | undefined {
  const index = options.findIndex((option) => new RegExp(`^(--${name}|-${short})(=|$)`).test(option));
  const [, inline] = options[index]?.split('=') ?? [];
  return inline ?? (index < 0 ? undefined : options[index + 1]);
}

const HELP = `Usage: npm run package [-- <options>]

Makes everything that a deployment uploads, offline and without an account, and
checks serverless.yml on the way.

  --stage <name>     default dev
  --region <name>    default eu-central-1
  --config <file>    another file than serverless.yml, beside it
  --package <folder> where it is put, default .serverless, which a deployment
                     deletes
  --help             this text

Prints each destination with its queue, its flow and the path of its webhook,
which destinations were in the package that stood there before and are not in
this one, of which it changes the event source mapping, so that a deployment may
end their pause, and of which messages in flight would go to another tenant. To
be told of these after a deployment as well, name a folder by --package.

Other options go on to the framework. Then:
  npm run deploy -- --stage <name> --package <folder>`;

const options = process.argv.slice(2);
if (options.some((option) => option === '--help' || option === '-h')) {
  console.log(HELP);
  process.exit();
}
const folder = resolve(optionOf(options, 'package', 'p') ?? '.serverless');
const configuration = optionOf(options, 'config', 'c') ?? 'serverless.yml';
const before = await readPackage(folder);
const mappingsBefore = await readMappings(join(folder, COMPILED_TEMPLATE));
const packaging = await packageService(options, { folder, configuration });
if (packaging.made !== undefined) {
  const { made, warnings } = packaging;
  const changed = await changedMappingLines(before, mappingsBefore, made);
  const compared = [...goneLines(before, made), ...sideLines(before, made), ...changed];
  for (const line of [...warnings, ...compared]) console.error(line);
  for (const line of await files(folder)) console.log(line);
  for (const line of ['', ...destinationLines(made), ...cutoverLines(readConfiguration(made))]) console.log(line);
} else {
  for (const line of packaging.mistakes) console.error(line);
  process.exitCode = 1;
}
