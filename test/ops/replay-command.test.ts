/** The command itself, as a process: its manual, its exit codes, its signals, and the way to the local landscape. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitForMessages } from '../../infra/local/aws/sqs/sqs.ts';
import { MANUAL } from '../../infra/ops/replay/manual.ts';
import { COMMAND, ended } from './command.ts';
import { type DeadLetters, startDeadLetters, statesIn } from './dead-letters.ts';

const LAUNCHER = resolve(import.meta.dirname, '../../infra/node.cjs');

let letters: DeadLetters;
beforeEach(async () => {
  letters = await startDeadLetters();
});
afterEach(() => letters[Symbol.asyncDispose]());

/** In a folder of its own, with no variable but the endpoint's: there is no account that it could mean. */
function start(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
  const env = { PATH: process.env.PATH, HOME: letters.folder, ...environment };
  return spawn(process.execPath, [COMMAND, ...argv], { cwd: letters.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

const endpoint = () => ({ AWS_ENDPOINT_URL_SQS: letters.server.url });

test('--help prints the manual, in 80 columns', async () => {
  expect(await ended(start(['--help']))).toEqual({ code: 0, out: MANUAL, notes: '' });
  for (const line of MANUAL.split('\n')) {
    expect(line.length, line).toBeLessThanOrEqual(80);
  }
});

test.each([
  { argv: [], line: 'replay: where are the letters? --destination <name>' },
  { argv: ['--destination', 'orders', '--sned'], line: "replay: Unknown option '--sned'" },
  { argv: ['--import', 'none.jsonl'], line: 'replay: none.jsonl: there is no such file' },
])('$argv is a mistake: one line, exit code 2', async ({ argv, line }) => {
  const { code, out, notes } = await ended(start(argv));
  expect([code, out]).toEqual([2, '']);
  expect(notes).toMatch(/^[^\n]+\n$/);
  expect(notes).toContain(line);
});

test.each([
  ['by its destination', () => ['--destination', 'orders']],
  ['by its URL, to list', () => ['--dead-letter-queue', letters.deadLetterQueue.url]],
  ['by its URL, to send', () => ['--dead-letter-queue', letters.deadLetterQueue.url, '--send']],
])('an SQS that cannot be reached is one line and exit code 1, not "listed 0": %s', async (_, argv) => {
  await letters.server.stop();
  const { code, out, notes } = await ended(start(argv(), endpoint()));
  expect([code, out]).toEqual([1, '']);
  expect(notes).toMatch(/^replay: SQS: [^\n]*ECONNREFUSED[^\n]*\n$/);
});

test('something else that answers in place of SQS is reported by its status', async () => {
  letters.server.fail({ fault: { status: 502, body: 'Bad Gateway' }, times: 9 });
  const { code, out, notes } = await ended(start(['--dead-letter-queue', letters.deadLetterQueue.url], endpoint()));
  expect([code, out, notes]).toEqual([1, '', 'replay: SQS: answered 502\n']);
});

describe('the landscape is reached', () => {
  beforeEach(async () => {
    letters.sqs.deleteQueue('token-relay-dev-orders-dlq.fifo');
    for (let count = 0; count < 3; count++) await letters.bury();
  });

  test('the landscape is reached by the SDK’s variable, the queue by its destination', async () => {
    const { code, out } = await ended(start(['--destination', 'orders', '--send'], endpoint()));
    expect([code, out]).toEqual([0, 'listed 3, selected 3, sent 3, deleted 3, failed 0\n']);
    expect(letters.queue.size).toBe(3);
  });

  test('the landscape is reached by the URL of the queue alone', async () => {
    const { code, out } = await ended(start(['--dead-letter-queue', letters.deadLetterQueue.url, '--send']));
    expect([code, out]).toEqual([0, 'listed 3, selected 3, sent 3, deleted 3, failed 0\n']);
    expect(letters.queue.size).toBe(3);
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends a run in order: exit code 130, the rest given back',
  async (signal) => {
    for (let count = 0; count < 10; count++) await letters.bury();
    const child = start(['--dead-letter-queue', letters.deadLetterQueue.url, '--send', '--rate', '5']);
    const run = ended(child);
    await waitForMessages(letters.queue, 2);
    child.kill(signal);
    const { code, out, notes } = await run;
    expect(code).toBe(130);
    expect(notes).toContain('broken off; the same command goes on from here');
    expect(out).toMatch(/sent (\d), deleted \1, failed 0/);
    expect(letters.queue.size).toBeLessThan(10);
    expect(statesIn(letters.deadLetterQueue)).toEqual(Array(10 - letters.queue.size).fill('visible'));
  },
);

test('one Ctrl-C, which the terminal delivers to the launcher and to the command, ends in order', async () => {
  for (let count = 0; count < 10; count++) await letters.bury();
  const argv = ['--dead-letter-queue', letters.deadLetterQueue.url, '--send', '--rate', '5'];
  const child = spawn(process.execPath, [LAUNCHER, COMMAND, ...argv], {
    cwd: letters.folder,
    env: { PATH: process.env.PATH, HOME: letters.folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, as a terminal's foreground is one.
    detached: true,
  });
  const run = ended(child);
  await waitForMessages(letters.queue, 2);
  process.kill(-(child.pid ?? Number.NaN), 'SIGINT');
  const { code, out, notes } = await run;
  expect(code).toBe(130);
  expect(notes).toContain('broken off; the same command goes on from here');
  expect(out).toMatch(/sent (\d), deleted \1, failed 0/);
  expect(statesIn(letters.deadLetterQueue)).toEqual(Array(10 - letters.queue.size).fill('visible'));
});

test('a reader that goes away, as head does, ends the run in order', async () => {
  for (let count = 0; count < 40; count++) await letters.bury();
  // It has pages to print when the reader is gone already.
  letters.server.slowDown(100);
  const child = start(['--dead-letter-queue', letters.deadLetterQueue.url]);
  child.stdout?.once('data', () => child.stdout?.destroy());
  const [code] = await once(child, 'exit');
  expect(code).toBe(130);
  expect(statesIn(letters.deadLetterQueue)).toEqual(Array(40).fill('visible'));
});
