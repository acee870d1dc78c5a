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
import type { ByteBudget } from './byte-budget.ts';

export interface Payloads {
  /**
   * The payload that a pointer names; opened anew for each send.
   *
   * @throws RelayError `MESSAGE_INVALID` (a bucket that is not named), `PAYLOAD_MISSING`, `PAYLOAD_TOO_LARGE`,
   * `PAYLOAD_FORBIDDEN`, `PAYLOAD_UNAVAILABLE`, `DEADLINE`
   */
  resolve(pointer: ObjectAt, deadline: Deadline): Promise<HttpBody>;
  /** Waits until so many bytes may be in flight, then runs. @throws the reason of the deadline's signal */
  withinBudget<T>(bytes: number, deadline: Deadline, run: () => Promise<T>): Promise<T>;
  /**
   * For a delivered message; does nothing unless the destination asks for it.
   *
   * @throws RelayError `PAYLOAD_UNAVAILABLE`
   */
  deleteIfAsked(pointer: ObjectAt, deadline: Deadline): Promise<void>;
}

/** The default of "Maximum Message Size" in SAP's sender adapters. */
const MAX_BYTES = 40 * 1024 * 1024;

export interface PayloadOptions {
  readonly s3: S3;
  /** Only these are read: anyone who may send to the queue chooses the pointer. */
  readonly buckets: readonly string[];
  readonly deleteDelivered: boolean;
  /** Shared by all messages of this environment. */
  readonly budget: ByteBudget;
}

export function createPayloads({ s3, buckets, budget, deleteDelivered }: PayloadOptions): Payloads {
  return {
    async resolve(pointer, { signal }) {
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
    },
    withinBudget: (bytes, { signal }, run) => budget.spend(bytes, run, signal),
    async deleteIfAsked(pointer, { signal }) {
      if (deleteDelivered) await s3.delete(pointer, signal);
    },
  };
}

/**
 * Sends a message whose payload is in S3, within the byte budget; deletes what was delivered if that is asked for.
 */
export function pointedSender(payloads: Payloads, deadline: Deadline, telemetry: Telemetry): SendPointed {
  return async ({ pointer, ...message }, send) => {
    const body = await payloads.resolve(pointer, deadline);
    let opened = 0;
    const open = async () => {
      const payload = await body.open();
      opened += 1;
      return payload;
    };
    const whole = { ...message, body: { bytes: body.bytes, open } };
    const made = await payloads.withinBudget(body.bytes, deadline, () => send(whole));
    if (made.outcome.kind === 'delivered') {
      await payloads.deleteIfAsked(pointer, deadline).catch((error: unknown) => {
        // It was delivered all the same. A lifecycle rule of the bucket deletes what is left.
        const reason = error instanceof Error ? error.message : 'unknown error';
        telemetry.problem('payload.not-deleted', { messageId: message.id, reason });
      });
    }
    // Where the payload could not be opened, nothing was sent.
    return { ...made, calls: opened === 0 ? 0 : made.calls };
  };
}
