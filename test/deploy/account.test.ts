/**
 * What a deployment and its removal ask of an account, through the scripts: a whole life of a stack, on loopback. The
 * rights that they need stand in infra/deploy/deployer-policy.json.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Account, createAccount } from './packaging/account.ts';
import type { Template } from './packaging/cloudformation.ts';
import { createService, type Ran, type Service } from './packaging/service.ts';

const CERTIFICATE = 'arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
const flow = { secret: 'cpi/orders', path: '/http/orders' };

/**
 * Such long secrets that their roles need managed policies; a domain; senders to a queue; a webhook that the gateway
 * checks; somebody who is told, and not during maintenance; all that a platform team sets.
 */
const everything = {
  alarms: { mail: 'operators@example.com' },
  maintenance: [{ cron: '0 20 * * SAT', hours: 6 }],
  webhookDomain: { name: 'webhooks.example.com', certificateArn: CERTIFICATE },
  kmsKeyForLogs: 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555',
  permissionsBoundaryArn: 'arn:aws:iam::123456789012:policy/boundary',
  reservedConcurrency: { queue: 100 },
  vpc: { subnetIds: ['subnet-0123456789abcdef0'], securityGroupIds: ['sg-0123456789abcdef0'] },
  tags: { team: 'integration' },
  destinations: {
    orders: { ...flow, queueSenders: ['arn:aws:sns:eu-central-1:123456789012:orders'], webhook: { verify: 'iam' } },
    invoices: { ...flow, fifo: true, webhook: { verify: 'basic', secret: 'webhooks/invoices' } },
    ...Object.fromEntries(
      Array.from({ length: 22 }, (_, index) => [
        `flow-${index}`,
        { ...flow, secret: `cpi/${'x'.repeat(480)}${index}` },
      ]),
    ),
  },
};

interface Statement {
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
}

/** As IAM reads `*`. */
const matches = (pattern: string, value: string) =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(value);

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let account: Account;
let service: Service;
let deployed: Ran;
let template: Template;
let statements: readonly Statement[];
const actions = () => statements.flatMap(({ Action }) => Action);

beforeAll(async () => {
  const policy = resolve(import.meta.dirname, '../../infra/deploy/deployer-policy.json');
  statements = JSON.parse(await readFile(policy, 'utf8')).Statement;
  account = await createAccount();
  service = await createService(everything, account.environment);
  const made = await service.package('--stage', 'prod', '--package', 'release');
  expect(made.errors.filter((line) => line.startsWith('custom'))).toEqual([]);
  template = await made.template();
  deployed = await service.deploy('--stage', 'prod', '--package', 'release');
});
afterAll(async () => {
  account.close();
  await service.remove();
});

describe('A deployment', () => {
  test('a deployment makes the stack and brings it up to the package', () => {
    expect(deployed).toMatchObject({ exitCode: 0 });
    expect(account.asked.filter((what) => /(Create|Update|Delete)Stack/.test(what))).toEqual([
      'cloudformation:CreateStack token-relay-prod',
      'cloudformation:UpdateStack token-relay-prod',
    ]);
  });
});

describe('A package that was deployed before', () => {
  test('is deployed again as it is: that is the way back', async () => {
    const before = account.asked.length;
    expect(await service.deploy('--stage', 'prod', '--package', 'release')).toMatchObject({ exitCode: 0 });
    expect(account.asked.slice(before).filter((what) => /(Create|Update|Delete)Stack/.test(what))).toEqual([
      'cloudformation:UpdateStack token-relay-prod',
    ]);
  });
});

describe('A removal', () => {
  let looked: Ran;
  let before: number;
  beforeAll(async () => {
    before = account.asked.length;
    looked = await service.removeStage('--stage', 'prod');
  });

  test('a removal without --yes asks nothing of the account', () => {
    expect(looked.exitCode).toBe(0);
    expect(account.asked.slice(before)).toEqual([]);
    expect(looked.output.at(-1)).toBe(
      'Nothing is changed. To remove it: npm run remove -- --stage prod --region eu-central-1 --yes',
    );
  });

  test('a removal names every queue that stays: those that the template retains', () => {
    const retained = Object.values(template.Resources)
      .filter(({ DeletionPolicy }) => DeletionPolicy === 'RetainExceptOnCreate')
      .map(({ Properties }) => Properties.QueueName);
    const told = looked.output.filter((line) => /^stays {3}token-relay-/.test(line)).map((line) => line.slice(8));
    expect(told.sort()).toEqual(retained.sort());
  });

  test('a removal says how to look into the queues first', () => {
    expect(looked.output).toContain('  npm run replay -- --stage prod --region eu-central-1 --destination invoices');
    expect(looked.output.join('\n')).toContain('--queue-name token-relay-prod-invoices.fifo --query QueueUrl');
  });

  test.each([
    ['no stage', [], 'remove: --stage: required, the stage that is to be removed'],
    ['an option that it does not know', ['--stage', 'prod', '--yess'], "remove: Unknown option '--yess'"],
  ])('a removal of %s is a mistake, and takes nothing away', async (_, options, line) => {
    const ran = await service.removeStage(...options);
    expect(ran.exitCode).toBe(2);
    expect(ran.errors.join('\n')).toContain(line);
    expect(account.asked.slice(before)).toEqual([]);
  });

  test('a removal with --yes deletes the stack of that stage, and no queue', async () => {
    const ran = await service.removeStage('--stage', 'prod', '--yes');
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(account.asked.slice(before).filter((what) => /Delete/.test(what))).toEqual([
      's3:DeleteObject',
      'cloudformation:DeleteStack token-relay-prod',
    ]);
  });
});

test('a removal with --yes deletes a stack without the framework’s bucket, such as the plain template makes', async () => {
  const other = await createAccount({ hasPlainStack: true });
  onTestFinished(() => other.close());
  const plain = await createService(everything, other.environment);
  onTestFinished(() => plain.remove());
  expect(await plain.removeStage('--stage', 'prod', '--yes')).toMatchObject({ exitCode: 0 });
  expect(other.asked.filter((what) => /Delete/.test(what))).toEqual(['cloudformation:DeleteStack token-relay-prod']);
});

/**
 * What CloudFormation does in the deployer's name for each type, of the properties that are used here.
 *
 * @see the types' schemas in CloudFormation's registry, `handlers.*.permissions` (as of 2026-03)
 */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'AWS::S3::Bucket': [
    's3:CreateBucket',
    's3:DeleteBucket',
    's3:PutEncryptionConfiguration',
    's3:GetEncryptionConfiguration',
    's3:PutBucketPublicAccessBlock',
    's3:GetBucketPublicAccessBlock',
    's3:PutBucketTagging',
  ],
  'AWS::S3::BucketPolicy': ['s3:PutBucketPolicy', 's3:GetBucketPolicy', 's3:DeleteBucketPolicy'],
  'AWS::Logs::LogGroup': [
    'logs:CreateLogGroup',
    'logs:DeleteLogGroup',
    'logs:PutRetentionPolicy',
    'logs:DescribeLogGroups',
    'logs:AssociateKmsKey',
    'logs:DisassociateKmsKey',
    'logs:TagResource',
  ],
  'AWS::Lambda::Function': [
    'lambda:CreateFunction',
    'lambda:DeleteFunction',
    'lambda:GetFunction',
    'lambda:GetFunctionCodeSigningConfig',
    'lambda:GetFunctionRecursionConfig',
    'lambda:GetRuntimeManagementConfig',
    'lambda:UpdateFunctionCode',
    'lambda:UpdateFunctionConfiguration',
    'lambda:PutFunctionConcurrency',
    'lambda:DeleteFunctionConcurrency',
    'lambda:TagResource',
    'ec2:DescribeSecurityGroups',
    'ec2:DescribeSubnets',
    'ec2:DescribeVpcs',
    'iam:PassRole',
    's3:GetObject',
  ],
  'AWS::Lambda::Permission': ['lambda:AddPermission', 'lambda:RemovePermission', 'lambda:GetPolicy'],
  'AWS::Lambda::EventSourceMapping': [
    'lambda:CreateEventSourceMapping',
    'lambda:GetEventSourceMapping',
    'lambda:UpdateEventSourceMapping',
    'lambda:DeleteEventSourceMapping',
  ],
  'AWS::SQS::Queue': [
    'sqs:CreateQueue',
    'sqs:DeleteQueue',
    'sqs:GetQueueAttributes',
    'sqs:GetQueueUrl',
    'sqs:ListQueueTags',
    'sqs:SetQueueAttributes',
    'sqs:TagQueue',
  ],
  'AWS::SQS::QueuePolicy': ['sqs:SetQueueAttributes'],
  'AWS::IAM::Role': [
    'iam:CreateRole',
    'iam:DeleteRole',
    'iam:GetRole',
    'iam:PutRolePolicy',
    'iam:GetRolePolicy',
    'iam:DeleteRolePolicy',
    'iam:ListRolePolicies',
    'iam:AttachRolePolicy',
    'iam:DetachRolePolicy',
    'iam:ListAttachedRolePolicies',
    'iam:UpdateAssumeRolePolicy',
    'iam:PutRolePermissionsBoundary',
    'iam:DeleteRolePermissionsBoundary',
    'iam:TagRole',
  ],
  'AWS::IAM::ManagedPolicy': [
    'iam:CreatePolicy',
    'iam:DeletePolicy',
    'iam:GetPolicy',
    'iam:CreatePolicyVersion',
    'iam:DeletePolicyVersion',
    'iam:GetPolicyVersion',
    'iam:ListPolicyVersions',
  ],
  'AWS::ApiGatewayV2::Api': ['apigateway:POST', 'apigateway:GET', 'apigateway:PATCH', 'apigateway:DELETE'],
  // A stage with an access log hands it over to CloudWatch Logs.
  'AWS::ApiGatewayV2::Stage': ['apigateway:POST', 'logs:CreateLogDelivery', 'logs:PutResourcePolicy'],
  'AWS::ApiGatewayV2::Integration': ['apigateway:POST'],
  'AWS::ApiGatewayV2::Route': ['apigateway:POST'],
  'AWS::ApiGatewayV2::DomainName': ['apigateway:POST', 'iam:CreateServiceLinkedRole'],
  'AWS::ApiGatewayV2::ApiMapping': ['apigateway:POST'],
  'AWS::CloudWatch::Alarm': ['cloudwatch:PutMetricAlarm', 'cloudwatch:DescribeAlarms', 'cloudwatch:DeleteAlarms'],
  'AWS::CloudWatch::CompositeAlarm': ['cloudwatch:PutCompositeAlarm', 'cloudwatch:ListTagsForResource'],
  'AWS::CloudWatch::AlarmMuteRule': [
    'cloudwatch:PutAlarmMuteRule',
    'cloudwatch:GetAlarmMuteRule',
    'cloudwatch:DeleteAlarmMuteRule',
  ],
  'AWS::CloudWatch::Dashboard': ['cloudwatch:PutDashboard', 'cloudwatch:GetDashboard', 'cloudwatch:DeleteDashboards'],
  'AWS::Logs::QueryDefinition': [
    'logs:PutQueryDefinition',
    'logs:DeleteQueryDefinition',
    'logs:DescribeQueryDefinitions',
  ],
  'AWS::SNS::Topic': [
    'sns:CreateTopic',
    'sns:DeleteTopic',
    'sns:GetTopicAttributes',
    'sns:GetDataProtectionPolicy',
    'sns:ListSubscriptionsByTopic',
  ],
  'AWS::SNS::Subscription': ['sns:Subscribe', 'sns:Unsubscribe', 'sns:GetSubscriptionAttributes'],
};

describe('infra/deploy/deployer-policy.json', () => {
  const isAllowed = (action: string) => actions().some((pattern) => matches(pattern, action));

  test('the deployer’s policy allows all that CloudFormation does for the types of the template', () => {
    const types = [...new Set(Object.values(template.Resources).map(({ Type }) => Type))];
    expect(types.filter((type) => NEEDED[type] === undefined)).toEqual([]);
    expect(types.flatMap((type) => NEEDED[type] ?? []).filter((action) => !isAllowed(action))).toEqual([]);
  });

  test('every type of the deployer’s table is in the template', () => {
    const types = Object.values(template.Resources).map(({ Type }) => Type);
    expect(Object.keys(NEEDED).filter((type) => !types.includes(type))).toEqual([]);
  });

  test('the deployer’s policy allows all that the framework asks for itself', () => {
    const asked = account.asked
      .map((what) => what.split(' ')[0] ?? '')
      .filter((what) => what !== 'sts:GetCallerIdentity');
    expect([...new Set(asked)].filter((action) => !isAllowed(action))).toEqual([]);
  });

  test('the deployer’s policy names no service as a whole', () => {
    expect(actions().filter((action) => /^\*|:\*/.test(action))).toEqual([]);
  });

  test('the deployer’s policy reaches what is named in the template', () => {
    const names = Object.values(template.Resources).flatMap(({ Type, Properties }) => {
      if (Type === 'AWS::SQS::Queue') return [`arn:aws:sqs:eu-central-1:123456789012:${Properties.QueueName}`];
      if (Type === 'AWS::Lambda::Function')
        return [`arn:aws:lambda:eu-central-1:123456789012:function:${Properties.FunctionName}`];
      if (Type === 'AWS::CloudWatch::Alarm' || Type === 'AWS::CloudWatch::CompositeAlarm')
        return [`arn:aws:cloudwatch:eu-central-1:123456789012:alarm:${Properties.AlarmName}`];
      if (Type === 'AWS::CloudWatch::AlarmMuteRule')
        return [`arn:aws:cloudwatch:eu-central-1:123456789012:alarm-mute-rule:${Properties.Name}`];
      if (Type === 'AWS::CloudWatch::Dashboard')
        return [`arn:aws:cloudwatch::123456789012:dashboard/${Properties.DashboardName}`];
      if (Type === 'AWS::SNS::Topic') return [`arn:aws:sns:eu-central-1:123456789012:${Properties.TopicName}`];
      if (Type === 'AWS::Logs::LogGroup')
        return [`arn:aws:logs:eu-central-1:123456789012:log-group:${Properties.LogGroupName}`];
      return [];
    });
    const patterns = statements.flatMap(({ Resource }) => Resource).filter((pattern) => pattern !== '*');
    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((name) => !patterns.some((pattern) => matches(pattern, name)))).toEqual([]);
  });
});
