/** The figures of the picture, read at one moment from what was watched and from the landscape itself. */
import type { LambdaFunction } from '../aws/lambda/lambda.ts';
import type { Deployed, Landscape } from '../landscape.ts';
import type { Faults } from './faults.ts';
import type { Sums } from './ledger.ts';
import type { Counts, Watch } from './watch.ts';

export interface Figures {
  /** Epoch ms. */
  readonly at: number;
  /** The one line that must add up: `sent` is the sum of all others. */
  readonly sums: Sums;
  /** Of those sent: how many came out of the dead-letter queue once more. They are counted once. */
  readonly replayed: number;
  readonly nextVisibleAt?: number;
  readonly counts: Counts;
  readonly functions: { readonly queue: FunctionFigures; readonly webhook: FunctionFigures };
  /** The newest token of all. */
  readonly token?: TokenFigures;
  readonly systems: { readonly runtimeNode: SystemFigures; readonly authorizationServer: SystemFigures };
  readonly destinations: readonly DestinationFigures[];
  /** What is out of order, one sentence each. */
  readonly faults: readonly string[];
}

export interface FunctionFigures {
  /** Warm, or just becoming so. */
  readonly environments: number;
  readonly busy: number;
  readonly coldStarts: number;
  readonly invocations: number;
}

export interface TokenFigures {
  readonly client: string;
  readonly issuedAt: number;
  readonly expiresAt?: number;
  /** The runtime node refuses it: the signing key was rotated, or every token expired by hand. */
  readonly isVoid: boolean;
}

export interface SystemFigures {
  readonly isUp: boolean;
  readonly delayMs: number;
}

export interface DestinationFigures {
  readonly name: string;
  /** Of the flow's sender adapter. */
  readonly sender: string;
  readonly csrf: boolean;
  readonly hasRole: boolean;
  readonly webhook?: string;
  readonly letters: number;
}

export function readFigures(
  { ledger, counts, tokens }: Watch,
  { authorizationServer, runtimeNode, destinations }: Landscape,
  { queueFunction, webhookFunction }: Deployed,
  faults: Faults,
  at: number,
): Figures {
  const { nextVisibleAt, replayed } = ledger;
  const newest = tokens.reduce<(typeof tokens)[number] | undefined>(
    (one, other) => (one === undefined || other.issuedAt >= one.issuedAt ? other : one),
    undefined,
  );
  return {
    at,
    sums: ledger.sums,
    replayed,
    ...(nextVisibleAt === undefined ? {} : { nextVisibleAt }),
    counts: { ...counts },
    functions: { queue: ofFunction(queueFunction), webhook: ofFunction(webhookFunction) },
    ...(newest === undefined ? {} : { token: { ...newest, isVoid: newest.issuedAt < faults.tokensVoidAt } }),
    systems: {
      runtimeNode: ofSystem(runtimeNode.server),
      authorizationServer: ofSystem(authorizationServer.server),
    },
    destinations: destinations.map(({ name, flow, hasRole, settings, deadLetterQueue }) => {
      const { sender = 'https' } = flow;
      const { webhook } = settings;
      const mode =
        typeof webhook === 'object' && webhook !== null && 'mode' in webhook ? String(webhook.mode) : undefined;
      return {
        name,
        sender,
        csrf: flow.csrfProtected ?? (sender === 'https' || sender === 'odata'),
        hasRole: hasRole(),
        ...(mode === undefined ? {} : { webhook: mode }),
        letters: deadLetterQueue.size,
      };
    }),
    faults: faults.active,
  };
}

/** The line that adds up, in the fields of `/state`; a message that its caller still has was never taken, or sent. */
export function lineOf({ sent, delivered, waiting, hidden, dead, returned, lost, 'in flight': inFlight }: Sums) {
  return { sent: sent - returned, delivered, waiting: waiting + hidden, inFlight, dead, lost };
}

function ofFunction({ environments, running, coldStarts, invocations }: LambdaFunction): FunctionFigures {
  return { environments, busy: running.filter(({ busy }) => busy).length, coldStarts, invocations };
}

function ofSystem({ isListening, delayMs }: { isListening: boolean; delayMs: number }): SystemFigures {
  return { isUp: isListening, delayMs };
}
