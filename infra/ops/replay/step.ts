/** What a command does with each letter that is meant: lists it, shows it, writes it into a file, or puts it back. */
import { basename } from 'node:path';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Command } from './arguments.ts';
import { listed, shown } from './display.ts';
import type { Journal } from './journal.ts';
import type { Letter } from './letter.ts';
import { createLetterFile } from './letter-file.ts';
import { createPace, type PaceOptions } from './pace.ts';
import { createPutBack, uncertain } from './put-back.ts';
import type { Restoring } from './restored.ts';
import { sideIn, sideWords } from './side.ts';
import type { Source } from './source.ts';
import type { Tally } from './tally.ts';
import { harmless, type Terminal } from './terminal.ts';

export interface Step {
  /** What this run put back already, and is dead again: said, and not taken. */
  diedAgain(letter: Letter): boolean;
  take(letter: Letter): Promise<void>;
  /** Called once, whatever happened. */
  end(): Promise<void>;
  /** True: no letter more. */
  over(): boolean;
}

export interface StepOptions extends PaceOptions {
  readonly command: Command;
  readonly client: SQSClient;
  readonly source: Source;
  readonly journal: Journal;
  readonly restore: Restoring;
  readonly tally: Tally;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly randomId: () => string;
}

/** A place where nothing goes through is not asked for every letter. */
const MAX_FAILURES_IN_A_ROW = 5;

/** @throws Mistake if the file of an export exists */
export async function createStep(options: StepOptions): Promise<Step> {
  switch (options.command.action) {
    case 'list':
      return listing(options);
    case 'show':
      return showing(options);
    case 'export':
      return exporting(options);
    case 'send':
    case 'bury':
      return sending(options);
  }
}

const nothingMore = { diedAgain: () => false, end: async () => undefined, over: () => false };

function listing({ terminal, now, journal, restore, command }: StepOptions): Step {
  const perQueue = new Map<string, number>();

  function fate(letter: Letter): string | undefined {
    const before = journal.find(letter.letterId, 'message');
    if (before?.event === 'sent') return `put back at ${before.at}, but not deleted: --send only deletes it`;
    const message = restore(letter);
    if ('why' in message) return `cannot be put back: ${message.why}`;
    const side = command.side ?? sideIn(letter);
    const goal = `${basename(message.queueUrl)}${side === undefined ? '' : ` (${side} side)`}`;
    perQueue.set(goal, (perQueue.get(goal) ?? 0) + 1);
    return before && uncertain(before);
  }

  return {
    ...nothingMore,
    take: async (letter) => {
      const side = sideWords(letter, command.side);
      const words = fate(letter);
      for (const line of listed(letter, { now: now(), columns: terminal.columns })) terminal.print(line);
      if (side !== undefined) terminal.print(`    ${side}`);
      if (words !== undefined) terminal.print(`    ${harmless(words)}`);
    },
    end: async () => {
      const goals = [...perQueue].map(([queue, letters]) => `${letters} to ${harmless(queue)}`);
      if (goals.length > 0) terminal.note(`dry run, nothing is changed; --send would put back ${goals.join(', ')}`);
    },
  };
}

function showing({ terminal, now, command }: StepOptions): Step {
  return {
    ...nothingMore,
    take: async (letter) => {
      for (const line of shown(letter, { now: now(), columns: terminal.columns, showBody: command.body }))
        terminal.print(line);
      terminal.print('');
    },
  };
}

async function exporting({ command, tally }: StepOptions): Promise<Step> {
  const file = await createLetterFile(command.exportPath ?? '');
  return {
    ...nothingMore,
    take: async (letter) => {
      await file.write(letter);
      tally.count('exported');
    },
    end: file.close,
  };
}

function sending(options: StepOptions): Step {
  const { command, terminal, tally, signal } = options;
  const pace = createPace(command.ratePerSecond, options);
  const as = command.action === 'bury' ? 'letter' : 'message';
  const note = ({ messageId }: Letter, words: string) => terminal.note(`${messageId}: ${harmless(words)}`);
  const { putBack, hasDiedAgain } = createPutBack({ ...options, as, note, pace: () => pace(signal) });
  let failuresInARow = 0;
  return {
    ...nothingMore,
    diedAgain: (letter) => {
      const again = hasDiedAgain(letter);
      if (again) {
        tally.count('died again');
        note(letter, `put back by this run, it died again: ${letter.outcome}, ${letter.why}`);
      }
      return again;
    },
    take: async (letter) => {
      const { sent, deleted } = await putBack(letter);
      if (sent === 'now') tally.count('sent');
      if (sent === 'held back') tally.count('held back');
      if (deleted && command.importPath === undefined) tally.count('deleted');
      const failed = sent === 'failed' || (!deleted && sent !== 'held back');
      if (failed) tally.count('failed');
      failuresInARow = failed ? failuresInARow + 1 : 0;
      if (failuresInARow === MAX_FAILURES_IN_A_ROW)
        terminal.note(`stopped: ${MAX_FAILURES_IN_A_ROW} failures in a row`);
    },
    over: () => failuresInARow >= MAX_FAILURES_IN_A_ROW,
  };
}
