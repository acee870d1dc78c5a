/**
 * `npm run replay`: the dead letters of a destination, for the operator. Reads the command line, hands the process's own
 * clock, terminal and signals to `run.ts`, and sets the exit code; the manual is `manual.ts`.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { SQSServiceException } from '@aws-sdk/client-sqs';
import { withLandscapeHint } from '../place.ts';
import { readCommand } from './arguments.ts';
import { interruption } from './interruption.ts';
import { MANUAL } from './manual.ts';
import { Mistake } from './mistake.ts';
import { createClient } from './queues.ts';
import { BROKEN_OFF, replay } from './run.ts';
import { createTerminal, harmless } from './terminal.ts';

const { stdout, stderr, env: environment } = process;

process.exitCode = await run(process.argv.slice(2));

async function run(argv: readonly string[]): Promise<number> {
  let command: ReturnType<typeof readCommand> | undefined;
  try {
    command = readCommand(argv);
    if (command === 'help') {
      stdout.write(MANUAL);
      return 0;
    }
    const client = createClient({ ...command, queueUrl: command.deadLetterQueueUrl, environment });
    const terminal = createTerminal({ stdout, stderr, now: Date.now });
    return await replay(command, {
      client,
      terminal,
      now: Date.now,
      wait,
      randomId: randomUUID,
      signal: interruption({
        signals: process,
        stdout,
        now: () => performance.now(),
        exit: () => process.exit(BROKEN_OFF),
      }),
    });
  } catch (error) {
    const words = wordsOf(error).replace(/\s*\n\s*/g, ' ');
    const { deployment } = typeof command === 'object' ? command : {};
    stderr.write(`replay: ${harmless(deployment === undefined ? words : withLandscapeHint(words, deployment))}\n`);
    return error instanceof Mistake ? 2 : 1;
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { message, name } = error;
  if (!('$metadata' in error)) return message || name;
  const { $metadata, $response } = error as Partial<SQSServiceException>;
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  // What is no answer of SQS's own has no message, or one about JSON.
  const isForeign = message === '' || error instanceof SyntaxError;
  return `SQS: ${isForeign && status !== undefined ? `answered ${status}` : message || name}`;
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: Error) => {
    if (error.name !== 'AbortError') throw error;
  });
}
