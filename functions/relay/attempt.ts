/** One attempt to deliver one message: its payload, the relay's story, and the one line that tells it. */
import type { Deadline } from '../deadline.ts';
import type { PointedMessage } from '../message/queued.ts';
import { RelayError } from '../error.ts';
import type { Message } from '../message/message.ts';
import { outcomeOfError } from './outcome.ts';
import { type Attempt, type Route, relay } from './relay.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Payloads } from '../queue/payload.ts';

export interface Attempted {
  readonly destination: string;
  /** Or why the destination cannot be used. */
  readonly route: Route | RelayError;
  /** For messages whose payload lies in S3. */
  readonly payloads?: Payloads;
  readonly messageId: string;
  /** Or why the message cannot be read. */
  readonly message: Message | PointedMessage | RelayError;
  readonly attempt: number;
  /** Of the message as it came; in the log the payload's count where it is known. */
  readonly bytes: number;
}

/** Never throws; every attempt is logged and counted, whatever comes of it. */
export async function attemptDelivery(
  attempted: Attempted,
  deadline: Deadline,
  telemetry: Telemetry,
  now: () => number,
): Promise<Attempt> {
  const startedAt = now();
  const made = await tried(attempted, deadline, telemetry);
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

function tried(
  { route, message, payloads }: Attempted,
  deadline: Deadline,
  telemetry: Telemetry,
): Attempt | Promise<Attempt> {
  if (route instanceof RelayError) return notOut(route);
  if (message instanceof RelayError) return notOut(message);
  if (!('pointer' in message)) return relay(message, route, deadline);
  return withPayload(message, route, payloads, deadline, telemetry).catch(notOut);
}

function notOut(error: unknown): Attempt {
  return { outcome: outcomeOfError(error), calls: 0, resent: false };
}

async function withPayload(
  { pointer, ...message }: PointedMessage,
  route: Route,
  payloads: Payloads | undefined,
  deadline: Deadline,
  telemetry: Telemetry,
): Promise<Attempt> {
  if (payloads === undefined) throw new RelayError('MESSAGE_INVALID', 'payloads in S3 are for messages on a queue');
  const body = await payloads.resolve(pointer, deadline);
  let opened = 0;
  const open = async () => {
    const payload = await body.open();
    opened += 1;
    return payload;
  };
  const whole = { ...message, body: { bytes: body.bytes, open } };
  const made = await payloads.withRoom(body.bytes, deadline, () => relay(whole, route, deadline));
  // A call whose payload could not be opened has not gone out.
  const attempt = { ...made, calls: Math.min(made.calls, opened) };
  if (attempt.outcome.kind === 'delivered') {
    await payloads.deleteIfAsked(pointer, deadline).catch((error: unknown) => {
      // It was delivered all the same; the bucket's lifecycle rule takes what is left over.
      const reason = error instanceof Error ? error.message : 'unknown error';
      telemetry.problem('payload.not-deleted', { messageId: message.id, reason });
    });
  }
  return attempt;
}
