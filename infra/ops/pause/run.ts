/**
 * One destination's delivery stopped or begun again without a deployment: its event source mapping is disabled or enabled.
 * Lambda finishes what is in flight; messages wait in the queue meanwhile.
 *
 * @see AWS: Lambda API Reference "UpdateEventSourceMapping"
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type EventSourceMappingConfiguration,
  GetEventSourceMappingCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { createHttpClient } from '../../../functions/http/http.ts';
import type { Destination } from '../../../functions/settings/destination.ts';
import { createClients, type Environment, whyNot } from '../doctor/clients.ts';
import { queueName } from '../doctor/groups/queue.ts';
import { lookAtSettings } from '../doctor/groups/settings.ts';
import { placeOptions } from '../place.ts';
import { Mistake } from '../replay/mistake.ts';
import { harmless, wrap } from '../replay/terminal.ts';
import { type PauseCommand, readPauseCommand } from './arguments.ts';
import { PAUSE_MANUAL, RESUME_MANUAL } from './manual.ts';

export interface PauseOutside {
  readonly environment: Environment;
  readonly stdout: { write(words: string): unknown };
  readonly stderr: { write(words: string): unknown };
  /** Aborts when the operator breaks off. */
  readonly signal: AbortSignal;
  /** Default: real time. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const COLUMNS = 80;
const BROKEN_OFF = 130;
/** AWS changes a mapping within seconds; so often it is asked, a second apart. */
const MOST_LOOKS = 60;
const LOOK_EVERY_MS = 1_000;

/** @param enabled what is wanted @returns the exit code; never rejects */
export async function runPause(enabled: boolean, argv: readonly string[], outside: PauseOutside): Promise<number> {
  const { stdout, stderr, signal } = outside;
  const command = enabled ? 'resume' : 'pause';
  try {
    const place = readPauseCommand(argv);
    if (place === 'help') {
      stdout.write(enabled ? RESUME_MANUAL : PAUSE_MANUAL);
      return 0;
    }
    for (const words of await change(enabled, place, outside)) {
      // A command stays in one line, to be copied.
      const isCommand = words.startsWith('npm run ');
      for (const line of isCommand ? [words] : wrap(harmless(words), COLUMNS)) stdout.write(`${line}\n`);
    }
    return 0;
  } catch (error) {
    if (signal.aborted) {
      stderr.write(`${command}: broken off; npm run doctor shows how it is now\n`);
      return BROKEN_OFF;
    }
    stderr.write(`${command}: ${harmless(error instanceof Error ? error.message : 'unknown error')}\n`);
    return error instanceof Mistake ? 2 : 1;
  }
}

/** @returns what to tell, a paragraph each */
async function change(enabled: boolean, place: PauseCommand, outside: PauseOutside): Promise<string[]> {
  const { environment, signal, wait = waitRealTime } = outside;
  const { destination } = place;
  const clients = createClients(place, environment);
  const looking = { clients, signal, now: Date.now, send: createHttpClient({ maxSockets: 1 }) };
  const { lines, queueFunction, destinations } = await lookAtSettings({ ...place, output: 'text' }, looking);
  const [settings] = destinations;
  const trouble = lines.find(({ result }) => result !== 'ok');
  if (settings === undefined || queueFunction === undefined) throw new Error(trouble?.reason ?? 'no destination');
  const queue = queueName(settings, place);
  const mapping = await mappingOf(clients.lambda, queueFunction.name, queue, signal);
  const before = mapping.State ?? '';
  if (before === 'Creating' || before === 'Deleting') throw new Error(`${queue}: its mapping is ${before} just now`);
  if (isEnabled(before) !== enabled) await update(clients.lambda, mapping.UUID ?? '', enabled, signal);
  const settled = await settle(clients.lambda, mapping.UUID ?? '', enabled, { signal, wait });
  const already = isEnabled(before) === enabled ? 'already ' : '';
  const soon = settled ? '' : ', under way: Lambda has not finished it within a minute';
  return enabled
    ? [`${destination} is ${already}resumed${soon}: ${queue} is polled again`, ...driftOfResume(settings)]
    : [
        `${destination} is ${already}paused${soon}: ${queue} takes messages and delivers none, 14 days at most`,
        ...driftOfPause(settings),
        'To end it:',
        `npm run resume -- ${placeOptions(place)} --destination ${destination}`,
      ];
}

function driftOfPause({ name, enabled }: Destination): string[] {
  if (!enabled) return [];
  const stays = 'a deployment leaves the pause as it is, unless it changes this mapping';
  return [`serverless.yml does not know of it: ${name}.enabled is true there; ${stays}. npm run doctor shows it`];
}

function driftOfResume({ name, enabled }: Destination): string[] {
  if (enabled) return [];
  return [`serverless.yml says otherwise: ${name}.enabled is false there, so correct it before the next deployment`];
}

async function mappingOf(lambda: LambdaClient, FunctionName: string, queue: string, abortSignal: AbortSignal) {
  let Marker: string | undefined;
  do {
    const page = await asked('lambda:ListEventSourceMappings', () =>
      lambda.send(new ListEventSourceMappingsCommand({ FunctionName, Marker }), { abortSignal }),
    );
    const mappings: readonly EventSourceMappingConfiguration[] = page.EventSourceMappings ?? [];
    const found = mappings.find(({ EventSourceArn = '' }) => EventSourceArn.endsWith(`:${queue}`));
    if (found !== undefined) return found;
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  throw new Error(`no event source mapping hands ${queue} to ${FunctionName}`);
}

function update(lambda: LambdaClient, UUID: string, Enabled: boolean, abortSignal: AbortSignal) {
  return asked('lambda:UpdateEventSourceMapping', () =>
    lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled }), { abortSignal }),
  );
}

async function settle(
  lambda: LambdaClient,
  UUID: string,
  enabled: boolean,
  { signal, wait }: { readonly signal: AbortSignal; readonly wait: NonNullable<PauseOutside['wait']> },
): Promise<boolean> {
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    if (looks > 0) await wait(LOOK_EVERY_MS, signal);
    const { State } = await asked('lambda:GetEventSourceMapping', () =>
      lambda.send(new GetEventSourceMappingCommand({ UUID }), { abortSignal: signal }),
    );
    if (State === (enabled ? 'Enabled' : 'Disabled')) return true;
  }
  return false;
}

function isEnabled(state: string): boolean {
  return !state.startsWith('Disabl');
}

/** @throws Error that names the call and what it needs */
async function asked<T>(call: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw new Error(whyNot(error, call), { cause: error });
  }
}

async function waitRealTime(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal });
}
