/**
 * Numbers and names that stand in the documents and in the code are the same: read from the code where they decide, and
 * figures of long runs from the one document about the run.
 */
import { globSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cutoverFields } from '../../functions/settings/schema/cutover.ts';
import { destinationFields } from '../../functions/settings/schema/destination.ts';
import { webhookFields } from '../../functions/settings/schema/webhook.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import { stack } from '../../infra/deploy/stack/stack.ts';
import { namesIn, ROOT, read, tableBelow } from './documents.ts';

/** The value of a constant of a file's own, in its source. */
function constant(file: string, name: string): number {
  const [, value] = new RegExp(`const ${name}(?:: [^=]+)? = ([\\d_ *]+);`).exec(read(file)) ?? [];
  if (value === undefined) throw new Error(`${file} has no number ${name}`);
  return value
    .replaceAll('_', '')
    .split('*')
    .reduce((product, factor) => product * Number(factor), 1);
}

const minutes = (ms: number) => ms / 60_000;
const text = (document: string) => read(document).replace(/\s+/g, ' ');

const backoff = (name: string) => constant('functions/queue/backoff.ts', name);
const pause = (name: string) => constant('functions/warm/pause.ts', name);
const rereadable = (name: string) => constant('functions/warm/rereadable.ts', name);

describe('A number in a document is the code’s:', () => {
  test.each<[string, string]>([
    [
      'README.md',
      `comes back after ${backoff('FIRST_MS') / 1000} s, doubling to ${minutes(backoff('LONGEST_MS'))} min`,
    ],
    ['README.md', `comes back after ${minutes(backoff('LONGEST_MS'))} to ${2 * minutes(backoff('LONGEST_MS'))} min`],
    [
      'functions/relay/README.md',
      `after ${backoff('FIRST_MS') / 1000} s, doubling to ${minutes(backoff('LONGEST_MS'))} min`,
    ],
    [
      'functions/relay/README.md',
      `a token of more than ${constant('functions/relay/outcome.ts', 'EXPECTED_TOKEN_BYTES') / 1024} KB`,
    ],
    ['functions/token/README.md', `${pause('FIRST_MS') / 1000} s, then up to ${minutes(pause('LONGEST_MS'))} min`],
    [
      'functions/token/README.md',
      `at most every ${inWords(minutes(constant('functions/token/token.ts', 'READ_AGAIN_PAUSE_MS')))} minutes`,
    ],
    [
      'test/README.md',
      `at most every ${inWords(minutes(constant('functions/token/token.ts', 'READ_AGAIN_PAUSE_MS')))} minutes`,
    ],
    ['test/README.md', `and within ${inWords(minutes(constant('test/simulation/token-watch.ts', 'READ_WITHIN_MS')))};`],
    [
      'functions/token/README.md',
      `in ${inWords(minutes(constant('functions/relay/endpoint-token.ts', 'SCOPES_PAUSE_MS')))} minutes`,
    ],
    [
      'functions/token/README.md',
      `kept until a 401, ${inWords(constant('functions/token/token-endpoint.ts', 'UNKNOWN_LIFETIME_MS') / 3_600_000)} hour at most`,
    ],
    [
      'functions/token/README.md',
      `in ${inWords(constant('functions/environment.ts', 'PREPARE_MS') / 1000)} seconds at most`,
    ],
    [
      'functions/message/README.md',
      `| a payload in S3 | ${constant('functions/queue/payload.ts', 'MAX_BYTES') / 1024 / 1024} MB at most |`,
    ],
    [
      'functions/message/README.md',
      `| body and attributes of a message | ${constant('functions/message/limits.ts', 'MAX_MESSAGE_BYTES') / 1024 / 1024} MiB`,
    ],
    [
      'functions/relay/adapter/README.md',
      `the first ${constant('functions/relay/adapter/soap/payload.ts', 'LOOKED_AT_BYTES') / 1024} KiB of it are looked at`,
    ],
    ['functions/relay/adapter/README.md', `more than ${constant('functions/relay/adapter/xml.ts', 'MAX_DEPTH')} deep`],
    [
      'functions/relay/adapter/README.md',
      `more than ${constant('functions/relay/adapter/soap/soap.ts', 'MOST_READ_BYTES') / 1024 / 1024} MiB`,
    ],
    [
      'functions/relay/adapter/README.md',
      `at most ${constant('functions/relay/adapter/error-text.ts', 'MAX_CHARACTERS').toLocaleString('en')} characters`,
    ],
    ['functions/webhook/README.md', `at most once in ${rereadable('READ_AGAIN_MS') / 1000} s`],
    ['functions/webhook/README.md', `if it comes within ${rereadable('NEWER_WITHIN_MS') / 1000} s`],
    [
      'functions/webhook/README.md',
      `over ${inWords(minutes(constant('functions/webhook/verification/verifiers.ts', 'DUE_AFTER_MS')))} minutes old`,
    ],
    [
      'functions/webhook/README.md',
      `Of the time ${constant('functions/webhook/dispatch.ts', 'QUEUEING_MS') / 1000} s are kept`,
    ],
    [
      'functions/webhook/verification/README.md',
      `over ${minutes(constant('functions/webhook/verification/issuer.ts', 'KEYS_DUE_AFTER_MS'))} minutes old`,
    ],
    [
      'functions/webhook/verification/README.md',
      `${constant('functions/webhook/verification/jwt.ts', 'LEEWAY_SECONDS')} s of leeway`,
    ],
    ['test/stories/README.md', `${inWords(constant('functions/queue/breaker.ts', 'LIMIT'))} in a row open the breaker`],
  ])('a number in a document is the code’s: %s: %s', (document, words) => {
    expect(text(document)).toContain(words);
  });
});

function inWords(number: number): string {
  return (
    ['none', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven'][number] ??
    String(number)
  );
}

describe('The table of settings', () => {
  const rows = tableBelow('functions/settings/README.md', '| setting | meaning');
  const fields = Object.keys(destinationFields);
  const ofWebhook = Object.keys(webhookFields);
  /** A row `webhook.methods`, `contentTypes` is about two fields of the webhook. */
  const named = rows.flatMap(([cell = '']) => {
    const names = namesIn(cell);
    return names[0]?.startsWith('webhook.') ? names.map((name) => `webhook.${name.replace('webhook.', '')}`) : names;
  });

  test('the table of settings has every field, and no other', () => {
    expect(named.sort()).toEqual(
      [
        ...fields,
        ...ofWebhook.map((field) => `webhook.${field}`),
        ...Object.keys(cutoverFields).map((field) => `cutover.${field}`),
      ].sort(),
    );
  });

  const flow = { secret: 'cpi/orders', path: '/http/orders' };
  const webhook = { verify: 'basic', secret: 'webhooks/orders' };
  const DESTINATIONS = JSON.stringify({ orders: { ...flow, webhook }, lane: { ...flow, fifo: true } });
  const { destinations } = readSettings({ DESTINATIONS });
  const orders = destinations.get('orders') as unknown as Record<string, unknown> & {
    webhook: Record<string, unknown>;
  };
  const lane = destinations.get('lane') as unknown as Record<string, unknown>;

  const defaultOf = (names: string) => rows.find(([cell]) => cell === names)?.[2];

  test.each<[string, unknown]>([
    ['`maxTokenUseSeconds`', `${orders.maxTokenUseSeconds}`],
    ['`timeoutSeconds`', `${orders.timeoutSeconds}`],
    [
      '`fifo`, `batchSize`, `maximumConcurrency`, `enabled`',
      `\`${orders.fifo}\`, ${orders.batchSize}, ${orders.maximumConcurrency}, \`${orders.enabled}\``,
    ],
    ['`concurrency`', `${orders.concurrency}`],
    ['`retryForHours`', `${orders.retryForHours}; FIFO ${lane.retryForHours}`],
    ['`webhook.maxBodyBytes`, `maxHeaderBytes`', `${orders.webhook.maxBodyBytes}, ${orders.webhook.maxHeaderBytes}`],
    ['`webhook.mode`', `\`${orders.webhook.mode}\``],
    ['`tokenFormat`', `\`${orders.tokenFormat}\``],
    ['`authentication`', `\`${orders.authentication}\``],
    ['`idHeader`', `\`${orders.idHeader}\`; \`soap-rm\`: none, its id is \`MessageId\``],
    ['`forwardHeaders`', (orders.forwardHeaders as string[]).map((name) => `\`${name}\``).join(', ')],
  ])('the table of settings has the default of %s', (names, value) => {
    expect(defaultOf(names)).toBe(value);
  });
});

test('README counts the ways in as the recipes do, but for the one that it shows', () => {
  const [, recipes = ''] = /^## Recipes$(.*?)^## /ms.exec(read('functions/webhook/verification/README.md')) ?? [];
  const ways = [...recipes.matchAll(/^### (.*)$/gm)].filter(
    ([, name]) => name !== 'Two kinds of sender at one webhook',
  );
  expect(text('README.md').toLowerCase()).toContain(`${inWords(ways.length - 1)} more ways to let senders in`);
});

describe('The page of log lines and metrics', () => {
  const page = 'functions/telemetry/README.md';
  const lines = tableBelow(page, '| line | level').flatMap(([cell = '']) => namesIn(cell));
  const metrics = tableBelow(page, '| metric | of').flatMap(([cell = '']) => namesIn(cell));
  const source = read('functions/telemetry/telemetry.ts');
  const sources = globSync('functions/**/*.ts', { cwd: ROOT }).map(read);

  test('the page of log lines and metrics has every line that the code writes, and no other', () => {
    const written = sources.flatMap((code) => [...code.matchAll(/'([a-z]+(?:-[a-z]+)*\.[a-z-]+)'/g)]);
    expect([...new Set(lines)].sort()).toEqual(
      [...new Set(written.map(([, name]) => name))].filter((name) => name !== 'amazonaws.com').sort(),
    );
  });

  test('the page of log lines and metrics has every field of delivery.attempted, and no other', () => {
    const [, body = ''] = /interface AttemptLine \{(.*?)\n\}/s.exec(source) ?? [];
    const fields = [...body.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name);
    const [, , told = ''] = tableBelow(page, '| line | level').find(([cell]) => cell === '`delivery.attempted`') ?? [];
    expect(namesIn(told)).toEqual(fields);
  });

  test('the page of log lines and metrics has every metric that the code counts, and no other', () => {
    const counted = [...source.matchAll(/'([A-Z][A-Za-z]+)'|\b([A-Z][A-Za-z]+): new Map/g)].map(
      ([, one, other]) => one ?? other,
    );
    const others = ['TokenRelay', 'Count', 'Milliseconds', 'Seconds', 'Days', 'None'];
    expect([...metrics].sort()).toEqual([...new Set(counted)].filter((name) => !others.includes(name ?? '')).sort());
  });
});

describe('The table of message attributes', () => {
  test('the table of message attributes has those that count, except the two of the extended client', () => {
    const [, list = ''] =
      /const \w+ = (?:new Set\()?\[\n\s+'messageId',(.*?)\]/s.exec(read('functions/message/queued.ts')) ?? [];
    const known = ['messageId', ...[...list.matchAll(/'(\w+)'/g)].map(([, name]) => name ?? '')];
    const told = tableBelow('functions/message/README.md', '| attribute | meaning').flatMap(([cell = '']) =>
      namesIn(cell),
    );
    expect(told.filter((name) => name !== 'pathFrom')).toEqual(known.filter((name) => !/PayloadSize$/.test(name)));
  });
});

describe('The numbers of the deployment', () => {
  const flow = { secret: 'cpi/orders', path: '/http/orders' };
  const made = stack({
    service: 'token-relay',
    stage: 'prod',
    region: 'eu-central-1',
    custom: { destinations: { orders: { ...flow, webhook: { verify: 'basic', secret: 'webhooks/orders' } } } },
  });
  const of = (name: string) => made.resources.Resources[name]?.Properties as Record<string, never>;
  const numbers = Object.fromEntries(
    tableBelow('infra/README.md', '## Numbers').map(([what = '', number = '']) => [what, number]),
  );
  const queueTimeout = (made.functions.queue as { timeout: number }).timeout;
  const yaml = read('serverless.yml');

  test.each<[string, string]>([
    ['messages are kept', `${Number(of('QueueOfOrders').MessageRetentionPeriod) / 86_400} days`],
    ['function `queue` runs', `: ${queueTimeout} s by default`],
    ['a received message is invisible', `: ${of('QueueOfOrders').VisibilityTimeout} s by default`],
    ['a batch', `\`batchSize\`, ${of('EventSourceMappingOfOrders').BatchSize} by default`],
    ['function `webhook` runs', `at most ${(made.functions.webhook as { timeout: number }).timeout} s`],
    ['memory, processor', `${/memorySize: (\d+)/.exec(yaml)?.[1]} MB, ${/architecture: (\w+)/.exec(yaml)?.[1]}`],
    ['logs are kept', `${/logRetentionInDays: (\d+)/.exec(yaml)?.[1]} days`],
  ])('a number of the deployment is the template’s: %s: %s', (what, number) => {
    expect(numbers[what]).toContain(number);
  });

  test('the statements of the rights in the document are those of the policy', () => {
    const { Statement } = JSON.parse(read('infra/deploy/deployer-policy.json')) as { Statement: { Sid: string }[] };
    const told = tableBelow('infra/README.md', '| statement | what').flatMap(([cell = '']) => namesIn(cell));
    expect(told.sort()).toEqual(Statement.map(({ Sid }) => Sid).sort());
  });
});

describe('What it costs a month', () => {
  const rows = tableBelow('infra/README.md', '| what | quantity');
  const items = rows.slice(0, -1).map(([what, quantity, price, cost]) => ({
    what,
    quantity: Number(quantity),
    price: Number(price),
    cost: Number(cost),
  }));
  const total = Number(rows.at(-1)?.at(-1)?.replaceAll('*', ''));

  test.each(items)('the cost of $what is quantity times price', ({ quantity, price, cost }) => {
    expect(cost).toBeCloseTo(quantity * price, 2);
  });

  test('the cost of a month is the sum, and README says the same', () => {
    expect(total).toBeCloseTo(
      items.reduce((sum, { cost }) => sum + cost, 0),
      2,
    );
    expect(text('README.md')).toContain(`about ${Math.round(total / 10) * 10} US dollars a month`);
    const [, alarms] = /these ten come to ([\d.]+) more/.exec(text('infra/README.md')) ?? [];
    expect(text('README.md')).toContain(`alarms ${Math.round(Number(alarms))} more`);
  });

  test('the cost of empty queues is five long polls of 20 s for ten queues and 30 days', () => {
    const asked = items.find(({ what }) => what?.includes('empty'));
    expect(asked?.quantity).toBeCloseTo((10 * 5 * 30 * 86_400) / 20 / 1e6, 2);
  });
});

describe('Figures of long runs are told once, and repeated as they are:', () => {
  const results = text('test/bench/RESULTS.md');

  test.each<[string, RegExp, string]>([
    ['cold, against the typical function', /one message, against the typical peer \| [\d.]+ \| ([\d.]+)/, '0.24'],
    [
      'warm, against the typical function',
      /warm CPU, batch of ten.*?the same against the typical peer \| [\d.]+ \| ([\d.]+)/,
      '0.14',
    ],
  ])('figures of long runs stand in one place, and are repeated as they are: %s', (_, figure, told) => {
    expect(Number(figure.exec(results)?.[1]).toFixed(2)).toBe(told);
    expect(text('README.md')).toContain(told);
    expect(text('test/bench/README.md')).toContain(told);
  });

  test('figures of JWT over opaque tokens stand in one place, and are repeated as they are', () => {
    const perSecond = (how: string) => Number(new RegExp(`\\| ${how} \\| (\\d+) \\|`).exec(results)?.[1]);
    const ratio = (where: string) => inWords(Math.round(perSecond(`JWT, ${where}`) / perSecond(`opaque, ${where}`)));
    expect(text('test/bench/README.md')).toContain(`${ratio('near')} times the throughput of opaque tokens`);
    expect(text('test/bench/README.md')).toContain(`${ratio('20 ms away')} times with it 20 ms away`);
  });

  test('figures of the long simulation stand in one place, and are repeated as they are', () => {
    const run = /([\d,]+) messages were sent through (\d+) landscapes under (\d+) kinds of fault/.exec(
      text('test/README.md'),
    );
    const [, messages, landscapes, kinds] = run ?? [];
    expect(text('README.md')).toContain(
      `${messages} messages through ${landscapes} landscapes under ${kinds} kinds of fault`,
    );
  });

  test('the command of the long simulation is one that makes so many runs', () => {
    const [, seeds, messages] = /--seeds (\d+) --messages (\d+)/.exec(text('test/README.md')) ?? [];
    expect(Number(seeds)).toBe(340);
    expect(Number(messages) * Number(seeds)).toBeGreaterThanOrEqual(1_014_012);
  });
});
