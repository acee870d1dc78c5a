/**
 * What operators get wrong in serverless.yml, each with the one line that packaging prints for it. The table goes
 * through the function that packaging calls; that its lines come out of `npm run package` as they are, and nothing is
 * made, is shown by those that run it, and by those that only the framework finds.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { stack } from '../../infra/deploy/stack/stack.ts';
import { createService, type Service } from './packaging/service.ts';

const QUEUE = 'arn:aws:sqs:eu-central-1:123456789012:legacy-in';
const DEAD = 'https://sqs.eu-central-1.amazonaws.com/123456789012/legacy-dead';
const ADDRESS = 'https://acme-dev.it-cpi001-rt.cfapps.eu10.hana.ondemand.com/cxf/legacy';

const YAML = `
service: token-relay
frameworkVersion: ^4.3.1
configValidationMode: error
custom:
  x-team: integration
  destinations:
    orders:
      secret: cpi/orders
      path: /http/orders
      webhook:
        verify: basic
        secret: webhooks/orders
        mode: queued
    invoices:
      secret: cpi/invoices
      path: /http/invoices
      fifo: true
    legacy:
      secret: cpi/legacy
      url: ${ADDRESS}
      adapter: soap
      queue: ${QUEUE}
      deadLetterQueueUrl: ${DEAD}
provider:
  name: aws
  runtime: nodejs24.x
  stage: dev
  region: eu-central-1
  memorySize: 512
plugins:
  - ./infra/deploy/artifact.ts
functions: \${file(infra/deploy/resources.cjs):functions}
resources: \${file(infra/deploy/resources.cjs):resources}
`;

/** What is wrong, what is written in place of what, the one line. */
type Mistake = readonly [wrong: string, of: string, written: string, line: string];

/** With `blanks` more in front of each line; fewer where it is negative. */
function indented(block: string, blanks: number): string {
  return block.replace(/^ +/gm, (before) => ' '.repeat(before.length + blanks));
}

const WEBHOOK = `      webhook:
        verify: basic
        secret: webhooks/orders
        mode: queued
`;
const INVOICES = `    invoices:
      secret: cpi/invoices
      path: /http/invoices
      fifo: true
`;
const ORDERS = `    orders:
      secret: cpi/orders
      path: /http/orders
`;
const JWT = 'verify: { type: jwt, issuer: https://idp.example, audience: orders }';
const LEGACY = `    legacy:
      secret: cpi/legacy
      url: ${ADDRESS}
      adapter: soap
      queue: ${QUEUE}
      deadLetterQueueUrl: ${DEAD}
`;
const under = (field: string) => `${field}\n      adapter: soap`;

const OUTDENTED = 'custom.invoices: looks like a destination; indent it below custom.destinations';
const KINDS =
  'expected basic or api-key or hmac or standard-webhooks or jwt or iam or none or github or shopify or stripe or sap-open-connectors';
const MONITOR = 'expected the runtime’s address, as the service key names its host; this one is the monitor’s';
const ROLE = 'each function has a role of its own, made in infra/deploy/stack/role.ts';
const CREATED = 'belongs to an existing queue; of a created one it is filled in';
const SECRET = 'expected the name or ARN of a secret in Secrets Manager';
const URL_EXPECTED = 'expected an https: URL without user and fragment (http: for loopback hosts alone)';
const NAME = 'expected a name of letters, digits and -, 63 at most, a letter first';

const indentation: readonly Mistake[] = [
  ['a destination two blanks too far to the left', INVOICES, indented(INVOICES, -2), OUTDENTED],
  [
    'a destination too far to the left, with the next one in it',
    INVOICES + LEGACY,
    `  invoices:\n    secret: cpi/invoices\n    path: /http/invoices\n${LEGACY}`,
    OUTDENTED,
  ],
  [
    'all destinations too far to the left',
    ORDERS + WEBHOOK + INVOICES + LEGACY,
    indented(ORDERS, -2),
    'custom.orders: looks like a destination; indent it below custom.destinations',
  ],
  [
    'destinations beside custom',
    '  destinations:\n',
    'destinations:\n',
    'destinations: belongs to custom; indent it below custom',
  ],
  [
    'a destination two blanks too far to the right',
    INVOICES,
    indented(INVOICES, 2),
    'orders.invoices: looks like a destination; indent it as far as the others',
  ],
  [
    'a destination four blanks too far to the right',
    INVOICES,
    indented(INVOICES, 4),
    'orders.webhook.invoices: looks like a destination; indent it as far as the others',
  ],
  [
    'a webhook too far to the left',
    WEBHOOK,
    indented(WEBHOOK, -2),
    'webhook: belongs to orders above it; indent it below orders',
  ],
  [
    'a webhook that is a field of custom',
    ORDERS + WEBHOOK + INVOICES + LEGACY,
    `${ORDERS}  webhook:\n    verify: basic\n    secret: webhooks/orders\n`,
    'custom.webhook: belongs to a destination; indent it below its name',
  ],
  [
    'the fields of a webhook too far to the left',
    WEBHOOK,
    `      webhook:\n      ${JWT}\n      mode: queued\n`,
    'orders.verify: belongs to webhook; indent verify, mode below orders.webhook',
  ],
  [
    'one field of a webhook too far to the left',
    '        mode: queued',
    '      mode: queued',
    'orders.mode: belongs to webhook; indent it below orders.webhook',
  ],
  [
    'the fields of a destination too far to the left',
    INVOICES,
    '    invoices:\n    secret: cpi/invoices\n    path: /http/invoices\n    fifo: true\n',
    'secret: belongs to invoices above it; indent secret, path, fifo below invoices',
  ],
  [
    'one field of a destination too far to the left',
    '      fifo: true',
    '    fifo: true',
    'fifo: belongs to invoices above it; indent it below invoices',
  ],
  [
    'a destination without its name',
    '    orders:\n      secret: cpi/orders\n      path: /http/orders\n      webhook:',
    '    secret: cpi/orders\n    path: /http/orders\n    webhook:',
    'secret: belongs to a destination; put its name above secret, path, webhook',
  ],
];

const words: readonly Mistake[] = [
  [
    'a field of custom',
    '  x-team:',
    '  webhookThrotling: { burst: 5 }\n  x-team:',
    'custom.webhookThrotling: unknown field, did you mean webhookThrottling?',
  ],
  [
    'a field of custom, without its s',
    '  x-team:',
    '  kmsKeyArn: []\n  x-team:',
    'custom.kmsKeyArn: unknown field, did you mean kmsKeyArns?',
  ],
  [
    'a field of custom that is nobody’s',
    '  x-team:',
    '  team:',
    'custom.team: unknown field; one of your own begins with x-',
  ],
  [
    'destinations',
    '  destinations:',
    '  destinatons:',
    'custom.destinatons: unknown field, did you mean destinations?',
  ],
  ['a setting', 'fifo: true', 'fifoo: true', 'invoices.fifoo: unknown field, did you mean fifo?'],
  [
    'a setting in another case',
    'fifo: true',
    'timeoutseconds: 5',
    'invoices.timeoutseconds: unknown field, did you mean timeoutSeconds?',
  ],
  [
    'verify',
    'mode: queued',
    'mode: queued\n        verfy: basic',
    'orders.webhook.verfy: unknown field, did you mean verify?',
  ],
  [
    'an option of verify',
    'verify: basic',
    'verify: { type: stripe, tolerance: 5 }',
    'orders.webhook.verify.tolerance: unknown field, did you mean toleranceSeconds?',
  ],
  [
    'an adapter',
    'adapter: soap',
    'adapter: ODATA',
    'legacy.adapter: expected https or soap or soap-rm or odata; did you mean odata?',
  ],
  ['a verification', 'verify: basic', 'verify: strip', `orders.webhook.verify: ${KINDS}; did you mean stripe?`],
  [
    'a mode',
    'mode: queued',
    'mode: queue',
    'orders.webhook.mode: expected queued or direct or direct-else-queued; did you mean queued?',
  ],
  [
    'a method',
    'fifo: true',
    'method: put',
    'invoices.method: expected POST or PUT or PATCH or DELETE or MERGE; did you mean PUT?',
  ],
  [
    'a field of provider',
    'memorySize: 512',
    'memorysize: 512',
    'provider.memorysize: unknown field, did you mean memorySize?',
  ],
];

const values: readonly Mistake[] = [
  ['true in quotes', 'fifo: true', "fifo: 'true'", 'invoices.fifo: expected true or false, found a text'],
  ['yes, which is a text', 'fifo: true', 'fifo: yes', 'invoices.fifo: expected true or false, found a text'],
  [
    'a number in quotes',
    'fifo: true',
    "timeoutSeconds: '30'",
    'invoices.timeoutSeconds: expected a whole number of seconds from 1 to 600, found a text',
  ],
  [
    'a number with its unit',
    'fifo: true',
    'timeoutSeconds: 30s',
    'invoices.timeoutSeconds: expected a whole number of seconds from 1 to 600, found a text',
  ],
  [
    'no time at all',
    'fifo: true',
    'timeoutSeconds: 0',
    'invoices.timeoutSeconds: expected a whole number of seconds from 1 to 600',
  ],
  [
    'tries beyond SQS’s 14 days',
    'fifo: true',
    'retryForHours: 400',
    'invoices.retryForHours: expected a whole number of hours from 1 to 264',
  ],
  [
    'one invocation at once',
    'fifo: true',
    'maximumConcurrency: 1',
    'invoices.maximumConcurrency: expected a whole number of invocations from 2 to 1000',
  ],
  [
    'a list that is a text',
    'fifo: true',
    'forwardHeaders: x-order',
    'invoices.forwardHeaders: expected a list of header names',
  ],
  [
    'methods that are a text',
    'mode: queued',
    'methods: POST',
    'orders.webhook.methods: expected a list of POST, PUT, PATCH, DELETE',
  ],
  ['headers that are a list', 'fifo: true', 'headers: [X-Order]', 'invoices.headers: expected names and texts'],
  [
    'a version that SOAP has not',
    'adapter: soap',
    'adapter: soap\n      soapVersion: 1.3',
    'legacy.soapVersion: expected 1.1 or 1.2',
  ],
  [
    'a destination that is empty',
    INVOICES,
    '    invoices:\n',
    'invoices: expected an object with secret, and url or path',
  ],
  ['a name with an underscore', '    invoices:', '    open_invoices:', `open_invoices: ${NAME}`],
  ['a name with a blank', '    invoices:', '    open invoices:', `open invoices: ${NAME}`],
  ['a name that is a number', '    invoices:', '    4711:', `4711: ${NAME}`],
  [
    'two names that are one',
    '    invoices:',
    '    Orders:',
    'Orders: expected a name that differs from orders in more than hyphens and capitals',
  ],
  [
    'a name that is too long for a queue',
    '    invoices:',
    `    ${'i'.repeat(60)}:`,
    `${'i'.repeat(60)}: its queue would be named token-relay-dev-${'i'.repeat(60)}-dlq.fifo, SQS takes 80 characters`,
  ],
];

const ways: readonly Mistake[] = [
  [
    'both url and path',
    'adapter: soap',
    'path: /cxf/legacy',
    'legacy.url: expected no path beside it: url is the whole endpoint, path is joined to the host that the service key names',
  ],
  [
    'neither url nor path',
    '      path: /http/invoices\n',
    '',
    'invoices.url: expected either url, or path where the secret is a service key that names the host',
  ],
  ['no secret', '      secret: cpi/invoices\n', '', 'invoices.secret: required, but missing'],
  [
    'the service key in place of its name',
    'secret: cpi/invoices',
    'secret: \'{"clientid":"sb"}\'',
    `invoices.secret: ${SECRET}`,
  ],
  ['a secret by a pattern', 'secret: cpi/invoices', 'secret: cpi/*', `invoices.secret: ${SECRET}`],
  [
    'a secret in another region',
    'secret: cpi/invoices',
    'secret: arn:aws:secretsmanager:eu-west-1:123456789012:secret:cpi-a1B2c3',
    'invoices.secret: expected the ARN of a secret in eu-central-1',
  ],
  [
    'a secret’s ARN cut short',
    'secret: cpi/invoices',
    'secret: arn:aws:secretsmanager:eu-central-1:123456789012:secret:cpi',
    'invoices.secret: expected the whole ARN, with the hyphen and six characters that end it; or the name',
  ],
  ['no secret of a webhook', '        secret: webhooks/orders\n', '', 'orders.webhook.secret: required, but missing'],
  ['an address in the clear', ADDRESS, 'http://acme.example.com/cxf/legacy', `legacy.url: ${URL_EXPECTED}`],
  ['an address without its scheme', ADDRESS, 'acme.example.com/cxf/legacy', `legacy.url: ${URL_EXPECTED}`],
  [
    'an address with a password',
    ADDRESS,
    'https://me:secret@acme.example.com/cxf/legacy',
    `legacy.url: ${URL_EXPECTED}`,
  ],
  [
    'the monitor’s address, on Neo',
    ADDRESS,
    'https://acme-tmn.hci.eu1.hana.ondemand.com/itspaces/#/shell/monitoring',
    `legacy.url: ${MONITOR}`,
  ],
  [
    'the monitor’s address',
    ADDRESS,
    'https://acme-dev.it-cpi001.cfapps.eu10.hana.ondemand.com/itspaces/shell/monitoring/Messages',
    `legacy.url: ${MONITOR}`,
  ],
  [
    'the host of the monitor',
    ADDRESS,
    'https://acme-dev-itspaces.it-cpi001.cfapps.eu10.hana.ondemand.com/http/orders',
    `legacy.url: ${MONITOR}`,
  ],
  ['the path of the monitor', 'path: /http/invoices', 'path: /itspaces/shell/design', `invoices.path: ${MONITOR}`],
  [
    'a path without its slash',
    'path: /http/invoices',
    'path: http/invoices',
    'invoices.path: expected a path that starts with /',
  ],
  [
    'a path with a query',
    'path: /http/invoices',
    'path: /http/invoices?a=1',
    'invoices.path: expected a path without ? and #; parameters belong into query',
  ],
  [
    'a header of the relay’s',
    'fifo: true',
    'headers: { Authorization: Basic }',
    'invoices.headers.Authorization: this header belongs to HTTP or to the relay and cannot be set',
  ],
  [
    'a setting of another adapter',
    'fifo: true',
    'soapAction: urn:post',
    'invoices.soapAction: only for adapter soap or soap-rm',
  ],
  ['iam beside another', 'verify: basic', 'verify: [iam, basic]', 'orders.webhook.verify: iam and none stand alone'],
  [
    'an hmac without its header',
    'verify: basic',
    'verify: hmac',
    'orders.webhook.verify.header: required, but missing',
  ],
  [
    'groups without FIFO',
    'mode: queued',
    'messageGroupId: X-Group',
    'orders.webhook.messageGroupId: is for FIFO queues alone; set fifo, or leave it out',
  ],
];

const queues: readonly Mistake[] = [
  [
    'a standard dead-letter queue of a FIFO queue',
    QUEUE,
    `${QUEUE}.fifo`,
    'legacy.deadLetterQueueUrl: expected a FIFO queue, as the queue is one',
  ],
  [
    'a FIFO dead-letter queue of a standard queue',
    DEAD,
    `${DEAD}.fifo`,
    'legacy.deadLetterQueueUrl: expected a standard queue, as the queue is one',
  ],
  [
    'a dead-letter queue that is the queue itself',
    DEAD,
    DEAD.replace('legacy-dead', 'legacy-in'),
    'legacy.deadLetterQueueUrl: is the queue itself: a dead letter would come back for ever',
  ],
  [
    'a queue in another region',
    QUEUE,
    QUEUE.replace('eu-central-1', 'eu-west-1'),
    'legacy.queue: expected a queue in eu-central-1',
  ],
  [
    'a dead-letter queue in another region',
    DEAD,
    DEAD.replace('eu-central-1', 'eu-west-1'),
    'legacy.deadLetterQueueUrl: expected a queue in eu-central-1',
  ],
  [
    'a queueUrl that is the dead-letter queue',
    'adapter: soap',
    under(`queueUrl: ${DEAD}`),
    'legacy.queueUrl: is the dead-letter queue: what a webhook queues would never be delivered',
  ],
  [
    'a queueUrl in another region',
    'adapter: soap',
    under(`queueUrl: ${DEAD.replace('central', 'west')}`),
    'legacy.queueUrl: expected a queue in eu-central-1',
  ],
  [
    'an existing queue by its bare name',
    QUEUE,
    'legacy-in',
    'legacy.queue: expected the ARN of an existing queue; leave it out and one is created',
  ],
  ['an existing queue by its URL', QUEUE, DEAD, 'legacy.queue: expected the ARN of a queue'],
  ['the ARN of a topic', QUEUE, QUEUE.replace('sqs', 'sns'), 'legacy.queue: expected the ARN of a queue'],
  [
    'a dead-letter queue by its ARN',
    DEAD,
    QUEUE,
    'legacy.deadLetterQueueUrl: expected an https: URL without user and fragment (http: for loopback hosts alone)',
  ],
  ['the URL of a created queue', 'fifo: true', `queueUrl: ${DEAD}`, `invoices.queueUrl: ${CREATED}`],
  [
    'the dead-letter queue of a created queue',
    'fifo: true',
    `deadLetterQueueUrl: ${DEAD}`,
    `invoices.deadLetterQueueUrl: ${CREATED}`,
  ],
  [
    'one queue for two',
    'fifo: true',
    `queue: ${QUEUE}`,
    'legacy.queue: expected a queue of its own, invoices.queue is the same',
  ],
  [
    'fifo that the name contradicts',
    'adapter: soap',
    under('fifo: true'),
    'legacy.fifo: contradicts the name of the queue; leave it out, the name tells',
  ],
  [
    'a FIFO batch of 100',
    'fifo: true',
    'fifo: true\n      batchSize: 100',
    'invoices.batchSize: expected at most 10: a FIFO queue hands out no more',
  ],
];

const service: readonly Mistake[] = [
  [
    'another runtime',
    'nodejs24.x',
    'nodejs22.x',
    'provider.runtime: expected nodejs24.x, which the functions are bundled for',
  ],
  [
    'a VPC',
    'memorySize: 512',
    'vpc: { securityGroupIds: [sg-1], subnetIds: [subnet-1] }',
    'provider.vpc: set custom.vpc: { subnetIds, securityGroupIds } instead',
  ],
  ['tracing', 'memorySize: 512', 'tracing: { lambda: true }', 'provider.tracing: set custom.tracing: true instead'],
  [
    'layers',
    'memorySize: 512',
    'layers: [arn:aws:lambda:eu-central-1:123456789012:layer:x:1]',
    'provider.layers: not supported: everything that the functions need is in their zip',
  ],
  [
    'a permissions boundary',
    'memorySize: 512',
    'rolePermissionsBoundary: arn:aws:iam::123456789012:policy/x',
    'provider.rolePermissionsBoundary: set custom.permissionsBoundaryArn instead',
  ],
  [
    'a permissions boundary of iam',
    'memorySize: 512',
    'iam: { role: { permissionsBoundary: arn:aws:iam::123456789012:policy/x } }',
    'provider.iam.role: set custom.permissionsBoundaryArn instead',
  ],
  [
    'statements of a role of iam',
    'memorySize: 512',
    'iam: { role: { permissionsBoundary: arn:aws:iam::123456789012:policy/x, statements: [] } }',
    `provider.iam.role: ${ROLE}`,
  ],
  [
    'a key of the variables',
    'memorySize: 512',
    'kmsKeyArn: arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555',
    'provider.kmsKeyArn: not supported: the variables hold no secret; set custom.kmsKeyForQueues, custom.kmsKeyForLogs or custom.kmsKeyArns instead',
  ],
  ['statements of a role', 'memorySize: 512', 'iamRoleStatements: []', `provider.iamRoleStatements: ${ROLE}`],
  ['a timeout', 'memorySize: 512', 'timeout: 30', 'provider.timeout: follows from timeoutSeconds of the destinations'],
  [
    'an HTTP API',
    'memorySize: 512',
    'httpApi: { cors: true }',
    'provider.httpApi: set custom.webhookThrottling and custom.webhookDomain instead',
  ],
  [
    'logs',
    'memorySize: 512',
    'logs: { httpApi: true }',
    'provider.logs: set provider.logRetentionInDays and custom.kmsKeyForLogs instead; both functions and the gateway have their logs',
  ],
  [
    'a zip for each function',
    'plugins:',
    'package: { individually: true }\nplugins:',
    'package: not supported: infra/deploy/artifact.ts makes the zip',
  ],
  [
    'layers of its own',
    'plugins:',
    'layers: { tools: { path: tools } }\nplugins:',
    'layers: not supported: everything that the functions need is in their zip',
  ],
  ['a stage with a dot', 'stage: dev', 'stage: v1.2', 'provider.stage: expected letters, digits, - and _'],
  [
    'a service with a blank',
    'service: token-relay',
    'service: token relay',
    'service: expected letters, digits, - and _',
  ],
  [
    'a key by its alias',
    '  x-team:',
    '  kmsKeyArns: [alias/mine]\n  x-team:',
    'custom.kmsKeyArns: expected a list of ARNs of keys, arn:aws:kms:<region>:<account>:key/<id>',
  ],
  [
    'a limit of the gateway in quotes',
    '  x-team:',
    "  webhookThrottling: { burst: '5' }\n  x-team:",
    'custom.webhookThrottling.burst: expected a whole number from 1 to 5000',
  ],
  [
    'a certificate in another region',
    '  x-team:',
    '  webhookDomain: { name: a.example.com, certificateArn: arn:aws:acm:us-east-1:123456789012:certificate/a }\n  x-team:',
    'custom.webhookDomain.certificateArn: expected the ARN of a certificate in ACM, in eu-central-1',
  ],
];

const mistakes = [...indentation, ...words, ...values, ...ways, ...queues, ...service];

function written([, of, text]: Mistake): string {
  expect(YAML, 'the mistake is made where it is meant to be').toContain(of);
  return YAML.replace(of, () => text);
}

/** As packaging prints them. */
function linesOf(yaml: string): string[] {
  const { service, provider, custom, ...beside } = parse(yaml, { version: '1.2' });
  const { stage, region } = provider;
  try {
    stack({ service, stage, region, custom, provider, beside });
    return [];
  } catch (error) {
    const lines = (error as Error).message.split('\n').filter((line) => line !== '');
    return lines.map((line) => line.replace(/^custom\.destinations\./, ''));
  }
}

test('the file that the mistakes are made in has none', () => {
  expect(linesOf(YAML)).toEqual([]);
  expect(mistakes.length).toBeGreaterThanOrEqual(54);
});

describe.each([
  ['the indentation', indentation],
  ['the spelling', words],
  ['a value', values],
  ['the way to SAP or from senders', ways],
  ['a queue', queues],
  ['the service', service],
])('A mistake in %s is one line:', (_, table) => {
  test.each(table)('a mistake in the file is one line: %s', (...mistake) => {
    expect(linesOf(written(mistake))).toEqual([mistake[3]]);
  });
});

// Each is a run of the framework.
vi.setConfig({ testTimeout: 120_000 });

describe('npm run package prints that line, exits with 1 and makes nothing:', () => {
  const services: Service[] = [];
  afterAll(() => Promise.all(services.map((made) => made.remove())));

  const pick = (table: readonly Mistake[], wrong: string): Mistake => {
    const found = table.find(([name]) => name === wrong);
    if (found === undefined) throw new Error(`expected a mistake ${wrong}`);
    return found;
  };

  test.each<Mistake>([
    pick(indentation, 'a destination two blanks too far to the left'),
    pick(indentation, 'destinations beside custom'),
    pick(words, 'a verification'),
    pick(queues, 'a dead-letter queue that is the queue itself'),
    pick(service, 'a VPC'),
    pick(service, 'a zip for each function'),
    // What the framework finds, in a line of its own shape.
    [
      'a blank too few',
      '      path: /http/invoices',
      '     path: /http/invoices',
      'serverless.yml:17:6: bad indentation of a mapping entry',
    ],
    [
      'a tab',
      '      path: /http/invoices',
      '\t  path: /http/invoices',
      'serverless.yml:17:1: tab characters must not be used in indentation',
    ],
    [
      'a setting twice',
      'fifo: true',
      'fifo: true\n      fifo: true',
      'serverless.yml:19:7: duplicated mapping key fifo',
    ],
    ['custom misspelt', '\ncustom:', '\ncustm:', 'custm: unknown field, did you mean custom?'],
    ['less memory than Lambda has', 'memorySize: 512', 'memorySize: 64', 'provider.memorySize: must be >= 128'],
    [
      'a variable that is not set',
      'secret: cpi/invoices',
      'secret: $' + '{env:NOT_SET}',
      'invoices.secret: not set in the environment: NOT_SET',
    ],
  ])('npm run package prints one line for a mistake, exits with 1 and makes nothing: %s', async (...mistake) => {
    const made = await createService(written(mistake));
    services.push(made);
    const { exitCode, output, errors } = await made.package();
    expect({ exitCode, output, errors }).toEqual({ exitCode: 1, output: [], errors: [mistake[3]] });
    await expect(access(join(made.folder, '.serverless/cloudformation-template-update-stack.json'))).rejects.toThrow(
      'ENOENT',
    );
  });
});

describe('What may be meant is a warning:', () => {
  test.each([
    [
      'the host of SAP’s API',
      'it-cpi001-rt.cfapps',
      'it-cpi001.cfapps',
      'legacy.url: this is the host of SAP’s API; the runtime’s has -rt before .cfapps',
    ],
    [
      'OData below /http/',
      'fifo: true',
      'adapter: odata',
      'invoices.path: below /http/ listens adapter https, not odata',
    ],
    ['SOAP below /http/', 'fifo: true', 'adapter: soap', 'invoices.path: below /http/ listens adapter https, not soap'],
    [
      'HTTPS below /cxf/',
      '      adapter: soap\n',
      '',
      'legacy.url: below /cxf/ listens adapter soap or soap-rm, not https',
    ],
    [
      'HTTPS below /gw/',
      'path: /http/invoices',
      'path: /gw/odata/SAP/I;v=1',
      'invoices.path: below /gw/ listens adapter odata, not https',
    ],
  ] satisfies Mistake[])('a setting that may be meant so is a warning: %s', (...mistake) => {
    const { service: name, provider, custom } = parse(written(mistake));
    const alarmed = { ...custom, alarms: { mail: 'operators@example.com' } };
    const { warnings } = stack({ service: name, stage: 'dev', region: provider.region, custom: alarmed });
    expect(warnings).toEqual([mistake[3]]);
  });

  const CF = 'https://cf.example.com/http/orders';
  const neo = { secret: 'cpi/neo', url: 'https://neo.example.com/http/orders' };
  const since = '2027-03-06T20:00:00Z';
  const keyed = { ...neo, headers: { apikey: 'hunter22', 'X-Client': 'erp' }, query: { token: 'hunter23' } };
  const ofKeys = (where: string) =>
    [
      ['headers', 'apikey'],
      ['query', 'token'],
    ].map(
      ([field, name]) =>
        `orders.cutover.${field}: ${name} of the old side is sent to the new one\n  at ${where}; set cutover.${field}, to {} for none`,
    );
  test.each<[string, object, object, readonly string[]]>([
    [
      'another host without a secret',
      neo,
      { url: CF },
      ['orders.cutover: a url of its own, and no secret\n  so the token of the old side is sent to cf.example.com'],
    ],
    [
      'a url without a secret, in place of the host of the secret',
      { secret: 'cpi/neo', path: '/http/orders' },
      { url: CF },
      ['orders.cutover: a url of its own, and no secret\n  so the token of the old side is sent to cf.example.com'],
    ],
    [
      'a secret without a url',
      keyed,
      { secret: 'cpi/cf' },
      [
        'orders.cutover: a secret of its own, and the url of the old side\n' +
          '  where a token of another tenant is refused; set cutover.url or cutover.path',
      ],
    ],
    ['what proves the caller at the old side', keyed, { secret: 'cpi/cf', url: CF }, ofKeys('cf.example.com')],
    [
      'the same at the host of a secret',
      { ...keyed, url: undefined, path: '/http/orders' },
      { secret: 'cpi/cf' },
      ofKeys('the host of its secret'),
    ],
    ['both of its own', neo, { secret: 'cpi/cf', url: CF }, []],
    ['a secret and a path', neo, { secret: 'cpi/cf', path: '/http/orders' }, []],
    ['another flow of the tenant', keyed, { url: 'https://neo.example.com/http/other' }, []],
    ['another client of the tenant, which is meant', keyed, { secret: 'cpi/other', url: neo.url }, []],
    ['headers and parameters of its own', keyed, { secret: 'cpi/cf', url: CF, headers: {}, query: {} }, []],
  ])('what a new side takes over from the old one is a warning: %s', (_, orders, differing, lines) => {
    const destinations = { orders: { ...orders, cutover: { since, ...differing } } };
    const custom = { alarms: { mail: 'operators@example.com' }, destinations };
    const { warnings } = stack({ service: 'token-relay', stage: 'dev', region: 'eu-central-1', custom });
    expect(warnings).toEqual(lines);
    for (const line of warnings.flatMap((text) => text.split('\n'))) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(warnings.join()).not.toContain('hunter2');
  });

  test('a path whose adapter listens there is no warning', () => {
    const { service: name, provider, custom } = parse(YAML);
    const alarmed = { ...custom, alarms: { mail: 'operators@example.com' } };
    expect(stack({ service: name, stage: 'dev', region: provider.region, custom: alarmed }).warnings).toEqual([]);
  });
});
