/** Dead letters put back: all that are meant, once, in order, at a rate. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bodiesIn, type DeadLetters, isSend, startDeadLetters, statesIn, string } from './dead-letters.ts';

let letters: DeadLetters;
let fifo: DeadLetters;
beforeEach(async () => {
  letters = await startDeadLetters();
  fifo = await startDeadLetters({ fifo: true });
});
afterEach(async () => {
  await letters[Symbol.asyncDispose]();
  await fifo[Symbol.asyncDispose]();
});

function journalIn({ folder }: DeadLetters): Record<string, string>[] {
  const lines = readFileSync(join(folder, 'journal.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, string>);
}

describe('--send', () => {
  test('--send puts every letter back into its queue, and then deletes it', async () => {
    for (let count = 0; count < 25; count++) await letters.bury();
    const bodies = bodiesIn(letters.deadLetterQueue);
    const { code, out } = await letters.run(['--send']);
    expect(code).toBe(0);
    expect(out).toContain('listed 25, selected 25, sent 25, deleted 25, failed 0');
    expect(letters.deadLetterQueue.size).toBe(0);
    expect(bodiesIn(letters.queue)).toEqual(bodies);
    expect(journalIn(letters).map(({ event }) => event)).toEqual(Array(25).fill(['sending', 'sent']).flat());
  });

  test('--send leaves what is not selected, and shows it to others again', async () => {
    for (const outcome of ['failed', 'rejected', 'failed', 'blocked'] as const)
      await letters.bury({ outcome, body: outcome });
    const { out } = await letters.run(['--outcome', 'failed', '--send']);
    expect(out).toContain('listed 4, selected 2, sent 2, deleted 2, failed 0');
    expect(bodiesIn(letters.queue)).toEqual(['failed', 'failed']);
    expect(bodiesIn(letters.deadLetterQueue)).toEqual(['rejected', 'blocked']);
    expect(statesIn(letters.deadLetterQueue)).toEqual(['visible', 'visible']);
  });

  test('--send sends no more than --limit', async () => {
    for (let count = 0; count < 5; count++) await letters.bury();
    const { code, out } = await letters.run(['--send', '--limit', '2']);
    expect([code, out.trim()]).toEqual([0, 'listed 2, selected 2, sent 2, deleted 2, failed 0']);
    expect(letters.queue.size).toBe(2);
    expect(statesIn(letters.deadLetterQueue)).toEqual(Array(3).fill('visible'));
  });

  test('--send keeps its order in each group of a FIFO queue, however long', async () => {
    const order: Record<string, string[]> = { a: [], b: [], c: [] };
    for (let count = 0; count < 60; count++) {
      const group = ['a', 'b', 'a', 'c', 'a'][count % 5] ?? 'a';
      order[group]?.push(`${group}${count}`);
      await fifo.bury({ group, body: `${group}${count}` });
    }
    const { code, out } = await fifo.run(['--send']);
    expect([code, out.trim()]).toEqual([0, 'listed 60, selected 60, sent 60, deleted 60, failed 0']);
    const sent = fifo.queue.messages;
    for (const [group, bodies] of Object.entries(order)) {
      expect(sent.filter(({ groupId }) => groupId === group).map(({ body }) => body)).toEqual(bodies);
    }
  });

  test('--send gives each letter of a FIFO queue a deduplication id that was never used', async () => {
    const id = await fifo.bury({ attributes: { messageId: string('order-7') } });
    const known = fifo.deadLetterQueue.messages.map(({ deduplicationId }) => deduplicationId);
    await fifo.run(['--send']);
    const [{ deduplicationId } = { deduplicationId: undefined }] = fifo.queue.messages;
    expect(deduplicationId).toMatch(/^[0-9a-f-]{36}$/);
    expect([id, ...known]).not.toContain(deduplicationId);
    expect(journalIn(fifo)[0]).toMatchObject({ event: 'sending', deduplicationId });
  });

  test('--send says what it cannot reach behind letters of a FIFO group that stay', async () => {
    for (let count = 0; count < 14; count++) await fifo.bury({ outcome: count < 10 ? 'blocked' : 'failed' });
    const { out, notes } = await fifo.run(['--outcome', 'failed', '--send']);
    expect(out).toContain('listed 10, selected 0,');
    expect(notes).toContain(
      'about 4 letters are not handed out: on FIFO only after the earlier ones of the group are gone',
    );
    expect(statesIn(fifo.deadLetterQueue)).toEqual(Array(14).fill('visible'));
  });

  test('--send does not send again what a standard queue hands out twice', async () => {
    for (let count = 0; count < 12; count++) await letters.bury();
    const [first] = letters.deadLetterQueue.messages;
    letters.server.fail({
      fault: 'hang',
      when: (request) => {
        if (isSend(request) && letters.queue.size === 10) letters.deadLetterQueue.deliverAgain(first?.id ?? '');
        return false;
      },
    });
    const { out } = await letters.run(['--send']);
    expect(out).toContain('listed 12, selected 12, sent 12, deleted 12, failed 0');
    expect(letters.queue.size).toBe(12);
  });

  test('--send puts all letters into --queue whatever they say', async () => {
    const other = letters.sqs.createQueue('other');
    await letters.bury();
    await letters.run(['--send', '--queue', other.url]);
    expect([other.size, letters.queue.size]).toEqual([1, 0]);
  });

  test('--send does not send a message in circles that dies again at once', async () => {
    const { queue, deadLetterQueue } = letters;
    await letters.bury({ attributes: { messageId: string('poison') } });
    const [letter] = deadLetterQueue.messages;
    if (letter === undefined) throw new Error('nothing was buried');
    queue.changes.subscribe(() => {
      for (const { receiptHandle } of queue.receive()) {
        queue.delete(receiptHandle);
        letters.pass(1_000);
        deadLetterQueue.send({ body: letter.body, attributes: letter.attributes });
      }
    });
    const { out, notes } = await letters.run(['--send']);
    expect(out).toContain('listed 1, selected 1, sent 1, deleted 1, failed 0, died again 1');
    expect(notes).toContain('poison: put back by this run, it died again: rejected, the endpoint answered 400');
    expect(statesIn(letters.deadLetterQueue)).toEqual(['visible']);
  });

  test('--send holds back a second letter of the same message that was there before', async () => {
    for (let count = 0; count < 2; count++) await letters.bury({ attributes: { messageId: string('twice') } });
    letters.pass(1_000);
    const { out, notes } = await letters.run(['--send']);
    expect(out).toContain('listed 2, selected 2, sent 1, deleted 1, failed 0, held back 1');
    expect(notes).toContain('twice: a message with its id was put back by this run already');
  });
});

describe('the rate', () => {
  test.each([
    { rate: [], intervalMs: 100 },
    { rate: ['--rate', '2'], intervalMs: 500 },
    { rate: ['--rate', '0.05'], intervalMs: 20_000 },
  ])('the rate $rate sends every $intervalMs ms', async ({ rate, intervalMs }) => {
    const count = 23;
    for (let sent = 0; sent < count; sent++) await letters.bury();
    const startedAt = letters.now();
    expect((await letters.run(['--send', ...rate])).code).toBe(0);
    const gaps = letters.queue.messages.map(({ sentAt }, index, all) => sentAt - (all[index - 1]?.sentAt ?? startedAt));
    expect(gaps).toEqual([0, ...Array(count - 1).fill(intervalMs)]);
  });

  test('the rate does not make up for a pause', async () => {
    for (let sent = 0; sent < 4; sent++) await letters.bury();
    let first = true;
    const wait = async (ms: number) => {
      letters.pass(first ? 5_000 : ms);
      first = false;
    };
    await letters.run(['--send'], { wait });
    const [start = 0, ...times] = letters.queue.messages.map(({ sentAt }) => sentAt);
    expect(times.map((time) => time - start)).toEqual([5_000, 5_100, 5_200]);
  });

  test('the rate keeps back what others may have received meanwhile', async () => {
    for (let sent = 0; sent < 3; sent++) await letters.bury();
    const wait = async () => letters.pass(200_000);
    const { code, out, notes } = await letters.run(['--send'], { wait });
    expect(code).toBe(1);
    expect(notes).toContain('it is not ours any more');
    expect(out).toContain('sent 1, deleted 1, failed 2');
    expect(letters.queue.size + letters.deadLetterQueue.size).toBe(3);
  });

  test('the rate at its slowest, with sends that take long, loses no letter', async () => {
    for (let sent = 0; sent < 12; sent++) await fifo.bury();
    fifo.server.fail({
      fault: 'hang',
      when: (request) => {
        if (isSend(request)) fifo.pass(40_000);
        return false;
      },
    });
    const { out } = await fifo.run(['--send', '--rate', '0.02']);
    expect(out).toContain('listed 12, selected 12, sent 12, deleted 12, failed 0');
  });
});

test('a terminal shows a bar, and lines do not run into it', async () => {
  for (let count = 0; count < 4; count++) await letters.bury({ attributes: { messageId: string(`m${count % 2}`) } });
  const { notes } = await letters.run(['--send'], { isTTY: true });
  expect(notes).toMatch(/█{15}░{15} sent 2, 2 of about 4/);
  expect(notes).toContain('\r\u001b[Km0: a message with its id');
  expect(notes.slice(notes.lastIndexOf('█'))).toContain('\r\u001b[K');
});
