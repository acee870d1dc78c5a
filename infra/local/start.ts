/**
 * `npm start`: builds the relay, starts the local landscape, and plays the main job on it; or with `--config` connects the
 * user's own destinations. Then it stays up for messages of one's own, with a line for each, until it is ended.
 */
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import { build } from '../build/build.ts';
import { Mistake, readStartCommand, type StartCommand } from './command/arguments.ts';
import { ending } from './command/ending.ts';
import { START_MANUAL } from './command/manual.ts';
import { FIRST_PORT, type FoundPorts, findPorts, type Ports } from './command/ports.ts';
import { refusalLine } from './command/refusal.ts';
import { type Folder, FUNCTIONS, openFolder } from './config/folder.ts';
import { startOwn } from './config/own.ts';
import { makePackage } from './config/package.ts';
import type { Fact } from './facts/fact.ts';
import { type Deployed, type Landscape, type LocalDestination, startLandscape } from './landscape.ts';
import { type Page, startPage } from './page/page.ts';
import { createWatch } from './page/watch.ts';
import { inviteToCutover, prepareCutover, tellCutover } from './story/cutover.ts';
import { createDeliveryLog } from './story/delivery-log.ts';
import { shortLine } from './story/short-line.ts';
import { inviteToStory, prepareStory } from './story/stage.ts';
import { tellStory } from './story/story.ts';
import type { Telling } from './story/table.ts';

const { stdout, stderr } = process;
const print = (line: string) => stdout.write(`${line}\n`);
/** Of the terminal, as wide as it is now; whoever else reads, as a file or a pipe, gets each line whole. */
const columns = () => stdout.columns ?? Number.POSITIVE_INFINITY;
/** Relative: npm runs every script in the project's folder, and so are the commands meant that name a file. */
const FOLDER = 'dist/local';
/** So much later than to esbuild a signal may come to us, in milliseconds. */
const SIGNAL_MS = 500;

const command = readCommand();
if (command !== undefined) {
  // What is left then is killed with the process; so that it ends even if something of the landscape hangs.
  process.exit(await start(command).catch(portTaken));
}

function readCommand(): StartCommand | undefined {
  try {
    const read = readStartCommand(process.argv.slice(2), process.env);
    if (read !== 'help') return read;
    stdout.write(START_MANUAL);
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    stderr.write(`start: ${error.message}\n`);
    process.exitCode = 2;
  }
  return undefined;
}

/** Somebody else was quicker between the look at the ports and their use. @returns the exit code */
function portTaken(error: NodeJS.ErrnoException & { readonly port?: number }): number {
  if (error.code !== 'EADDRINUSE') throw error;
  stderr.write(`start: another program has just taken port ${error.port}; start it again\n`);
  return 1;
}

/** @returns the exit code */
async function start(command: StartCommand): Promise<number> {
  const ended = ending({ signals: process, stdout, stderr, exit: () => process.exit(0) });
  const end = new Promise<'ended'>((resolve) => {
    ended.addEventListener('abort', () => resolve('ended'));
  });
  const found = await findPorts(command.port);
  print(styleText('bold', 'token-relay on a local landscape') + styleText('dim', '  (loopback only, Ctrl-C ends it)'));
  // A landscape on other ports may run beside this one.
  const { page } = found.ports;
  const place = page === FIRST_PORT ? FOLDER : join(FOLDER, String(page));
  const folder = await openFolder(place);
  try {
    return await run(command, { ...found, place, folder, ended, end });
  } finally {
    await folder.remove();
  }
}

interface Running extends FoundPorts {
  /** Where `folder` is. */
  readonly place: string;
  readonly folder: Folder;
  /** Aborts when everything is to end. */
  readonly ended: AbortSignal;
  readonly end: Promise<'ended'>;
}

/** @returns the exit code */
async function run({ once, own, story }: StartCommand, running: Running): Promise<number> {
  const { ports, taken, place, folder, ended, end } = running;
  // What the user has configured may lie in a file beside the bundles: they get a folder of their own.
  const dist = resolve(own === undefined ? 'dist' : join(place, FUNCTIONS));
  const building = build({ outdir: dist, sourcemap: false });
  const packaging = own === undefined ? undefined : makePackage(own, ended);
  const made = await Promise.race([Promise.all([building, packaging]), end]).catch(async (error: unknown) => {
    // A signal to the group ends esbuild as well, which may be heard of first.
    if ((await Promise.race([end, delay(SIGNAL_MS, 'failed')])) === 'ended') return 'ended' as const;
    throw error;
  });
  if (made === 'ended') {
    // It takes its folder away; of esbuild, which the signal may have ended, nobody hears any more.
    await Promise.allSettled([packaging]);
    return 0;
  }
  const [, service] = made;
  if (service !== undefined && 'mistakes' in service) {
    stderr.write(`${service.mistakes}\n`);
    return 1;
  }
  if (taken !== undefined) print(`Port ${taken} is taken: the landscape has those from ${ports.page} on.`);
  if (service !== undefined && service.warnings !== '') stderr.write(`${service.warnings}\n`);

  const log = createDeliveryLog();
  /** True once the story has been told: then each message and each refusal gets a line. */
  let isFollowing = service !== undefined;
  const follow = (line: string | undefined) => {
    if (isFollowing && line !== undefined) print(line);
  };
  const onOutput = (line: string) => {
    log.add(line);
    follow(shortLine(line, columns()));
  };
  let destinations: readonly LocalDestination[] = [];
  const watch = createWatch(() => destinations);
  const report = (fact: Fact) => {
    watch.report(fact);
    follow(refusalLine(fact, columns()));
  };

  /** Stays up until the end. @param invitation what to copy, and the next step; the page's link is the last line */
  async function stayUp({ url }: Page, invitation: readonly string[]): Promise<void> {
    for (const line of invitation) print(line);
    print(`Watch it, and break it:  ${styleText('bold', url)}`);
    isFollowing = true;
    await end;
  }

  if (service !== undefined) {
    const { landscape, deployed, lines, stop } = await startOwn(service, ports, folder, { onOutput, report, dist });
    ({ destinations } = landscape);
    const page = await startPage({ watch, landscape, deployed, port: ports.page });
    try {
      await stayUp(page, ['', ...lines, doctorCommand(ports), '']);
      return 0;
    } finally {
      await page.stop();
      await stop();
    }
  }
  const landscape = await startLandscape({ environment: 'neo', s3: !once, ports, dist, onOutput, report });
  ({ destinations } = landscape);
  let page: Page | undefined;
  try {
    const play = await playOf(story, landscape);
    const deployed = await landscape.deploy({ polling: false, webhookLogLevel: 'DEBUG', httpPort: ports.webhooks });
    page = await startPage({ watch, landscape, deployed, port: ports.page });
    // In place of a blank line: all of it is to fit on one screen.
    print(once ? '' : `Watch it:  ${page.url}`);
    const complete = await Promise.race([play.tell({ landscape, deployed, log, print, signal: ended }), end]);
    if (complete === 'ended') return 0;
    if (once) return complete ? 0 : 1;
    // The story polls what it needs; from now on everything is polled.
    for (const { trigger } of destinations) trigger?.resume();
    const sends = await play.invite(deployed, folder);
    await stayUp(page, [
      '',
      'It stays up. Send to it from another terminal, and watch:',
      ...sends,
      `  ${doctorCommand(ports)}`,
      '',
      `Connect your own flow:  ${styleText('bold', 'npm start -- --config serverless.yml')}`,
    ]);
    return complete ? 0 : 1;
  } finally {
    await page?.stop();
    await landscape.stop();
  }
}

/** One of the stories, its destinations connected. */
interface Play {
  /** @returns whether everything arrived */
  tell(telling: Telling & { readonly deployed: Deployed; readonly signal: AbortSignal }): Promise<boolean>;
  /** @returns lines to copy into another terminal */
  invite(deployed: Deployed, folder: Folder): Promise<string[]>;
}

async function playOf(story: StartCommand['story'], landscape: Landscape): Promise<Play> {
  if (story === 'cutover') {
    const prepared = await prepareCutover(landscape);
    return {
      tell: (telling) => tellCutover({ ...prepared, ...telling }),
      invite: (_, folder) => inviteToCutover(prepared, folder),
    };
  }
  const prepared = prepareStory(landscape);
  return {
    tell: (telling) => tellStory({ ...prepared, ...telling }),
    invite: (deployed, folder) => inviteToStory(prepared, deployed, folder),
  };
}

/** Whether all is well, and who must act if not. */
function doctorCommand({ page }: Ports): string {
  return `npm run doctor -- --stage local${page === FIRST_PORT ? '' : ` --port ${page}`}`;
}
