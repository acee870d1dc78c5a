/**
 * What other tools deploy: `npm run template` as a process, held against the package of the framework; and the examples
 * of infra/deploy/README.md, held against the template.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fencesOf, namesIn, tableBelow } from '../documents/documents.ts';
import { ACCOUNT, evaluate, REGION, type Template } from './packaging/cloudformation.ts';
import { createService, type Ran, type Service } from './packaging/service.ts';
import { unzip } from './packaging/zip.ts';

const TEMPLATE = 'token-relay.template.json';
const ZIP = 'token-relay.zip';

/** Alarms with an order among them, what the framework makes of a webhook, and of one with routes of its own. */
const custom = {
  alarms: { mail: 'operators@example.com' },
  maintenance: [{ cron: '0 20 * * SAT', hours: 6 }],
  webhookDomain: {
    name: 'webhooks.example.com',
    certificateArn: `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/11111111-2222-3333-4444-555555555555`,
  },
  destinations: {
    orders: { secret: 'cpi/orders', path: '/http/orders', webhook: { verify: 'iam' } },
    invoices: { secret: 'cpi/invoices', path: '/http/invoices', fifo: true, webhook: { verify: 'basic', secret: 'w' } },
  },
};

interface PlainTemplate extends Template {
  readonly Description: string;
  readonly Parameters: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly Transform?: string;
}

// Each is a run of the framework with a build in it: half a minute where other tests run beside it.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

const services: Service[] = [];
async function service(content?: object): Promise<Service> {
  const made = await createService(content);
  services.push(made);
  return made;
}
afterAll(() => Promise.all(services.map((made) => made.remove())));

const OPTIONS = ['--stage', 'prod', '--region', REGION];
let made: Service;
let ran: Ran;
let plain: PlainTemplate;
let text: string;
let zip: Buffer;
let packaged: Template;
beforeAll(async () => {
  made = await service(custom);
  ran = await made.plain([...OPTIONS, '--out', 'release/plain']);
  text = await readFile(join(made.folder, 'release/plain', TEMPLATE), 'utf8');
  zip = await readFile(join(made.folder, 'release/plain', ZIP));
  plain = JSON.parse(text);
  packaged = await (await made.package(...OPTIONS)).template();
});

const hash = () => createHash('sha256').update(zip).digest('hex');

describe('npm run template', () => {
  test('the template is the package’s, but for what the framework adds to it', () => {
    const parameters = { S3Bucket: { Ref: 'ArtifactBucket' }, S3Key: { Ref: 'ArtifactKey' } };
    const expected = Object.entries(packaged.Resources)
      .filter(([id]) => !/^ServerlessDeploymentBucket(Policy)?$/.test(id))
      .map(([id, { Properties, ...resource }]) => {
        const isFunction = resource.Type === 'AWS::Lambda::Function';
        return [id, { ...resource, Properties: isFunction ? { ...Properties, Code: parameters } : Properties }];
      });
    expect(withoutOrder(plain.Resources)).toEqual(withoutOrder(Object.fromEntries(expected)));
    const { ServerlessDeploymentBucketName, HttpApiId, HttpApiUrl, ...outputs } = packaged.Outputs;
    expect([ServerlessDeploymentBucketName, HttpApiId, HttpApiUrl]).not.toContain(undefined);
    expect(plain.Outputs).toEqual(outputs);
  });

  test('the zip has the files of the package', async () => {
    const inPackage = unzip(await readFile(join(made.folder, '.serverless/token-relay.zip')));
    expect(unzip(zip)).toEqual(inPackage);
  });

  test('what npm run package has made stays as it is', async () => {
    const packageFolder = join(made.folder, '.serverless');
    const before = await contentsOf(packageFolder);
    expect(Object.keys(before)).toContain('token-relay.zip');
    expect((await made.plain([...OPTIONS, '--out', 'release/later'])).exitCode).toBe(0);
    const elsewhere = ['--stage', 'next', '--region', REGION, '--package', 'release/next'];
    expect((await made.package(...elsewhere)).exitCode).toBe(0);
    expect(await contentsOf(packageFolder)).toEqual(before);
    expect(Object.keys(await contentsOf(join(made.folder, 'release/next')))).toEqual(Object.keys(before));
  });

  test('the template has nothing of the framework in it', () => {
    // serverless.yml is where the settings stand, whoever deploys them.
    expect(text.match(/serverless(?!\.yml)|\bosls\b|\bsls-/gi)).toBeNull();
    expect(plain.Transform).toBeUndefined();
    expect(Object.keys(plain).sort()).toEqual([
      'AWSTemplateFormatVersion',
      'Description',
      'Outputs',
      'Parameters',
      'Resources',
    ]);
  });

  test('the template names no resource that must be there before, where a reference says so', () => {
    const redundant = Object.entries(plain.Resources).flatMap(([id, resource]) =>
      dependsOn(resource).flatMap((before) =>
        JSON.stringify(resource.Properties).includes(`{"Ref":"${before}"}`) ||
        JSON.stringify(resource.Properties).includes(`{"Fn::GetAtt":["${before}",`)
          ? [`${id} after ${before}`]
          : [],
      ),
    );
    expect(redundant).toEqual([]);
    expect(dependsOn(plain.Resources.QueueLambdaFunction)).toEqual(['QueueLogGroup']);
    expect(dependsOn(plain.Resources.AlarmNeedsAPerson).length).toBeGreaterThan(0);
  });

  test('the key of the zip contains its SHA-256: another code is another key, which CloudFormation looks at', () => {
    expect(Object.keys(plain.Parameters)).toEqual(['ArtifactBucket', 'ArtifactKey']);
    const { AllowedPattern, Description } = plain.Parameters.ArtifactKey ?? {};
    const takes = (key: string) => new RegExp(`^(?:${AllowedPattern})$`).test(key);
    expect(takes(`token-relay/${hash()}.zip`)).toBe(true);
    expect(takes('token-relay.zip')).toBe(false);
    expect(takes(`token-relay/${createHash('sha256').update('another').digest('hex')}.zip`)).toBe(false);
    expect(Description).toContain(`token-relay/${hash()}.zip`);
  });

  test('the sizes, the SHA-256 of the zip and the next commands are told, in 80 columns', () => {
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.output.filter((line) => line.length > 80)).toEqual([]);
    const kilobytes = (bytes: number) => (bytes / 1000).toFixed(1);
    expect(ran.output.slice(0, 3)).toEqual([
      `${TEMPLATE}  ${kilobytes(Buffer.byteLength(text)).padStart(5)} kB`,
      `${ZIP}            ${kilobytes(zip.length)} kB`,
      `sha256  ${hash()}`,
    ]);
    expect(ran.output).toContain('cd release/plain');
    expect(ran.output).toContain(`HASH=${hash()}`);
    expectExample(ran.output.join('\n'));
  });

  test('the same template again, in another folder and another time zone, has the same bytes', async () => {
    const other = await service(custom);
    await mkdir(join(other.folder, 'elsewhere'));
    expect(await other.plain([...OPTIONS, '--out', 'elsewhere'], 'Pacific/Kiritimati')).toMatchObject({ exitCode: 0 });
    const [again, zipAgain] = await Promise.all(
      [TEMPLATE, ZIP].map((name) => readFile(join(other.folder, 'elsewhere', name))),
    );
    expect(again?.toString()).toBe(text);
    expect(zipAgain?.equals(zip)).toBe(true);
  });

  test('a template of 51,200 bytes or less is written with indentation, for people', async () => {
    const small = await service();
    const { exitCode, errors } = await small.plain([]);
    expect(exitCode).toBe(0);
    expect(errors.join('')).not.toContain(TEMPLATE);
    const written = await readFile(join(small.folder, TEMPLATE), 'utf8');
    expect(Buffer.byteLength(written)).toBeLessThanOrEqual(51_200);
    expect(written).toBe(`${JSON.stringify(JSON.parse(written), null, 2)}\n`);
  });

  test('a template above 51,200 bytes is told, and written without indentation', async () => {
    const large = await service({
      alarms: custom.alarms,
      destinations: Object.fromEntries(
        Array.from({ length: 6 }, (_, index) => [`flow-${index}`, { secret: `cpi/flow-${index}`, path: '/http/flow' }]),
      ),
    });
    const { exitCode, errors } = await large.plain(['--stage', 'prod']);
    expect(exitCode).toBe(0);
    const written = await readFile(join(large.folder, TEMPLATE), 'utf8');
    const bytes = Buffer.byteLength(written);
    expect(bytes).toBeGreaterThan(51_200);
    expect(written).toBe(`${JSON.stringify(JSON.parse(written))}\n`);
    expect(errors.slice(-2)).toEqual([
      `${TEMPLATE}: ${bytes} bytes. Above 51200 CloudFormation takes it`,
      'from S3 alone: with --s3-bucket, or by its URL.',
    ]);
  });

  test.each([
    [
      'in the settings',
      { destinations: { orders: { secret: 'cpi/orders', path: '/http/orders', fifos: true } } },
      [],
      1,
      ['orders.fifos: unknown field, did you mean fifo?'],
    ],
    [
      'in the command',
      undefined,
      ['--stag', 'prod'],
      2,
      [expect.stringContaining("template: Unknown option '--stag'")],
    ],
    [
      'in the folder',
      undefined,
      ['--out', 'serverless.yml'],
      2,
      [expect.any(String), expect.stringContaining('template: --out serverless.yml: cannot be written to: EEXIST')],
    ],
  ])('a mistake %s is told in a line, and nothing is made', async (_, content, options, exitCode, errors) => {
    const wrong = await service(content);
    expect(await wrong.plain(options)).toEqual({ exitCode, output: [], errors });
    await expect(readFile(join(wrong.folder, TEMPLATE))).rejects.toThrow('ENOENT');
  });
});

/** Of its files; in a folder the framework keeps what it has compiled, since the home of these processes is here. */
async function contentsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).sort();
  const contents = names.map(async (name) => [name, (await readFile(join(folder, name))).toString('base64')]);
  return Object.fromEntries(await Promise.all(contents));
}

const dependsOn = (resource: object | undefined): string[] =>
  [(resource as { DependsOn?: string | string[] } | undefined)?.DependsOn ?? []].flat();

/** Without what is only about the order in which resources are made. */
function withoutOrder(resources: Readonly<Record<string, object>>): object {
  return Object.fromEntries(
    Object.entries(resources).map(([id, resource]) => [id, { ...resource, DependsOn: undefined }]),
  );
}

/** `CAPABILITY_NAMED_IAM` where a role or policy has a name of its own, else `CAPABILITY_IAM`. */
function capability(): string {
  const named = Object.values(plain.Resources).some(
    ({ Type, Properties }) =>
      Type.startsWith('AWS::IAM::') && ('RoleName' in Properties || 'ManagedPolicyName' in Properties),
  );
  return named ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM';
}

/** Its parameters, capability, files and the stack's name, wherever it has them. */
function expectExample(example: string): void {
  const parameters = [...example.matchAll(/\b(Artifact\w+)\b(?= *[=:])/g)].map(([, name]) => name);
  expect([...new Set(parameters)].sort()).toEqual(Object.keys(plain.Parameters).sort());
  expect(
    [...example.matchAll(/CAPABILITY_\w+/g)].map(([name]) => name).filter((name) => name !== capability()),
  ).toEqual([]);
  // In a path or a word of its own; a key is a hash and what follows it.
  const files = [...example.matchAll(/(?<=[\s"'/])token-relay\.[\w.]+/g)].map(([name]) => name);
  expect([...new Set(files)].sort()).toEqual([TEMPLATE, ZIP]);
  expect(example).toMatch(/\btoken-relay-prod\b/);
}

/** @returns what a program says of `input`, `''` if it takes it; undefined if it is not installed */
function read(program: string, args: readonly string[], input: string): Promise<string | undefined> {
  return new Promise((settle) => {
    const child = execFile(program, args, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') settle(undefined);
      else settle(error === null ? '' : `${stdout}${stderr}` || error.message);
    });
    // A program that is not there takes no input.
    child.stdin?.on('error', () => settle(undefined));
    child.stdin?.end(input);
  });
}

test('rights of a tool that stand beside the policy are not in it', async () => {
  const path = resolve(import.meta.dirname, '../../infra/deploy/deployer-policy.json');
  const { Statement } = JSON.parse(await readFile(path, 'utf8')) as { Statement: { Sid: string; Action: string[] }[] };
  const allowed = Statement.filter(({ Sid }) => Sid !== 'Bucket').flatMap(({ Action }) => Action);
  const beside = tableBelow('infra/deploy/README.md', '| tool | beside').flatMap(([, cell = '']) => namesIn(cell));
  const actions = beside.filter((name) => /^(cloudformation|s3):/.test(name));
  expect(actions.length).toBeGreaterThan(5);
  expect(actions.filter((action) => allowed.includes(action))).toEqual([]);
});

describe('An example of infra/deploy/README.md', () => {
  const page = 'infra/deploy/README.md';
  const shell = fencesOf(page, 'sh').filter((text) => text.includes('deploy'));
  const examples: [string, string][] = [
    ['the AWS command line', shell.find((text) => text.includes('aws cloudformation deploy')) ?? ''],
    ['SAM', shell.find((text) => text.includes('sam deploy')) ?? ''],
    ['CDK', fencesOf(page, 'ts').join('')],
    ['Terraform', fencesOf(page, 'hcl').join('')],
  ];

  test.each(examples)('an example of %s has the parameters, capability, files and name of the template', (_, text) => {
    expectExample(text);
  });

  test('an example of each tool but CDK, which has its own, names the capability', () => {
    const without = examples.filter(([, text]) => !text.includes(capability())).map(([tool]) => tool);
    expect(without).toEqual(['CDK']);
  });

  test('an example of a shell is what the command itself prints, but for how it comes to the hash', () => {
    const [, example = ''] = examples[0] ?? [];
    const wordsOf = (text: string) => text.replace(/\\\n/g, ' ').split(/\s+/);
    const told = wordsOf(ran.output.slice(ran.output.findIndex((line) => line.startsWith('aws s3'))).join('\n'));
    const shown = wordsOf(example.slice(example.indexOf('aws s3')).replace('eu-central-1', REGION));
    expect(told.slice(0, shown.length - 1).sort()).toEqual(shown.slice(0, -1).sort());
  });

  test.each(['aws', 'sam'])('an example of a shell can be read by it: %s', async (tool) => {
    const example = shell.find((text) => text.includes(`\n${tool} `)) ?? '';
    expect(await read('sh', ['-n'], example)).toBe('');
  });

  test('an example of CDK can be read by TypeScript', () => {
    const { diagnostics } = ts.transpileModule(examples[2]?.[1] ?? '', { reportDiagnostics: true });
    expect(diagnostics).toEqual([]);
  });

  test('an example of Terraform can be read by it where it is installed, and is formatted as it would', async () => {
    const said = await read('terraform', ['fmt', '-check', '-'], examples[3]?.[1] ?? '');
    expect([undefined, '']).toContain(said);
  });

  test('an example of Terraform reads an output that the stack has', () => {
    const [, output = ''] = /outputs, "(\w+)"/.exec(examples[3]?.[1] ?? '') ?? [];
    expect(evaluate(plain.Outputs[output]?.Value, plain)).toBe('https://webhooks.example.com/webhooks/');
  });
});
