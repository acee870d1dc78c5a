/**
 * Puts a webhook's message into the queue of its destination. It is taken when SQS has said so and not before; whoever
 * sends it again brings the same id, and on FIFO the same deduplication id.
 */
import { createHash } from 'node:crypto';
import type { S3 } from '../aws/s3.ts';
import type { Sqs } from '../aws/sqs.ts';
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { isSendable } from '../http/headers.ts';
import { fitsQueue } from '../message/limits.ts';
import { type Message, payloadOf } from '../message/message.ts';
import { type Laid, laidInQueue, laidInStore } from '../message/outgoing.ts';
import { queueUrlBeside } from '../message/queue-url.ts';
import { stableId } from '../message/queued.ts';
import { createForwarding, type ForwardingSettings } from '../relay/adapter/headers.ts';
import { outcomeOfError } from '../relay/outcome.ts';
import { type Destination, storedUnder } from '../settings/destination.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export interface EnqueueOptions {
  readonly destination: Pick<Destination, 'name' | 'queue' | 'queueUrl' | 'payloadBucket'> & ForwardingSettings;
  readonly sqs: Pick<Sqs, 'send'>;
  readonly s3: Pick<S3, 'put'>;
  readonly telemetry: Pick<Telemetry, 'queued' | 'notQueued'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** A name that no object has yet. */
  readonly newId: () => string;
}

/** What a message for a queue comes with. */
export interface Posting {
  readonly message: Message;
  /** Lane in which order must hold; of FIFO queues. Default: one for all. */
  readonly group?: string;
  /** Where the sender says that the event comes from (`ce-source` of CloudEvents). Default: nowhere. */
  readonly eventSource?: string;
  /** Of the function that runs: a queue that is named and not located is beside it. */
  readonly functionArn: string;
}

export type Enqueued =
  /** SQS has taken it. */
  | 'queued'
  /** Nobody has confirmed it; a later try may help. */
  | 'unavailable'
  /** Beyond what SQS takes, and there is no bucket for it. */
  | 'too-large'
  /** Its content type, or a header that goes along, could never stand in a request to the flow. */
  | 'unsendable';

/** Never rejects; what is not queued is told. */
export type Enqueue = (posting: Posting, deadline: Deadline) => Promise<Enqueued>;

export function createEnqueue({ destination, sqs, s3, telemetry, now, newId }: EnqueueOptions): Enqueue {
  const { name, payloadBucket } = destination;
  const forwarded = createForwarding(destination);

  /** The payload lies in S3 before a message says so. A try that fails leaves it there, for the bucket's lifecycle rule. */
  async function stored(message: Message, payload: Buffer, bucket: string, signal: AbortSignal): Promise<Laid> {
    const at = { bucket, key: `${storedUnder(name)}${newId()}` };
    await s3.put(at, payload, signal);
    return laidInStore(message, at, payload.byteLength);
  }

  async function send(
    { message, group = name, eventSource, functionArn }: Posting,
    { signal }: Deadline,
  ): Promise<Enqueued> {
    signal.throwIfAborted();
    // What can never go out is told its sender now, who is gone by the time that it would be found out.
    forwarded(message.headers);
    const queueUrl = queueUrlFor(destination, functionArn);
    const payload = await payloadOf(message);
    const whole = laidInQueue(message, payload);
    const fits = fitsQueue(whole);
    if (!fits && payloadBucket === undefined) return 'too-large';
    const laid = fits ? whole : await stored(message, payload, payloadBucket ?? '', signal);
    const lane = queueUrl.endsWith('.fifo') && {
      groupId: stableId(group),
      deduplicationId: deduplicationIdOf(message, payload, eventSource),
    };
    await sqs.send(queueUrl, { ...laid, ...lane }, signal);
    return 'queued';
  }

  return async function enqueue(posting, deadline) {
    const { id: messageId, body, contentType } = posting.message;
    if (contentType !== undefined && !isSendable(contentType)) return 'unsendable';
    const startedAt = now();
    try {
      const enqueued = await send(posting, deadline);
      if (enqueued === 'queued')
        telemetry.queued({ destination: name, messageId, bytes: body.bytes, durationMs: now() - startedAt });
      return enqueued;
    } catch (error) {
      if (outcomeOfError(error).kind === 'rejected') return 'unsendable';
      telemetry.notQueued({ destination: name, messageId, reason: reasonOf(error) });
      return 'unavailable';
    }
  };
}

function queueUrlFor({ queueUrl, queue, name }: EnqueueOptions['destination'], functionArn: string): string {
  if (queueUrl !== undefined) return queueUrl;
  if (queue !== undefined) return queueUrlBeside(functionArn, queue);
  const problem = `${name}.queueUrl: required for a webhook that is queued; the operator must set it, or queue`;
  throw new RelayError('SETTING_INVALID', problem);
}

/**
 * The same for each try of a sender. The id alone will not do: where no signature holds it, anyone may send what was once
 * signed under the id of a message that is still to come, and SQS would drop that one.
 */
function deduplicationIdOf({ id }: Message, payload: Buffer, eventSource = ''): string {
  return createHash('sha256').update(`${eventSource}\0${id}\0`).update(payload).digest('hex');
}

/** Words of an error that is not ours might quote the payload. */
function reasonOf(error: unknown): string {
  if (error instanceof RelayError) return error.message;
  return `unexpected ${error instanceof Error ? error.name : typeof error} in the relay`;
}
