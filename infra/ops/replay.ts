/**
 * `npm run replay`: the dead letters of a destination, for the operator. Reads the command line, hands the process's own
 * clock, terminal and signals to `replay/replay.ts`, and sets the exit code; the manual is `replay/manual.ts`.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { readCommand } from './replay/arguments.ts';
import { MANUAL } from './replay/manual.ts';
import { Mistake } from './replay/mistake.ts';
import { createClient } from './replay/queues.ts';
import { BROKEN_OFF, replay } from './replay/replay.ts';
import { createTerminal, harmless } from './replay/terminal.ts';

const { stdout, stderr, env: environment } = process;

process.exitCode = await run(process.argv.slice(2));

async function run(argv: readonly string[]): Promise<number> {
  try {
    const command = readCommand(argv);
    if (command === 'help') {
      stdout.write(MANUAL);
      return 0;
    }
    const client = createClient({ ...command, environment });
    const terminal = createTerminal({ stdout, stderr, now: Date.now });
    return await replay(command, {
      client,
      terminal,
      now: Date.now,
      wait,
      randomId: randomUUID,
      signal: interruption(),
    });
  } catch (error) {
    const words = error instanceof Error ? error.message || error.name : 'unknown error';
    stderr.write(`replay: ${harmless(words.replace(/\s*\n\s*/g, ' '))}\n`);
    return error instanceof Mistake ? 2 : 1;
  }
}

/** The first signal asks for an end in order, the second ends at once. A reader that went away is like the first. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(BROKEN_OFF);
      controller.abort();
    });
  }
  stdout.on('error', () => controller.abort());
  return controller.signal;
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((error: Error) => {
    if (error.name !== 'AbortError') throw error;
  });
}
