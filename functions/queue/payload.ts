/**
 * Payloads that lie in S3, as the Amazon SQS Extended Client Library puts them there: resolves a message's pointer from
 * the buckets that the destination names, and bounds the bytes in flight to a quarter of the function's memory.
 */
import type { ObjectAt, S3 } from '../aws/s3.ts';
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import type { HttpBody } from '../http/http.ts';
import type { SendPointed } from '../relay/attempt.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

export interface Payloads {
  /**
   * The body behind a pointer; opened anew for each send.
   *
   * @throws RelayError `MESSAGE_INVALID` (a bucket that is not named), `PAYLOAD_MISSING`, `PAYLOAD_TOO_LARGE`,
   * `PAYLOAD_FORBIDDEN`, `PAYLOAD_UNAVAILABLE`, `DEADLINE`
   */
  resolve(pointer: ObjectAt, deadline: Deadline): Promise<HttpBody>;
  /** Waits until so many bytes may be in flight, runs, and gives them free. @throws the reason of the deadline's signal */
  withRoom<T>(bytes: number, deadline: Deadline, run: () => Promise<T>): Promise<T>;
  /** For a message that was delivered, where the destination wants it. @throws RelayError `PAYLOAD_UNAVAILABLE` */
  deleteIfAsked(pointer: ObjectAt, deadline: Deadline): Promise<void>;
}

/** The default of "Maximum Message Size" in SAP's sender adapters. */
const MAX_BYTES = 40 * 1024 * 1024;

export interface PayloadOptions {
  readonly s3: S3;
  /** A queue message must not make us read any object. */
  readonly buckets: readonly string[];
  readonly deleteDelivered: boolean;
  /** In all, over all messages of this environment. */
  readonly room: Room;
}

export function createPayloads({ s3, buckets, room, deleteDelivered }: PayloadOptions): Payloads {
  return {
    async resolve(pointer, { signal }) {
      if (!buckets.includes(pointer.bucket)) {
        throw new RelayError(
          'MESSAGE_INVALID',
          'the message points to a bucket that is not among payloadBuckets; the sender must use one of those, or the operator add it',
        );
      }
      const version = await s3.describe(pointer, signal);
      const { bytes } = version;
      if (bytes > MAX_BYTES) {
        const message = `the payload has ${bytes} bytes, of which SAP takes ${MAX_BYTES} at most; the sender must split it`;
        throw new RelayError('PAYLOAD_TOO_LARGE', message);
      }
      return { bytes, open: () => s3.open(pointer, version, signal) };
    },
    withRoom: (bytes, { signal }, run) => room.with(bytes, run, signal),
    async deleteIfAsked(pointer, { signal }) {
      if (deleteDelivered) await s3.delete(pointer, signal);
    },
  };
}

/** So many bytes and no more at a time; one that is larger than all of it goes alone. */
export interface Room {
  /** @throws the signal's reason, where it ends the waiting */
  with<T>(bytes: number, run: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createRoom(totalBytes: number): Room {
  let used = 0;
  const waiting: { readonly bytes: number; readonly enter: () => void }[] = [];

  function admit(): void {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (used > 0 && used + first.bytes > totalBytes) return;
      waiting.shift();
      used += first.bytes;
      first.enter();
    }
  }

  return {
    async with(bytes, run, signal) {
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          waiting.splice(waiting.indexOf(entry), 1);
          reject(signal?.reason);
          admit();
        };
        const entry = {
          bytes,
          enter: () => {
            signal?.removeEventListener('abort', leave);
            resolve();
          },
        };
        signal?.throwIfAborted();
        signal?.addEventListener('abort', leave, { once: true });
        waiting.push(entry);
        admit();
      });
      try {
        return await run();
      } finally {
        used -= bytes;
        admit();
      }
    },
  };
}

/**
 * How a message whose payload lies in S3 gets it and is sent: while there is room for its bytes. What was delivered is
 * deleted where the destination wants it.
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
    const made = await payloads.withRoom(body.bytes, deadline, () => send(whole));
    if (made.outcome.kind === 'delivered') {
      await payloads.deleteIfAsked(pointer, deadline).catch((error: unknown) => {
        // It was delivered all the same; the bucket's lifecycle rule takes what is left over.
        const reason = error instanceof Error ? error.message : 'unknown error';
        telemetry.problem('payload.not-deleted', { messageId: message.id, reason });
      });
    }
    // A call whose payload could not be opened has not gone out.
    return { ...made, calls: opened === 0 ? 0 : made.calls };
  };
}
