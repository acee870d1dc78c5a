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

/** Mistakes that show when entries become resources. */
export function deploymentMistakes(destinations: readonly Destination[]): string[] {
  const owners = new Map<string, string>();
  return destinations.flatMap((destination) => {
    const { name } = destination.settings;
    const owner = owners.get(logicalName(name));
    owners.set(logicalName(name), name);
    const lines = [...secretMistakes(destination), ...queueMistakes(destination)];
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
        `custom.destinations.${name}.webhook.verify: none: whoever knows the URL can send to this flow; say so on purpose alone`,
    );
}

/** A `*` or `?` would reach into the policy and open other secrets. */
function secretMistakes({ settings: { secret, webhook } }: Destination): string[] {
  const expected = 'expected the name or ARN of a secret: letters, digits and /_+=.@-';
  return [
    ...(SECRET.test(secret) ? [] : [`.secret: ${expected}`]),
    ...(webhook === undefined || verificationSecrets(webhook).every((name) => SECRET.test(name))
      ? []
      : [`.webhook.secret: ${expected}`]),
  ];
}

function queueMistakes({ settings, queue }: Destination): string[] {
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
