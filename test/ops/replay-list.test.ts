/**
 * What an operator sees of dead letters before anything is put back: listed, filtered, shown; nothing is changed by it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readCommand } from '../../infra/ops/replay/arguments.ts';
import { Mistake } from '../../infra/ops/replay/mistake.ts';
import { bodiesIn, type DeadLetters, HOUR_MS, START, startDeadLetters, statesIn, string } from './dead-letters.ts';

let letters: DeadLetters;
beforeEach(async () => {
  letters = await startDeadLetters();
});
afterEach(() => letters[Symbol.asyncDispose]());

/** Each is a dead letter with its name as id. */
async function buryFour(): Promise<void> {
  const named = (name: string) => ({ attributes: { messageId: string(name) }, body: `payload of ${name}` });
  await letters.bury({ ...named('syntax'), status: 400, reason: 'the endpoint answered 400: Syntax' });
  await letters.bury({
    ...named('role'),
    outcome: 'blocked',
    status: 403,
    reason: 'assign the role',
    agoMs: 5 * HOUR_MS,
  });
  await letters.bury({ ...named('outage'), outcome: 'failed', status: 503, agoMs: 80 * HOUR_MS });
  await letters.bury({ ...named('invoice'), destination: 'invoices', status: 422, agoMs: 2 * HOUR_MS });
}

describe('a list', () => {
  test('a list says of each letter what it is, how old, how large, and why it is dead', async () => {
    await buryFour();
    const { code, out } = await letters.run([]);
    expect(code).toBe(0);
    expect(out.split('\n').slice(2, 4).join('\n')).toMatch(
      /^role {32} {2}blocked 403 {3}5h ago * +\d+ B {2}orders\n {4}assign the role$/,
    );
    expect(out).toContain('listed 4, selected 4, sent 0, deleted 0, failed 0');
  });

  test.each([
    'the endpoint answered 202 with 1 of 5 operations of the batch failed, one with 500 and OData error B2: operations 1 to 3 and 5 of 5 were carried out, and would run twice if the batch were sent again; the operator must decide',
    'the endpoint answered 202 with answers to 3 of 5 operations of the batch: operations 1 to 3 of 5 were carried out; which operations were carried out is unknown beyond that, and sent again they would run twice; the operator must decide',
  ])('a list says of a batch what was carried out: %s', async (reason) => {
    await letters.bury({ reason });
    const { out } = await letters.run([]);
    const told = out.replace(/\s+/g, ' ');
    for (const words of reason.match(/operations \d[^,;]* were carried out|which .* beyond that/g) ?? []) {
      expect(told).toContain(words);
    }
  });

  test('a list changes nothing, and says what --send would do', async () => {
    await buryFour();
    const before = letters.deadLetterQueue.messages.map(({ id, body, attributes }) => ({ id, body, attributes }));
    const { notes } = await letters.run([]);
    expect(notes).toContain('dry run, nothing is changed; --send would put back 4 to token-relay-dev-orders');
    expect(letters.deadLetterQueue.messages).toMatchObject(before);
    expect(statesIn(letters.deadLetterQueue)).toEqual(Array(4).fill('visible'));
    expect(letters.queue.size).toBe(0);
    expect(existsSync(join(letters.folder, 'journal.jsonl'))).toBe(false);
  });

  test('a list reads pages until nothing new comes, each letter once', async () => {
    for (let count = 0; count < 37; count++) await letters.bury();
    const { out } = await letters.run([]);
    expect(out).toContain('listed 37, selected 37');
    expect(new Set(out.match(/^[\w-]{36}/gm)).size).toBe(37);
  });

  test('a list reads on past the time for which letters are hidden, each letter once', async () => {
    for (let count = 0; count < 40; count++) await letters.bury();
    // Each receive takes six minutes: without being prolonged, the first letters would come again.
    let receives = 0;
    letters.server.fail({
      fault: 'reset-before',
      times: 1_000,
      when: ({ headers }) => {
        if (headers['x-amz-target']?.endsWith('ReceiveMessage')) {
          receives += 1;
          letters.pass(6 * 60_000);
        }
        return false;
      },
    });
    const { out, notes } = await letters.run([]);
    expect(out).toContain('listed 40, selected 40');
    expect(receives).toBe(5);
    expect(notes).not.toMatch(/not handed out|in flight|given back/);
    expect(statesIn(letters.deadLetterQueue)).toEqual(Array(40).fill('visible'));
  });

  test('a list has at most 100 columns, and shows nothing that a terminal would obey', async () => {
    await letters.bury({ reason: `\u001b[2J\u202e${'long '.repeat(60)}`, destination: `x\u009b31m` });
    const { out } = await letters.run([]);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(out).toContain('…');
  });

  test('a list mentions letters that somebody else holds', async () => {
    await letters.bury();
    letters.deadLetterQueue.receive({ visibilitySeconds: 600 });
    await letters.bury();
    const { out, notes } = await letters.run([]);
    expect(out).toContain('listed 1,');
    expect(notes).toContain('about 1 letter is in flight with somebody else');
  });

  test('a list never shows a payload', async () => {
    await buryFour();
    const { out, notes } = await letters.run([]);
    expect(out + notes).not.toContain('payload of');
  });
});

describe('a filter', () => {
  test.each([
    { argv: [], chosen: ['invoice', 'outage', 'role', 'syntax'] },
    { argv: ['--reason', 'syntax'], chosen: ['syntax'] },
    { argv: ['--reason', 'ROLE'], chosen: ['role'] },
    { argv: ['--outcome', 'rejected'], chosen: ['invoice', 'syntax'] },
    { argv: ['--outcome', 'blocked', '--outcome', 'failed'], chosen: ['outage', 'role'] },
    { argv: ['--outcome', 'unknown'], chosen: [] },
    { argv: ['--destination', 'invoices'], chosen: ['invoice'] },
    { argv: ['--older-than', '2h'], chosen: ['invoice', 'outage', 'role'] },
    { argv: ['--newer-than', '2h'], chosen: ['syntax'] },
    { argv: ['--older-than', '90m', '--newer-than', '3d'], chosen: ['invoice', 'role'] },
    { argv: ['--id', 'role', '--id', 'syntax'], chosen: ['role', 'syntax'] },
    { argv: ['--outcome', 'rejected', '--destination', 'orders'], chosen: ['syntax'] },
    { argv: ['--limit', '2'], chosen: ['role', 'syntax'] },
    { argv: ['--outcome', 'rejected', '--limit', '2'], chosen: ['invoice', 'syntax'] },
  ])('the filter $argv chooses $chosen', async ({ argv, chosen }) => {
    await buryFour();
    const { out } = await letters.run(argv);
    expect((out.match(/^(syntax|role|outage|invoice)\b/gm) ?? []).sort()).toEqual(chosen);
    expect(statesIn(letters.deadLetterQueue)).toEqual(Array(4).fill('visible'));
  });

  test('a filter by an id that no letter has says so', async () => {
    await buryFour();
    const { code, notes } = await letters.run(['--id', 'role', '--id', 'none']);
    expect(code).toBe(1);
    expect(notes).toContain('there is no letter with the id none');
    expect(notes).not.toContain('the id role');
  });
});

describe('--show', () => {
  const attributes = { contentType: string('application/xml'), messageId: string('order-7') };

  test('--show prints everything but the payload', async () => {
    await letters.bury({ attributes, body: '<secret/>', outcome: 'blocked', status: 403, reason: 'assign the role' });
    await letters.bury();
    const { code, out } = await letters.run(['--show', 'order-7']);
    expect(code).toBe(0);
    const said = Object.fromEntries(out.split('\n').map((line) => [line.slice(0, 16).trim(), line.slice(16)]));
    expect(said).toMatchObject({
      'message id': 'order-7',
      outcome: 'blocked',
      status: '403',
      reason: 'assign the role',
      destination: 'orders',
      queue: letters.queue.arn,
      received: '3 times',
      sent: new Date(START - HOUR_MS).toISOString(),
      dead: `${new Date(START).toISOString()}, 0s ago`,
    });
    expect(out).toContain('  contentType  String  application/xml');
    expect(out).not.toContain('<secret/>');
    expect(out).toContain('listed 2, selected 1');
  });

  test('--show prints what the endpoint said, which the list does not, and obeys nothing in it', async () => {
    await letters.bury({ attributes, detail: 'Plant \u001b[31m4711 is unknown' });
    expect((await letters.run(['--show', 'order-7'])).out).toMatch(/^detail {10}Plant .*4711 is unknown$/m);
    expect((await letters.run(['--show', 'order-7'])).out).not.toContain('\u001b');
    expect((await letters.run([])).out).not.toContain('4711');
  });

  test('--show breaks a long reason between words', async () => {
    await letters.bury({ attributes, reason: 'the operator must assign the role '.repeat(8) });
    const { out } = await letters.run(['--show', 'order-7']);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(out).toMatch(/^reason {10}the operator .*\n {16}\w/m);
  });

  test('--show with --body prints the payload too', async () => {
    await letters.bury({ attributes, body: '<order>\n\t<id>7</id>\n</order>' });
    const { out } = await letters.run(['--show', 'order-7', '--body']);
    expect(out).toContain('\n<order>\n\t<id>7</id>\n</order>\n');
  });

  test('--show finds a letter by its own id, too', async () => {
    await letters.bury({ attributes });
    const [letter] = letters.deadLetterQueue.messages;
    expect((await letters.run(['--show', letter?.id ?? ''])).out).toContain('order-7');
  });

  test('--show of an id that no letter has fails', async () => {
    expect((await letters.run(['--show', 'none'])).code).toBe(1);
  });
});

describe('a letter that SQS itself moved', () => {
  test('a letter that SQS itself moved has no reason, and is listed as unknown', async () => {
    const { queue, deadLetterQueue, client } = letters;
    queue.setAttributes({
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterQueue.arn, maxReceiveCount: 1 }),
    });
    await client.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: '{}' }));
    queue.receive({ visibilitySeconds: 0 });
    queue.receive();
    expect(bodiesIn(deadLetterQueue)).toEqual(['{}']);
    const { out, notes } = await letters.run(['--outcome', 'unknown']);
    expect(out).toContain('moved by SQS itself, received 2 times so far');
    expect(notes).toContain('1 to token-relay-dev-orders');
  });
});

describe('a mistake in the command is one line that says what is wrong:', () => {
  const url = 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dlq';
  const here = ['--dead-letter-queue', url];
  test.each<[string, string[], RegExp]>([
    ['no place', [], /where are the letters\?/],
    ['an unknown option', [...here, '--sned'], /Unknown option '--sned'$/],
    ['a word too many', [...here, 'send'], /Unexpected argument 'send'$/],
    ['a value that is missing', ['--destination'], /--destination/],
    ['an empty value', ['--destination', ''], /--destination is empty/],
    ['two actions', [...here, '--send', '--export', 'f'], /--export and --send exclude each other/],
    ['--body without --show', [...here, '--body'], /--body goes with --show/],
    ['an unknown outcome', [...here, '--outcome', 'bad'], /--outcome bad: expected rejected, failed, blocked, unknown/],
    ['no duration', [...here, '--older-than', '3'], /--older-than 3: expected as/],
    ['no number', [...here, '--rate', 'fast'], /--rate fast: expected a number from 0.02 to 1000/],
    ['a rate of nothing', [...here, '--rate', '0'], /--rate 0/],
    ['a rate too high', [...here, '--rate', '1001'], /--rate 1001/],
    ['half a letter', [...here, '--limit', '1.5'], /--limit 1.5: expected a whole number/],
    ['no URL', ['--dead-letter-queue', 'orders-dlq'], /--dead-letter-queue orders-dlq: expected a queue's URL/],
    ['no URL of a queue', [...here, '--queue', 'https://example.org/'], /--queue .*: expected a queue's URL/],
    ['two places', [...here, '--import', 'f'], /go together with --bury alone/],
    ['a stage and a URL', [...here, '--stage', 'prod'], /--stage and --dead-letter-queue exclude each other/],
    ['--bury from a queue', [...here, '--bury'], /--bury wants --import/],
    ['--bury to nowhere', ['--import', 'f', '--bury'], /--bury wants --import/],
  ])('a mistake in the command is one line that says what is wrong: %s', (_, argv, message) => {
    const read = () => readCommand(argv);
    expect(read).toThrow(Mistake);
    expect(read).toThrow(message);
    expect(read).toThrow(/^[^\n]+$/);
  });

  test('a mistake in the command is one line: a destination without queues', async () => {
    const argv = ['--stage', 'prod', '--destination', 'orders'];
    await expect(letters.runExactly(argv)).rejects.toThrow(
      'there is no queue token-relay-prod-orders-dlq or token-relay-prod-orders-dlq.fifo in eu-central-1',
    );
  });

  test('a mistake in the command is one line: a destination with two kinds of queues', async () => {
    await expect(letters.runExactly(['--destination', 'orders'])).rejects.toThrow('name one with --dead-letter-queue');
  });
});

test('a destination of a deployment is found by the names that the deployment gave', async () => {
  letters.sqs.createQueue('billing-prod-invoices-dlq.fifo');
  const argv = ['--service', 'billing', '--stage', 'prod', '--destination', 'invoices'];
  expect((await letters.runExactly(argv)).out).toContain('listed 0');
});

describe('the link to the log that an MPL id names', () => {
  const mplId = 'AGXYZabcdefghijklmnopqrstuvw';
  const monitor = 'acme.integrationsuite.cfapps.eu10.hana.ondemand.com';
  const link = `https://${monitor}/shell/monitoring/Messages/%7B%22identifier%22%3A%22${mplId}%22%7D`;

  test.each([
    ['a list', []],
    ['a letter that is shown', ['--show', 'order-4711']],
  ])('the link of an MPL id stands in %s, whole, however narrow the terminal is', async (_, argv) => {
    await letters.bury({ attributes: { messageId: string('order-4711') }, mplId, monitor });
    const { out } = await letters.run(argv, { columns: 60 });
    expect(out.split('\n').filter((line) => line.includes('https://'))).toEqual([
      expect.stringMatching(/^\S* +https:/),
    ]);
    expect(out).toContain(link);
  });

  test.each(['javascript:alert(1)', 'https://acme.example/\u001b[2J', 'https://acme.example/ x', 4711])(
    'a link that somebody else wrote into the letter is not shown: %j',
    async (mplLink) => {
      const deadLetter = string(JSON.stringify({ reason: 'no', outcome: 'rejected', mplLink }));
      const { client, deadLetterQueue } = letters;
      const attribute = { DataType: 'String', StringValue: deadLetter.stringValue };
      const MessageAttributes = { deadLetter: attribute };
      await client.send(
        new SendMessageCommand({ QueueUrl: deadLetterQueue.url, MessageBody: '{}', MessageAttributes }),
      );
      const { out } = await letters.run([]);
      expect(out).toContain('listed 1');
      expect(out).not.toMatch(/acme|alert|4711/);
    },
  );
});
