/**
 * Letters in files: exported, kept while the queue is emptied, put back into their queue or into the dead-letter queue.
 */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bodiesIn, type DeadLetters, startDeadLetters, statesIn, string } from './dead-letters.ts';

const AWKWARD = ['{"order":1}', 'größer ☃ 𝄞\u2028\u2029\uFEFF', '<a>\r\n\t"\\n"</a>', ' '];

let letters: DeadLetters;
let path: string;
let journal: readonly string[];
beforeEach(() => start(false));
afterEach(() => letters[Symbol.asyncDispose]());

async function start(fifo: boolean): Promise<void> {
  letters = await startDeadLetters({ fifo });
  path = join(letters.folder, 'letters.jsonl');
  journal = ['--journal', join(letters.folder, 'journal.jsonl')];
}

async function buryAwkward(): Promise<void> {
  const blob = { dataType: 'Binary' as const, binaryValue: Buffer.from([0, 200, 255]).toString('base64') };
  for (const body of AWKWARD) await letters.bury({ body, attributes: { blob, contentType: string('text/plain') } });
}

/** All that a sender can say of a message. */
function contentOf(queue: DeadLetters['queue']) {
  return queue.messages.map(({ body, attributes, groupId }) => ({ body, attributes, groupId }));
}

describe('--export', () => {
  test('--export writes the selected letters, changes nothing, and keeps others from reading', async () => {
    await buryAwkward();
    await letters.bury({ outcome: 'failed' });
    const { code, out } = await letters.run(['--outcome', 'rejected', '--export', path]);
    expect([code, out.trim()]).toEqual([0, 'listed 5, selected 4, sent 0, deleted 0, failed 0, exported 4']);
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).Body)).toEqual(AWKWARD);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(statesIn(letters.deadLetterQueue)).toEqual(Array(5).fill('visible'));
  });

  test('--export never overwrites a file, and takes no letter then', async () => {
    await letters.bury();
    await writeFile(path, 'precious');
    await expect(letters.run(['--export', path])).rejects.toThrow(`${path}: exists already, and is not overwritten`);
    expect(await readFile(path, 'utf8')).toBe('precious');
    expect(letters.deadLetterQueue.messages).toMatchObject([{ receiveCount: 0 }]);
  });

  test('--export fails if it could not have all of a FIFO group', async () => {
    await letters[Symbol.asyncDispose]();
    await start(true);
    for (let count = 0; count < 12; count++) await letters.bury();
    const { code, out, notes } = await letters.run(['--export', path]);
    expect(code).toBe(1);
    expect(out).toContain('exported 10');
    expect(notes).toContain('about 2 letters are not handed out');
  });
});

describe.each([{ fifo: false }, { fifo: true }])('export, purge, import: fifo $fifo', ({ fifo }) => {
  beforeEach(async () => {
    await letters[Symbol.asyncDispose]();
    await start(fifo);
    await buryAwkward();
  });

  test('an import that is exported again is the same file, byte for byte', async () => {
    await letters.run(['--export', path]);
    letters.deadLetterQueue.purge();
    const again = join(letters.folder, 'again.jsonl');
    const { out } = await letters.runExactly(['--import', path, '--export', again]);
    expect(out).toContain('exported 4');
    expect(await readFile(again)).toEqual(await readFile(path));
  });

  test('an import with --bury makes the letters that they were', async () => {
    const before = contentOf(letters.deadLetterQueue);
    await letters.run(['--export', path]);
    letters.deadLetterQueue.purge();
    const { code, out } = await letters.run(['--import', path, '--bury']);
    expect([code, out.trim()]).toEqual([0, 'listed 4, selected 4, sent 4, deleted 0, failed 0']);
    expect(contentOf(letters.deadLetterQueue)).toEqual(before);
    expect((await letters.run(['--send'])).out).toContain('sent 4, deleted 4');
    expect(bodiesIn(letters.queue)).toEqual(AWKWARD);
  });

  test('an import with --send puts the same messages back as from the queue', async () => {
    await letters.run(['--export', path]);
    await letters.run(['--send']);
    const fromQueue = contentOf(letters.queue);
    letters.queue.purge();
    const fresh = ['--journal', join(letters.folder, 'fresh.jsonl')];
    const { code } = await letters.runExactly(['--import', path, ...fresh, '--send']);
    expect(code).toBe(0);
    expect(contentOf(letters.queue)).toEqual(fromQueue);
    expect(bodiesIn(letters.queue)).toEqual(AWKWARD);
  });
});

describe('a file', () => {
  test('a file of letters is listed, filtered and shown like a queue', async () => {
    await letters.bury({ attributes: { messageId: string('order-1') }, body: 'payload' });
    await letters.bury({ attributes: { messageId: string('order-2') }, outcome: 'failed', status: 503 });
    await letters.run(['--export', path]);
    const { out } = await letters.runExactly(['--import', path, ...journal, '--outcome', 'failed']);
    expect(out).toMatch(/^order-2 +failed 503/);
    const shown = await letters.runExactly(['--import', path, ...journal, '--show', 'order-1', '--body']);
    expect(shown.out).toContain('\npayload\n');
  });

  test('a file whose letters were sent is not sent again, and those in the queue are deleted', async () => {
    await letters.bury();
    await letters.run(['--export', path]);
    const send = ['--import', path, ...journal, '--send'];
    expect((await letters.runExactly(send)).out).toContain('sent 1, deleted 0, failed 0');
    const again = await letters.runExactly(send);
    expect([again.code, again.out.trim()]).toEqual([0, 'listed 1, selected 1, sent 0, deleted 0, failed 0']);
    expect((await letters.run(['--send'])).out).toContain('sent 0, deleted 1, failed 0');
    expect(letters.queue.size).toBe(1);
    expect(letters.deadLetterQueue.size).toBe(0);
  });

  test('a file of letters without a reason keeps their queue and id when they are buried', async () => {
    const { queue, deadLetterQueue, client } = letters;
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: deadLetterQueue.arn, maxReceiveCount: 1 });
    queue.setAttributes({ RedrivePolicy });
    await client.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: '{}' }));
    const [{ messageId } = { messageId: '' }] = queue.receive({ visibilitySeconds: 0 });
    queue.receive();
    await letters.run(['--export', path]);
    deadLetterQueue.purge();
    await letters.run(['--import', path, '--bury']);
    await letters.run(['--send']);
    expect(queue.messages).toMatchObject([{ body: '{}', attributes: { messageId: { stringValue: messageId } } }]);
  });

  test.each([
    ['no JSON', 'secret payload'],
    ['no object', '["secret payload"]'],
    ['no body', '{"MessageId":"1"}'],
    ['no id', '{"Body":"secret payload"}'],
    [
      'an attribute without value',
      '{"MessageId":"1","Body":"secret payload","MessageAttributes":{"a":{"DataType":"String"}}}',
    ],
    [
      'a system attribute that is no text',
      '{"MessageId":"1","Body":"secret payload","Attributes":{"SentTimestamp":1}}',
    ],
  ])('a file with %s is refused by its line before anything is sent, and not quoted', async (_, line) => {
    await letters.bury();
    await letters.run(['--export', path]);
    await writeFile(path, `${await readFile(path, 'utf8')}\n${line}\n`);
    const error: unknown = await letters.runExactly(['--import', path, ...journal, '--send']).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'Mistake', message: `${path}: line 3 is no exported letter` });
    expect(letters.queue.size).toBe(0);
  });

  test('a file with a letter twice is refused', async () => {
    await letters.bury();
    await letters.run(['--export', path]);
    await writeFile(path, (await readFile(path, 'utf8')).repeat(2));
    await expect(letters.runExactly(['--import', path, '--send'])).rejects.toThrow('line 2 repeats an earlier letter');
  });

  test('a file that is not there is a mistake', async () => {
    await expect(letters.runExactly(['--import', path])).rejects.toThrow(`${path}: there is no such file`);
  });
});

describe('a journal that was cut off in a line', () => {
  test('a journal that was cut off in a line counts that line as not written, and goes on below it', async () => {
    await letters.bury();
    const [letter] = letters.deadLetterQueue.messages;
    const file = join(letters.folder, 'journal.jsonl');
    const known = { as: 'message', letterId: letter?.id, messageId: 'm', queueUrl: letters.queue.url, at: 'T' };
    const half = JSON.stringify({ event: 'sent', ...known }).slice(0, -5);
    await writeFile(file, `${JSON.stringify({ event: 'sending', ...known })}\n${half}`);
    const { code, notes, out } = await letters.run(['--send']);
    expect(code).toBe(0);
    expect(notes).toContain('an earlier run began to send it at T and does not know whether SQS took it');
    expect(out).toContain('sent 1, deleted 1');
    const events = (await readFile(file, 'utf8')).trim().split('\n').slice(2);
    expect(events.map((line) => JSON.parse(line).event)).toEqual(['sending', 'sent']);
  });

  test('a journal that was cut off keeps the deduplication id of what may have been sent', async () => {
    await letters[Symbol.asyncDispose]();
    await start(true);
    await letters.bury();
    const [letter] = letters.deadLetterQueue.messages;
    const known = { as: 'message', letterId: letter?.id, messageId: 'm', queueUrl: letters.queue.url, at: 'T' };
    const line = JSON.stringify({ event: 'sending', ...known, deduplicationId: 'first' });
    await writeFile(join(letters.folder, 'journal.jsonl'), `${line}\n`);
    letters.sqs.denyAccess(letters.queue.name, true);
    expect((await letters.run(['--send'])).code).toBe(1);
    letters.sqs.denyAccess(letters.queue.name, false);
    const { notes } = await letters.run(['--send']);
    expect(notes).toContain('with the same deduplication id: within five minutes SQS drops the second');
    expect(letters.queue.messages).toMatchObject([{ deduplicationId: 'first' }]);
  });
});
