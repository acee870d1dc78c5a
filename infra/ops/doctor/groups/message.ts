/** `--send`: one message to the flow, past the queue, by the relay's own code, and what came of it. */
import { randomUUID } from 'node:crypto';
import type { Secret } from '../../../../functions/aws/secrets-manager.ts';
import { startDeadline } from '../../../../functions/deadline.ts';
import { adapterOf } from '../../../../functions/relay/adapter/adapters.ts';
import { createEndpointToken } from '../../../../functions/relay/endpoint-token.ts';
import { relay } from '../../../../functions/relay/relay.ts';
import type { Destination } from '../../../../functions/settings/destination.ts';
import { createTokens } from '../../../../functions/token/tokens.ts';
import type { FindingId } from '../findings.ts';
import { finding, fine, type Line } from '../line.ts';
import type { Looking } from '../looking.ts';

/** How the alarms call what a message may end in. */
const IDS = { rejected: 'rejected', failed: 'failing', blocked: 'blocked' } as const satisfies Record<
  string,
  FindingId
>;

export interface SentMessage {
  readonly line: Line;
  /** For the ticket. */
  readonly messageId: string;
  readonly mplId?: string;
}

/** @param secret as it was read already */
export async function sendMessage(
  destination: Destination,
  payload: Buffer,
  secret: Secret,
  { send, now, signal }: Looking,
): Promise<SentMessage> {
  const tokens = createTokens({
    readSecret: async () => secret,
    send,
    random: Math.random,
    now,
    onRequest: ignore,
    onRenewalFailed: ignore,
  });
  const route = {
    token: createEndpointToken(tokens.of(destination), now),
    adapter: adapterOf({ destination, send }),
    now,
  };
  const messageId = `doctor-${randomUUID()}`;
  const message = { id: messageId, headers: {}, body: { bytes: payload.byteLength, open: () => payload } };
  const deadline = startDeadline((2 * destination.timeoutSeconds + 30) * 1000);
  try {
    const until = { ...deadline, signal: AbortSignal.any([deadline.signal, signal]) };
    const { outcome } = await relay(message, route, until);
    const mplId = outcome.mplId === undefined ? {} : { mplId: outcome.mplId };
    const log = outcome.mplId === undefined ? '' : `, MPL id ${outcome.mplId}`;
    const line =
      outcome.kind === 'delivered'
        ? fine('message', 'message', `${messageId} is delivered (${outcome.status}${log})`)
        : finding(IDS[outcome.kind], `${messageId}: ${outcome.reason}${log}`);
    return { line, messageId, ...mplId };
  } finally {
    deadline.end();
  }
}

function ignore(): void {
  // The line says what came of it.
}
