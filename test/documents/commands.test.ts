/**
 * The commands and settings in the documents' fences are such that the programs take them: scripts and options that
 * exist, recipes that are read without a mistake, and YAML that packages. What asks a tenant before AWS comes into it
 * is run.
 */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as lambda from '@aws-sdk/client-lambda';
import * as secretsmanager from '@aws-sdk/client-secrets-manager';
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { stack } from '../../infra/deploy/stack/stack.ts';
import { readStartCommand } from '../../infra/local/command/arguments.ts';
import { type Landscape, startLandscape } from '../../infra/local/landscape.ts';
import { readDoctorCommand } from '../../infra/ops/doctor/arguments.ts';
import { readPauseCommand } from '../../infra/ops/pause/arguments.ts';
import { readCommand as readReplayCommand } from '../../infra/ops/replay/arguments.ts';
import { readSendCommand } from '../../infra/ops/send/arguments.ts';
import { DOCUMENTS, fencesOf, namesIn, proseOf, ROOT, read, tableBelow } from './documents.ts';

const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> };

interface Shown {
  readonly document: string;
  /** Of package.json. */
  readonly script: string;
  /** As a shell would hand them over, with what is to be filled in filled in. */
  readonly argv: readonly string[];
  readonly text: string;
  /** A whole command, to be copied; in a sentence it may be the beginning of one. */
  readonly isWhole: boolean;
}

/** Commands of npm in the fences and in the sentences of the documents. */
const shown: readonly Shown[] = DOCUMENTS.flatMap((document) => {
  const inFences = fencesOf(document, 'sh').flatMap((text) => text.replace(/\\\n\s*/g, ' ').split(/\n|&&/));
  const inSentences = namesIn(proseOf(document).replace(/\s+/g, ' '));
  const found = [
    ...inFences.map((text) => ({ text, isWhole: true })),
    ...inSentences.map((text) => ({ text, isWhole: false })),
  ];
  return found.flatMap(({ text, isWhole }) => {
    const [, script, rest = ''] =
      /^\s*(?:[A-Z_]+=\S+ )?npm (?:run )?([a-z]+)(?: -- (.*?))?\s*(?:#.*|; .*)?$/.exec(text) ?? [];
    // `npm ci`, `npm doctor` and the like are npm's own.
    if (script === undefined || ['audit', 'ci', 'install', 'pack'].includes(script)) return [];
    return [{ document, script, argv: words(rest), text: text.trim(), isWhole }];
  });
});

/** @param rest with quotes as a shell has them */
function words(rest: string): string[] {
  const filled = rest
    .replaceAll('$URL', 'https://api.example/webhooks/orders')
    .replaceAll('<api>', 'api.example')
    .replaceAll('$QUEUE', 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders')
    .replace(/\s#.*$/, '');
  return [...filled.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

/**
 * A whole command is read by the script itself, where it can be asked; else its options are looked for in the manual.
 */
const readBy: Readonly<Record<string, (argv: readonly string[]) => unknown>> = {
  send: (argv) =>
    readSendCommand(argv, {
      environment: new Proxy({}, { get: () => 'user:synthetic' }),
      readFile: async () => Buffer.from('synthetic'),
      nowMs: 0,
    }),
  replay: readReplayCommand,
  doctor: readDoctorCommand,
  pause: readPauseCommand,
  resume: readPauseCommand,
  start: readStartCommand,
};
const manualIn: Readonly<Record<string, string>> = {
  start: 'infra/local/command/manual.ts',
  replay: 'infra/ops/replay/manual.ts',
  send: 'infra/ops/send/manual.ts',
  package: 'infra/deploy/package.ts',
  template: 'infra/deploy/template.ts',
  remove: 'infra/deploy/remove.ts',
  doctor: 'infra/ops/doctor/manual.ts',
  pause: 'infra/ops/pause/manual.ts',
  resume: 'infra/ops/pause/manual.ts',
  simulate: 'test/simulation/run.ts',
  bench: 'test/bench/run.ts',
};
/** `deploy` is the framework's. */
const OF_FRAMEWORK = ['--stage', '--region', '--package', '--verbose'];

describe('Commands in the documents', () => {
  test('commands in the documents are found', () => {
    expect(shown.length).toBeGreaterThan(60);
    expect([...new Set(shown.map(({ script }) => script))]).toEqual(
      expect.arrayContaining(['start', 'test', 'package', 'deploy', 'remove', 'replay', 'send', 'simulate', 'bench']),
    );
  });

  test('commands in the documents are scripts of package.json', () => {
    expect(shown.filter(({ script }) => !Object.hasOwn(scripts, script)).map(({ text }) => text)).toEqual([]);
  });

  test.each(shown.filter(({ script, text, isWhole }) => isWhole && script in readBy && !text.includes('…')))(
    'a command in $document is read without a mistake: $text',
    async ({ script, argv }) => {
      await expect(Promise.resolve(argv).then(readBy[script])).resolves.toBeDefined();
    },
  );

  test.each(shown.filter(({ script, argv, isWhole }) => argv.length > 0 && !(isWhole && script in readBy)))(
    'a command in $document has options that $script knows: $text',
    ({ script, argv }) => {
      const manual = manualIn[script] === undefined ? OF_FRAMEWORK.join(' ') : read(manualIn[script]);
      const options = argv.filter((word) => word.startsWith('--'));
      if (script === 'test' || script === 'mutate') return;
      expect(options.filter((option) => !manual.includes(`${option}`) && option !== '--help')).toEqual([]);
    },
  );

  test('commands of node in the documents lead to files', () => {
    const files = DOCUMENTS.flatMap((document) => [...read(document).matchAll(/node infra\/node\.cjs (\S+\.ts)/g)]);
    expect(files.length).toBeGreaterThan(1);
    expect(files.filter(([, path = '']) => !read(path).includes('HELP')).map(([, path]) => path)).toEqual([]);
  });
});

describe('Commands of aws', () => {
  /**
   * Those whose client is installed are looked for in it; the others, by hand in AWS's reference of its command line.
   */
  const BY_HAND = [
    'sns subscribe',
    'events put-targets',
    'logs tail',
    'iam create-policy',
    'cloudformation delete-stack',
    'cloudformation deploy',
  ];
  const clients: Readonly<Record<string, object>> = { cloudwatch, lambda, secretsmanager, sns, sqs };
  const asked = DOCUMENTS.flatMap((document) => [...read(document).matchAll(/\baws ([a-z]+) ([a-z]+(?:-[a-z]+)*)/g)]);

  test.each([...new Set(asked.map(([, service, operation]) => `${service} ${operation}`))])(
    'the command of aws %s exists',
    (command) => {
      const [service = '', operation = ''] = command.split(' ');
      const name = operation.replace(/(?:^|-)(.)/g, (_, first: string) => first.toUpperCase());
      expect(Object.hasOwn(clients[service] ?? {}, `${name}Command`) || BY_HAND.includes(command)).toBe(true);
    },
  );

  test('commands of aws name what README’s six lines deploy', () => {
    const [six = ''] = fencesOf('README.md', 'yaml');
    const made = stack({ service: 'token-relay', stage: 'prod', region: 'eu-central-1', custom: parse(six).custom });
    const queue = made.resources.Resources.QueueOfOrders?.Properties.QueueName;
    expect(fencesOf('README.md', 'sh').join('')).toContain(`--queue-name ${queue} `);
    expect(Object.keys(made.functions)).toContain('queue');
    expect(fencesOf('README.md', 'sh').join('')).toContain('/aws/lambda/token-relay-prod-queue ');
  });
});

describe('The reasons of the tables', () => {
  const sources = globSync('functions/**/*.ts', { cwd: ROOT }).map(read).join('\n');

  test.each(['README.md', 'infra/ops/README.md'])(
    'the reasons in the tables of %s are words of the code',
    (document) => {
      const rows = tableBelow(document, '| the reason says');
      const words = rows.flatMap(([cell = '']) => cell.split(/…|`|,|:|;| or |"/).map((part) => part.trim()));
      const telling = words.filter((part) =>
        /^(does not exist|may not be read|the endpoint |is too large|no answer|S3 refuses|invalid_|un\w+_)/.test(part),
      );
      expect(telling.length).toBeGreaterThan(3);
      expect(telling.filter((part) => !sources.includes(part.replace(/ \d+$/, '')))).toEqual([]);
    },
  );
});

test('npm start ends its story as README shows it', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [`${ROOT}/infra/local/start.ts`, '--once', '--port', '14810'],
    {
      cwd: ROOT,
    },
  );
  const end = stripVTControlCharacters(stdout).trimEnd().split('\n').slice(-2).join('\n');
  // On a slow machine one more environment may start, with a token of its own.
  const uncounted = (text: string) => text.replace(/\d+ token requests/, 'n token requests');
  expect(uncounted(read('README.md'))).toContain(`\n${uncounted(end)}\n`);
});

describe('Settings in the documents', () => {
  /** Which of the four forms in use a block has: serverless.yml, `custom`'s content, a destination, or a webhook. */
  function destinationsIn(yaml: string): unknown {
    const content = parse(yaml) as Record<string, Record<string, unknown>>;
    if (content.custom !== undefined) return content.custom;
    if (content.webhook !== undefined) return { destinations: { orders: { ...FLOW, ...content } } };
    return { destinations: content };
  }
  const FLOW = { secret: 'cpi/orders', path: '/http/orders' };
  const WEBHOOK = { verify: 'basic', secret: 'webhooks/orders' };

  const blocks = DOCUMENTS.flatMap((document) =>
    fencesOf(document, 'yaml').map((text): [string, string] => [document, text]),
  );

  test('settings in the documents are found', () => {
    expect(blocks.length).toBeGreaterThan(20);
  });

  test.each(blocks)('a setting in the document %s is valid: %s', (_, text) => {
    const custom = destinationsIn(text) as { readonly destinations?: object };
    const destinations = custom.destinations ?? { orders: { ...FLOW, webhook: WEBHOOK } };
    const input = { service: 'token-relay', stage: 'prod', region: 'eu-central-1' };
    expect(() => stack({ ...input, custom: { ...custom, destinations } })).not.toThrow();
  });
});

describe('What asks a tenant from your machine', async () => {
  const hasTools = await promisify(execFile)('sh', ['-c', 'command -v jq curl']).then(
    () => true,
    () => false,
  );
  const [script = ''] = fencesOf('infra/sap-tenant.md', 'sh');

  async function serviceKey({ endpoints }: Landscape): Promise<string> {
    const client = new secretsmanager.SecretsManagerClient({
      region: 'eu-central-1',
      endpoint: String(endpoints.AWS_ENDPOINT_URL_SECRETS_MANAGER),
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const { SecretString = '' } = await client.send(
      new secretsmanager.GetSecretValueCommand({ SecretId: 'cpi/orders' }),
    );
    return SecretString;
  }

  /** @returns the first line of the answer, and whether there was a token in it */
  async function asked(change: { readonly role?: boolean; readonly address?: string } = {}) {
    const landscape = await startLandscape({ environment: 'cf' });
    onTestFinished(landscape.stop);
    const { role: assignRole = true, address = '/orders' } = change;
    landscape.connect({ name: 'orders', assignRole, flow: { address } });
    const folder = await mkdtemp(join(tmpdir(), 'token-relay-tenant-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'service-key.json'), await serviceKey(landscape));
    const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: folder });
    return { status: stdout.split('\r\n')[0], hasToken: /^x-csrf-token: (?!required)\S+/im.test(stdout) };
  }

  test.skipIf(!hasTools)('a check of the tenant sees a token where all is right', async () => {
    expect(await asked()).toEqual({ status: 'HTTP/1.1 200 OK', hasToken: true });
  });

  test.skipIf(!hasTools)('a check of the tenant sees 403 without the role', async () => {
    expect(await asked({ role: false })).toEqual({ status: 'HTTP/1.1 403 Forbidden', hasToken: false });
  });

  test.skipIf(!hasTools)('a check of the tenant sees 404 where the flow has another address', async () => {
    expect(await asked({ address: '/Orders' })).toEqual({ status: 'HTTP/1.1 404 Not Found', hasToken: false });
  });
});
