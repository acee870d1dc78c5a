/**
 * What can be wrong in `custom` of serverless.yml: all that the function itself refuses at its start, by the same
 * validator, and on top what only a deployment can get wrong. Each mistake is one line that begins with its path.
 */
import { sidesOf, verificationSecrets } from '../../../functions/settings/destination.ts';
import { nearest } from '../../../functions/settings/nearest.ts';
import { problems } from '../../../functions/settings/settings.ts';
import { isRecord } from '../../../functions/untrusted.ts';
import { addressWarnings, isMonitor } from './address.ts';
import type { Configuration, Destination } from './destination.ts';
import { domainMistakes, throttlingMistakes } from './gateway.ts';
import { misplacedInCustom, misplacedInDestinations } from './misplaced.ts';
import { inheritedWarnings } from './new-side.ts';
import { alarmsMistakes, maintenanceMistakes } from './notification.ts';
import { PLATFORM_FIELDS, platformMistakes } from './platform.ts';
import { logicalName, type NamedQueue, queueOfArn, queueOfUrl } from './queue.ts';

/** Of `custom`. */
const FIELDS = [
  'destinations',
  'kmsKeyArns',
  'webhookThrottling',
  'webhookDomain',
  'alarms',
  'maintenance',
  'tracing',
  ...PLATFORM_FIELDS,
];

const MONITOR = 'expected the runtime’s address, as the service key names its host; this one is the monitor’s';
const SECRET = /^(arn:aws[\w-]*:secretsmanager:[\w-]+:\d{12}:secret:)?[\w/+=.@-]{1,512}$/;
const KMS_KEY_ARN = /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/;
const QUEUE_URL = 'expected https://sqs.<region>.amazonaws.com/<account>/<queue>';
/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html */
const LONGEST_QUEUE_NAME = 80;

const NOBODY_IS_TOLD = 'custom.alarms: nobody is told of trouble; set { mail: … } or { topicArn: … }';

/** Mistakes in the entries as they were written. */
export function writtenMistakes(destinations: unknown): string[] {
  const none = !isRecord(destinations) || Object.keys(destinations).length === 0;
  if (none) return problems(destinations).map((line) => `custom.${line}`);
  const { lines, rest } = misplacedInDestinations(destinations);
  if (Object.keys(rest).length === 0) return [...lines];
  const monitors = Object.entries(rest).flatMap(([name, value]) =>
    [
      { path: name, side: value },
      { path: `${name}.cutover`, side: isRecord(value) ? value.cutover : undefined },
    ].flatMap(({ path, side }) =>
      (['url', 'path'] as const)
        .filter((field) => isRecord(side) && isMonitor(field, side[field]))
        .map((field) => `${path}.${field}`),
    ),
  );
  const found = problems(rest).filter((line) => !monitors.some((path) => line.startsWith(`${path}: `)));
  return [...lines, ...monitors.map((path) => `custom.destinations.${path}: ${MONITOR}`), ...found.map(inDestinations)];
}

function inDestinations(line: string): string {
  return `custom.destinations.${line}`;
}

/** Mistakes in the fields of `custom` beside the destinations. @param region of the stack */
export function customMistakes(custom: Readonly<Record<string, unknown>>, region: string): string[] {
  const { kmsKeyArns = [], webhookThrottling, webhookDomain, alarms, maintenance, tracing } = custom;
  const lines = [
    ...unknownFields(custom),
    ...throttlingMistakes(webhookThrottling),
    ...domainMistakes(webhookDomain, region),
    ...alarmsMistakes(alarms, region),
    ...maintenanceMistakes(maintenance, { hasAlarms: alarms !== undefined }),
    ...platformMistakes(custom, region),
    ...(tracing === undefined || typeof tracing === 'boolean' ? [] : ['custom.tracing: expected true or false']),
  ];
  const isKeyArn = (value: unknown) => typeof value === 'string' && KMS_KEY_ARN.test(value);
  if (!Array.isArray(kmsKeyArns) || !kmsKeyArns.every(isKeyArn)) {
    lines.push('custom.kmsKeyArns: expected a list of ARNs of keys, arn:aws:kms:<region>:<account>:key/<id>');
  }
  return lines;
}

function unknownFields(custom: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(custom)
    .filter(([field]) => !FIELDS.includes(field) && !field.startsWith('x-'))
    .map(([field, value]) => {
      const meant = nearest(field, FIELDS);
      const guess =
        meant === undefined ? 'unknown field; one of your own begins with x-' : `unknown field, did you mean ${meant}?`;
      return `custom.${field}: ${misplacedInCustom(field, value) ?? guess}`;
    });
}

/** Mistakes that show when entries become resources. @param region of the stack */
export function deploymentMistakes(destinations: readonly Destination[], region: string): string[] {
  const owners = new Map<string, string>();
  return destinations.flatMap((destination) => {
    const { name } = destination.settings;
    // The framework names routes in lower case, and of two of one name keeps the last: the other's would be unsigned.
    const id = logicalName(name).toLowerCase();
    const owner = owners.get(id);
    owners.set(id, name);
    const lines = [...secretMistakes(destination, region), ...queueMistakes(destination, region)];
    if (owner !== undefined)
      lines.push(`: expected a name that differs from ${owner} in more than hyphens and capitals`);
    return lines.map((line) => `custom.destinations.${name}${line}`);
  });
}

/** What is no mistake and should still be meant: a line each, or some of 80 characters, told when the service is packaged. */
export function warnings({ destinations, alarms, platform }: Configuration): string[] {
  const told = alarms === undefined ? [NOBODY_IS_TOLD] : [];
  const ofDestinations = destinations.flatMap(({ settings, written }) => [
    ...(settings.webhook?.verify.some(({ type }) => type === 'none')
      ? [
          `${settings.name}.webhook.verify: none lets in whoever knows the URL; only for a network that keeps others out`,
        ]
      : []),
    ...addressWarnings(settings),
    ...newAddressWarnings(settings),
    ...inheritedWarnings({ settings, written }),
  ]);
  return [...told, ...platformWarnings(destinations, platform), ...ofDestinations];
}

function platformWarnings(
  destinations: Configuration['destinations'],
  { reservedConcurrency, kmsKeyForQueues }: Configuration['platform'],
): string[] {
  const { queue: reserved = Number.POSITIVE_INFINITY } = reservedConcurrency;
  const polled = destinations.filter(({ settings }) => settings.enabled);
  const needed = polled.reduce((sum, { settings }) => sum + settings.maximumConcurrency, 0);
  const senders = destinations.flatMap(({ settings, queue }) => (queue.created ? settings.queueSenders : []));
  const services = ['sns', 'events'].filter((service) => senders.some((sender) => sender.split(':')[2] === service));
  return [
    // Lambda would hand over more than may run, and each message that is refused counts as received.
    ...(reserved < needed
      ? [
          `custom.reservedConcurrency.queue: ${reserved} is below the sum of all maximumConcurrency, ${needed}; Lambda throttles what is above`,
        ]
      : []),
    // Whose key it is says so in the key's own policy, which is not ours to write.
    ...(kmsKeyForQueues !== undefined && services.length > 0
      ? [
          `custom.kmsKeyForQueues: queueSenders need kms:GenerateDataKey and kms:Decrypt in the key's policy, for ${services.map((service) => `${service}.amazonaws.com`).join(' and ')}`,
        ]
      : []),
  ];
}

/** Not of an address that is the old side's as well. */
function newAddressWarnings({ url, path, adapter, cutover }: Destination['settings']): string[] {
  if (cutover === undefined) return [];
  const { newSide } = cutover;
  const isOther = newSide.url !== url || newSide.path !== path || newSide.adapter !== adapter;
  return isOther ? addressWarnings(newSide) : [];
}

function secretMistakes({ settings }: Destination, region: string): string[] {
  const { secret, webhook } = settings;
  const ofSenders = webhook === undefined ? [] : verificationSecrets(webhook);
  const lines = [
    ...sidesOf(settings).flatMap((side) => {
      const path = side.secret === secret ? '.secret' : '.cutover.secret';
      return secretProblems(side.secret, region).map((problem) => `${path}: ${problem}`);
    }),
    ...ofSenders.flatMap((name) => secretProblems(name, region)).map((problem) => `.webhook.secret: ${problem}`),
  ];
  return [...new Set(lines)];
}

function secretProblems(secret: string, region: string): string[] {
  // A `*` or `?` would reach into the policy and open other secrets.
  if (!SECRET.test(secret)) return ['expected the name or ARN of a secret: letters, digits and /_+=.@-'];
  if (!secret.startsWith('arn:')) return [];
  const problems: string[] = [];
  // The functions ask Secrets Manager in their own region, which knows no other's.
  if (secret.split(':')[3] !== region) problems.push(`expected the ARN of a secret in ${region}`);
  // The policy would name no secret, and every reading be refused.
  if (!/-[A-Za-z0-9]{6}$/.test(secret))
    problems.push('expected the whole ARN, with the hyphen and six characters that end it; or the name');
  return problems;
}

function queueMistakes({ settings, queue }: Destination, region: string): string[] {
  const { queueUrl, deadLetterQueueUrl, queueSenders, fifo } = settings;
  if (queue.created) {
    const filledIn = 'belongs to an existing queue; of a created one it is filled in';
    return [
      ...(queueUrl === undefined ? [] : [`.queueUrl: ${filledIn}`]),
      ...(deadLetterQueueUrl === undefined ? [] : [`.deadLetterQueueUrl: ${filledIn}`]),
      ...(fifo ? queueSenders.flatMap(fifoSenderMistakes) : []),
      ...nameMistakes(queue.deadLetterName),
    ];
  }
  if (queue.arn === undefined)
    return ['.queue: expected the ARN of an existing queue; leave it out and one is created'];
  const source = queueOfArn(queue.arn);
  const deadLetters = deadLetterQueueUrl === undefined ? undefined : queueOfUrl(deadLetterQueueUrl);
  const webhooks = queueUrl === undefined ? undefined : queueOfUrl(queueUrl);
  const lines: string[] = [];
  if (queueSenders.length > 0)
    lines.push(
      '.queueSenders: belongs to a created queue; what may send to an existing one its owner says in its policy',
    );
  // Lambda polls in its own region alone.
  if (source.region !== region) lines.push(`.queue: ${inRegion(region)}`);
  if (queueUrl !== undefined) {
    if (webhooks === undefined) lines.push(`.queueUrl: ${QUEUE_URL}`);
    // The webhook function sends by its own region's endpoint, where the queue is another or none.
    else if (webhooks.region !== region) lines.push(`.queueUrl: ${inRegion(region)}`);
    else if (isSame(webhooks, deadLetters))
      lines.push('.queueUrl: is the dead-letter queue: what a webhook queues would never be delivered');
  }
  if (deadLetterQueueUrl !== undefined) {
    if (deadLetters === undefined) lines.push(`.deadLetterQueueUrl: ${QUEUE_URL}`);
    else if (deadLetters.region !== region) lines.push(`.deadLetterQueueUrl: ${inRegion(region)}`);
    else if (isSame(source, deadLetters))
      lines.push('.deadLetterQueueUrl: is the queue itself: a dead letter would come back for ever');
    else if (isFifo(source) !== isFifo(deadLetters))
      lines.push(`.deadLetterQueueUrl: expected a ${isFifo(source) ? 'FIFO' : 'standard'} queue, as the queue is one`);
  }
  return lines;
}

/** What can be sent to a FIFO queue that takes no duplicate for one by its content. */
function fifoSenderMistakes(sender: string): string[] {
  // https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_SqsParameters.html
  if (sender.includes(':events:'))
    return [
      '.queueSenders: EventBridge sends to FIFO queues with content-based deduplication alone, which this is not',
    ];
  return sender.endsWith('.fifo') ? [] : ['.queueSenders: expected FIFO topics: no other may send to a FIFO queue'];
}

const inRegion = (region: string) => `expected a queue in ${region}`;
const isFifo = ({ name }: NamedQueue) => name.endsWith('.fifo');

function isSame(one: NamedQueue, other: NamedQueue | undefined): boolean {
  return one.region === other?.region && one.account === other.account && one.name === other.name;
}

/** @param name of the dead-letter queue, the longer one */
function nameMistakes(name: string): string[] {
  if (name.length > LONGEST_QUEUE_NAME)
    return [`: its queue would be named ${name}, SQS takes ${LONGEST_QUEUE_NAME} characters`];
  return [];
}
