/** What a deployment makes: `npm run package` as a process, then the template and the zip that it left. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readSettings } from '../../functions/settings/settings.ts';
import {
  ACCOUNT,
  evaluate,
  permissions,
  REGION,
  type Template,
  type TemplateResource,
} from './packaging/cloudformation.ts';
import { lambdaEnvironment, load } from './packaging/node.ts';
import { createService, type Packaged, type Service } from './packaging/service.ts';

const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/11111111-2222-3333-4444-555555555555`;
const INVOICES_SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:cpi/invoices-a1B2c3`;
const CERTIFICATE = `arn:aws:acm:${REGION}:${ACCOUNT}:certificate/11111111-2222-3333-4444-555555555555`;
const LEGACY_QUEUE = `arn:aws:sqs:${REGION}:999999999999:legacy-in`;

/** One destination of each kind: with a webhook, FIFO, and one whose queue is somebody else's. */
const custom = {
  alarms: { mail: 'operators@example.com' },
  kmsKeyArns: [KEY],
  webhookThrottling: { burst: 50 },
  webhookDomain: {
    name: 'webhooks.example.com',
    certificateArn: CERTIFICATE,
    truststoreUri: 's3://trusted/senders.pem',
  },
  destinations: {
    orders: {
      secret: 'cpi/orders',
      path: '/http/orders',
      payloadBucket: 'order-payloads',
      webhook: { verify: 'basic', secret: 'webhooks/orders' },
    },
    invoices: {
      secret: INVOICES_SECRET,
      url: 'https://flows.example.com/http/invoices',
      // Escaped for the framework, and a reference to CloudFormation's Fn::Sub.
      // biome-ignore lint/suspicious/noTemplateCurlyInString: not a template
      headers: { 'X-Template': '\\${opt:stage} ${QueueOfOrders} "quoted"' },
      fifo: true,
      timeoutSeconds: 120,
    },
    legacy: {
      secret: 'cpi/orders',
      path: '/http/legacy',
      queue: LEGACY_QUEUE,
      batchSize: 100,
      maximumConcurrency: 7,
      enabled: false,
      payloadBucket: 'legacy-payloads',
      deletePayloads: true,
    },
  },
};

const large = {
  destinations: Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [
      `flow-${index}`,
      { secret: `cpi/flow-${index}`, url: `https://flows.example.com/http/${'a'.repeat(100)}/${index}` },
    ]),
  ),
};

// Each packaging is a run of the framework with a build in it: half a minute where other tests run beside it.
vi.setConfig({ testTimeout: 120_000 });

const services: Service[] = [];
async function packaged(content?: object, ...options: string[]): Promise<Packaged> {
  const service = await createService(content);
  services.push(service);
  return service.package(...options);
}

let shipped: Packaged;
let prod: Packaged;
let template: Template;
beforeAll(async () => {
  [shipped, prod] = await Promise.all([packaged(), packaged(custom, '--stage', 'prod', '--region', REGION)]);
  template = await prod.template();
}, 120_000);
afterAll(() => Promise.all(services.map((service) => service.remove())));

const one = (name: string, of: Template = template): TemplateResource => {
  const found = of.Resources[name];
  if (found === undefined) throw new Error(`expected a resource ${name}, found ${Object.keys(of.Resources)}`);
  return found;
};
const properties = (name: string, of: Template = template) =>
  evaluate(one(name, of).Properties, of) as Record<string, unknown>;
const ofType = (type: string, of: Template = template) =>
  Object.entries(of.Resources).flatMap(([name, { Type }]) => (Type === type ? [name] : []));
const destinationsOf = (name: string, of: Template = template) => {
  const { Variables } = properties(name, of).Environment as { Variables: { DESTINATIONS: string } };
  return Variables.DESTINATIONS;
};
const queueUrl = (name: string) => `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${name}`;
const queueArn = (name: string) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
const secretArn = (name: string) => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-??????`;

describe('npm run package', () => {
  test('npm run package makes the package for stage dev, without credentials, and says what was made', async () => {
    expect(shipped).toMatchObject({
      exitCode: 0,
      errors: ['custom.alarms: nobody is told of trouble; set { mail: … } or { topicArn: … }'],
    });
    expect(shipped.output).toEqual([
      expect.stringMatching(/^\.serverless\/token-relay\.zip {2}\d+\.\d kB$/),
      expect.stringMatching(/^\.serverless\/cloudformation-template-update-stack\.json {2}\d+\.\d kB$/),
      'destination  queue                          flow            webhook',
      'orders       token-relay-dev-orders         /http/orders    /webhooks/orders',
      'invoices     token-relay-dev-invoices.fifo  /http/invoices',
    ]);
    const { FunctionName } = properties('QueueLambdaFunction', await shipped.template());
    expect(FunctionName).toBe('token-relay-dev-queue');
  });

  test('npm run package names existing queues by their ARN, and whole addresses', () => {
    expect(prod.output.slice(-3)).toEqual([
      'orders       token-relay-prod-orders                       /http/orders                             /webhooks/orders',
      'invoices     token-relay-prod-invoices.fifo                https://flows.example.com/http/invoices',
      `legacy       ${LEGACY_QUEUE}  /http/legacy`,
    ]);
  });

  test('npm run package passes on --stage', () => {
    expect(prod).toMatchObject({ exitCode: 0, errors: [] });
    expect(properties('QueueLambdaFunction').FunctionName).toBe('token-relay-prod-queue');
  });

  test('npm run package names each mistake by its path, in one line, and exits with 1', async () => {
    const { orders, invoices } = custom.destinations;
    const { exitCode, output, errors } = await packaged({
      kmsKeyArns: 'all',
      destinations: {
        orders: { ...orders, webhook: { verfy: 'basic', secret: 'webhooks/orders', mode: 'direct' } },
        invoices: { ...invoices, batchSize: 11 },
        'my orders': { secret: 'x', path: '/http/orders' },
      },
    });
    expect({ exitCode, output, errors: errors.sort() }).toEqual({
      exitCode: 1,
      output: [],
      errors: [
        'custom.kmsKeyArns: expected a list of ARNs of keys, arn:aws:kms:<region>:<account>:key/<id>',
        'invoices.batchSize: expected at most 10: a FIFO queue hands out no more',
        'my orders: expected a name of letters, digits and -, 63 at most, a letter first',
        'orders.webhook.verfy: unknown field, did you mean verify?',
      ],
    });
  });

  test('npm run package says what it needs, and makes nothing', async () => {
    const { exitCode, output, template: none } = await packaged(undefined, '--help');
    expect(exitCode).toBe(0);
    expect(output[0]).toBe('Usage: npm run package [-- <options>]');
    await expect(none()).rejects.toThrow('ENOENT');
  });

  test.each([
    [['--stge', 'prod'], "Unknown option '--stge'"],
    [['prod'], "Unexpected argument 'prod'"],
    [['--stage'], "Option '-s, --stage <value>' argument missing"],
  ])('npm run package refuses %j in one line that names it', async (options, words) => {
    const { exitCode, output, errors } = await packaged(custom, ...options);
    expect({ exitCode, output, errors }).toEqual({
      exitCode: 2,
      output: [],
      errors: [`package: ${words}; see npm run package -- --help`],
    });
  });

  test('npm run package hands the framework its own options, with short names too', async () => {
    const { exitCode, output } = await packaged(undefined, '-s', 'next', '--param', 'color=red', '--param=size=9');
    expect(exitCode).toBe(0);
    expect(output.join('\n')).toContain('token-relay-next-orders');
  });
});

describe('a package made before', () => {
  const { alarms } = custom;
  const { orders } = custom.destinations;
  const invoices = { secret: 'cpi/invoices', path: '/http/invoices', fifo: true };
  const PLACE = 'release/prod';
  let service: Service;
  beforeAll(async () => {
    service = await createService({ alarms, destinations: { orders, invoices } });
    services.push(service);
    await service.package('--stage', 'prod', '--package', PLACE);
  }, 120_000);

  test.each([
    ['is deployed by no other stage', [], 'stage prod, not dev'],
    [
      'is deployed in no other region',
      ['--stage', 'prod', '--region', 'eu-west-1'],
      'region eu-central-1, not eu-west-1',
    ],
  ])('a package made before %s', async (_, options, what) => {
    const { exitCode, output, errors } = await service.deploy('--package', PLACE, ...options);
    expect(exitCode).toBe(1);
    expect([...output, ...errors].join('\n')).toContain(
      `${PLACE}: this package is of ${what}; deploy it with --stage prod --region eu-central-1, or make another`,
    );
  });

  test('a package made before is deployed as it is: what is missing then are credentials', async () => {
    const { exitCode, output, errors } = await service.deploy('--package', PLACE, '--stage', 'prod');
    expect(exitCode).toBe(1);
    expect([...output, ...errors].join('\n')).toMatch(/AWS provider credentials not found/);
  });

  test('a package made before that is missing is not taken from where the last one was made', async () => {
    const { exitCode, output, errors } = await service.deploy('--package', 'release/none', '--stage', 'prod');
    expect(exitCode).toBe(1);
    expect([...output, ...errors].join('\n')).toContain(
      'release/none: there is no package, make it with: npm run package',
    );
  });

  test('a package made before names the destinations that the next one in its place has not', async () => {
    await service.change({ alarms, destinations: { orders } });
    const other = await service.package('--stage', 'dev', '--package', 'release/dev');
    expect(other).toMatchObject({ exitCode: 0, errors: [] });
    const next = await service.package('--stage', 'prod', '--package', PLACE);
    expect(next).toMatchObject({
      exitCode: 0,
      errors: [
        'In the package before, and not in this one: invoices.',
        'A deployment ends their polling; created queues stay.',
      ],
    });
    expect(await service.package('--stage', 'prod', '--package', PLACE)).toMatchObject({ exitCode: 0, errors: [] });
  });

  test('a package whose event source mappings differ from the one before says that a pause may end', async () => {
    await service.change({ alarms, destinations: { orders: { ...orders, batchSize: 5 } } });
    expect(await service.package('--stage', 'prod', '--package', PLACE)).toMatchObject({
      exitCode: 0,
      errors: [
        'Event source mappings that differ from the package before: orders. A deployment may end their pause (npm run pause).',
      ],
    });
  });

  test('a package that sends messages in flight elsewhere than the one before says so beside its table', async () => {
    const cutover = { secret: 'cpi/orders-cf', since: '2026-03-06T20:00:00Z' };
    const packaged = async (custom: object, place: string) => {
      await service.change({ alarms, destinations: { orders: custom } });
      const { exitCode, output, errors } = await service.package('--stage', 'prod', '--package', place);
      expect(exitCode).toBe(0);
      return { output, errors };
    };
    const first = await packaged({ ...orders, cutover }, 'release/cutover');
    expect(first.errors[0]).toBe('orders.cutover: 2026-03-06T20:00:00Z is over, and no package before is here');
    expect(first.output).toContain('orders: cut-over at 2026-03-06T20:00:00Z');
    expect((await packaged({ ...orders, cutover }, 'release/cutover')).errors).toEqual([]);
    expect((await packaged(orders, 'release/cutover')).errors).toContain(
      'orders.cutover: messages in flight would go elsewhere than before',
    );
  });
});

describe('queues', () => {
  const created = ['QueueOfOrders', 'DeadLetterQueueOfOrders', 'QueueOfInvoices', 'DeadLetterQueueOfInvoices'];

  test('every destination has a queue and a dead-letter queue, except where it names an existing one', () => {
    expect(ofType('AWS::SQS::Queue').sort()).toEqual([...created].sort());
  });

  test.each([
    ['QueueOfOrders', 'token-relay-prod-orders'],
    ['DeadLetterQueueOfOrders', 'token-relay-prod-orders-dlq'],
    ['QueueOfInvoices', 'token-relay-prod-invoices.fifo'],
    ['DeadLetterQueueOfInvoices', 'token-relay-prod-invoices-dlq.fifo'],
  ])('the queue %s is named %s', (name, queueName) => {
    expect(properties(name).QueueName).toBe(queueName);
    expect(properties(name).FifoQueue).toBe(queueName.endsWith('.fifo') ? true : undefined);
  });

  test.each(created)('the queue %s keeps messages for 14 days, encrypted', (name) => {
    expect(properties(name)).toMatchObject({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
  });

  test.each(created)('the queue %s outlives the stack, but not the deployment that creates it and fails', (name) => {
    expect(one(name)).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  });

  test('nothing but queues outlives the stack', () => {
    const kept = Object.entries(template.Resources).filter(([, { DeletionPolicy }]) => DeletionPolicy !== undefined);
    expect(kept.map(([name]) => name).sort()).toEqual([...created].sort());
  });

  test.each(['Orders', 'Invoices'])('SQS itself moves a message of %s away after 1000 receives', (name) => {
    expect(properties(`QueueOf${name}`).RedrivePolicy).toEqual({
      deadLetterTargetArn: queueArn(String(properties(`DeadLetterQueueOf${name}`).QueueName)),
      maxReceiveCount: 1000,
    });
    expect(properties(`DeadLetterQueueOf${name}`)).not.toHaveProperty('RedrivePolicy');
  });

  test('a message is invisible for six times the time that the function has', () => {
    expect(properties('QueueLambdaFunction').Timeout).toBe(2 * 120 + 30);
    expect(properties('QueueOfOrders').VisibilityTimeout).toBe(6 * 270);
  });

  test('the URLs of queues follow from their names, and are no outputs', () => {
    const outputs = Object.fromEntries(
      Object.entries(template.Outputs).map(([name, { Value }]) => [name, evaluate(Value, template)]),
    );
    expect(outputs).toMatchObject({
      WebhooksUrl: 'https://webhooks.example.com/webhooks/',
      WebhookDomainTarget: 'd-abcdef1234.execute-api.eu-west-1.amazonaws.com',
    });
    expect(Object.keys(outputs).filter((name) => /Orders|Invoices|Legacy/.test(name))).toEqual([]);
  });
});

describe('event source mappings', () => {
  const mapping = (source: string, rest: object) => ({
    EventSourceArn: source,
    FunctionName: 'QueueLambdaFunction',
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    BatchSize: 10,
    ScalingConfig: { MaximumConcurrency: 2 },
    Enabled: true,
    ...rest,
  });

  test.each([
    ['Orders', mapping(queueArn('token-relay-prod-orders'), { MetricsConfig: { Metrics: ['EventCount'] } })],
    ['Invoices', mapping(queueArn('token-relay-prod-invoices.fifo'), {})],
    [
      'Legacy',
      mapping(LEGACY_QUEUE, {
        BatchSize: 100,
        MaximumBatchingWindowInSeconds: 1,
        ScalingConfig: { MaximumConcurrency: 7 },
        Enabled: false,
      }),
    ],
  ])('the mapping of %s wakes the queue function, which answers for each message', (name, expected) => {
    expect(properties(`EventSourceMappingOf${name}`)).toEqual(expected);
  });

  test('each destination has one event source mapping', () => {
    expect(ofType('AWS::Lambda::EventSourceMapping')).toHaveLength(3);
  });
});

describe('functions', () => {
  test.each([
    ['Queue', 270],
    ['Webhook', 29],
  ])('the function %s runs on Node 24, arm64, 512 MB, for %i seconds at most', (name, timeout) => {
    expect(properties(`${name}LambdaFunction`)).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      MemorySize: 512,
      Timeout: timeout,
      Role: `arn of ${name}Role`,
    });
  });

  test.each(['queue', 'webhook'])('the log group of %s keeps 30 days', (name) => {
    const logicalId = name === 'queue' ? 'QueueLogGroup' : 'WebhookLogGroup';
    expect(properties(logicalId)).toEqual({
      LogGroupName: `/aws/lambda/token-relay-prod-${name}`,
      RetentionInDays: 30,
    });
  });

  test('the webhook function has one route, for every method', () => {
    expect(ofType('AWS::ApiGatewayV2::Route').map((name) => properties(name).RouteKey)).toEqual([
      'ANY /webhooks/{destination}',
    ]);
    const [integration = ''] = ofType('AWS::ApiGatewayV2::Integration');
    expect(properties(integration)).toMatchObject({
      IntegrationUri: 'arn of WebhookLambdaFunction',
      PayloadFormatVersion: '2.0',
    });
  });
});

describe('roles', () => {
  test('the queue function may do this and nothing else', () => {
    const sources = [
      queueArn('token-relay-prod-invoices.fifo'),
      queueArn('token-relay-prod-orders'),
      LEGACY_QUEUE,
    ].sort();
    expect(permissions('QueueRole', template)).toEqual({
      'logs:CreateLogStream': [`arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda/token-relay-prod-queue:*`],
      'logs:PutLogEvents': [`arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda/token-relay-prod-queue:*`],
      'secretsmanager:GetSecretValue': [INVOICES_SECRET, secretArn('cpi/orders')].sort(),
      'sqs:ReceiveMessage': sources,
      'sqs:DeleteMessage': sources,
      'sqs:ChangeMessageVisibility': sources,
      'sqs:GetQueueAttributes': sources,
      'sqs:SendMessage': [queueArn('token-relay-prod-invoices-dlq.fifo'), queueArn('token-relay-prod-orders-dlq')],
      's3:GetObject': ['arn:aws:s3:::legacy-payloads/*', 'arn:aws:s3:::order-payloads/*'],
      's3:ListBucket': ['arn:aws:s3:::legacy-payloads', 'arn:aws:s3:::order-payloads'],
      's3:PutObject': [
        'arn:aws:s3:::legacy-payloads/dead-letters/legacy/*',
        'arn:aws:s3:::order-payloads/dead-letters/orders/*',
      ],
      's3:DeleteObject': ['arn:aws:s3:::legacy-payloads/*'],
      'kms:Decrypt': [KEY],
      'kms:GenerateDataKey': [KEY],
    });
  });

  test('the webhook function may do this and nothing else', () => {
    expect(permissions('WebhookRole', template)).toEqual({
      'logs:CreateLogStream': [`arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda/token-relay-prod-webhook:*`],
      'logs:PutLogEvents': [`arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda/token-relay-prod-webhook:*`],
      'secretsmanager:GetSecretValue': [secretArn('webhooks/orders')],
      'sqs:SendMessage': [queueArn('token-relay-prod-orders')],
      's3:PutObject': ['arn:aws:s3:::order-payloads/webhooks/orders/*'],
      'kms:Decrypt': [KEY],
      'kms:GenerateDataKey': [KEY],
    });
  });

  test('the roles may decrypt nothing by name without keys of your own', async () => {
    const of = await shipped.template();
    for (const role of ['QueueRole', 'WebhookRole']) {
      expect(Object.keys(permissions(role, of))).not.toContain('kms:Decrypt');
    }
  });

  test('no third role exists, and only Lambda assumes the two', () => {
    expect(ofType('AWS::IAM::Role').sort()).toEqual(['QueueRole', 'WebhookRole']);
    for (const role of ['QueueRole', 'WebhookRole']) {
      expect(one(role).Properties.AssumeRolePolicyDocument).toMatchObject({
        Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      });
    }
  });
});

describe('the HTTP API', () => {
  const stageOf = (of: Template) => properties('HttpApiStage', of);

  test('the HTTP API lets through so many requests, and no more', async () => {
    const throttled = (of: Template) => stageOf(of).DefaultRouteSettings;
    expect(throttled(template)).toMatchObject({ ThrottlingRateLimit: 100, ThrottlingBurstLimit: 50 });
    expect(throttled(await shipped.template())).toMatchObject({ ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 });
  });

  test('the HTTP API logs each request without path and query, where a sender may have put a key', () => {
    const { DestinationArn, Format } = stageOf(template).AccessLogSettings as Record<string, string>;
    expect(DestinationArn).toBe(
      `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/vendedlogs/token-relay-prod-webhook-access:*`,
    );
    const variables = Object.values(JSON.parse(Format ?? '') as Record<string, string>);
    expect(variables).toContain('$context.status');
    expect(variables.filter((variable) => /path|query|uri/i.test(variable))).toEqual([]);
    expect(properties('WebhookAccessLog')).toMatchObject({ RetentionInDays: 30 });
  });

  test('the HTTP API with its own domain has no other way in, and asks clients for certificates there', () => {
    expect(properties('HttpApi').DisableExecuteApiEndpoint).toBe(true);
    expect(properties('WebhookDomain')).toEqual({
      DomainName: 'webhooks.example.com',
      DomainNameConfigurations: [{ CertificateArn: CERTIFICATE, EndpointType: 'REGIONAL', SecurityPolicy: 'TLS_1_2' }],
      MutualTlsAuthentication: { TruststoreUri: 's3://trusted/senders.pem' },
    });
    expect(properties('WebhookDomainMapping')).toEqual({
      ApiId: 'HttpApi',
      DomainName: 'WebhookDomain',
      Stage: 'HttpApiStage',
    });
  });

  test('the HTTP API without its own domain has the endpoint that AWS names', async () => {
    const of = await shipped.template();
    expect(properties('HttpApi', of).DisableExecuteApiEndpoint).toBeUndefined();
    expect(ofType('AWS::ApiGatewayV2::DomainName', of)).toEqual([]);
    expect(evaluate(of.Outputs.WebhooksUrl?.Value, of)).toBe(
      'https://HttpApi.execute-api.eu-west-1.amazonaws.com/webhooks/',
    );
  });

  test('the HTTP API has no firewall: none attaches to an HTTP API', () => {
    expect(Object.values(template.Resources).filter(({ Type }) => Type.startsWith('AWS::WAF'))).toEqual([]);
  });
});

describe('DESTINATIONS', () => {
  test('the variable DESTINATIONS is what was written, with the names and URLs of the created queues', () => {
    const { orders, invoices, legacy } = custom.destinations;
    expect(JSON.parse(destinationsOf('QueueLambdaFunction'))).toEqual({
      orders: {
        ...orders,
        queue: 'token-relay-prod-orders',
        queueUrl: queueUrl('token-relay-prod-orders'),
        deadLetterQueueUrl: queueUrl('token-relay-prod-orders-dlq'),
      },
      invoices: {
        ...invoices,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: what arrives is the text, nothing put in its place
        headers: { 'X-Template': '${opt:stage} ${QueueOfOrders} "quoted"' },
        queue: 'token-relay-prod-invoices.fifo',
        queueUrl: queueUrl('token-relay-prod-invoices.fifo'),
        deadLetterQueueUrl: queueUrl('token-relay-prod-invoices-dlq.fifo'),
      },
      legacy,
    });
    expect(destinationsOf('WebhookLambdaFunction')).toBe(destinationsOf('QueueLambdaFunction'));
  });

  test('the variable DESTINATIONS is what the function reads, destination by destination', () => {
    const { destinations } = readSettings({ DESTINATIONS: destinationsOf('QueueLambdaFunction') });
    expect([...destinations.values()]).toEqual([
      expect.objectContaining({ name: 'orders', fifo: false, queue: 'token-relay-prod-orders' }),
      expect.objectContaining({ name: 'invoices', fifo: true, timeoutSeconds: 120 }),
      expect.objectContaining({ name: 'legacy', queue: LEGACY_QUEUE }),
    ]);
  });
});

describe('above 3.5 KB', () => {
  let of: Template;
  let files: Map<string, Buffer>;
  let folder: string;
  let result: Packaged;
  beforeAll(async () => {
    result = await packaged(large, '--package', 'elsewhere');
    [of, files, folder] = await Promise.all([
      result.template(),
      result.artifact(),
      mkdtemp(join(tmpdir(), 'token-relay-artifact-')),
    ]);
    await unpack(files, folder);
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true }));

  test('a DESTINATIONS above 3.5 KB names a file beside the bundle, which the function reads', () => {
    expect(destinationsOf('QueueLambdaFunction', of)).toBe('@destinations.json');
    const read = (name: string) => (files.get(name.replace('./', '')) ?? '').toString();
    const { destinations } = readSettings({ DESTINATIONS: '@destinations.json' }, read);
    expect([...destinations.values()]).toEqual(
      Object.entries(large.destinations).map(([name, settings]) =>
        expect.objectContaining({ name, ...settings, queue: `token-relay-dev-${name}` }),
      ),
    );
  });

  test('the file of DESTINATIONS lies where the bundle looks for it', async () => {
    const loaded = await load(folder, 'queue.mjs', lambdaEnvironment('@destinations.json'));
    expect(loaded.exports).toEqual(['handler']);
    await rm(join(folder, 'destinations.json'));
    await expect(load(folder, 'queue.mjs', lambdaEnvironment('@destinations.json'))).rejects.toThrow('DESTINATIONS');
  });

  test('the whole package lies where --package puts it', () => {
    expect(result.output[0]).toMatch(/^elsewhere\/token-relay\.zip/);
  });

  test('a package without a webhook has neither its function nor a way to it', () => {
    const names = Object.keys(of.Resources).filter((name) => /Webhook|HttpApi/.test(name));
    expect(names).toEqual([]);
  });
});

describe('the zip', () => {
  let folder: string;
  let files: Map<string, Buffer>;
  beforeAll(async () => {
    files = await prod.artifact();
    folder = await mkdtemp(join(tmpdir(), 'token-relay-artifact-'));
    await unpack(files, folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('the zip has the bundles at its root and nothing that Lambda does not need', () => {
    expect(
      [...files.keys()].filter(
        (name) => !/^(queue|webhook|chunk-\w+|lazy-[\w-]+)\.mjs(\.LEGAL\.txt)?$|^THIRD-PARTY-NOTICES\.txt$/.test(name),
      ),
    ).toEqual([]);
  });

  test.each(['Queue', 'Webhook'])(
    'the bundle %s in the zip loads in an empty folder, by its handler, by Node alone',
    async (name) => {
      const [file, exported] = String(properties(`${name}LambdaFunction`).Handler).split('.');
      const environment = lambdaEnvironment(destinationsOf(`${name}LambdaFunction`));
      const { exports, builtins } = await load(folder, `${file}.mjs`, environment);
      expect(exports).toContain(exported);
      expect(builtins.filter((builtin) => /undici|http2/.test(builtin))).toEqual([]);
    },
  );
});

async function unpack(files: ReadonlyMap<string, Buffer>, folder: string): Promise<void> {
  for (const [name, content] of files) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

describe('The ways in', () => {
  test('a webhook that lets anyone in is a warning, once; and each secret that a list names may be read', async () => {
    const {
      exitCode,
      errors,
      template: made,
    } = await packaged({
      alarms: custom.alarms,
      destinations: {
        open: { secret: 'cpi/open', path: '/open', webhook: { verify: 'none', mode: 'direct' } },
        orders: {
          secret: 'cpi/orders',
          path: '/orders',
          webhook: {
            verify: [{ type: 'basic', secret: 'webhooks/erp' }, 'stripe'],
            secret: 'webhooks/stripe',
            mode: 'direct',
          },
        },
      },
    });
    expect(exitCode).toBe(0);
    expect(errors).toEqual([
      'open.webhook.verify: none lets in whoever knows the URL; only for a network that keeps others out',
    ]);
    const role = JSON.stringify((await made()).Resources.WebhookRole);
    for (const secret of ['cpi/open', 'cpi/orders', 'webhooks/erp', 'webhooks/stripe'])
      expect(role).toContain(`secret:${secret}-??????`);
  });
});
