/**
 * A destination's queue: its name, the queue and dead-letter queue that are created for it, and how it wakes the queue
 * function. An existing queue is attached by its ARN and otherwise left to its owner.
 */
import type { Destination, DestinationSettings, Queue } from './destination.ts';
import { policyDocument } from './policy.ts';
import { arn, attribute, join, type Resource, ref, type Value } from './template.ts';

/** The longest that SQS keeps a message: 14 days. */
const RETENTION_SECONDS = 14 * 24 * 60 * 60;
/** When SQS itself moves a message away: the last resort against one that kills the function each time. */
const MAX_RECEIVE_COUNT = 1000;
/** Lambda wants a window of at least this where a batch is larger than 10. */
const BATCH_WINDOW_SECONDS = 1;
const QUEUE_URL = /^https:\/\/sqs\.([\w-]+)\.amazonaws\.com(?:\.cn)?\/(\d{12})\/([\w-]+(?:\.fifo)?)$/;

export function queueOf(
  { service, stage }: { readonly service: string; readonly stage: string },
  { name, fifo, queue }: DestinationSettings,
): Queue {
  if (queue !== undefined) return { created: false, arn: queue.startsWith('arn:') ? queue : undefined };
  const base = `${service}-${stage}-${name}`;
  const suffix = fifo ? '.fifo' : '';
  return { created: true, name: `${base}${suffix}`, deadLetterName: `${base}-dlq${suffix}` };
}

/** `eu-orders` as it stands in logical ids: `EuOrders`. */
export function logicalName(destination: string): string {
  return destination.replace(/(^|-+)([^-]?)/g, (_, _hyphens, first: string) => first.toUpperCase());
}

export const queueId = (destination: string) => `QueueOf${logicalName(destination)}`;
export const eventSourceMappingId = (destination: string) => `EventSourceMappingOf${logicalName(destination)}`;
export const queuePolicyId = (destination: string) => `QueuePolicyOf${logicalName(destination)}`;
/** Of all dead-letter queues together. */
const DEAD_LETTER_QUEUE_POLICY_ID = 'DeadLetterQueuePolicy';
export const deadLetterQueueId = (destination: string) => `DeadLetterQueueOf${logicalName(destination)}`;

/**
 * The two queues of a destination, in the template by their logical ids, and the policy of the first: nobody comes in
 * without TLS, its `queueSenders` do with it. None for an existing queue.
 *
 * @param options `functionTimeoutSeconds` of the queue function: AWS advises a visibility timeout of six times that, plus
 *   the window; `kmsKeyArn` of the key that encrypts both, default SQS's own
 */
export function queueResources(
  settings: DestinationSettings,
  queue: Queue,
  {
    functionTimeoutSeconds,
    kmsKeyArn,
  }: { readonly functionTimeoutSeconds: number; readonly kmsKeyArn?: string | undefined },
): Record<string, Resource> {
  if (!queue.created) return {};
  const { name, fifo, queueSenders } = settings;
  const kept = (properties: Record<string, unknown>): Resource => ({
    Type: 'AWS::SQS::Queue',
    // But for the deployment that creates it: one that fails would leave a queue whose name every later try finds taken.
    DeletionPolicy: 'RetainExceptOnCreate',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      ...properties,
      ...(fifo ? { FifoQueue: true } : {}),
      MessageRetentionPeriod: RETENTION_SECONDS,
      // SQS takes one of the two.
      ...(kmsKeyArn === undefined ? { SqsManagedSseEnabled: true } : { KmsMasterKeyId: kmsKeyArn }),
    },
  });
  const queueArn = attribute(queueId(name), 'Arn');
  return {
    [queueId(name)]: kept({
      QueueName: queue.name,
      VisibilityTimeout: 6 * functionTimeoutSeconds + batchWindowSeconds(settings),
      RedrivePolicy: {
        deadLetterTargetArn: attribute(deadLetterQueueId(name), 'Arn'),
        maxReceiveCount: MAX_RECEIVE_COUNT,
      },
    }),
    [deadLetterQueueId(name)]: kept({
      QueueName: queue.deadLetterName,
      // By its name: the queue itself refers to this one, and two references would be a circle.
      RedriveAllowPolicy: { redrivePermission: 'byQueue', sourceQueueArns: [arn('sqs', queue.name)] },
    }),
    // A queue has one policy: a second resource would put its own in the place of the first.
    [queuePolicyId(name)]: queuePolicy([queueId(name)], [tlsOnly(queueArn), ...sendersAllowed(queueSenders, queueArn)]),
  };
}

/** One policy for all dead-letter queues, which nobody is let in to; CloudFormation takes 500 resources in a stack. */
export function deadLetterQueuePolicy(destinations: readonly Destination[]): Record<string, Resource> {
  const ids = destinations.flatMap(({ settings, queue }) => (queue.created ? deadLetterQueueId(settings.name) : []));
  return ids.length === 0 ? {} : { [DEAD_LETTER_QUEUE_POLICY_ID]: queuePolicy(ids, [tlsOnly('*')]) };
}

function queuePolicy(ids: readonly string[], statements: readonly object[]): Resource {
  return {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: { Queues: ids.map(ref), PolicyDocument: policyDocument(statements) },
  };
}

/** @see Amazon SQS Developer Guide, "Security best practices": encryption of data in transit */
function tlsOnly(queueArn: Value): object {
  return {
    Effect: 'Deny',
    Principal: '*',
    Action: 'sqs:*',
    Resource: queueArn,
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
}

/**
 * A statement for each service whose topics or rules are named: the service may send in their name alone.
 *
 * @see AWS General Reference, "The confused deputy problem": `aws:SourceArn`
 */
function sendersAllowed(senders: readonly string[], queueArn: Value): object[] {
  return ['sns', 'events'].flatMap((service) => {
    const named = senders.filter((sender) => sender.split(':')[2] === service);
    if (named.length === 0) return [];
    return {
      Effect: 'Allow',
      Principal: { Service: `${service}.amazonaws.com` },
      Action: 'sqs:SendMessage',
      Resource: queueArn,
      Condition: { ArnEquals: { 'aws:SourceArn': named } },
    };
  });
}

/**
 * What hands the queue's messages to the queue function. A resource of its own and no function event: the framework
 * names those by the queue's name without its hyphens, and drops one of two that then are the same.
 *
 * @param options `isCounted`: Lambda counts what it polls and hands over, for the alarm nobody-polls
 */
export function eventSourceMapping(
  settings: DestinationSettings,
  queue: Queue,
  functionId: string,
  { isCounted = false } = {},
): Resource {
  const windowSeconds = batchWindowSeconds(settings);
  return {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: {
      EventSourceArn: queue.created ? attribute(queueId(settings.name), 'Arn') : (queue.arn ?? ''),
      FunctionName: ref(functionId),
      BatchSize: settings.batchSize,
      ...(windowSeconds > 0 ? { MaximumBatchingWindowInSeconds: windowSeconds } : {}),
      ScalingConfig: { MaximumConcurrency: settings.maximumConcurrency },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ...(isCounted ? { MetricsConfig: { Metrics: ['EventCount'] } } : {}),
      Enabled: settings.enabled,
    },
  };
}

/** By its name, as in all ARNs for policies here: how long these get must be known before the deployment. */
export function sourceArn(queue: Queue): Value {
  return queue.created ? arn('sqs', queue.name) : (queue.arn ?? '');
}

/** Where the queue function may put dead letters: the created queue, or the one that `deadLetterQueueUrl` names. */
export function deadLetterArn({ deadLetterQueueUrl }: DestinationSettings, queue: Queue): Value | undefined {
  if (queue.created) return arn('sqs', queue.deadLetterName);
  return arnOfUrl(deadLetterQueueUrl);
}

/** Where the webhook function puts what is queued: `queueUrl` of an existing queue, else the queue itself. */
export function webhookQueueArn(settings: DestinationSettings, queue: Queue): Value {
  return (queue.created ? undefined : arnOfUrl(settings.queueUrl)) ?? sourceArn(queue);
}

function arnOfUrl(url: string | undefined): Value | undefined {
  const queue = queueOfUrl(url ?? '');
  if (queue === undefined) return undefined;
  return join('arn:', ref('AWS::Partition'), `:sqs:${queue.region}:${queue.account}:${queue.name}`);
}

export interface NamedQueue {
  readonly region: string;
  readonly account: string;
  readonly name: string;
}

/** @returns undefined if that is not how SQS's URLs are made */
export function queueOfUrl(url: string): NamedQueue | undefined {
  const [, region = '', account = '', name] = QUEUE_URL.exec(url) ?? [];
  return name === undefined ? undefined : { region, account, name };
}

/** @param arn that the settings' validator took for one */
export function queueOfArn(arn: string): NamedQueue {
  const [, , , region = '', account = '', name = ''] = arn.split(':');
  return { region, account, name };
}

function batchWindowSeconds({ batchSize }: DestinationSettings): number {
  return batchSize > 10 ? BATCH_WINDOW_SECONDS : 0;
}
