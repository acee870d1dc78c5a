/** The command line: what may be written, what it means, and what is wrong with it in one line. */
import { PLACE_OPTIONS, readPlace } from '../place.ts';
import { readWords } from '../words.ts';
import { readDuration } from './duration.ts';
import { Mistake } from './mistake.ts';
import type { Deployment } from './queues.ts';
import type { Selection } from './selection.ts';
import type { Side } from './side.ts';

export type Action = 'list' | 'show' | 'export' | 'send' | 'bury';

export interface Command {
  readonly action: Action;
  /** Where the letters are; `bury` has both a file and a queue. */
  readonly importPath?: string;
  readonly deadLetterQueueUrl?: string;
  readonly deployment?: Deployment;
  readonly region?: string;
  /** In place of the queue that each letter names. */
  readonly queueUrl?: string;
  readonly selection: Selection;
  /** Most letters that are selected. */
  readonly limit: number;
  /** With `show`: the payload too. */
  readonly body: boolean;
  readonly exportPath?: string;
  readonly ratePerSecond: number;
  readonly journalPath: string;
  readonly allowNewId: boolean;
  /** Of a cut-over, in place of the one that each letter's tries went to. */
  readonly side?: Side;
  readonly mayRunTwice: boolean;
}

const OUTCOMES = ['rejected', 'failed', 'blocked', 'unknown'];
/** Slower, and a letter in hand would come back before its turn. */
const MIN_RATE = 0.02;
const MAX_RATE = 1_000;

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean' } as const;
const OPTIONS = {
  ...PLACE_OPTIONS,
  destination: text,
  'dead-letter-queue': text,
  queue: text,
  import: text,
  id: texts,
  reason: text,
  outcome: texts,
  'older-than': text,
  'newer-than': text,
  limit: text,
  show: text,
  body: flag,
  export: text,
  send: flag,
  bury: flag,
  rate: text,
  journal: text,
  'allow-new-id': flag,
  side: text,
  'may-run-twice': flag,
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof readWords<typeof OPTIONS>>;

/** @throws Mistake */
export function readCommand(argv: readonly string[]): Command | 'help' {
  const values = readWords(argv, OPTIONS);
  if (values.help) return 'help';
  for (const [name, value] of Object.entries(values)) {
    if (value === '' || (Array.isArray(value) && value.includes(''))) throw new Mistake(`--${name} is empty`);
  }
  const action = actionOf(values);
  return {
    action,
    ...placeOf(values, action),
    ...optional('region', values.region),
    ...optional('queueUrl', urlOf('queue', values.queue)),
    selection: selectionOf(values, action),
    limit: numberOf('limit', values.limit, { from: 1, integer: true }) ?? Number.POSITIVE_INFINITY,
    body: values.body === true,
    ...optional('exportPath', values.export),
    ratePerSecond: numberOf('rate', values.rate, { from: MIN_RATE, to: MAX_RATE }) ?? 10,
    journalPath: values.journal ?? 'replay-journal.jsonl',
    allowNewId: values['allow-new-id'] === true,
    ...optional('side', sideOf(values, action)),
    mayRunTwice: values['may-run-twice'] === true,
  };
}

function actionOf(values: Values): Action {
  const { show, export: exported, send, bury, body } = values;
  const actions = ([show && 'show', exported && 'export', send && 'send', bury && 'bury'] as const).filter(
    (name) => !!name,
  );
  const [action = 'list', second] = actions;
  if (second !== undefined) throw new Mistake(`--${action} and --${second} exclude each other`);
  if (body && action !== 'show') throw new Mistake('--body goes with --show alone');
  return action as Action;
}

function placeOf(values: Values, action: Action): Pick<Command, 'importPath' | 'deadLetterQueueUrl' | 'deployment'> {
  const { import: importPath, destination } = values;
  const deadLetterQueueUrl = urlOf('dead-letter-queue', values['dead-letter-queue']);
  const named = (['stage', 'port'] as const).find((name) => values[name] !== undefined);
  if (named !== undefined && (importPath !== undefined || deadLetterQueueUrl !== undefined)) {
    const other = importPath === undefined ? 'dead-letter-queue' : 'import';
    throw new Mistake(`--${named} and --${other} exclude each other`);
  }
  if (action === 'bury') {
    if (importPath !== undefined && deadLetterQueueUrl !== undefined) return { importPath, deadLetterQueueUrl };
    throw new Mistake(
      '--bury wants --import <file>, where the letters are, and --dead-letter-queue <url>, where they go',
    );
  }
  if (importPath !== undefined) {
    if (deadLetterQueueUrl !== undefined)
      throw new Mistake('--import and --dead-letter-queue go together with --bury alone');
    return { importPath };
  }
  if (deadLetterQueueUrl !== undefined) return { deadLetterQueueUrl };
  if (destination === undefined) {
    throw new Mistake(
      'where are the letters? --destination <name>, --dead-letter-queue <url> or --import <file>; see --help',
    );
  }
  return { deployment: { ...readPlace(values), destination } };
}

function selectionOf(values: Values, action: Action): Selection {
  const { id = [], show, reason, outcome = [], destination } = values;
  const unknown = outcome.find((name) => !OUTCOMES.includes(name));
  if (unknown !== undefined) throw new Mistake(`--outcome ${unknown}: expected ${OUTCOMES.join(', ')}`);
  // Of a deployment it names the queue, and what SQS itself moved there names no destination.
  const filters = values.import !== undefined || values['dead-letter-queue'] !== undefined;
  return {
    ids: action === 'show' && show !== undefined ? [...id, show] : id,
    outcomes: outcome,
    ...optional('reason', reason),
    ...optional('destination', filters ? destination : undefined),
    ...optional('olderThanMs', durationOf('older-than', values['older-than'])),
    ...optional('newerThanMs', durationOf('newer-than', values['newer-than'])),
  };
}

function sideOf({ side, 'may-run-twice': mayRunTwice }: Values, action: Action): Side | undefined {
  if (mayRunTwice === true && side === undefined) throw new Mistake('--may-run-twice goes with --side alone');
  if (side === undefined) return undefined;
  if (side !== 'old' && side !== 'new') throw new Mistake(`--side ${side}: expected old or new`);
  if (action !== 'list' && action !== 'send') throw new Mistake(`--side goes with a list or --send, not --${action}`);
  return side;
}

function durationOf(name: string, value: string | undefined): number | undefined {
  const ms = value === undefined ? undefined : readDuration(value);
  if (value !== undefined && ms === undefined) throw new Mistake(`--${name} ${value}: expected as 90s, 15m, 2h or 3d`);
  return ms;
}

function numberOf(
  name: string,
  value: string | undefined,
  { from, to = Number.POSITIVE_INFINITY, integer = false }: { from: number; to?: number; integer?: boolean },
): number | undefined {
  if (value === undefined) return undefined;
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (number >= from && number <= to && (!integer || Number.isSafeInteger(number))) return number;
  const range = to === Number.POSITIVE_INFINITY ? `of at least ${from}` : `from ${from} to ${to}`;
  throw new Mistake(`--${name} ${value}: expected a ${integer ? 'whole ' : ''}number ${range}`);
}

function urlOf(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && /^\/\d{12}\/[\w-]{1,80}(\.fifo)?$/.test(url.pathname)) {
    return value;
  }
  throw new Mistake(`--${name} ${value}: expected a queue's URL, https://sqs.<region>.amazonaws.com/<account>/<name>`);
}

/** `exactOptionalPropertyTypes`: a field that is absent, not one that is undefined. */
function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };
}
