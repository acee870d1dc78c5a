/**
 * What the functions call, and what they must never be able to call, role by role, in each stage. Resources are named as
 * the deployed stage would have them.
 */
import { ACCOUNT, REGION } from './stages.ts';

export type RoleId = 'QueueRole' | 'WebhookRole';

export interface Call {
  readonly stage: string;
  readonly role: RoleId;
  /** As IAM names it. */
  readonly action: string;
  /** ARN; `*` for an action that has no resource. */
  readonly resource: string;
  readonly isAllowed: boolean;
}

/** What each command of the AWS SDK that `functions/aws/` sends needs. */
export const ACTIONS_OF_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  GetSecretValueCommand: ['secretsmanager:GetSecretValue'],
  SendMessageCommand: ['sqs:SendMessage'],
  ChangeMessageVisibilityBatchCommand: ['sqs:ChangeMessageVisibility'],
  // Without s3:ListBucket an object that is not there is answered as one that nobody may see.
  HeadObjectCommand: ['s3:GetObject', 's3:ListBucket'],
  GetObjectCommand: ['s3:GetObject', 's3:ListBucket'],
  PutObjectCommand: ['s3:PutObject'],
  DeleteObjectCommand: ['s3:DeleteObject'],
};
/** What Lambda itself does in the role's name: polling, logs, traces, and network interfaces in a VPC. */
export const ACTIONS_OF_LAMBDA: readonly string[] = [
  'sqs:ReceiveMessage',
  'sqs:DeleteMessage',
  'sqs:GetQueueAttributes',
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
];
/** What SQS and S3 do with a key of the user's, in the name of the role that reads or writes. */
export const ACTIONS_OF_KEYS: readonly string[] = ['kms:Decrypt', 'kms:GenerateDataKey'];

const OTHER_ACCOUNT = '999999999999';
const regional = (service: string, resource: string, account = ACCOUNT) =>
  `arn:aws:${service}:${REGION}:${account}:${resource}`;
const queue = (name: string, account = ACCOUNT) => regional('sqs', name, account);
const secret = (name: string) => regional('secretsmanager', `secret:${name}-a1B2c3`);
const key = (id: string) => regional('kms', `key/${id}-2222-3333-4444-555555555555`);
const object = (path: string) => `arn:aws:s3:::${path}`;
const log = (name: string) => regional('logs', `log-group:${name}:log-stream:2026/12/01/[$LATEST]0123`);
const group = (name: string) => regional('logs', `log-group:${name}`);

type Row = readonly [actions: readonly string[], resources: readonly string[]];

const POLL = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'];
const WRITE_LOG = ['logs:CreateLogStream', 'logs:PutLogEvents'];
const READ_SECRET = ['secretsmanager:GetSecretValue'];
const CREATED = ['orders', 'invoices', 'prices', 'stock', 'delivery-notes', 'idocs'];
const named = (name: string, suffix = '') =>
  queue(`token-relay-everything-${name}${suffix}${name === 'invoices' ? '.fifo' : ''}`);
const LEGACY = queue('legacy-in', OTHER_ACCOUNT);
const ALL_KEYS = [key('11111111'), key('22222222')];
const TRACES: Row = [['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*']];
const NETWORK: Row = [
  ['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface'],
  [regional('ec2', 'network-interface/eni-0123456789abcdef0')],
];
const NETWORK_READ: Row = [['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'], ['*']];

const ALLOWED: Readonly<Record<string, Readonly<Record<RoleId, readonly Row[]>>>> = {
  plain: {
    QueueRole: [
      [WRITE_LOG, [log('/aws/lambda/token-relay-plain-queue')]],
      [READ_SECRET, [secret('cpi/orders')]],
      [POLL, [queue('token-relay-plain-orders')]],
      [['sqs:SendMessage'], [queue('token-relay-plain-orders-dlq')]],
    ],
    WebhookRole: [
      [WRITE_LOG, [log('/aws/lambda/token-relay-plain-webhook')]],
      [READ_SECRET, [secret('webhooks/orders')]],
      [['sqs:SendMessage'], [queue('token-relay-plain-orders')]],
    ],
  },
  everything: {
    QueueRole: [
      [WRITE_LOG, [log('/aws/lambda/token-relay-everything-queue')]],
      TRACES,
      NETWORK,
      NETWORK_READ,
      [
        READ_SECRET,
        ['orders', 'invoices', 'prices', 'prices-of-the-new-tenant', 'stock', 'certificate', 'idocs'].map((name) =>
          secret(`cpi/${name}`),
        ),
      ],
      [POLL, [...CREATED.map((name) => named(name)), LEGACY]],
      [['sqs:SendMessage'], [...CREATED.map((name) => named(name, '-dlq')), queue('legacy-dead', OTHER_ACCOUNT)]],
      [
        ['s3:GetObject', 's3:DeleteObject'],
        [object('order-payloads/a/b'), object('sender-payloads/a')],
      ],
      [['s3:ListBucket'], [object('order-payloads'), object('sender-payloads')]],
      [['s3:PutObject'], [object('order-payloads/dead-letters/orders/1')]],
      [ACTIONS_OF_KEYS, ALL_KEYS],
    ],
    WebhookRole: [
      [WRITE_LOG, [log('/aws/lambda/token-relay-everything-webhook')]],
      TRACES,
      NETWORK,
      NETWORK_READ,
      [
        READ_SECRET,
        ['webhooks/orders', 'webhooks/invoices', 'cpi/prices', 'cpi/prices-of-the-new-tenant', 'cpi/stock'].map(secret),
      ],
      [['sqs:SendMessage'], ['orders', 'invoices', 'stock'].map((name) => named(name))],
      [['s3:PutObject'], [object('order-payloads/webhooks/orders/1')]],
      [ACTIONS_OF_KEYS, ALL_KEYS],
    ],
  },
};

/** Of either role in either stage; own resources are those of the stage. */
function deniedToBoth(stage: string): Row[] {
  const own = queue(`token-relay-${stage}-orders`);
  const deadLetters = queue(`token-relay-${stage}-orders-dlq`);
  const other = stage === 'plain' ? 'everything' : 'plain';
  return [
    // The queue itself, its policy, and what lies in it.
    [['sqs:DeleteQueue', 'sqs:PurgeQueue', 'sqs:SetQueueAttributes', 'sqs:AddPermission', 'sqs:TagQueue'], [own]],
    [['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:PurgeQueue', 'sqs:DeleteQueue'], [deadLetters]],
    [['sqs:StartMessageMoveTask'], [deadLetters]],
    // Other queues: of the other stage, of the account, of another account, of a name that begins alike.
    [
      [...POLL, 'sqs:SendMessage'],
      [
        queue(`token-relay-${other}-orders`),
        queue('payments'),
        queue('payments', OTHER_ACCOUNT),
        queue(`token-relay-${stage}-orders`, '111111111111'),
        queue(`token-relay-${stage}-orders2`),
      ],
    ],
    [['sqs:SendMessage'], [queue(`token-relay-${other}-orders-dlq`), queue('legacy-in', '111111111111')]],
    // Other secrets, and what can be done with one's own beside reading it.
    [READ_SECRET, [secret('cpi/payroll'), secret('cpi/orders-of-others'), secret('database')]],
    [
      ['secretsmanager:PutSecretValue', 'secretsmanager:DeleteSecret', 'secretsmanager:UpdateSecret'],
      [secret('cpi/orders'), secret('webhooks/orders')],
    ],
    [['secretsmanager:ListSecrets'], ['*']],
    // Buckets.
    [['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], [object('foreign/a')]],
    [['s3:ListBucket', 's3:DeleteBucket', 's3:PutBucketPolicy'], [object('foreign')]],
    [
      ['s3:DeleteBucket', 's3:PutBucketPolicy', 's3:GetBucketPolicy', 's3:PutLifecycleConfiguration'],
      [object('order-payloads')],
    ],
    [
      ['s3:PutObject', 's3:PutObjectAcl'],
      [object('order-payloads/a'), object('sender-payloads/a')],
    ],
    [['s3:PutObject'], [object('order-payloads/dead-letters/invoices/1'), object('order-payloads/webhooks/prices/1')]],
    [['s3:GetObjectVersion', 's3:PutObjectAcl'], [object('order-payloads/dead-letters/orders/1')]],
    // Keys.
    [ACTIONS_OF_KEYS, [key('33333333'), key('99999999')]],
    [['kms:Encrypt', 'kms:ScheduleKeyDeletion', 'kms:PutKeyPolicy', 'kms:CreateGrant'], ALL_KEYS],
    // Logs: others', and what hides traces in its own.
    [WRITE_LOG, [log('/aws/lambda/payments'), log(`/aws/lambda/token-relay-${other}-queue`)]],
    [WRITE_LOG, [log(`/aws/vendedlogs/token-relay-${stage}-webhook-access`)]],
    [
      ['logs:DeleteLogGroup', 'logs:PutRetentionPolicy', 'logs:FilterLogEvents'],
      [group(`/aws/lambda/token-relay-${stage}-queue`), group(`/aws/lambda/token-relay-${stage}-webhook`)],
    ],
    [
      ['logs:DeleteLogStream', 'logs:GetLogEvents'],
      [log(`/aws/lambda/token-relay-${stage}-queue`), log(`/aws/lambda/token-relay-${stage}-webhook`)],
    ],
    // More rights, more code, other functions.
    [
      ['iam:PassRole', 'iam:PutRolePolicy', 'iam:AttachRolePolicy'],
      [`arn:aws:iam::${ACCOUNT}:role/token-relay-${stage}-queue`],
    ],
    [['sts:AssumeRole'], [`arn:aws:iam::${ACCOUNT}:role/admin`]],
    [
      [
        'lambda:InvokeFunction',
        'lambda:UpdateFunctionCode',
        'lambda:UpdateFunctionConfiguration',
        'lambda:GetFunction',
      ],
      [regional('lambda', `function:token-relay-${stage}-queue`)],
    ],
    [
      ['cloudformation:UpdateStack', 'cloudformation:DeleteStack'],
      [regional('cloudformation', `stack/token-relay-${stage}/1`)],
    ],
    // What only a stage with tracing or a VPC allows in part.
    [['xray:GetTraceSummaries', 'xray:PutEncryptionConfig', 'ec2:DescribeInstances'], ['*']],
    [['ec2:TerminateInstances', 'ec2:StopInstances'], [regional('ec2', 'instance/i-0123456789abcdef0')]],
    [['ec2:ModifyNetworkInterfaceAttribute'], [regional('ec2', 'network-interface/eni-0123456789abcdef0')]],
    [['sns:Publish'], [regional('sns', `token-relay-${stage}-alarms`)]],
  ];
}

/** What the one function does and the other must not. */
const DENIED_TO_ONE: Readonly<Record<RoleId, (stage: string) => Row[]>> = {
  QueueRole: (stage) => [
    // Only a webhook puts messages in.
    [['sqs:SendMessage'], [queue(`token-relay-${stage}-orders`)]],
    [READ_SECRET, [secret('webhooks/orders'), secret('webhooks/invoices')]],
    [WRITE_LOG, [log(`/aws/lambda/token-relay-${stage}-webhook`)]],
    [['s3:PutObject'], [object('order-payloads/webhooks/orders/1')]],
  ],
  WebhookRole: (stage) => [
    // Strangers call it: it reads no message, writes no dead letter, and has no way to SAP for what is queued.
    [POLL, [queue(`token-relay-${stage}-orders`)]],
    [['sqs:SendMessage'], [queue(`token-relay-${stage}-orders-dlq`), LEGACY, named('prices')]],
    [READ_SECRET, [secret('cpi/orders'), secret('cpi/invoices'), secret('cpi/certificate')]],
    [WRITE_LOG, [log(`/aws/lambda/token-relay-${stage}-queue`)]],
    [
      ['s3:GetObject', 's3:DeleteObject'],
      [object('order-payloads/webhooks/orders/1'), object('order-payloads/a')],
    ],
    [['s3:PutObject'], [object('order-payloads/dead-letters/orders/1')]],
    [['s3:ListBucket'], [object('order-payloads')]],
  ],
};

/** @param stages names */
export function calls(stages: readonly string[]): readonly Call[] {
  return stages.flatMap((stage) =>
    (['QueueRole', 'WebhookRole'] as const).flatMap((role) => {
      const of = (rows: readonly Row[], isAllowed: boolean): Call[] =>
        rows.flatMap(([actions, resources]) =>
          resources.flatMap((resource) => actions.map((action) => ({ stage, role, action, resource, isAllowed }))),
        );
      const allowed = of(ALLOWED[stage]?.[role] ?? [], true);
      return [...allowed, ...of([...deniedToBoth(stage), ...DENIED_TO_ONE[role](stage)], false)];
    }),
  );
}
