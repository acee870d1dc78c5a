/** One attempt to deliver one message: its payload, the relay's story, and the one line that tells it. */
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import type { Message } from '../message/message.ts';
import type { PointedMessage } from '../message/queued.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { outcomeOfError } from './outcome.ts';
import { type Attempt, type Route, relay } from './relay.ts';

export interface Attempted {
  readonly destination: string;
  /** Or why the destination cannot be used. */
  readonly route: Route | RelayError;
  /** How a message whose payload lies in S3 gets it, and is sent; for messages on a queue. */
  readonly sendPointed?: SendPointed;
  readonly messageId: string;
  /** Or why the message cannot be read. */
  readonly message: Message | PointedMessage | RelayError;
  readonly attempt: number;
  /** When it was sent to its queue, epoch milliseconds; absent for a webhook's. */
  readonly sentAt?: number;
  /** Of the message as it came; in the log the payload's count where it is known. */
  readonly bytes: number;
}

/**
 * @param send sends the message once it has its payload
 * @throws RelayError `MESSAGE_INVALID`, `PAYLOAD_…`, or the reason of the deadline's signal
 */
export type SendPointed = (message: PointedMessage, send: (whole: Message) => Promise<Attempt>) => Promise<Attempt>;

/** Never throws; every attempt is logged and counted, whatever comes of it. */
export async function attemptDelivery(
  attempted: Attempted,
  deadline: Deadline,
  telemetry: Telemetry,
  now: () => number,
): Promise<Attempt> {
  const startedAt = now();
  const made = await tried(attempted, deadline);
  const { outcome, calls, resent, tokenAgeMs, bytes } = made;
  const durationMs = now() - startedAt;
  telemetry.attempted({
    destination: attempted.destination,
    messageId: attempted.messageId,
    attempt: attempted.attempt,
    outcome: outcome.kind,
    // Whatever came of it in the end, it may have run at the first send.
    executed: resent ? 'unknown' : outcome.executed,
    durationMs,
    ageSeconds: outcome.kind === 'delivered' ? undefined : ageSeconds(attempted.sentAt, startedAt + durationMs),
    calls,
    bytes: bytes ?? attempted.bytes,
    status: outcome.status,
    mplId: outcome.mplId,
    reason: outcome.kind === 'delivered' ? undefined : outcome.reason,
    resent: resent || undefined,
    token: tokenAgeMs === undefined ? undefined : tokenAgeMs < durationMs ? 'new' : 'warm',
    tokenAgeMs,
  });
  return resent && outcome.kind !== 'delivered' ? { ...made, outcome: { ...outcome, resent } } : made;
}

function tried({ route, message, sendPointed }: Attempted, deadline: Deadline): Attempt | Promise<Attempt> {
  if (route instanceof RelayError) return notOut(route);
  if (message instanceof RelayError) return notOut(message);
  if (!('pointer' in message)) return relay(message, route, deadline);
  if (sendPointed === undefined) {
    return notOut(new RelayError('MESSAGE_INVALID', 'payloads in S3 are for messages on a queue'));
  }
  return sendPointed(message, (whole) => relay(whole, route, deadline)).catch(notOut);
}

function notOut(error: unknown): Attempt {
  return { outcome: outcomeOfError(error), calls: 0, resent: false };
}

/** A time that is still to come, as of a record that has none, is no age. */
function ageSeconds(sentAt: number | undefined, now: number): number | undefined {
  return sentAt !== undefined && sentAt <= now ? Math.floor((now - sentAt) / 1000) : undefined;
}
