/** One attempt to deliver one message: the relay's story, and the one line that tells it. */
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import type { Message } from '../relay/message.ts';
import { type Outcome, outcomeOfError } from '../relay/outcome.ts';
import { type Attempt, type Route, relay } from '../relay/relay.ts';
import type { Telemetry } from '../telemetry.ts';

export interface Attempted {
  readonly destination: string;
  /** Or why the destination cannot be used. */
  readonly route: Route | RelayError;
  readonly messageId: string;
  /** Or why the message cannot be read. */
  readonly message: Message | RelayError;
  readonly attempt: number;
  readonly bytes: number;
}

/** Never throws; every attempt is logged and counted, whatever comes of it. */
export async function attemptDelivery(
  attempted: Attempted,
  deadline: Deadline,
  telemetry: Telemetry,
  now: () => number,
): Promise<Outcome> {
  const startedAt = now();
  const { outcome, calls, tokenAgeMs } = await tried(attempted, deadline);
  const durationMs = now() - startedAt;
  const { message } = attempted;
  telemetry.attempted({
    destination: attempted.destination,
    messageId: attempted.messageId,
    attempt: attempted.attempt,
    outcome: outcome.kind,
    executed: outcome.executed,
    durationMs,
    calls,
    bytes: message instanceof RelayError ? attempted.bytes : message.body.bytes,
    ...(outcome.status === undefined ? {} : { status: outcome.status }),
    ...(outcome.mplId === undefined ? {} : { mplId: outcome.mplId }),
    ...(outcome.kind === 'delivered' ? resent(outcome.answer.resent) : { reason: outcome.reason }),
    ...(tokenAgeMs === undefined ? {} : { token: tokenAgeMs < durationMs ? 'new' : 'warm', tokenAgeMs }),
  });
  return outcome;
}

async function tried({ route, message }: Attempted, deadline: Deadline): Promise<Attempt> {
  if (route instanceof RelayError) return { outcome: outcomeOfError(route), calls: 0 };
  if (message instanceof RelayError) return { outcome: outcomeOfError(message), calls: 0 };
  return relay(message, route, deadline);
}

function resent(was: boolean): { resent?: true } {
  return was ? { resent: true } : {};
}
