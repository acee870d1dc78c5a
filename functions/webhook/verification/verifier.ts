/**
 * Verification of one request by all verifiers of its webhook: the first that holds lets it in. If none holds, those
 * that can read their secret or keys again do so, once. The verifier that held also knows where the message id is.
 */
import type { Deadline } from '../../deadline.ts';
import { RelayError } from '../../error.ts';
import type { Verification } from '../../settings/verification.ts';
import type { HttpEvent } from '../event.ts';
import { anyEqual, digest } from './checks.ts';

/** Why a request does not hold: what the log says of it. The reply is the same for all reasons. */
export type Why =
  /** The request has no credentials of this kind. */
  | 'no-credentials'
  /** Another user, password, key or scope, or something that is no token. */
  | 'wrong-credentials'
  /** Signed with another key, or the content is not what was signed. */
  | 'wrong-signature'
  /** Signed too long ago or too far ahead; a token that has expired, is not yet valid, or never expires. */
  | 'timestamp'
  /** A token of another issuer. */
  | 'issuer'
  /** A token for another audience. */
  | 'audience'
  /** A token whose key the issuer does not publish. */
  | 'unknown-key';

export type Judgement = 'holds' | Why;

export interface Check {
  readonly judgement: Judgement;
  /** Judges again, by a newer secret or newer keys. Absent where that could not change the judgement. */
  readonly again?: () => Promise<Judgement>;
}

export interface Verifier {
  readonly type: Verification['type'];
  /** @throws RelayError if it cannot be judged now */
  readonly check: (request: HttpEvent, deadline: Deadline) => Promise<Check>;
  /** Where the message id of a request that held is: a header's name in lower case, or a JSON pointer. */
  readonly messageIdOf?: (request: HttpEvent) => string;
  /** The header with the credential, where that is another than `Authorization`. */
  readonly keyHeader?: string;
}

/** Why no verifier lets a request in: the reason of one that the request has credentials for, else of the first. */
export interface Refused {
  readonly verify: Verification['type'];
  readonly why: Why;
}

/** No input is known that has this SHA-256 digest. */
const NOTHING = Buffer.alloc(32);
/** Stands in for the verifiers of an unknown destination: it takes the time of a comparison, and never holds. */
export const NOBODY: Verifier = {
  type: 'basic',
  check: async ({ headers }) => ({
    judgement: anyEqual([NOTHING], [digest(headers.authorization ?? '')]) ? 'holds' : 'wrong-credentials',
  }),
};

/**
 * The first verifier that holds. All check at once; when one holds, the others are aborted.
 *
 * @throws RelayError if none holds, and one of them cannot judge now
 */
export async function verifierOf(
  request: HttpEvent,
  verifiers: readonly Verifier[],
  deadline: Deadline,
): Promise<{ readonly verifier: Verifier } | { readonly refused: Refused }> {
  const held = new AbortController();
  const signal = verifiers.length === 1 ? deadline.signal : AbortSignal.any([deadline.signal, held.signal]);
  const untilHeld = { remainingMs: deadline.remainingMs, signal };
  const checks = verifiers.map((verifier) => verifier.check(request, untilHeld));
  const rounds = [checks.map((check) => check.then(({ judgement }) => judgement))];
  try {
    const first = await firstToHold(verifiers, rounds[0] ?? []);
    if (first !== undefined) return { verifier: first };
    const again = checks.map((coming) => coming.then((check) => check.again?.() ?? check.judgement));
    rounds.push(again);
    const second = await firstToHold(verifiers, again);
    if (second !== undefined) return { verifier: second };
    return { refused: refusedBy(verifiers, await judgementsOf(again)) };
  } finally {
    held.abort();
    await Promise.allSettled(rounds.flat());
  }
}

/** The verifier whose judgement is the first to come that holds; undefined once all have come and none holds. */
function firstToHold(
  verifiers: readonly Verifier[],
  judgements: readonly Promise<Judgement>[],
): Promise<Verifier | undefined> {
  return new Promise((resolve) => {
    const all = judgements.map((coming, index) =>
      coming.then((judgement) => {
        if (judgement === 'holds') resolve(verifiers[index]);
      }),
    );
    Promise.allSettled(all).then(() => resolve(undefined));
  });
}

/** @throws what one of them threw; a bug before a RelayError, which would hide it */
async function judgementsOf(judgements: readonly Promise<Judgement>[]): Promise<Judgement[]> {
  const settled = await Promise.allSettled(judgements);
  const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  const failure: unknown = failures.find((reason) => !(reason instanceof RelayError)) ?? failures[0];
  if (failure !== undefined) throw failure;
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

function refusedBy(verifiers: readonly Verifier[], judgements: readonly Judgement[]): Refused {
  const refusals = verifiers.flatMap(({ type: verify }, index) => {
    const why = judgements[index];
    return why === undefined || why === 'holds' ? [] : [{ verify, why }];
  });
  const nearest = refusals.find(({ why }) => why !== 'no-credentials') ?? refusals[0];
  if (nearest === undefined) throw new Error('a verifier neither holds nor gives a reason');
  return nearest;
}
