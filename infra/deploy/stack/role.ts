/**
 * Each function's own role: what that function needs and nothing of the other's. The framework's shared role would grant
 * every queue and every secret to both.
 */
import {
  deadLettersUnder,
  sidesOf,
  storedUnder,
  verificationSecrets,
} from '../../../functions/settings/destination.ts';
import type { Configuration, Destination } from './destination.ts';
import { fitted, policyDocument, type Statement } from './policy.ts';
import { deadLetterArn, sourceArn, webhookQueueArn } from './queue.ts';
import { arn, attribute, type Resource, ref, type Value } from './template.ts';

/**
 * Two roles, and the managed policies of what does not fit into them.
 *
 * @param logGroupId logical id of the function's log group, the only one it may write
 */
export function queueRole(configuration: Configuration, logGroupId: string): Record<string, Resource> {
  const { destinations } = configuration;
  const deadLetterArns = destinations.flatMap(({ settings, queue }) => deadLetterArn(settings, queue) ?? []);
  const stored = destinations.flatMap(({ settings }) => settings.payloadBucket ?? []);
  const deadLettered = destinations.flatMap(({ settings: { name, payloadBucket } }) =>
    payloadBucket === undefined ? [] : [`${payloadBucket}/${deadLettersUnder(name)}`],
  );
  const followed = destinations.flatMap(({ settings }) => settings.payloadBuckets);
  const emptied = destinations.filter(({ settings }) => settings.deletePayloads);
  const deleted = emptied.flatMap(({ settings }) => [settings.payloadBucket ?? [], settings.payloadBuckets].flat());
  return role('QueueRole', configuration, [
    ...logs(logGroupId),
    ...traces(configuration),
    ...allow(['secretsmanager:GetSecretValue'], secretArns(destinations.flatMap(secretsOf))),
    ...allow(
      ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
      destinations.map(({ queue }) => sourceArn(queue)),
    ),
    ...allow(['sqs:SendMessage'], deadLetterArns),
    ...allow(['s3:GetObject'], objectArns([...stored, ...followed])),
    // Without it S3 answers 403 for an object that is not there, and nobody could tell which of the two it is.
    ...allow(['s3:ListBucket'], bucketArns([...stored, ...followed])),
    ...allow(['s3:PutObject'], startingArns(deadLettered)),
    ...allow(['s3:DeleteObject'], objectArns(deleted)),
    ...keys(configuration, destinations, { writes: deadLetterArns.length + stored.length > 0 }),
    ...network(configuration, 'queue'),
  ]);
}

/** For the destinations with a webhook: what senders prove themselves with, the queue, and the way to SAP where callers wait. */
export function webhookRole(configuration: Configuration, logGroupId: string): Record<string, Resource> {
  const { destinations } = configuration;
  const queued = destinations.filter(({ settings: { webhook } }) => webhook !== undefined && webhook.mode !== 'direct');
  const stored = queued.flatMap(({ settings: { name, payloadBucket } }) =>
    payloadBucket === undefined ? [] : [`${payloadBucket}/${storedUnder(name)}`],
  );
  return role('WebhookRole', configuration, [
    ...logs(logGroupId),
    ...traces(configuration),
    ...allow(['secretsmanager:GetSecretValue'], secretArns(destinations.flatMap(webhookSecrets))),
    ...allow(
      ['sqs:SendMessage'],
      queued.map(({ settings, queue }) => webhookQueueArn(settings, queue)),
    ),
    // Strangers call this function: dead letters, and what others keep in the bucket, are out of its reach.
    ...allow(['s3:PutObject'], startingArns(stored)),
    ...keys(configuration, queued, { writes: queued.length > 0 }),
    ...network(configuration, 'webhook'),
  ]);
}

/**
 * Who writes to an encrypted queue or bucket needs a data key, beside the right to decrypt.
 *
 * @param touched whose queues the function receives from or sends to
 */
function keys(
  { kmsKeyArns, platform: { kmsKeyForQueues } }: Configuration,
  touched: readonly Destination[],
  { writes }: { readonly writes: boolean },
): Statement[] {
  const isUsed = kmsKeyForQueues !== undefined && touched.some(({ queue }) => queue.created);
  const ofQueues = isUsed ? [kmsKeyForQueues] : [];
  const actions = writes ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'];
  return allow(actions, [...new Set([...kmsKeyArns, ...ofQueues])]);
}

/** What Lambda does in the role's name for a function in a VPC, and the function itself must not. */
const NETWORK_INTERFACES = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * Network interfaces have no resources that these could be limited to; only the function's own calls have its ARN.
 *
 * @see AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC"
 */
function network({ platform, name }: Configuration, functionName: string): Statement[] {
  if (platform.vpc === undefined) return [];
  const own = arn('lambda', `function:${name}-${functionName}`);
  const Condition = { ArnEquals: { 'lambda:SourceFunctionArn': own } };
  return [
    ...allow(NETWORK_INTERFACES, ['*']),
    { Effect: 'Deny', Action: NETWORK_INTERFACES, Resource: ['*'], Condition },
  ];
}

/** Who only stores a message needs no way to SAP. */
function webhookSecrets(destination: Destination): string[] {
  const { webhook } = destination.settings;
  if (webhook === undefined) return [];
  return [...(webhook.mode === 'queued' ? [] : secretsOf(destination)), ...verificationSecrets(webhook)];
}

/** With a cut-over those of both sides. */
function secretsOf({ settings }: Destination): string[] {
  return sidesOf(settings).map(({ secret }) => secret);
}

/** Secrets Manager ends the ARN of a secret with a hyphen and six random characters, which a name does not tell. */
function secretArns(secrets: readonly string[]): Value[] {
  return [...new Set(secrets)].map((secret) =>
    secret.startsWith('arn:') ? secret : arn('secretsmanager', `secret:${secret}-??????`),
  );
}

function objectArns(buckets: readonly string[]): Value[] {
  return [...new Set(buckets)].map((bucket) => arn('s3', `${bucket}/*`, { inRegion: false }));
}

function bucketArns(buckets: readonly string[]): Value[] {
  return [...new Set(buckets)].map((bucket) => arn('s3', bucket, { inRegion: false }));
}

/** Of the objects of a bucket whose names begin so. */
function startingArns(starts: readonly string[]): Value[] {
  return starts.map((start) => arn('s3', `${start}*`, { inRegion: false }));
}

/** The ARN of a log group, as CloudFormation returns it, ends in `:*` and so covers its streams. */
function logs(logGroupId: string): Statement[] {
  return allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [attribute(logGroupId, 'Arn')]);
}

/** X-Ray has no resources that these could be limited to. */
function traces({ tracing }: Configuration): Statement[] {
  return tracing ? allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*']) : [];
}

function allow(actions: readonly string[], resources: readonly Value[]): Statement[] {
  return resources.length === 0 ? [] : [{ Effect: 'Allow', Action: actions, Resource: resources }];
}

function role(
  id: string,
  { region, platform }: Configuration,
  statements: readonly Statement[],
): Record<string, Resource> {
  const trusted = { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' };
  const { inline, managed } = fitted(statements, region);
  const policies = managed.map((part, index): [string, Resource] => [
    `${id}Policy${index + 1}`,
    { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: policyDocument(part) } },
  ]);
  return {
    [id]: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: policyDocument([trusted]),
        ...(platform.permissionsBoundaryArn !== undefined && { PermissionsBoundary: platform.permissionsBoundaryArn }),
        Policies: [{ PolicyName: 'function', PolicyDocument: policyDocument(inline) }],
        // Named by the role, not the role by them: what is made with the role then finds all of them there.
        ...(policies.length === 0 ? {} : { ManagedPolicyArns: policies.map(([policyId]) => ref(policyId)) }),
      },
    },
    ...Object.fromEntries(policies),
  };
}
