/** What a platform team sets in `custom`, in both packaged stages: what each setting makes, and the permissions it needs. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { stack } from '../../infra/deploy/stack/stack.ts';
import { ACCOUNT, evaluate, REGION, type Template } from './packaging/cloudformation.ts';
import { packagedStages, type StageTemplates } from './packaging/stages.ts';

vi.setConfig({ hookTimeout: 240_000 });

let stages: StageTemplates;
beforeAll(async () => {
  stages = await packagedStages();
});

const FUNCTIONS = ['QueueLambdaFunction', 'WebhookLambdaFunction'];
const ROLES = ['QueueRole', 'WebhookRole'];
const QUEUE_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/22222222-2222-3333-4444-555555555555`;
const LOG_KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/33333333-2222-3333-4444-555555555555`;

type Properties = Readonly<Record<string, unknown>>;
const properties = (template: Template, id: string) =>
  evaluate(template.Resources[id]?.Properties, template) as Properties;
const ofType = (template: Template, type: string) =>
  Object.keys(template.Resources).filter((id) => template.Resources[id]?.Type === type);
/** Statements of a role that name one of these actions. */
const statements = (template: Template, role: string, action: RegExp) => {
  const policies = properties(template, role).Policies as { PolicyDocument: { Statement: { Action: string[] }[] } }[];
  return policies.flatMap(({ PolicyDocument }) =>
    PolicyDocument.Statement.filter(({ Action }) => Action.some((name) => action.test(name))),
  );
};

/** Logical ids that a value refers to. */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (typeof value !== 'object' || value === null) return [];
  const { Ref, 'Fn::GetAtt': attribute, ...rest } = value as { Ref?: string; 'Fn::GetAtt'?: [string, string] };
  return [
    ...(Ref === undefined ? [] : [Ref]),
    ...(attribute === undefined ? [] : [attribute[0]]),
    ...references(Object.values(rest)),
  ];
}

describe.each(['plain', 'everything'] as const)('the stage %s', (name) => {
  test('refers to nothing in a circle, which CloudFormation would refuse', () => {
    const { Resources } = stages[name];
    const left = new Map(
      Object.entries(Resources).map(([id, { Properties, ...rest }]) => {
        const { DependsOn = [] } = rest as { DependsOn?: string | string[] };
        return [id, [...references(Properties), ...[DependsOn].flat()].filter((other) => other in Resources)];
      }),
    );
    expect([...left.values()].flat().length).toBeGreaterThan(30);
    for (let size = left.size + 1; left.size < size; ) {
      size = left.size;
      for (const [id, needed] of [...left]) if (needed.every((other) => !left.has(other))) left.delete(id);
    }
    expect([...left.keys()]).toEqual([]);
  });

  test('keeps everyone without TLS out of every queue, by the queue’s one policy', () => {
    const template = stages[name];
    const policies = ofType(template, 'AWS::SQS::QueuePolicy').map(
      (id) =>
        template.Resources[id]?.Properties as { Queues: { Ref: string }[]; PolicyDocument: { Statement: object[] } },
    );
    const covered = policies.flatMap(({ Queues }) => Queues.map(({ Ref }) => Ref));
    expect(covered.sort()).toEqual(ofType(template, 'AWS::SQS::Queue').sort());
    for (const policy of policies)
      expect(policy.PolicyDocument.Statement[0]).toMatchObject({
        Effect: 'Deny',
        Principal: '*',
        Action: 'sqs:*',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      });
  });

  test('lets SQS move messages into each dead-letter queue from the queue that names it, and from no other', () => {
    const template = stages[name];
    const queues = ofType(template, 'AWS::SQS::Queue').map((id) => properties(template, id));
    const arnOf = (queue: Properties) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${queue.QueueName}`;
    const sources = queues.filter(({ RedrivePolicy }) => RedrivePolicy !== undefined);
    expect(sources.length * 2).toBe(queues.length);
    for (const source of sources) {
      const { deadLetterTargetArn } = source.RedrivePolicy as { deadLetterTargetArn: string };
      const target = queues.find((queue) => arnOf(queue) === deadLetterTargetArn);
      expect(target?.RedriveAllowPolicy).toEqual({ redrivePermission: 'byQueue', sourceQueueArns: [arnOf(source)] });
    }
  });
});

describe('reservedConcurrency', () => {
  test.each([
    ['QueueLambdaFunction', 40],
    ['WebhookLambdaFunction', 100],
  ])('keeps invocations for %s: %i', (id, reserved) => {
    expect(properties(stages.everything, id).ReservedConcurrentExecutions).toBe(reserved);
    expect(properties(stages.plain, id)).not.toHaveProperty('ReservedConcurrentExecutions');
  });

  const warned = (custom: object) =>
    stack({
      service: 'token-relay',
      stage: 'dev',
      region: REGION,
      custom: { alarms: { mail: 'a@example.com' }, ...custom },
    }).warnings;
  const flow = { secret: 'cpi/orders', path: '/http/orders' };
  const destinations = {
    orders: { ...flow, maximumConcurrency: 5 },
    invoices: flow,
    off: { ...flow, enabled: false, maximumConcurrency: 100 },
  };

  test.each([
    ['as many as all queues may have at once are enough', { queue: 7 }, []],
    ['none for the queue function is no limit', { webhook: 1 }, []],
    [
      'fewer are a warning, since Lambda throttles what is above',
      { queue: 6 },
      [
        'custom.reservedConcurrency.queue: 6 is below the sum of all maximumConcurrency, 7; Lambda throttles what is above',
      ],
    ],
  ])('%s', (_, reservedConcurrency, lines) => {
    expect(warned({ destinations, reservedConcurrency })).toEqual(lines);
  });
});

describe('kmsKeyForQueues', () => {
  test('encrypts each created queue and dead-letter queue in place of SQS’s own key', () => {
    const ids = ofType(stages.everything, 'AWS::SQS::Queue');
    expect(ids).toHaveLength(12);
    for (const id of ids) {
      expect(properties(stages.everything, id), id).toMatchObject({ KmsMasterKeyId: QUEUE_KEY });
      expect(properties(stages.everything, id), id).not.toHaveProperty('SqsManagedSseEnabled');
    }
    for (const id of ofType(stages.plain, 'AWS::SQS::Queue')) {
      expect(properties(stages.plain, id), id).toMatchObject({ SqsManagedSseEnabled: true });
      expect(properties(stages.plain, id), id).not.toHaveProperty('KmsMasterKeyId');
    }
  });

  test.each(ROLES)('lets %s decrypt with it, and make data keys for what it sends', (role) => {
    expect(statements(stages.everything, role, /^kms:/)).toEqual([
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: [expect.stringContaining(':key/11111111'), QUEUE_KEY],
      },
    ]);
    expect(statements(stages.plain, role, /^kms:/)).toEqual([]);
  });

  const flow = { secret: 'cpi/orders', path: '/http/orders' };
  const direct = { ...flow, webhook: { verify: 'basic', secret: 'webhooks/orders', mode: 'direct' } };
  const LEGACY = `arn:aws:sqs:${REGION}:999999999999:legacy-in`;
  const made = (destinations: object) =>
    stack({
      service: 'token-relay',
      stage: 'dev',
      region: REGION,
      custom: { destinations, kmsKeyForQueues: QUEUE_KEY },
    });

  test('is of no use to a webhook function that sends to no created queue', () => {
    for (const destinations of [{ orders: direct }, { orders: direct, legacy: { ...flow, queue: LEGACY } }]) {
      expect(JSON.stringify(made(destinations).resources.Resources.WebhookRole)).not.toContain('kms:');
      const { QueueRole } = made(destinations).resources.Resources;
      expect(JSON.stringify(QueueRole)).toContain('kms:Decrypt');
    }
    expect(JSON.stringify(made({ legacy: { ...flow, queue: LEGACY } }).resources.Resources)).not.toContain('kms:');
  });

  test.each([
    ['a topic', ['sns:eu-west-1:123456789012:shop'], 'sns.amazonaws.com'],
    [
      'a topic and a rule',
      ['sns:eu-west-1:123456789012:shop', 'events:eu-west-1:123456789012:rule/shop'],
      'sns.amazonaws.com and events.amazonaws.com',
    ],
  ])('needs the sender in the key’s own policy, which packaging names: %s', (_, senders, services) => {
    const queueSenders = senders.map((sender) => `arn:aws:${sender}`);
    expect(made({ orders: { ...flow, queueSenders } }).warnings).toContain(
      `custom.kmsKeyForQueues: queueSenders need kms:GenerateDataKey and kms:Decrypt in the key's policy, for ${services}`,
    );
  });
});

describe('kmsKeyForLogs', () => {
  test.each(['QueueLogGroup', 'WebhookLogGroup', 'WebhookAccessLog'])('encrypts %s', (id) => {
    expect(properties(stages.everything, id).KmsKeyId).toBe(LOG_KEY);
    expect(properties(stages.plain, id)).not.toHaveProperty('KmsKeyId');
  });

  test('needs no right of the functions: CloudWatch Logs uses the key by the key’s own policy', () => {
    for (const role of ROLES) expect(JSON.stringify(properties(stages.everything, role))).not.toContain(LOG_KEY);
  });
});

describe('permissionsBoundaryArn', () => {
  test.each(ROLES)('bounds %s', (role) => {
    expect(properties(stages.everything, role).PermissionsBoundary).toBe(`arn:aws:iam::${ACCOUNT}:policy/boundary`);
    expect(properties(stages.plain, role)).not.toHaveProperty('PermissionsBoundary');
  });

  test('bounds every role that there is', () => {
    expect(ofType(stages.everything, 'AWS::IAM::Role').sort()).toEqual(ROLES);
  });
});

describe('vpc', () => {
  test.each(FUNCTIONS)('puts %s into its subnets', (id) => {
    expect(properties(stages.everything, id).VpcConfig).toEqual({
      SubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
      SecurityGroupIds: ['sg-0123456789abcdef0'],
    });
    expect(properties(stages.plain, id)).not.toHaveProperty('VpcConfig');
  });

  test.each([
    ['QueueRole', 'queue'],
    ['WebhookRole', 'webhook'],
  ])('lets Lambda make network interfaces by %s, and keeps the function itself from it', (role, name) => {
    const Action = [
      'ec2:CreateNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:DeleteNetworkInterface',
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ];
    const own = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:token-relay-everything-${name}`;
    expect(statements(stages.everything, role, /^ec2:/)).toEqual([
      { Effect: 'Allow', Action, Resource: ['*'] },
      { Effect: 'Deny', Action, Resource: ['*'], Condition: { ArnEquals: { 'lambda:SourceFunctionArn': own } } },
    ]);
    expect(statements(stages.plain, role, /^ec2:/)).toEqual([]);
    expect(own).toContain(
      `:${properties(stages.everything, `${name === 'queue' ? 'Queue' : 'Webhook'}LambdaFunction`).FunctionName}`,
    );
  });
});

describe('tags', () => {
  const LIST = [
    { Key: 'cost-center', Value: '4711' },
    { Key: 'team', Value: 'integration' },
  ];
  /** What CloudFormation's registry calls not taggable. */
  const UNTAGGED = [
    'AWS::ApiGatewayV2::ApiMapping',
    'AWS::ApiGatewayV2::Integration',
    'AWS::ApiGatewayV2::Route',
    'AWS::IAM::ManagedPolicy',
    'AWS::Lambda::Permission',
    'AWS::Logs::QueryDefinition',
    'AWS::S3::BucketPolicy',
    'AWS::SNS::Subscription',
    'AWS::SQS::QueuePolicy',
  ];

  test('are on every resource that takes them, the framework’s too', () => {
    for (const [id, { Type, Properties }] of Object.entries(stages.everything.Resources)) {
      const { Tags } = Properties;
      if (UNTAGGED.includes(Type)) expect(Tags, id).toBeUndefined();
      else if (Type.startsWith('AWS::ApiGatewayV2::'))
        expect(Tags, id).toEqual({ 'cost-center': '4711', team: 'integration' });
      else expect(Tags, id).toEqual(LIST);
    }
    for (const [id, { Properties }] of Object.entries(stages.plain.Resources))
      expect(Properties.Tags, id).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['a name', 'packages-of-ours'],
    ['an object with a name', { name: 'packages-of-ours' }],
  ])('leave alone a bucket of one’s own, given by %s', (_, deploymentBucket) => {
    const { resources } = stack({
      service: 'token-relay',
      stage: 'dev',
      region: REGION,
      custom: { destinations: { orders: { secret: 'cpi/orders', path: '/http/orders' } }, tags: { team: 'a' } },
      provider: { runtime: 'nodejs24.x', deploymentBucket },
    });
    expect(Object.keys(resources.extensions)).toEqual(['QueueLogGroup']);
  });
});

describe('tracing', () => {
  test.each(FUNCTIONS)('has Lambda record %s, by a role that may write traces', (id) => {
    const role = id.replace('LambdaFunction', 'Role');
    expect(properties(stages.everything, id).TracingConfig).toEqual({ Mode: 'Active' });
    expect(statements(stages.everything, role, /^xray:/)).toHaveLength(1);
    expect(properties(stages.plain, id)).not.toHaveProperty('TracingConfig');
    expect(statements(stages.plain, role, /^xray:/)).toEqual([]);
  });
});

describe('provider.architecture', () => {
  test.each(FUNCTIONS)('x86_64 is taken for %s, arm64 is the default', (id) => {
    expect(properties(stages.everything, id).Architectures).toEqual(['x86_64']);
    expect(properties(stages.plain, id).Architectures).toEqual(['arm64']);
  });
});

describe('a mistake in a setting of the platform', () => {
  const VPC = { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] };
  const mistakes = (custom: object): string[] => {
    try {
      stack({
        service: 'token-relay',
        stage: 'dev',
        region: REGION,
        custom: { destinations: { orders: { secret: 'cpi/orders', path: '/http/orders' } }, ...custom },
      });
      return [];
    } catch (error) {
      return (error as Error).message.split('\n').filter((line) => line !== '');
    }
  };
  const key = (field: string) =>
    `custom.${field}: expected the ARN of a key in ${REGION}, arn:aws:kms:${REGION}:<account>:key/<id>`;
  const reserved = 'expected a whole number of invocations from 1 to 10000';
  const value = 'expected a text of at most 256 letters, digits, blanks and _.:/=+@-; quote a number';

  test.each<[string, object, string[]]>([
    ['an alias for a key', { kmsKeyForQueues: 'alias/queues' }, [key('kmsKeyForQueues')]],
    ['a key of another region', { kmsKeyForLogs: QUEUE_KEY.replace(REGION, 'us-east-1') }, [key('kmsKeyForLogs')]],
    [
      'a number for both functions',
      { reservedConcurrency: 5 },
      ['custom.reservedConcurrency: expected an object with queue, webhook or both'],
    ],
    ['no invocation at all', { reservedConcurrency: { queue: 0 } }, [`custom.reservedConcurrency.queue: ${reserved}`]],
    [
      'half an invocation',
      { reservedConcurrency: { webhook: 1.5 } },
      [`custom.reservedConcurrency.webhook: ${reserved}`],
    ],
    ['a text for a number', { reservedConcurrency: { queue: '5' } }, [`custom.reservedConcurrency.queue: ${reserved}`]],
    [
      'more than any account has',
      { reservedConcurrency: { queue: 10_001 } },
      [`custom.reservedConcurrency.queue: ${reserved}`],
    ],
    [
      'another function',
      { reservedConcurrency: { queues: 5 } },
      ['custom.reservedConcurrency.queues: unknown field, did you mean queue?'],
    ],
    [
      'the name of a boundary',
      { permissionsBoundaryArn: 'boundary' },
      ['custom.permissionsBoundaryArn: expected the ARN of a policy, arn:aws:iam::<account>:policy/<name>'],
    ],
    [
      'a VPC by its id',
      { vpc: 'vpc-0123456789abcdef0' },
      ['custom.vpc: expected an object with subnetIds and securityGroupIds'],
    ],
    [
      'a VPC without security groups',
      { vpc: { subnetIds: VPC.subnetIds } },
      ['custom.vpc.securityGroupIds: expected a list of 1 to 5 ids, sg-…'],
    ],
    [
      'subnets that are none',
      { vpc: { ...VPC, subnetIds: ['sg-0123456789abcdef0'] } },
      ['custom.vpc.subnetIds: expected a list of 1 to 16 ids, subnet-…'],
    ],
    [
      'a typing error in the VPC',
      { vpc: { ...VPC, subnetIDs: [] } },
      ['custom.vpc.subnetIDs: unknown field, did you mean subnetIds?'],
    ],
    ['a list of tags', { tags: [] }, ['custom.tags: expected an object from name to value']],
    ['a number as a tag', { tags: { team: 4711 } }, [`custom.tags.team: ${value}`]],
    [
      'a tag of AWS’s own',
      { tags: { 'aws:team': 'a' } },
      ['custom.tags.aws:team: expected a name of 1 to 128 letters, digits, blanks and _.:/=+@-'],
    ],
    [
      'too many tags',
      { tags: Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`tag-${index}`, 'a'])) },
      ['custom.tags: expected 40 tags at most'],
    ],
    [
      'a typing error',
      { kmsKeyForQueue: QUEUE_KEY },
      ['custom.kmsKeyForQueue: unknown field, did you mean kmsKeyForQueues?'],
    ],
  ])('is one line: %s', (_, custom, lines) => {
    expect(mistakes(custom)).toEqual(lines);
  });

  test('is none where all is right', () => {
    expect(
      mistakes({
        vpc: VPC,
        tags: { team: 'Größe 1' },
        reservedConcurrency: { queue: 1, webhook: 10_000 },
        kmsKeyForLogs: LOG_KEY,
      }),
    ).toEqual([]);
  });
});
