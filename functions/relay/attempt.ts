/** One attempt to deliver one message: gets its payload, relays it, and writes the attempt's one log line. */
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import type { Message } from '../message/message.ts';
import type { PointedMessage } from '../message/queued.ts';
import type { AttemptLine, Telemetry } from '../telemetry/telemetry.ts';
import { outcomeOfError } from './outcome.ts';
import { type Attempt, type Route, relay } from './relay.ts';

/**
 * @param send sends the message once it has its payload
 * @throws RelayError `MESSAGE_INVALID`, `PAYLOAD_…`, or the reason of the deadline's signal
 */
export type SendPointed = (message: PointedMessage, send: (whole: Message) => Promise<Attempt>) => Promise<Attempt>;

export interface AttemptOptions {
  readonly deadline: Deadline;
  readonly telemetry: Pick<Telemetry, 'attempted'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** How a message whose payload is in S3 gets it, and is sent. Default: such a message is rejected. */
  readonly sendPointed?: SendPointed;
}

/**
 * Never throws; every attempt is logged and counted, whatever its outcome.
 *
 * @param message or why it cannot be read
 * @param route or why the destination cannot be used
 * @param line what its log line says whatever the outcome. `bytes`: of the message as it came, for where the payload's
 * are unknown; `sentAt`, `firstReceivedAt`: when it was sent to its queue and first handed out by it, epoch
 * milliseconds, absent for a webhook's
 */
export async function attemptDelivery(
  message: Message | PointedMessage | RelayError,
  route: Route | RelayError,
  line: Pick<AttemptLine, 'destination' | 'side' | 'messageId' | 'attempt' | 'bytes'> & {
    readonly sentAt?: number;
    readonly firstReceivedAt?: number;
  },
  options: AttemptOptions,
): Promise<Attempt> {
  const { telemetry, now } = options;
  const startedAt = now();
  const made = await attempted(message, route, options);
  const { outcome, calls, resent, tokenAgeMs, bytes } = made;
  const endedAt = now();
  const durationMs = endedAt - startedAt;
  const { kind } = outcome;
  telemetry.attempted({
    destination: line.destination,
    side: line.side,
    messageId: line.messageId,
    attempt: line.attempt,
    outcome: kind,
    // The flow may have run at the first send, whatever the second one ended with.
    executed: resent ? 'unknown' : outcome.executed,
    durationMs,
    ageSeconds: kind === 'delivered' ? undefined : secondsSince(line.sentAt, endedAt),
    triedForSeconds:
      (kind === 'failed' || kind === 'blocked') && line.attempt > 1
        ? secondsSince(line.firstReceivedAt, endedAt)
        : undefined,
    calls,
    bytes: bytes ?? line.bytes,
    status: outcome.status,
    mplId: outcome.mplId,
    reason: kind === 'delivered' ? undefined : outcome.reason,
    resent: resent || undefined,
    token: tokenAgeMs === undefined ? undefined : tokenAgeMs < durationMs ? 'new' : 'warm',
    tokenAgeMs,
  });
  return resent && outcome.kind !== 'delivered' ? { ...made, outcome: { ...outcome, resent } } : made;
}

function attempted(
  message: Message | PointedMessage | RelayError,
  route: Route | RelayError,
  { deadline, sendPointed }: AttemptOptions,
): Attempt | Promise<Attempt> {
  if (route instanceof RelayError) return notSent(route);
  if (message instanceof RelayError) return notSent(message);
  if (!('pointer' in message)) return relay(message, route, deadline);
  if (sendPointed === undefined) {
    return notSent(new RelayError('MESSAGE_INVALID', 'payloads in S3 are for messages on a queue'));
  }
  return sendPointed(message, (whole) => relay(whole, route, deadline)).catch(notSent);
}

function notSent(error: unknown): Attempt {
  return { outcome: outcomeOfError(error), calls: 0, resent: false };
}

/** Undefined for a time in the future, which a record without a time has. */
function secondsSince(at: number | undefined, now: number): number | undefined {
  return at !== undefined && at <= now ? Math.floor((now - at) / 1000) : undefined;
}
