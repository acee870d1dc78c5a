/** The command line of `npm start`: what may be written, and what is wrong with it in one line. */
import { parseArgs } from 'node:util';
import { BLOCK_SIZE, FIRST_PORT } from './ports.ts';

const STORIES = ['main', 'cutover'] as const;
export type Story = (typeof STORIES)[number];

export interface StartCommand {
  /** Ends after the story. */
  readonly once: boolean;
  /** Where the landscape's block of ports begins. */
  readonly port: number;
  /** Which story is told. */
  readonly story: Story;
  /** Of the user's own destinations: the options of `npm run package` that say which. Absent: the story. */
  readonly own?: readonly string[];
}

/** What has to be corrected in the command. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
}

/** npm takes what looks like an option for its own, and hands on the rest. */
const NPM_HINT = 'options stand behind --: npm start -- --config serverless.yml';

/** @throws Mistake */
export function readStartCommand(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): StartCommand | 'help' {
  const taken = ['config', 'once', 'story'].find((name) => environment[`npm_config_${name}`] !== undefined);
  if (taken !== undefined && argv.length === 0) throw new Mistake(`npm has taken --${taken} for its own; ${NPM_HINT}`);
  const { once, port, help, config, stage, region, story } = parse(argv);
  if (help) return 'help';
  const command = { once, port: portOf(port), story: storyOf(story) };
  if (config === undefined) {
    const other = Object.entries({ stage, region }).find(([, value]) => value !== undefined);
    if (other !== undefined) throw new Mistake(`--${other[0]} goes with --config alone; see npm start -- --help`);
    return command;
  }
  if (story !== undefined) throw new Mistake('--story and --config exclude each other');
  if (once) throw new Mistake('--once is for the story: it ends after it; leave it out with --config');
  const options = Object.entries({ config, stage, region });
  return { ...command, own: options.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value])) };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean', default: false },
        story: { type: 'string' },
        config: { type: 'string' },
        stage: { type: 'string' },
        region: { type: 'string' },
        port: { type: 'string', default: String(FIRST_PORT) },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const words = error.message.split(/\. (?:To specify|This command)|\n/)[0];
    throw new Mistake(`${words}; ${words?.startsWith('Unexpected argument') ? NPM_HINT : 'see npm start -- --help'}`);
  }
}

function storyOf(name = 'main'): Story {
  const story = STORIES.find((known) => known === name);
  if (story === undefined) throw new Mistake(`--story ${name}: expected ${STORIES.join(' or ')}`);
  return story;
}

function portOf(text: string): number {
  const most = 65_536 - BLOCK_SIZE;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1024 || port > most) throw new Mistake(`--port: expected a number from 1024 to ${most}`);
  return port;
}
