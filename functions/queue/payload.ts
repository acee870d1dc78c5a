/**
 * Payloads in S3, as the Amazon SQS Extended Client Library stores them. A message's pointer is followed into the
 * buckets that the destination names, and the bytes in flight are bounded to a quarter of the function's memory.
 */
import type { ObjectAt, S3 } from '../aws/s3.ts';
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import type { HttpBody } from '../http/http.ts';
import type { SendPointed } from '../relay/attempt.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Budget } from './budget.ts';

/** The default of "Maximum Message Size" in SAP's sender adapters. */
const MAX_BYTES = 40 * 1024 * 1024;

export interface PointedSenderOptions {
  readonly s3: S3;
  /** Only these are read: anyone who may send to the queue chooses the pointer. */
  readonly buckets: readonly string[];
  readonly deleteDelivered: boolean;
  /** Shared by all messages of this environment. */
  readonly budget: Budget;
  readonly telemetry: Pick<Telemetry, 'problem'>;
}

/** @returns sends a message whose payload is in S3, which is opened anew for each call */
export function createPointedSender(options: PointedSenderOptions): (deadline: Deadline) => SendPointed {
  const { s3, buckets, budget, deleteDelivered, telemetry } = options;

  async function payloadAt(pointer: ObjectAt, { signal }: Deadline): Promise<HttpBody> {
    if (!buckets.includes(pointer.bucket)) {
      throw new RelayError(
        'MESSAGE_INVALID',
        'the message points to a bucket that is not among payloadBuckets; ' +
          'the sender must use one of those, or the operator add it',
      );
    }
    const version = await s3.describe(pointer, signal);
    const { bytes } = version;
    if (bytes > MAX_BYTES) {
      const problem = `the payload has ${bytes} bytes, of which SAP takes ${MAX_BYTES} at most`;
      throw new RelayError('PAYLOAD_TOO_LARGE', `${problem}; the sender must split it`);
    }
    return { bytes, open: () => s3.open(pointer, version, signal) };
  }

  return (deadline) =>
    async function sendPointed({ pointer, ...message }, send) {
      const { signal } = deadline;
      const payload = await payloadAt(pointer, deadline);
      let opened = 0;
      const open = async () => {
        const stream = await payload.open();
        opened += 1;
        return stream;
      };
      const whole = { ...message, body: { bytes: payload.bytes, open } };
      const made = await budget.spend(payload.bytes, () => send(whole), signal);
      if (deleteDelivered && made.outcome.kind === 'delivered') {
        await s3.delete(pointer, signal).catch((error: unknown) => {
          // It was delivered all the same. A lifecycle rule of the bucket deletes what is left.
          const reason = error instanceof Error ? error.message : 'unknown error';
          telemetry.problem('payload.not-deleted', { messageId: message.id, reason });
        });
      }
      // Where the payload could not be opened, nothing was sent.
      return { ...made, calls: opened === 0 ? 0 : made.calls };
    };
}
