/** Dead letters of a destination with a cut-over: to which side each goes, and what must be said twice before it does. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { triedBefore } from '../../functions/message/queued.ts';
import { readCommand } from '../../infra/ops/replay/arguments.ts';
import { Mistake } from '../../infra/ops/replay/mistake.ts';
import { asRecord, bodiesIn, type DeadLetters, startDeadLetters, string } from './dead-letters.ts';

let letters: DeadLetters;
beforeEach(async () => {
  letters = await startDeadLetters();
});
afterEach(() => letters[Symbol.asyncDispose]());

/** The side that the relay will find for what was put back first; undefined where its sent time decides. */
function sidePutBack(): string | undefined {
  const [sent] = letters.queue.messages;
  if (sent === undefined) throw new Error('nothing was sent');
  return triedBefore({ attributes: asRecord(sent, letters.queue).messageAttributes }).side;
}

const named = (name: string) => ({ attributes: { messageId: string(name) }, body: name });

describe('The side of a letter', () => {
  test.each(['old', 'new'] as const)('the side of a letter, %s, stays its side when it is put back', async (side) => {
    await letters.bury({ side, outcome: 'failed', status: 504 });
    expect((await letters.run(['--send'])).code).toBe(0);
    expect(sidePutBack()).toBe(side);
  });

  test('a letter without a side is put back as it was', async () => {
    await letters.bury({ attributes: { messageId: string('order-1') } });
    await letters.run(['--send']);
    const [sent] = letters.queue.messages;
    expect(sent?.attributes).toEqual({ messageId: string('order-1') });
  });

  test('the side of each letter stands in the list, and where its outcome is unknown', async () => {
    await letters.bury({ ...named('tried-often'), side: 'old', outcome: 'failed', status: 503 });
    await letters.bury({ ...named('refused'), side: 'new', receiveCount: 1 });
    await letters.bury(named('of-before'));
    const { out, notes } = await letters.run([]);
    expect(out.split('\n').filter((line) => line.includes('side'))).toEqual([
      '    to the old side, as before, where its outcome is unknown',
      '    to the new side, as before',
    ]);
    expect(notes).toContain(
      '1 to token-relay-dev-orders (old side), 1 to token-relay-dev-orders (new side), 1 to token',
    );
  });

  test('the side that --side names stands in the list, and what was before', async () => {
    await letters.bury({ ...named('tried-often'), side: 'old', outcome: 'failed', status: 503 });
    await letters.bury({ ...named('refused'), side: 'old', receiveCount: 1 });
    await letters.bury(named('of-before'));
    const { out } = await letters.run(['--side', 'new']);
    expect(out).toContain('to the new side; before it was on the old side, and its outcome is unknown');
    expect(out).toContain('to the new side; before it was on the old side\n');
    expect(out).toContain('to the new side; its letter names no side, and its outcome is unknown');
    expect(out.match(/cannot be put back: on the new side it may run a second time/g)).toHaveLength(2);
  });

  test('the letter’s side is not asked for again where --side names the same', async () => {
    await letters.bury({ side: 'old', outcome: 'failed', status: 503 });
    expect((await letters.run(['--send', '--side', 'old'])).code).toBe(0);
    expect(sidePutBack()).toBe('old');
  });
});

describe('Another side', () => {
  test.each([
    ['rejected at its first try', { outcome: 'rejected', receiveCount: 1 }],
    ['blocked at its first try', { outcome: 'blocked', status: 403, receiveCount: 1 }],
  ] as const)('another side needs no second word for what was %s', async (_, how) => {
    await letters.bury({ ...how, side: 'old' });
    expect((await letters.run(['--send', '--side', 'new'])).code).toBe(0);
    expect(sidePutBack()).toBe('new');
  });

  test.each([
    ['failed', { outcome: 'failed', status: 503, receiveCount: 1 }],
    ['was rejected after tries of which nothing is known', { outcome: 'rejected', receiveCount: 2 }],
    ['was blocked after such tries', { outcome: 'blocked', status: 403, receiveCount: 40 }],
  ] as const)('another side is asked for again where a message %s', async (_, how) => {
    await letters.bury({ ...how, side: 'old' });
    const { code, notes } = await letters.run(['--send', '--side', 'new']);
    expect(code).toBe(1);
    expect(notes).toContain('it may run a second time, since its outcome is unknown; --may-run-twice puts it there');
    expect(letters.queue.messages).toEqual([]);
    expect(bodiesIn(letters.deadLetterQueue)).toHaveLength(1);
    letters.pass(16 * 60_000);
    expect((await letters.run(['--send', '--side', 'new', '--may-run-twice'])).code).toBe(0);
    expect(sidePutBack()).toBe('new');
  });

  test('another side is no way around the limits of SQS: a letter without room for it stays', async () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`user.${index}`, string('value')]));
    await letters.bury({ side: 'old', attributes: { ...many, messageId: string('order-1') } });
    const { code, notes } = await letters.run(['--send']);
    expect(code).toBe(1);
    expect(notes).toContain('there is no room for its side of the cut-over beside its attributes');
  });

  test.each([
    [['--side', 'north'], '--side north: expected old or new'],
    [['--may-run-twice'], '--may-run-twice goes with --side alone'],
    [['--side', 'new', '--export', 'letters.jsonl'], '--side goes with a list or --send, not --export'],
  ])('another side that is asked for by %j is a mistake', (argv, words) => {
    expect(() => readCommand(['--destination', 'orders', ...argv])).toThrow(new Mistake(words));
  });
});
