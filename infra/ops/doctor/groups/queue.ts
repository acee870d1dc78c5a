/** A destination's queue and dead-letter queue: there, kept long enough, and what lies in them. */
import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { GetQueueAttributesCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import type { Destination } from '../../../../functions/settings/destination.ts';
import { isRecord, parseJson } from '../../../../functions/untrusted.ts';
import { writeDuration } from '../../replay/duration.ts';
import type { DoctorCommand } from '../arguments.ts';
import { errorName, whyNot } from '../clients.ts';
import { lettersFinding, lookAtLetters, type SeenLetters } from '../letters.ts';
import { finding, fine, hindered, type Line } from '../line.ts';
import type { Looking } from '../looking.ts';

export interface FoundQueue {
  readonly name: string;
  readonly arn: string;
  readonly visible: number;
  /** In flight, or hidden until their next try. */
  readonly hidden: number;
  readonly visibilityTimeoutSeconds: number;
  /** Undefined: not told, or nothing is there. */
  readonly oldestSeconds: number | undefined;
}

export interface LookedAtQueues {
  readonly lines: readonly Line[];
  readonly queue?: FoundQueue;
  /** Some of those that are dead. */
  readonly deadLetters?: SeenLetters;
  /** How many are dead; absent: not known. */
  readonly letters?: number;
}

type Attributes = Readonly<Record<string, string | undefined>>;

/** SQS keeps a message no longer: 14 days. */
const LONGEST_RETENTION_SECONDS = 1_209_600;
/** 80 % of what SQS has in flight for a standard queue; a FIFO queue has the same quota. */
const MANY_IN_FLIGHT = 96_000;
/** Of the 14 days: four are left to act in. */
const OLD_LETTER_SECONDS = 864_000;
const MISSING = new Set(['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue']);

export async function lookAtQueues(
  destination: Destination,
  command: DoctorCommand,
  looking: Looking,
): Promise<LookedAtQueues> {
  const name = queueName(destination, command);
  const read = await attributesOf(name, looking, destination.queue);
  if (read === 'missing') {
    return { lines: [finding('queue-missing', `there is no queue ${name} that these credentials can see`)] };
  }
  if ('result' in read) return { lines: [read] };
  const { attributes } = read;
  const oldestSeconds = await oldestSecondsIn(name, looking);
  const visible = count(attributes, 'ApproximateNumberOfMessages');
  const inFlight = count(attributes, 'ApproximateNumberOfMessagesNotVisible');
  const oldest =
    typeof oldestSeconds === 'number' && visible + inFlight > 0
      ? `, oldest ${writeDuration(oldestSeconds * 1_000)}`
      : '';
  const deadLetters = await lookAtDeadLetters(destination, { attributes, command }, looking);
  return {
    lines: [
      inFlight < MANY_IN_FLIGHT
        ? fine(
            'queue',
            'queue',
            `${name}: ${visible} waiting, ${inFlight} in flight or hidden until their next try${oldest}`,
          )
        : finding('in-flight', `${name}: ${inFlight} messages in flight of the 120,000 that SQS allows`),
      ...retention(name, attributes),
      ...(typeof oldestSeconds === 'object' ? [oldestSeconds] : []),
      ...deadLetters.lines,
    ],
    queue: {
      name,
      arn: attributes.QueueArn ?? '',
      visible,
      hidden: inFlight,
      visibilityTimeoutSeconds: count(attributes, 'VisibilityTimeout'),
      oldestSeconds: typeof oldestSeconds === 'number' ? oldestSeconds : undefined,
    },
    ...(deadLetters.seen === undefined ? {} : { deadLetters: deadLetters.seen }),
    ...(deadLetters.letters === undefined ? {} : { letters: deadLetters.letters }),
  };
}

/** As the deployment names it, where the settings do not. */
export function queueName(
  { name, queue, fifo }: Destination,
  { service, stage }: { readonly service: string; readonly stage: string },
): string {
  if (queue === undefined) return `${service}-${stage}-${name}${fifo ? '.fifo' : ''}`;
  return queue.slice(queue.lastIndexOf(':') + 1);
}

async function lookAtDeadLetters(
  { deadLetterQueueUrl, name, queue, fifo }: Destination,
  { attributes, command }: { readonly attributes: Attributes; readonly command: DoctorCommand },
  looking: Looking,
): Promise<{ readonly lines: Line[]; readonly seen?: SeenLetters; readonly letters?: number }> {
  const policy = parseJson(attributes.RedrivePolicy ?? '');
  const target =
    isRecord(policy) && typeof policy.deadLetterTargetArn === 'string' ? policy.deadLetterTargetArn : undefined;
  const ofSettings = deadLetterQueueUrl?.slice(deadLetterQueueUrl.lastIndexOf('/') + 1);
  // Of a queue that the deployment made, its name follows from the queue's.
  const derived =
    queue !== undefined && !queue.startsWith('arn:')
      ? `${queue.replace(/\.fifo$/, '')}-dlq${fifo ? '.fifo' : ''}`
      : undefined;
  const wanted = ofSettings ?? derived;
  if (wanted === undefined) {
    const until = target === undefined ? 'until SQS deletes it' : 'until its redrive policy moves it';
    const kept = `what the flow refuses for good comes back ${until}`;
    return { lines: [finding('dead-letter-queue-missing', `${name}.deadLetterQueueUrl is not set: ${kept}`)] };
  }
  const read = await attributesOf(wanted, looking);
  if (read === 'missing') {
    return {
      lines: [finding('dead-letter-queue-missing', `there is no queue ${wanted}: dead letters stay in the queue`)],
    };
  }
  if ('result' in read) return { lines: [read] };
  const letters =
    count(read.attributes, 'ApproximateNumberOfMessages') +
    count(read.attributes, 'ApproximateNumberOfMessagesNotVisible');
  const oldestSeconds = letters === 0 ? undefined : await oldestSecondsIn(wanted, looking);
  const seen = letters === 0 ? undefined : await lookAtLetters(read.url, looking);
  const lines = [
    target === undefined
      ? finding(
          'dead-letter-queue-missing',
          'the queue has no redrive policy: a message that kills the function each time never ends',
        )
      : undefined,
    seen === undefined
      ? fine('queue', 'dead-letter-queue', `${wanted} is empty`)
      : lettersFinding({ name: wanted, url: read.url, letters }, seen, {
          destination: name,
          command,
          now: looking.now,
        }),
    ...retention(wanted, read.attributes),
    typeof oldestSeconds === 'object' ? oldestSeconds : undefined,
    typeof oldestSeconds === 'number' && oldestSeconds >= OLD_LETTER_SECONDS
      ? finding(
          'letters-expire',
          `the oldest letter is ${writeDuration(oldestSeconds * 1_000)} old; after 14 days SQS deletes it`,
        )
      : undefined,
  ];
  return { lines: lines.filter((line) => line !== undefined), letters, ...(seen === undefined ? {} : { seen }) };
}

function retention(name: string, attributes: Attributes): Line[] {
  const seconds = count(attributes, 'MessageRetentionPeriod');
  if (seconds >= LONGEST_RETENTION_SECONDS) return [];
  const kept = writeDuration(seconds * 1_000);
  return [finding('retention-short', `${name} keeps messages for ${kept}, not 14 days: what waits longer is lost`)];
}

async function attributesOf(
  QueueName: string,
  { clients, signal }: Looking,
  queue = '',
): Promise<Line | 'missing' | { readonly url: string; readonly attributes: Attributes }> {
  let call = 'sqs:GetQueueUrl';
  try {
    const [, , , , owner] = queue.split(':');
    const named = new GetQueueUrlCommand({ QueueName, ...(owner ? { QueueOwnerAWSAccountId: owner } : {}) });
    const { QueueUrl = '' } = await clients.sqs.send(named, { abortSignal: signal });
    call = 'sqs:GetQueueAttributes';
    const all = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] });
    const { Attributes = {} } = await clients.sqs.send(all, { abortSignal: signal });
    return { url: QueueUrl, attributes: Attributes };
  } catch (error) {
    if (MISSING.has(errorName(error))) return 'missing';
    return hindered('queue', 'queue', `${QueueName}: ${whyNot(error, call)}`);
  }
}

function count(attributes: Attributes, name: string): number {
  return Number(attributes[name] ?? 0);
}

/** CloudWatch alone knows it. @returns undefined if it has no value, as of an empty queue */
async function oldestSecondsIn(queue: string, { clients, signal, now }: Looking): Promise<number | Line | undefined> {
  const metric = {
    Namespace: 'AWS/SQS',
    MetricName: 'ApproximateAgeOfOldestMessage',
    Dimensions: [{ Name: 'QueueName', Value: queue }],
  };
  const command = new GetMetricDataCommand({
    StartTime: new Date(now() - LOOK_BACK_MS),
    EndTime: new Date(now()),
    ScanBy: 'TimestampDescending',
    MetricDataQueries: [{ Id: 'oldest', MetricStat: { Metric: metric, Period: 60, Stat: 'Maximum' } }],
  });
  try {
    const { MetricDataResults = [] } = await clients.cloudWatch.send(command, { abortSignal: signal });
    return MetricDataResults[0]?.Values?.[0];
  } catch (error) {
    return hindered('queue', 'age', whyNot(error, 'cloudwatch:GetMetricData'));
  }
}

/** The metric is late by some minutes. */
const LOOK_BACK_MS = 900_000;
