/**
 * Puts a webhook's message into the queue of its destination. It counts as queued once SQS has confirmed it. A sender's
 * retry has the same message id, and on FIFO the same deduplication id.
 */
import { createHash } from 'node:crypto';
import type { S3 } from '../aws/s3.ts';
import type { Sqs } from '../aws/sqs.ts';
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { isSendable } from '../http/headers.ts';
import { fitsQueue } from '../message/limits.ts';
import { type Message, payloadOf } from '../message/message.ts';
import { outgoingMessage, outgoingPointer } from '../message/outgoing.ts';
import { queueUrlFor } from '../message/queue-url.ts';
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
  /** A new unique name, for an object. */
  readonly newId: () => string;
}

/** Where a message comes from. */
export interface Origin {
  /** `ce-source` of CloudEvents. Empty: the sender names none. */
  readonly eventSource: string;
  /** The running function. A queue that the settings give by its bare name is in its account and region. */
  readonly functionArn: string;
}

export type Enqueued =
  /** SQS has taken it. */
  | 'queued'
  /** SQS or S3 did not confirm it; a later try may help. */
  | 'unavailable'
  /** Larger than SQS takes, and there is no bucket for it. */
  | 'too-large'
  /** Its content type or a forwarded header is not valid in HTTP, so it could never be sent to the flow. */
  | 'unsendable';

/** Never rejects. A message that SQS or S3 did not confirm is logged. */
export type Enqueue = (message: Message, origin: Origin, deadline: Deadline) => Promise<Enqueued>;

export function createEnqueue({ destination, sqs, s3, telemetry, now, newId }: EnqueueOptions): Enqueue {
  const { name, payloadBucket } = destination;
  const forwarded = createForwarding(destination);

  /** The object is stored before the message that points to it. If a later step fails, a lifecycle rule deletes it. */
  async function stored(message: Message, payload: Buffer, bucket: string, signal: AbortSignal) {
    const at = { bucket, key: `${storedUnder(name)}${newId()}` };
    await s3.put(at, payload, signal);
    return outgoingPointer(message, at, payload.byteLength);
  }

  async function send(message: Message, { eventSource, functionArn }: Origin, { signal }: Deadline): Promise<Enqueued> {
    signal.throwIfAborted();
    // Throws now, while the sender still waits for a reply, what the queue function would find out later.
    forwarded(message.headers);
    const queueUrl = queueUrlOf(destination, functionArn);
    const payload = await payloadOf(message);
    const whole = outgoingMessage(message, payload);
    const fits = fitsQueue(whole);
    if (!fits && payloadBucket === undefined) return 'too-large';
    const outgoing = fits ? whole : await stored(message, payload, payloadBucket ?? '', signal);
    const fifo = queueUrl.endsWith('.fifo') && {
      groupId: message.group ?? name,
      deduplicationId: deduplicationIdOf(message, payload, eventSource),
    };
    await sqs.send(queueUrl, { ...outgoing, ...fifo }, signal);
    return 'queued';
  }

  return async function enqueue(message, origin, deadline) {
    const { id: messageId, body, contentType } = message;
    if (contentType !== undefined && !isSendable(contentType)) return 'unsendable';
    const startedAt = now();
    try {
      const enqueued = await send(message, origin, deadline);
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

function queueUrlOf({ queueUrl, queue, name }: EnqueueOptions['destination'], functionArn: string): string {
  if (queueUrl !== undefined) return queueUrl;
  if (queue !== undefined) return queueUrlFor(functionArn, queue);
  const problem = `${name}.queueUrl: required for a webhook that is queued; the operator must set it, or queue`;
  throw new RelayError('SETTING_INVALID', problem);
}

/**
 * The same for each try of a sender. Not the message id alone: where the signature does not cover it, anyone who
 * recorded a signed request could send it under the id of a message still to come, and SQS would drop that message.
 */
function deduplicationIdOf({ id }: Message, payload: Buffer, eventSource: string): string {
  return createHash('sha256').update(`${eventSource}\0${id}\0`).update(payload).digest('hex');
}

/** The text of an error that is no RelayError might quote the payload. */
function reasonOf(error: unknown): string {
  if (error instanceof RelayError) return error.message;
  return `unexpected ${error instanceof Error ? error.name : typeof error} in the relay`;
}
