/**
 * One look at a deployment: what depends on a failure is not checked, what does not is checked on. What there is to find is
 * for `findings.ts`, how each part is looked at for `groups/`.
 */
import { createHttpClient, type Send } from '../../../functions/http/http.ts';
import { type Destination, sidesOf } from '../../../functions/settings/destination.ts';
import { Mistake } from '../replay/mistake.ts';
import { harmless } from '../replay/terminal.ts';
import { type DoctorCommand, readDoctorCommand } from './arguments.ts';
import { createClients, type Environment } from './clients.ts';
import { lookAtAlarms } from './groups/alarms.ts';
import { lookAtCutover } from './groups/cutover.ts';
import { lookAtMapping } from './groups/mapping.ts';
import { lookAtQueues } from './groups/queue.ts';
import { type DeployedFunction, lookAtSettings } from './groups/settings.ts';
import { lookAtWebhook } from './groups/webhook.ts';
import { dependent, type Line } from './line.ts';
import type { Looking } from './looking.ts';
import { DOCTOR_MANUAL } from './manual.ts';
import { jsonReport, textReport } from './report.ts';
import { ticket } from './ticket.ts';
import { type Examined, examineWay } from './way.ts';

export interface DoctorOutside {
  readonly environment: Environment;
  readonly readFile: (path: string) => Promise<Buffer>;
  readonly stdout: { write(words: string): unknown };
  readonly stderr: { write(words: string): unknown };
  /** Aborts when the operator breaks off. */
  readonly signal: AbortSignal;
  /** Default: the relay's own client. */
  readonly send?: Send;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

const BROKEN_OFF = 130;

/** @returns the exit code; never rejects */
export async function runDoctor(argv: readonly string[], outside: DoctorOutside): Promise<number> {
  const { stdout, stderr, signal } = outside;
  try {
    const command = readDoctorCommand(argv);
    if (command === 'help') {
      stdout.write(DOCTOR_MANUAL);
      return 0;
    }
    return await examine(command, outside);
  } catch (error) {
    if (signal.aborted) {
      stderr.write('doctor: broken off\n');
      return BROKEN_OFF;
    }
    stderr.write(`doctor: ${harmless(error instanceof Error ? error.message : 'unknown error')}\n`);
    return error instanceof Mistake ? 2 : 3;
  }
}

async function examine(command: DoctorCommand, outside: DoctorOutside): Promise<number> {
  const { environment, stdout, signal, now = Date.now, send = createHttpClient({ maxSockets: 2 }) } = outside;
  const { output, sendPath } = command;
  const clients = createClients(command, environment);
  const looking: Looking = { clients, send, now, signal };
  const payload = sendPath === undefined ? undefined : await payloadOf(sendPath, outside);
  const { lines: ofSettings, queueFunction, destinations } = await lookAtSettings(command, looking);
  if (destinations.length > 1 && (payload !== undefined || output === 'ticket')) {
    const names = destinations.map(({ name }) => name).join(', ');
    throw new Mistake(
      `--${output === 'ticket' ? 'ticket' : 'send'} is for one destination: --destination, one of ${names}`,
    );
  }
  if (command.cutover === true && !destinations.some(({ cutover }) => cutover !== undefined))
    throw new Mistake('--cutover: no destination has a cutover');
  const examined: Examined[] = [];
  for (const destination of destinations) {
    examined.push(await examineDestination(destination, { command, queueFunction, payload, looking }));
  }
  const names = destinations.map(({ name }) => name);
  const known = [...ofSettings, ...examined.flatMap(({ lines }) => lines)];
  const ofAlarms = await lookAtAlarms(command, names, looking);
  signal.throwIfAborted();
  const all = [...known, ...ofAlarms.filter((line) => !known.some((other) => isSame(line, other)))];
  if (output === 'json') stdout.write(`${jsonReport(all)}\n`);
  else if (output === 'text') for (const line of textReport(all)) stdout.write(`${line}\n`);
  else for (const line of ticket(command, examined[0], all, now())) stdout.write(`${line}\n`);
  if (all.some(({ result }) => result === 'error' || result === 'warning')) return 1;
  return all.some(({ isHindered }) => isHindered) ? 3 : 0;
}

/** An alarm that rings for what was found here tells nothing new. */
function isSame(one: Line, other: Line): boolean {
  return one.id === other.id && one.destination === other.destination && one.result !== 'ok';
}

async function payloadOf(path: string, { readFile }: DoctorOutside): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Mistake(`--send ${path}: the file cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

interface Circumstances {
  readonly command: DoctorCommand;
  readonly queueFunction: DeployedFunction | undefined;
  readonly payload: Buffer | undefined;
  readonly looking: Looking;
}

async function examineDestination(destination: Destination, circumstances: Circumstances): Promise<Examined> {
  const { command, queueFunction, payload, looking } = circumstances;
  const queues = await lookAtQueues(destination, command, looking);
  const mapping =
    queues.queue === undefined || queueFunction === undefined
      ? [dependent('mapping', 'mapping', 'the queue was not found')]
      : await lookAtMapping(destination, queues.queue, queueFunction, looking);
  looking.signal.throwIfAborted();
  const [old, other] = sidesOf(destination);
  const isCut = destination.cutover !== undefined && looking.now() >= destination.cutover.since;
  // A message that is sent goes where one of now would go, but for its share.
  const way = await examineWay(old ?? destination, isCut ? undefined : payload, looking);
  looking.signal.throwIfAborted();
  const newWay = other && (await examineWay(other, isCut ? payload : undefined, looking));
  looking.signal.throwIfAborted();
  const { webhook, name } = destination;
  const ofWebhook = webhook === undefined ? [] : await lookAtWebhook(webhook, command, looking);
  const { deadLetters } = queues;
  const ofSides =
    newWay === undefined
      ? way.lines
      : [
          ...way.lines.map((line) => ({ ...line, side: 'old' as const })),
          ...newWay.lines.map((line) => ({ ...line, side: 'new' as const })),
        ];
  const ofCutover =
    newWay === undefined || command.cutover !== true
      ? []
      : lookAtCutover(destination, {
          old: way.lines,
          other: newWay.lines,
          queue: queues.queue,
          letters: queues.letters,
          deployedAt: queueFunction?.deployedAt,
          now: looking.now(),
        });
  const lines = [...queues.lines, ...mapping, ...ofSides, ...ofWebhook, ...ofCutover].map((line) => ({
    ...line,
    destination: name,
  }));
  return {
    ...(isCut ? (newWay ?? way) : way),
    destination,
    lines,
    ...(deadLetters === undefined ? {} : { deadLetters }),
  };
}
