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
  const { destinations, kmsKeyArns } = configuration;
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
    ...keys(kmsKeyArns, { writes: deadLetterArns.length + stored.length > 0 }),
  ]);
}

/** For the destinations with a webhook: what senders prove themselves with, the queue, and the way to SAP where callers wait. */
export function webhookRole(configuration: Configuration, logGroupId: string): Record<string, Resource> {
  const { destinations, kmsKeyArns } = configuration;
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
    ...keys(kmsKeyArns, { writes: queued.length > 0 }),
  ]);
}

/** Who writes to an encrypted queue or bucket needs a data key, beside the right to decrypt. */
function keys(kmsKeyArns: readonly string[], { writes }: { readonly writes: boolean }): Statement[] {
  return allow(writes ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'], kmsKeyArns);
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

function role(id: string, { region }: Configuration, statements: readonly Statement[]): Record<string, Resource> {
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
        Policies: [{ PolicyName: 'function', PolicyDocument: policyDocument(inline) }],
        // Named by the role, not the role by them: what is made with the role then finds all of them there.
        ...(policies.length === 0 ? {} : { ManagedPolicyArns: policies.map(([policyId]) => ref(policyId)) }),
      },
    },
    ...Object.fromEntries(policies),
  };
}
