/** Puts the dead letters of a destination back, by the command that an operator uses: `npm run replay`. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { LocalDestination } from '../destination.ts';

const COMMAND = resolve(import.meta.dirname, '../../ops/replay/replay.ts');
const LONGEST_MS = 120_000;
/** Letters a second: on loopback nothing is to be spared. */
const RATE = '1000';

/** @returns the last line that the command prints @throws Error with its output if it fails */
export async function replayLetters(
  { queue, deadLetterQueue }: LocalDestination,
  endpoints: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'token-relay-replay-'));
  const where = ['--dead-letter-queue', deadLetterQueue.url, '--queue', queue.url];
  const how = ['--send', '--rate', RATE, '--journal', join(folder, 'journal.jsonl')];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, ...where, ...how], {
      signal,
      timeout: LONGEST_MS,
      env: { ...process.env, ...endpoints, AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
    });
    return stdout.trim().split('\n').at(-1) ?? '';
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
