/**
 * `npm run send` as a process: what it signs, for every kind of sender, is admitted by the webhook; and its manners.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createHttpClient } from '../../functions/http/http.ts';
import { problem } from '../../functions/webhook/problem.ts';
import { startHttpApi } from '../../infra/local/aws/http-api/http-api.ts';
import { startSqs } from '../../infra/local/aws/sqs/sqs.ts';
import { type Request, startServer } from '../../infra/local/server/server.ts';
import { SEND_MANUAL } from '../../infra/ops/send/manual.ts';
import { runSend } from '../../infra/ops/send/run.ts';
import { NOON } from '../doubles/time.ts';
import { webhookEvent } from '../webhook/aws-http-events.ts';
import { startIssuer } from '../webhook/issuer.ts';
import { type OpenWebhook, openWebhook } from '../webhook/open-webhook.ts';
import { type Entry, senderOf, verifyAs } from '../webhook/senders.ts';

const COMMAND = resolve(import.meta.dirname, '../../infra/ops/send/send.ts');
const at = String(NOON / 1000);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-relay-send-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Sent {
  readonly code: number;
  readonly out: string;
  readonly notes: string;
}

/** In this process, with no variable but those given. */
async function send(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Sent> {
  const sent = { out: '', notes: '' };
  const into = (name: keyof typeof sent) => ({
    write(words: string) {
      sent[name] += words;
    },
  });
  const streams = { stdout: into('out'), stderr: into('notes') };
  const code = await runSend(argv, { environment, readFile: read, nowMs: NOON, ...streams });
  return { code, ...sent };
}
const read = (path: string) => readFile(resolve(folder, path));

/** As a process of its own. */
async function start(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Sent> {
  const env = { PATH: process.env.PATH, HOME: folder, ...environment };
  const child = spawn(process.execPath, [COMMAND, ...argv], { cwd: folder, env });
  const [out, notes, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: Number(code), out, notes };
}

interface ServedWebhook extends OpenWebhook {
  readonly url: string;
  readonly requests: Request[];
  readonly ids: string[];
}

/** The webhook behind a server: 202 with the id for an admitted request, else the refusal. At noon. */
async function open(
  verify: unknown,
  secret?: unknown,
  fields: Parameters<typeof openWebhook>[0] = {},
): Promise<ServedWebhook> {
  const opened = openWebhook({ verify: verifyAs(verify), ...fields });
  opened.secret = secret;
  const requests: Request[] = [];
  const ids: string[] = [];
  const server = await startServer(async (request) => {
    requests.push(request);
    const { method, path: rawPath, headers, body } = request;
    const event = webhookEvent({ method, rawPath, headers, body: body.toString('base64'), isBase64Encoded: true });
    const admission = await opened.admitEvent(event);
    if ('reply' in admission) return { ...admission.reply, body: String(admission.reply.body) };
    ids.push(admission.message.id);
    return { status: 202, headers: { 'Content-Type': 'application/json' }, body: '{"messageId":"…"}' };
  });
  onTestFinished(() => server.stop());
  return Object.assign(opened, { url: `${server.url}/webhooks/orders`, requests, ids });
}

const plainOf = ({ username, password, key, secret }: Entry) => key ?? secret ?? `${username}:${password}`;
const options: Readonly<Record<string, readonly string[]>> = {
  hmac: ['--verify', 'hmac', '--signature-header', 'X-Signature'],
  'hmac with a timestamp': [
    ...['--verify', 'hmac', '--signature-header', 'X-Slack-Signature', '--prefix', 'v0='],
    ...['--timestamp-header', 'X-Slack-Request-Timestamp', '--signed-content', 'v0:{timestamp}:{body}'],
  ],
  'hmac with sha512 in base64': [
    ...['--verify', 'hmac', '--signature-header', 'X-Signature', '--algorithm', 'sha512'],
    ...['--encoding', 'base64', '--prefix', 'HMAC '],
  ],
};

describe('What it signs is let in', () => {
  test.each([
    'basic',
    'api-key',
    'hmac',
    'hmac with a timestamp',
    'hmac with sha512 in base64',
    'github',
    'shopify',
    'stripe',
    'sap-open-connectors',
    'standard-webhooks',
  ])('a request that it signs is let in by %s, and with another secret it is not', async (name) => {
    const sender = senderOf(name);
    const [entry, other] = sender.entries;
    const webhook = await open(sender.verify, entry);
    const how = [...(options[name] ?? ['--verify', name]), '--url', webhook.url, '--at', at, '--id', 'id-4711'];
    const body = ['--data', '{"id":"id-4711","total":"42 €"}'];

    const named = (one: Entry) => send([...how, ...body, '--secret', 'env:ONE'], { ONE: plainOf(one) });
    expect(await named(entry)).toEqual({
      code: 0,
      out: '202 Accepted\ncontent-type: application/json\n\n{"messageId":"…"}\n',
      notes: '',
    });
    expect(
      await send([...how, ...body, '--secret', 'env:SHARED'], { SHARED: JSON.stringify([entry, other]) }),
    ).toMatchObject({ code: 0 });
    expect(webhook.ids).toEqual(['id-4711', 'id-4711']);
    expect(webhook.requests[0]?.body.toString()).toBe('{"id":"id-4711","total":"42 €"}');

    const refused = await named(other);
    expect(refused).toMatchObject({ code: 1, notes: '' });
    expect(refused.out).toMatch(/^401 Unauthorized\n(.*\n)*www-authenticate: Basic .*\n\n\{"type":"urn:problem-type:/);
  });

  test('a request that it signs is let in by a token', async () => {
    const issuer = await startIssuer();
    const webhook = await open({ type: 'jwt', issuer: issuer.url, audience: 'orders' });
    webhook.send = createHttpClient();
    const token = join(folder, 'token.txt');
    await writeFile(token, `${await issuer.token()}\n`);
    expect(await send(['--url', webhook.url, '--verify', 'jwt', '--secret', `@${token}`])).toMatchObject({ code: 0 });
    expect(await send(['--url', webhook.url, '--verify', 'jwt', '--secret', 'a.b.c'])).toMatchObject({ code: 1 });
  });

  test('a request that it sends is let in where verify is none', async () => {
    const webhook = await open('none');
    expect(await send(['--url', webhook.url, '--verify', 'none', '--method', 'post'])).toMatchObject({ code: 0 });
    expect(webhook.requests[0]?.headers).toMatchObject({ 'content-type': 'application/json' });
  });

  test('a request that it signs for AWS has the signature that AWS documents', async () => {
    const webhook = await open('none');
    const credentials = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI' };
    const run = await start(
      [
        '--url',
        `${webhook.url}?b=2&a=1`,
        '--verify',
        'iam',
        '--region',
        'eu-central-1',
        '--at',
        at,
        '--data',
        'payload',
      ],
      credentials,
    );
    expect(run).toMatchObject({ code: 0, notes: '' });
    const [request] = webhook.requests;
    const { authorization = '', ...headers } = request?.headers ?? {};
    const [, scope, names = '', signature] =
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(
        authorization,
      ) ?? [];
    expect(scope).toBe('20260101/eu-central-1/execute-api/aws4_request');
    expect(names.split(';')).toEqual(expect.arrayContaining(['content-type', 'host', 'x-amz-date']));
    expect(signature).toBe(awsSignature(credentials.AWS_SECRET_ACCESS_KEY, names, headers, 'a=1&b=2', 'payload'));
  });

  test('a handshake lets in an origin that may send', async () => {
    const webhook = await open('basic', {}, { allowedOrigins: ['em.example.com'] });
    expect(await send(['--url', webhook.url, '--handshake', 'em.example.com'])).toEqual({
      code: 0,
      out: '200 OK\nallow: POST\nwebhook-allowed-origin: em.example.com\nwebhook-allowed-rate: *\n',
      notes: '',
    });
    expect(await send(['--url', webhook.url, '--handshake', 'other.example.com'])).toMatchObject({ code: 1 });
  });
});

/** By the steps of the IAM User Guide, "Create a signed AWS API request"; path and query as the test sends them. */
function awsSignature(
  secret: string,
  names: string,
  headers: Readonly<Record<string, string>>,
  query: string,
  payload: string,
): string {
  const hash = (value: string) => createHash('sha256').update(value).digest('hex');
  const mac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest();
  const signedHeaders = names.split(';').map((name) => `${name}:${headers[name]}\n`);
  const canonical = ['POST', '/webhooks/orders', query, signedHeaders.join(''), names, hash(payload)].join('\n');
  const scope = '20260101/eu-central-1/execute-api/aws4_request';
  const toSign = ['AWS4-HMAC-SHA256', '20260101T120000Z', scope, hash(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>(mac, `AWS4${secret}`);
  return mac(key, toSign).toString('hex');
}

describe('The line for curl', () => {
  test('the printed command for curl sends the same', async () => {
    const { verify, entries } = senderOf('github');
    const webhook = await open(verify, entries[0]);
    const data = join(folder, "o'clock.json");
    await writeFile(data, '@{"id":"it\'s $HOME `x` \\"5\\""}\n');
    const { out } = await send([
      ...['--url', webhook.url, '--verify', 'github', '--secret', plainOf(entries[0]), '--curl'],
      ...['--header', 'X-Empty:', '--data', `@${data}`],
    ]);
    const line = out.slice(0, out.indexOf('\n202 '));
    expect(line).toMatch(/^curl -i 'http/);
    // A shell without curl has one that prints what it was given.
    const shell = `command -v curl >/dev/null || curl() { for word; do printf '[%s]' "$word"; done; }; ${line}`;
    const { stdout } = await promisify(execFile)('sh', ['-c', shell]);
    const [first, second] = webhook.requests;
    if (second === undefined) expect(stdout).toContain(`[--data-raw][${first?.body}]`);
    else expect([second.method, second.body, webhook.ids.length]).toEqual([first?.method, first?.body, 2]);
  });
});

describe('A mistake is one line, exit code 2, and does not repeat a secret', () => {
  test.each<[string[], string]>([
    [[], 'how is it signed? --verify <kind>'],
    [['--verify', 'none'], 'where to? --url'],
    [['--verify', 'none', '--url', 'ftp://hunter22'], '--url: expected an https: or http: URL'],
    [['--verify', 'hunter22', '--url', 'http://x'], '--verify: expected basic, api-key,'],
    [['--verify', 'basic', '--url', 'http://x'], '--verify basic wants --secret'],
    [['--verify', 'hmac', '--secret', 'hunter22', '--url', 'http://x'], '--verify hmac wants --signature-header'],
    [['--verify', 'basic', '--secret', 'hunter22', '--url', 'http://x'], '--secret: expected user:password'],
    [['--verify', 'api-key', '--secret', '{"secret":"hunter22"}', '--url', 'http://x'], '--secret: expected a text'],
    [['--verify', 'standard-webhooks', '--secret', 'hunter22', '--url', 'http://x'], '--secret: expected whsec_'],
    [['--verify', 'github', '--secret', 'env:NOT_SET', '--url', 'http://x'], 'the variable NOT_SET is not set'],
    [
      ['--verify', 'github', '--secret', '@none.txt', '--url', 'http://x'],
      '--secret @none.txt: cannot be read (ENOENT)',
    ],
    [['--verify', 'none', '--url', 'http://x', '--data', '@none.json'], '--data @none.json: cannot be read (ENOENT)'],
    [['--verify', 'none', '--url', 'http://x', '--header', 'hunter22'], "--header: expected '<name>: <value>'"],
    [['--verify', 'none', '--url', 'http://x', '--at', 'now'], '--at: expected Unix seconds'],
    [
      ['--verify', 'github', '--algorithm', 'md5', '--secret', 'x', '--url', 'http://x'],
      '--algorithm: expected sha256,',
    ],
    [['--verify', 'none', '--handshake', 'x', '--url', 'http://x'], '--verify and --handshake exclude each other'],
    [['--verify', 'iam', '--url', 'http://x'], '--verify iam wants --region'],
    [['--verify', 'iam', '--region', 'eu-west-1', '--secret', 'hunter22', '--url', 'http://x'], '--secret: expected'],
    [['@none.queue'], '@none.queue: cannot be read (ENOENT)'],
    [['--queue', 'hunter22'], '--queue: expected an https: or http: URL'],
    [['--queue', 'http://x/q', '--verify', 'none'], '--queue and --verify exclude each other'],
    [['--queue', 'http://x/q', '--destination', 'orders'], '--queue and --destination exclude each other'],
    [['--queue', 'http://x/q', '--stage', 'prod'], '--queue and --stage exclude each other'],
    [['--destination', 'orders', '--secret', 'hunter22'], '--destination and --secret exclude each other'],
    [['--destination', ''], '--destination is empty'],
    [['--stage', 'prod', '--url', 'http://x', '--verify', 'none'], '--stage goes with --destination'],
    [
      ['--destination', 'orders', '--port', '4200'],
      '--port is of a landscape of npm start: it goes with --stage local',
    ],
    [['--destination', 'orders', '--stage', 'local', '--port', 'x'], '--port x: expected that of its page'],
    [['--url', 'http://x', '--verify', 'none', '--group', 'g'], '--group is for a queue alone'],
    [['--sned'], "Unknown option '--sned'"],
    [
      ['--verify', 'jwt', '--secret', 'a.b.hunter22\nhunter22', '--url', 'http://x'],
      'Authorization: holds what no header',
    ],
    [
      ['--verify', 'api-key', '--secret', 'hunter22\nx', '--url', 'http://x', '--curl'],
      'X-Api-Key: holds what no header',
    ],
    [['--verify', 'none', '--header', 'X-Key: €hunter22', '--url', 'http://x'], 'X-Key: holds what no header'],
    [['--verify', 'none', '--url', 'http://erp:hunter22@x'], '--url: expected one without user and password'],
    [['--verify', 'basic', '--secret', 'erp:correct', 'hunter22', '--url', 'http://x'], 'a word too many'],
  ])('a mistake is one line, exit code 2, and does not repeat a secret: %j', async (argv, line) => {
    const { code, out, notes } = await send(argv);
    expect([code, out]).toEqual([2, '']);
    expect(notes).toMatch(/^send: [^\n]+\n$/);
    expect(notes).toContain(line);
    expect(notes).not.toContain('hunter22');
  });
});

describe('A message for a queue', () => {
  const queueOf = async (name: string) => {
    const { sqs, server } = await startSqs();
    onTestFinished(() => server.stop());
    return { sqs, queue: sqs.createQueue(name, name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}) };
  };

  test('a message is put into a queue as it is, with its id, its content type and attributes', async () => {
    const { queue } = await queueOf('orders');
    const argv = ['--queue', queue.url, '--data', '{"total":"42 €"}', '--id', '4711', '--header', 'X-Rest: urgent'];
    expect(await send(argv)).toEqual({ code: 0, out: 'sent to orders: message 4711\n', notes: '' });
    const [received] = queue.receive();
    expect(received?.body).toBe('{"total":"42 €"}');
    const values = Object.entries(received?.messageAttributes ?? {}).map(([name, { stringValue }]) => [
      name,
      stringValue,
    ]);
    expect(Object.fromEntries(values)).toEqual({
      contentType: 'application/json',
      messageId: '4711',
      'X-Rest': 'urgent',
    });
  });

  test('a message of bytes is put into a queue as base64, and says so', async () => {
    const { queue } = await queueOf('orders');
    await writeFile(join(folder, 'bytes.bin'), Buffer.from([0xff, 0x00, 0x0a]));
    expect(await send(['--queue', queue.url, '--data', '@bytes.bin'])).toMatchObject({ code: 0 });
    const [received] = queue.receive();
    expect(received?.body).toBe('/wAK');
    expect(received?.messageAttributes?.bodyEncoding?.stringValue).toBe('base64');
  });

  test('a message for a FIFO queue has the group that is named, and one of its own without', async () => {
    const { queue } = await queueOf('orders.fifo');
    await send(['--queue', queue.url, '--group', 'customer-1']);
    await send(['--queue', queue.url]);
    expect(queue.receive({ maxMessages: 10 }).map(({ attributes }) => attributes.MessageGroupId)).toEqual([
      'customer-1',
      'npm-run-send',
    ]);
  });

  test('options that stand in a file are read from it, and what follows it wins', async () => {
    const { queue } = await queueOf('orders');
    await writeFile(join(folder, 'orders.queue'), `# written by npm start\n--queue ${queue.url}\n--id in-file\n\n`);
    expect(await send(['@orders.queue'])).toMatchObject({ code: 0, out: 'sent to orders: message in-file\n' });
    expect(await send(['@orders.queue', '--id', 'mine'])).toMatchObject({ out: 'sent to orders: message mine\n' });
  });

  test('a queue that is not there is one line and exit code 1', async () => {
    const { queue, sqs } = await queueOf('orders');
    sqs.deleteQueue('orders');
    expect(await send(['--queue', queue.url])).toEqual({
      code: 1,
      out: '',
      notes: expect.stringMatching(/^send: [^\n]*queue[^\n]*\n$/),
    });
  });

  test('a destination without a queue in that place is a mistake', async () => {
    const { queue } = await queueOf('orders');
    const environment = { AWS_ENDPOINT_URL_SQS: new URL(queue.url).origin };
    const { code, notes } = await send(['--stage', 'prod', '--destination', 'orders'], environment);
    expect(code).toBe(2);
    expect(notes).toContain(
      'there is no queue token-relay-prod-orders or token-relay-prod-orders.fifo in eu-central-1',
    );
  });
});

test('a request that it signs for AWS is let in by a gateway with iam, and with another key it is not', async () => {
  const user = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'made-up', userArn: 'arn:aws:iam::1:user/erp' };
  const api = await startHttpApi({
    invoke: async () => ({ ok: true, requestId: 'r', payload: { statusCode: 202, body: 'let in' } }) as never,
    routes: [{ methods: ['POST'], path: '/webhooks/orders', authorization: 'AWS_IAM' }],
    payloadFormat: '2.0',
    identities: [user],
    region: 'eu-west-1',
    now: () => NOON,
  });
  onTestFinished(() => api.server.stop());
  const sent = (SecretAccessKey: string) => {
    const key = JSON.stringify({ AccessKeyId: user.accessKeyId, SecretAccessKey });
    const how = ['--verify', 'iam', '--region', 'eu-west-1', '--secret', 'env:KEY'];
    return send(['--url', `${api.url}/webhooks/orders`, ...how], { KEY: key });
  };
  expect(await sent('made-up')).toMatchObject({ code: 0, out: expect.stringContaining('let in') });
  expect(await sent('another')).toMatchObject({ code: 1, out: expect.stringMatching(/^403 /) });
});

test('bytes that are no text go through a pipe', async () => {
  const webhook = await open('none');
  await writeFile(join(folder, 'order.bin'), Buffer.from([0xff, 0x00, 0x0a]));
  const { out } = await send(['--url', webhook.url, '--verify', 'none', '--data', '@order.bin', '--curl']);
  expect(webhook.requests[0]?.body).toEqual(Buffer.from([0xff, 0x00, 0x0a]));
  expect(out).toMatch(/^printf %s '\/wAK' \| base64 -d \| curl -i '[^']+' .*--data-binary @-\n202 /);
});

describe('A secret', () => {
  const { verify, entries } = senderOf('github');
  const secretIn = async (value: string) => {
    const webhook = await open(verify, entries[0]);
    await writeFile(join(folder, 'secret.txt'), `${plainOf(entries[0])}\n`);
    return send(['--url', webhook.url, '--verify', 'github', '--secret', value], { SHARED: plainOf(entries[0]) });
  };

  test('a secret given in the clear is used, with a warning that says who keeps it, and not the secret', async () => {
    const { code, notes, out } = await secretIn(plainOf(entries[0]));
    expect(code).toBe(0);
    expect(notes).toMatch(
      /^send: warning: [^\n]*shell[^\n]*npm[^\n]*debug log[^\n]*--secret env:NAME or --secret @file\n$/,
    );
    expect(`${notes}${out}`).not.toContain(plainOf(entries[0]));
  });

  test.each(['env:SHARED', '@secret.txt'])('a secret named by %s is used without a warning', async (value) => {
    expect(await secretIn(value)).toMatchObject({ code: 0, notes: '' });
  });

  test.each(['functions/webhook/verification/README.md', 'infra/ops/README.md', 'infra/ops/send/manual.ts'])(
    'a secret is only named in %s',
    async (path) => {
      const document = await readFile(resolve(import.meta.dirname, '../..', path), 'utf8');
      const given = [...document.matchAll(/--verify [a-z]\S*.*--secret (\S+)/g)].map(([, value]) => value);
      expect(given.length).toBeGreaterThan(0);
      expect(given.filter((value) => !/^(env:|@)/.test(value ?? ''))).toEqual([]);
    },
  );

  test('a secret does not get into a debug log of npm, which keeps none here', async () => {
    const env = { PATH: process.env.PATH, HOME: folder, npm_config_cache: join(folder, 'npm') };
    const argv = ['run', '--silent', 'send', '--', '--verify', 'github', '--secret', 'hunter22', '--url', 'no'];
    const child = spawn('npm', argv, { cwd: resolve(import.meta.dirname, '../..'), env });
    const [notes] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect(notes).toContain('send: --url: expected');
    const kept = await readdir(folder, { recursive: true });
    expect(kept.filter((name) => /debug.*\.log$/.test(name))).toEqual([]);
  });
});

test('--help of npm run send prints the manual, in 80 columns', async () => {
  expect(await start(['--help'])).toEqual({ code: 0, out: SEND_MANUAL, notes: '' });
  for (const line of SEND_MANUAL.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
});

test('the process ends with the exit code that the answer means', async () => {
  const { verify, entries } = senderOf('sap-open-connectors');
  const webhook = await open(verify, entries[0]);
  const argv = ['--url', webhook.url, '--verify', 'sap-open-connectors', '--secret', 'env:ONE'];
  expect(await start(argv, { ONE: plainOf(entries[0]) })).toMatchObject({ code: 0, notes: '' });
  expect(await start(argv, { ONE: plainOf(entries[1]) })).toMatchObject({ code: 1, notes: '' });
  expect(await start(['--verify', 'none'])).toMatchObject({ code: 2, out: '' });
});

test('a reader that goes away, as head does, does not change the exit code', async () => {
  const webhook = await open('none');
  const child = spawn(process.execPath, [COMMAND, '--url', webhook.url, '--verify', 'none'], { cwd: folder });
  child.stdout.destroy();
  const [notes, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect([code, notes]).toEqual([0, '']);
});

test('a server that does not run is reported in one line, exit code 1', async () => {
  const server = await startServer(() => problem('unavailable') as never);
  await server.stop();
  const { code, notes } = await send(['--verify', 'none', '--url', server.url]);
  expect(code).toBe(1);
  expect(notes).toMatch(/^send: fetch failed: [^\n]*ECONNREFUSED[^\n]*\n$/);
});
