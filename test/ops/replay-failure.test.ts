/** Sends and deletes that fail, and an operator who breaks off: what stays, what is said, what the next run does. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitForMessages } from '../../infra/local/aws/sqs/sqs.ts';
import { bodiesIn, type DeadLetters, isCall, isSend, startDeadLetters, statesIn, string } from './dead-letters.ts';

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

const isDelete = isCall('DeleteMessage');

describe('what fails', () => {
  test('a refused send leaves the letter, and the next run sends it', async () => {
    await letters.bury();
    letters.sqs.denyAccess(letters.queue.name, true);
    const { code, notes, out } = await letters.run(['--send']);
    expect(code).toBe(1);
    expect(notes).toMatch(/SQS refused it: User: .* is not authorized to perform: sqs:sendmessage/);
    expect(out).toContain('sent 0, deleted 0, failed 1');
    expect(statesIn(letters.deadLetterQueue)).toEqual(['visible']);
    letters.sqs.denyAccess(letters.queue.name, false);
    const next = await letters.run(['--send']);
    expect(next.code).toBe(0);
    expect(next.notes).not.toContain('an earlier run');
    expect(letters.queue.size).toBe(1);
  });

  test('five failures in a row end the run', async () => {
    for (let count = 0; count < 12; count++) await letters.bury();
    letters.sqs.denyAccess(letters.queue.name, true);
    const { out, notes } = await letters.run(['--send']);
    expect(out).toContain('failed 5');
    expect(notes).toContain('stopped: 5 failures in a row');
    expect(statesIn(letters.deadLetterQueue)).toEqual(Array(12).fill('visible'));
  });

  test('a failure makes the rest of its FIFO group wait, and other groups go on', async () => {
    for (const body of ['a1', 'a2', 'b1', 'a3', 'b2']) await fifo.bury({ body, group: body.slice(0, 1) });
    fifo.server.fail({
      fault: { status: 400, body: '{"__type":"com.amazonaws.sqs#InvalidMessageContents"}' },
      when: isSend,
    });
    const { code, out, notes } = await fifo.run(['--send']);
    expect(code).toBe(1);
    expect(out).toContain('listed 5, selected 5, sent 2, deleted 2, failed 1, held back 2');
    expect(notes).toContain('it waits for an earlier message of its group');
    expect(bodiesIn(fifo.queue)).toEqual(['b1', 'b2']);
    await fifo.run(['--send']);
    expect(bodiesIn(fifo.queue)).toEqual(['b1', 'b2', 'a1', 'a2', 'a3']);
  });

  test('a letter that was sent and could not be deleted is only deleted by the next run', async () => {
    await letters.bury({ attributes: { messageId: string('order-7') } });
    letters.server.fail({
      fault: { status: 400, body: '{"__type":"com.amazonaws.sqs#RequestThrottled"}' },
      times: 3,
      when: isDelete,
    });
    const { code, out, notes } = await letters.run(['--send']);
    expect(code).toBe(1);
    expect(out).toContain('sent 1, deleted 0, failed 1');
    expect(notes).toContain(
      'order-7: it was put back, but not deleted (RequestThrottled): a later run only deletes it',
    );
    expect((await letters.run([])).out).toContain('but not deleted: --send only deletes it');
    const next = await letters.run(['--send']);
    expect(next.code).toBe(0);
    expect(next.out).toContain('selected 1, sent 0, deleted 1, failed 0');
    expect([letters.queue.size, letters.deadLetterQueue.size]).toEqual([1, 0]);
  });

  test('a repeated send to a standard queue is reported as one that may be there twice', async () => {
    await letters.bury({ attributes: { messageId: string('order-7') } });
    letters.server.fail({ fault: 'reset-after', when: isSend });
    const { code, notes } = await letters.run(['--send']);
    expect(code).toBe(0);
    expect(notes).toContain('order-7: it took 2 tries, and SQS may have taken more than one of them');
    expect(letters.queue.messages.map(({ attributes }) => attributes.messageId?.stringValue)).toEqual([
      'order-7',
      'order-7',
    ]);
  });

  test('a repeated send to a FIFO queue is there once', async () => {
    await fifo.bury();
    fifo.server.fail({ fault: 'reset-after', when: isSend });
    const { code, notes } = await fifo.run(['--send']);
    expect([code, notes]).toEqual([0, '']);
    expect(fifo.queue.size).toBe(1);
  });

  test('an SQS that is gone ends the run with its error, after the counts', async () => {
    for (let count = 0; count < 12; count++) await letters.bury();
    letters.server.fail({
      fault: 'reset-before',
      times: 3,
      when: ({ headers }) => letters.queue.size === 10 && headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage',
    });
    await expect(letters.run(['--send'])).rejects.toThrow();
    expect([letters.queue.size, letters.deadLetterQueue.size]).toEqual([10, 2]);
    expect(statesIn(letters.deadLetterQueue)).toEqual(['visible', 'visible']);
  });
});

test('an operator who breaks off waits for the current letter, and the others are given back', async () => {
  for (let count = 0; count < 30; count++) await letters.bury();
  const controller = new AbortController();
  void waitForMessages(letters.queue, 4).then(() => controller.abort());
  const { code, out, notes } = await letters.run(['--send'], { signal: controller.signal });
  expect(code).toBe(130);
  expect(notes).toContain('broken off');
  expect(out).toMatch(/sent (\d+), deleted \1, failed 0/);
  expect(letters.queue.size).toBeLessThan(30);
  expect(statesIn(letters.deadLetterQueue)).toEqual(Array(30 - letters.queue.size).fill('visible'));
  await letters.run(['--send']);
  expect(letters.queue.size).toBe(30);
  expect(new Set(bodiesIn(letters.queue)).size).toBe(30);
});
