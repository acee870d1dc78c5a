/**
 * Runs that end anywhere: at a broken connection at each request, and by SIGKILL of the real command at random
 * requests. Nothing is lost, order stays, and what is there twice was said before.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { COMMAND, ended } from './command.ts';
import { bodiesIn, type DeadLetters, type Ran, startDeadLetters, statesIn, string } from './dead-letters.ts';

/** For how long a letter is hidden that was in hand when the process ended. */
const IN_HAND_MS = 120_000;
const DEDUPLICATION_MS = 300_000;

let letters: DeadLetters;
afterEach(async () => {
  vi.unstubAllEnvs();
  await letters[Symbol.asyncDispose]();
});

async function bury(fifo: boolean, length: number): Promise<string[]> {
  letters = await startDeadLetters({ fifo });
  const ids = Array.from({ length }, (_, index) => `${'abc'[index % 3]}${String(index).padStart(2, '0')}`);
  for (const id of ids) await letters.bury({ body: id, group: id.slice(0, 1), attributes: { messageId: string(id) } });
  return ids;
}

/** Ids that a run said it may send or have sent twice. */
function announced(runs: readonly Ran[]): string[] {
  return runs.flatMap(({ notes }) =>
    [...notes.matchAll(/^(\w+): (?:an earlier run began to send|it took \d tries)/gm)].map(([, id]) => id ?? ''),
  );
}

/** What must hold after the last run, however many were interrupted before. */
function check(ids: readonly string[], fifo: boolean, runs: readonly Ran[]): void {
  const sent = bodiesIn(letters.queue);
  expect([...new Set(sent)].sort(), 'nothing is lost').toEqual([...ids].sort());
  expect(statesIn(letters.deadLetterQueue), 'nothing stays').toEqual([]);
  expect(letters.queue.messages.map(({ attributes }) => attributes.messageId?.stringValue)).toEqual(sent);
  const { messages } = letters.queue;
  for (const [index, { body: id, sentAt }] of messages.entries()) {
    const first = messages.findIndex(({ body }) => body === id);
    if (first === index) continue;
    expect(announced(runs), `${id} is doubled`).toContain(id);
    // On FIFO SQS drops the second as long as it knows the deduplication id.
    if (fifo)
      expect(sentAt - (messages[first]?.sentAt ?? 0), `${id} is doubled`).toBeGreaterThanOrEqual(DEDUPLICATION_MS);
  }
  if (!fifo) return;
  for (const group of ['a', 'b', 'c']) {
    const ofGroup = (all: Iterable<string>) => [...all].filter((id) => id.startsWith(group));
    expect(ofGroup(new Set(sent)), 'order stays').toEqual(ofGroup(ids));
  }
}

describe('a connection that breaks at each request', () => {
  test.each([
    { fifo: false, fault: 'reset-before' as const },
    { fifo: false, fault: 'reset-after' as const },
    { fifo: true, fault: 'reset-before' as const },
    { fifo: true, fault: 'reset-after' as const },
  ])(
    'a connection that breaks at each request loses and doubles nothing: fifo $fifo, $fault',
    async ({ fifo, fault }) => {
      vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
      const length = 7;
      // The count, two receives, and of each letter a send and a delete; the last requests are those after the work.
      for (let at = 1; at <= 2 * length + 6; at += 1) {
        const ids = await bury(fifo, length);
        let requests = 0;
        letters.server.fail({ fault, when: () => ++requests === at });
        const runs: Ran[] = [await letters.run(['--send']).catch(broken)];
        letters.server.heal();
        // The answer of a receive may have been lost, and its letters are hidden all the same.
        letters.pass(IN_HAND_MS);
        runs.push(await letters.run(['--send']).catch(broken));
        expect(runs[1]?.code, `request ${at}`).toBe(0);
        check(ids, fifo, runs);
        await letters[Symbol.asyncDispose]();
      }
      letters = await startDeadLetters();
    },
  );
});

function broken(error: Error): Ran {
  return { code: 1, out: '', notes: error.message };
}

describe('SIGKILL at ten random requests, one run after the other,', () => {
  test.each([
    { fifo: false, seed: 1 },
    { fifo: true, seed: 4 },
  ])(
    'ten SIGKILLs at random requests lose nothing, and double nothing in silence: fifo $fifo, seed $seed',
    { timeout: 120_000 },
    async ({ fifo, seed }) => {
      const random = randomFrom(seed);
      const ids = await bury(fifo, 12);
      const runs: Ran[] = [];
      let kills = 0;
      for (let turn = 0; turn < 10; turn++) {
        const at = 2 + Math.floor(random() * 6);
        const handled = random() < 0.5;
        const child = start();
        let requests = 0;
        letters.server.fail({
          // Killed before the request is carried out, or after that and before its answer.
          fault: handled ? 'reset-after' : 'reset-before',
          when: () => {
            requests += 1;
            if (requests === at) kills += Number(child.kill('SIGKILL'));
            return requests === at;
          },
        });
        runs.push(await ended(child));
        letters.server.heal();
        letters.pass(IN_HAND_MS);
      }
      expect(kills, 'runs that were killed').toBeGreaterThan(5);
      runs.push(await ended(start()));
      expect(runs.at(-1)?.code).toBe(0);
      check(ids, fifo, runs);
    },
  );
});

function start(): ChildProcess {
  const { server, deadLetterQueue, folder } = letters;
  const argv = ['--dead-letter-queue', deadLetterQueue.url, '--journal', join(folder, 'journal.jsonl'), '--send'];
  const env = { PATH: process.env.PATH, HOME: folder, AWS_ENDPOINT_URL_SQS: server.url };
  return spawn(process.execPath, [COMMAND, ...argv, '--rate', '1000'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
