/**
 * One run: letters come from their source, something is done with those that are meant, and everything that was held goes
 * back to where it was, also when the operator breaks it off or something fails. What is done is for `step.ts`, what a word
 * of the command means for `arguments.ts`.
 */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { landscapeUrl } from '../place.ts';
import type { Command } from './arguments.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import { openJournal } from './journal.ts';
import { openLetterFile } from './letter-file.ts';
import type { PaceOptions } from './pace.ts';
import { findDeadLetterQueue } from './queues.ts';
import { type Restoring, reburied, restored } from './restored.ts';
import { isSelected } from './selection.ts';
import type { Source } from './source.ts';
import { createStep, type Step } from './step.ts';
import { createTally } from './tally.ts';
import { harmless, type Terminal } from './terminal.ts';

export interface ReplayOptions extends PaceOptions {
  readonly client: SQSClient;
  readonly terminal: Terminal;
  /** Aborts when the operator breaks off: what is begun is ended, what is held is given back. */
  readonly signal: AbortSignal;
  /** A deduplication id that was never used. */
  readonly randomId: () => string;
  /** Of each receive. Default 1. */
  readonly waitSeconds?: number;
}

export const BROKEN_OFF = 130;

/**
 * @returns the exit code: 0; 1 if something failed, was not found or not exported; 130 if it was broken off
 * @throws Mistake; Error of the SDK or of node:fs, after everything that was held is given back
 */
export async function replay(command: Command, options: ReplayOptions): Promise<number> {
  const { client, terminal, now, signal } = options;
  const { selection, limit, action, journalPath } = command;
  const source = await openSource(command, options);
  const restore = await restoring(command, client, source);
  const journal = openJournal(journalPath);
  const tally = createTally(action);
  const step = await createStep({ ...options, command, source, journal, tally, restore });
  const unfound = new Set(selection.ids);
  let complete = false;
  try {
    complete = await readAll();
    terminal.endProgress();
    const missing = complete ? await source.missing() : [];
    for (const words of missing) terminal.note(words);
    if (missing.length > 0 && action === 'export') tally.count('incomplete');
  } finally {
    terminal.endProgress();
    await giveBack(step, source, terminal);
    journal.close();
    // Of a queue that could not be read there is nothing to sum up: "listed 0" would say that it is empty.
    if (complete || signal.aborted || step.over() || tally.of('listed') > 0) terminal.print(tally.summary());
  }
  if (signal.aborted) {
    terminal.note('broken off; the same command goes on from here');
    return BROKEN_OFF;
  }
  if (complete) for (const id of unfound) terminal.note(`there is no letter with the id ${harmless(id)}`);
  return tally.of('failed') + tally.of('incomplete') + (complete ? unfound.size : 0) > 0 ? 1 : 0;

  /** @returns whether it came to the end */
  async function readAll(): Promise<boolean> {
    const total = await source.count();
    for await (const letter of source.letters()) {
      if (step.diedAgain(letter)) continue;
      tally.count('listed');
      if (isSelected(letter, selection, now())) {
        tally.count('selected');
        unfound.delete(letter.messageId);
        unfound.delete(letter.letterId);
        await step.take(letter);
      }
      terminal.progress(tally.of('listed'), total, tally.label());
      if (step.over() || tally.of('selected') >= limit) return false;
    }
    return !signal.aborted;
  }
}

async function giveBack(step: Step, source: Source, terminal: Terminal): Promise<void> {
  try {
    await step.end();
  } finally {
    for (const words of await source.release()) terminal.note(words);
  }
}

async function openSource(command: Command, { client, now, signal, waitSeconds }: ReplayOptions): Promise<Source> {
  const { importPath, deadLetterQueueUrl, deployment, action } = command;
  if (importPath !== undefined) return openLetterFile(importPath, signal);
  const url = deadLetterQueueUrl ?? (deployment && (await findDeadLetterQueue(client, deployment)));
  if (url === undefined) throw new TypeError('a command names a file, a queue or a deployment');
  return createDeadLetterQueue({
    client,
    url,
    sending: action === 'send',
    now,
    signal,
    ...(waitSeconds === undefined ? {} : { waitSeconds }),
  });
}

async function restoring(command: Command, client: SQSClient, source: Source): Promise<Restoring> {
  const { action, deadLetterQueueUrl, deployment, queueUrl, allowNewId, side, mayRunTwice } = command;
  if (action === 'bury' && deadLetterQueueUrl !== undefined) return (letter) => reburied(letter, deadLetterQueueUrl);
  const options = {
    allowNewId,
    mayRunTwice,
    ...(side === undefined ? {} : { side }),
    // The landscape is one place, whatever region it was started with.
    ...(deployment !== undefined && landscapeUrl(deployment) !== undefined
      ? {}
      : { region: await client.config.region() }),
    ...(queueUrl === undefined ? {} : { queueUrl }),
    ...(source.deadLetterQueueUrl === undefined ? {} : { deadLetterQueueUrl: source.deadLetterQueueUrl }),
  };
  return (letter) => restored(letter, options);
}
