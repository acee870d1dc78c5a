/**
 * The queues of one account in one region: created, found by name and ARN, refused where access was taken away. What a
 * queue does is `sqs/queue.ts`, the protocol is `sqs/api.ts`.
 *
 * @see AWS: API Reference "CreateQueue"
 */
import { invalidValue, sqsError } from './error.ts';
import type { QueueEvent } from './message.ts';
import { checkDeadLetterQueue, createQueue, type Queue, type QueueModel } from './queue.ts';
import { checkedAttributes, defaultAttributes, type QueueAttributes } from './queue-attributes.ts';

export interface SqsOptions {
  /** Epoch ms. Default `Date.now`. */
  readonly now?: () => number;
  /** From 0 to below 1: ids, and the order of a shuffled queue. Default `Math.random`. */
  readonly random?: () => number;
  /** Default `eu-central-1`. */
  readonly region?: string;
  /** Default `123456789012`. */
  readonly accountId?: string;
  /** What queue URLs begin with. Default as on AWS. */
  readonly endpoint?: () => string;
  /** Standard queues hand out messages in random order. Default false: longest waiting first. */
  readonly shuffle?: boolean;
  /**
   * Most messages in flight of one queue, and how far from its front a FIFO queue looks for open groups. Default
   * 120,000 (AWS: "Amazon SQS message quotas"; raised on request).
   */
  readonly inFlightQuota?: number;
  /** Told every body that somebody sends. */
  readonly confidential?: (value: string) => void;
  /** Told what happens to each message. */
  readonly onEvent?: (event: QueueEvent) => void;
}

export interface SqsService {
  readonly region: string;
  readonly accountId: string;
  readonly now: () => number;
  readonly random: () => number;
  readonly queues: readonly Queue[];
  /**
   * FIFO where the name ends in `.fifo`. A queue that exists with the same attributes is given back.
   * @throws AwsError InvalidParameterValue, InvalidAttributeName, InvalidAttributeValue, QueueNameExists
   */
  createQueue(name: string, attributes?: QueueAttributes): Queue;
  /** @throws Error if there is none */
  queue(name: string): Queue;
  findQueue(name: string): Queue | undefined;
  deleteQueue(name: string): void;
  /** Takes the caller's permission for a queue away, or gives it back; over the protocol only. */
  denyAccess(name: string, on: boolean): void;
  isDenied(name: string): boolean;
}

const QUEUE_NAME = /^[\w-]{1,80}$/;
/** A place to start for numbers of 20 digits, with gaps, as SQS gives them out. */
const FIRST_SEQUENCE_NUMBER = 18_850_000_000_000_000_000n;
const SEQUENCE_STEP = 256n;

export function createSqsService(options: SqsOptions = {}): SqsService {
  const { now = Date.now, random = Math.random, region = 'eu-central-1', accountId = '123456789012' } = options;
  const { endpoint = () => `https://sqs.${region}.amazonaws.com`, confidential = () => undefined } = options;
  const queues = new Map<string, QueueModel>();
  const denied = new Set<string>();
  let sequenceNumber = FIRST_SEQUENCE_NUMBER;

  const arnOf = (name: string) => `arn:aws:sqs:${region}:${accountId}:${name}`;
  const findByArn = (arn: string) => [...queues.values()].find((queue) => queue.arn === arn);

  function nextSequenceNumber(): string {
    sequenceNumber += SEQUENCE_STEP;
    return String(sequenceNumber);
  }

  function create(name: string, given: QueueAttributes = {}): Queue {
    const fifo = checkName(name, given.FifoQueue);
    const { FifoQueue: _, ...rest } = given;
    const attributes = checkedAttributes(rest, fifo);
    const existing = queues.get(name);
    if (existing !== undefined) return unchanged(existing, attributes);
    if (attributes.RedrivePolicy) checkDeadLetterQueue(attributes.RedrivePolicy, fifo, findByArn);
    const queue = createQueue({
      name,
      arn: arnOf(name),
      url: () => `${endpoint()}/${accountId}/${name}`,
      attributes: { ...defaultAttributes(fifo), ...attributes },
      now,
      random,
      shuffle: options.shuffle ?? false,
      inFlightQuota: options.inFlightQuota ?? 120_000,
      senderId: 'AIDAIENQZJOLO23YVJ4VO',
      nextSequenceNumber,
      findQueue: findByArn,
      confidential,
      onEvent: options.onEvent,
    });
    queues.set(name, queue);
    return queue;
  }

  function queue(name: string): Queue {
    const found = queues.get(name);
    if (found === undefined) throw new Error(`there is no queue ${name}; there are: ${[...queues.keys()].join(', ')}`);
    return found;
  }

  return {
    region,
    accountId,
    now,
    random,
    get queues() {
      return [...queues.values()];
    },
    createQueue: create,
    queue,
    findQueue: (name) => queues.get(name),
    deleteQueue: (name) => {
      queues.delete(name);
    },
    denyAccess: (name, on) => {
      if (on) denied.add(name);
      else denied.delete(name);
    },
    isDenied: (name) => denied.has(name),
  };
}

/** Whether it is a FIFO queue. */
function checkName(name: string, fifoQueue: string | undefined): boolean {
  const fifo = name.endsWith('.fifo');
  const reason = 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length';
  // The suffix counts towards the 80 characters.
  if (!QUEUE_NAME.test(fifo ? `${name.slice(0, -'.fifo'.length)}_fifo` : name)) {
    throw sqsError('InvalidParameterValue', reason);
  }
  if (fifoQueue === undefined) return fifo;
  if (!['true', 'false'].includes(fifoQueue.toLowerCase())) {
    throw sqsError('InvalidAttributeValue', 'Invalid value for the parameter FifoQueue.');
  }
  if ((fifoQueue.toLowerCase() === 'true') !== fifo) {
    throw fifo
      ? sqsError('InvalidParameterValue', reason)
      : invalidValue(
          'QueueName',
          name,
          'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.',
        );
  }
  return fifo;
}

function unchanged(existing: Queue, attributes: QueueAttributes): Queue {
  const current = existing.attributes();
  const changed = Object.keys(attributes).find((name) => attributes[name] !== current[name]);
  if (changed === undefined) return existing;
  const text = `A queue already exists with the same name and a different value for attribute ${changed}`;
  throw sqsError('QueueNameExists', text);
}
