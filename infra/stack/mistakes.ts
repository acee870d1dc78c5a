/**
 * What can be wrong in `custom` of serverless.yml: all that the function itself refuses at its start, by the same
 * validator, and on top what only a deployment can get wrong. Each mistake is one line that begins with its path.
 */
import { verificationSecrets } from '../../functions/relay/destination.ts';
import { problems } from '../../functions/settings.ts';
import type { Destination } from './destination.ts';
import { domainMistakes, throttlingMistakes } from './gateway.ts';
import { isQueueUrl, logicalName } from './queue.ts';
import { isRecord } from './record.ts';

const SECRET = /^(arn:aws[\w-]*:secretsmanager:[\w-]+:\d{12}:secret:)?[\w/+=.@-]{1,512}$/;
const KMS_KEY_ARN = /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/;
const QUEUE_URL = 'expected https://sqs.<region>.amazonaws.com/<account>/<queue>';
const QUEUE_NAME = /^[\w-]+(\.fifo)?$/;
/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html */
const LONGEST_QUEUE_NAME = 80;

/** Mistakes in the entries as they were written. */
export function writtenMistakes(destinations: unknown): string[] {
  const none = !isRecord(destinations) || Object.keys(destinations).length === 0;
  return problems(destinations).map((line) => (none ? `custom.${line}` : `custom.destinations.${line}`));
}

/** Mistakes in the other fields of `custom` that are ours. @param region of the stack */
export function customMistakes(custom: Readonly<Record<string, unknown>>, region: string): string[] {
  const { kmsKeyArns = [], webhookThrottling, webhookDomain } = custom;
  const lines = [...throttlingMistakes(webhookThrottling), ...domainMistakes(webhookDomain, region)];
  const isKeyArn = (value: unknown) => typeof value === 'string' && KMS_KEY_ARN.test(value);
  if (!Array.isArray(kmsKeyArns) || !kmsKeyArns.every(isKeyArn)) {
    lines.push('custom.kmsKeyArns: expected a list of ARNs of keys, arn:aws:kms:<region>:<account>:key/<id>');
  }
  return lines;
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

/** What is no mistake and should still be meant: a line each, told when the service is packaged. */
export function warnings(destinations: readonly Destination[]): string[] {
  return destinations
    .filter(({ settings: { webhook } }) => webhook?.verify.some(({ type }) => type === 'none'))
    .map(
      ({ settings: { name } }) =>
        `${name}.webhook.verify: none lets in whoever knows the URL; only for a network that keeps others out`,
    );
}

function secretMistakes({ settings: { secret, webhook } }: Destination, region: string): string[] {
  const ofSenders = webhook === undefined ? [] : verificationSecrets(webhook);
  const lines = [
    ...secretProblems(secret, region).map((problem) => `.secret: ${problem}`),
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
  const { queueUrl, deadLetterQueueUrl } = settings;
  const lines: string[] = [];
  if (queue.created) {
    const filledIn = 'belongs to an existing queue; of a created one it is filled in';
    if (queueUrl !== undefined) lines.push(`.queueUrl: ${filledIn}`);
    if (deadLetterQueueUrl !== undefined) lines.push(`.deadLetterQueueUrl: ${filledIn}`);
    lines.push(...nameMistakes(queue.deadLetterName));
  } else {
    if (queue.arn === undefined) {
      lines.push('.queue: expected the ARN of an existing queue; leave it out and one is created');
    }
    if (queueUrl !== undefined && !isQueueUrl(queueUrl)) lines.push(`.queueUrl: ${QUEUE_URL}`);
    // The webhook function sends by its own region's endpoint, where the queue is another or none.
    else if (queueUrl !== undefined && new URL(queueUrl).hostname.split('.')[1] !== region)
      lines.push(`.queueUrl: expected a queue in ${region}`);
    if (deadLetterQueueUrl !== undefined && !isQueueUrl(deadLetterQueueUrl)) {
      lines.push(`.deadLetterQueueUrl: ${QUEUE_URL}`);
    }
  }
  return lines;
}

/** @param name of the dead-letter queue, the longer one */
function nameMistakes(name: string): string[] {
  if (!QUEUE_NAME.test(name)) return [`: ${name} is no name for a queue: letters, digits, - and _`];
  if (name.length > LONGEST_QUEUE_NAME)
    return [`: its queue would be named ${name}, SQS takes ${LONGEST_QUEUE_NAME} characters`];
  return [];
}
