/**
 * `npm run package`: everything that a deployment uploads, made offline and without an account, in `.serverless/` of the
 * working directory. The framework's options are taken (`--stage prod --region eu-west-1`) and no other; a mistake in `custom` of
 * serverless.yml is told in a line of its own, without the framework's words around it.
 */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cutoverLines, movedLines, notComparedLines } from './cutover.ts';
import { differences, readMappings, readPackage } from './made-package.ts';
import { COMPILED_TEMPLATE, packageService } from './packaging.ts';
import { PACKAGE_FOLDER } from './service-folder.ts';
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
  { made, folder }: { readonly made: ServiceInput; readonly folder: string },
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

const HELP = `Usage: npm run package [-- <options>]

Makes everything that a deployment uploads, offline and without an account, and
checks serverless.yml on the way.

  --stage <name>     default dev
  --region <name>    default eu-central-1
  --config <file>    another file than serverless.yml, beside it
  --package <folder> where it is put, default .serverless, which a deployment
                     deletes
  --param <key=value>, --aws-profile <name>, --minify-template, --verbose,
  --debug <names>    as the framework takes them
  --help             this text

Prints each destination with its queue, its flow and the path of its webhook,
which destinations were in the package that stood there before and are not in
this one, of which it changes the event source mapping, so that a deployment may
end their pause, and of which messages in flight would go to another tenant. To
be told of these after a deployment as well, name a folder by --package.

Then:
  npm run deploy -- --stage <name> --package <folder>
Exit code: 0; 1 a mistake in serverless.yml; 2 one in the command.`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
/** All that the framework's `package` takes. */
const OPTIONS = {
  stage: { ...text, short: 's' },
  region: { ...text, short: 'r' },
  config: { ...text, short: 'c' },
  package: { ...text, short: 'p' },
  param: { ...text, multiple: true },
  'aws-profile': text,
  'minify-template': flag,
  verbose: flag,
  debug: text,
  help: { ...flag, short: 'h' },
} as const;

interface PackageCommand {
  readonly folder: string;
  readonly configuration: string;
  /** Of the framework. */
  readonly options: readonly string[];
}

class Mistake extends Error {}

/** @throws Mistake @returns undefined where help is wanted */
function readCommand(args: string[]): PackageCommand | undefined {
  const { help, package: folder = PACKAGE_FOLDER, config: configuration = 'serverless.yml', ...values } = parse(args);
  if (help) return undefined;
  const options = Object.entries({ ...values, config: configuration }).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [value].flat().map((one) => `--${name}=${one}`),
  );
  return { folder: resolve(folder), configuration, options };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node's advice about positional arguments does not apply here.
    throw new Mistake(error.message.split(/\. (?:To specify|This command)|\n/)[0]);
  }
}

/** @returns the exit code */
async function makePackage({ folder, configuration, options }: PackageCommand): Promise<number> {
  const before = await readPackage(folder);
  const mappingsBefore = await readMappings(join(folder, COMPILED_TEMPLATE));
  const packaging = await packageService(options, { folder, configuration });
  if (packaging.made === undefined) {
    for (const line of packaging.mistakes) console.error(line);
    return 1;
  }
  const { made, warnings } = packaging;
  const changed = await changedMappingLines(before, mappingsBefore, { made, folder });
  const compared = [...goneLines(before, made), ...sideLines(before, made), ...changed];
  for (const line of [...warnings, ...compared]) console.error(line);
  for (const line of await files(folder)) console.log(line);
  for (const line of ['', ...destinationLines(made), ...cutoverLines(readConfiguration(made))]) console.log(line);
  return 0;
}

try {
  const command = readCommand(process.argv.slice(2));
  if (command === undefined) console.log(HELP);
  else process.exitCode = await makePackage(command);
} catch (error) {
  if (!(error instanceof Mistake)) throw error;
  console.error(`package: ${error.message}; see npm run package -- --help`);
  process.exitCode = 2;
}
