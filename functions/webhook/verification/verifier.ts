/**
 * What the front door asks of each way in, whatever it is: does this request hold, and if it does not, does it once what
 * it is held against has been read again. Which of them held first also says where the sender's message id is.
 */
import type { Deadline } from '../../deadline.ts';
import { RelayError } from '../../error.ts';
import type { Verification } from '../../settings/verification.ts';
import type { HttpEvent } from '../event.ts';
import { anyEqual, digest } from './comparison.ts';
import type { Judgement, Why } from './judgement.ts';

export interface During {
  readonly deadline: Deadline;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface Verdict {
  readonly judgement: Judgement;
  /** Another look, at what is known beyond what it was held against; absent where that could not change the verdict. */
  readonly again?: () => Promise<Judgement>;
}

export interface Verifier {
  readonly type: Verification['type'];
  /** @throws RelayError if it cannot be told now */
  readonly check: (request: HttpEvent, during: During) => Promise<Verdict>;
  /** Where the message id of a request that held is: a header's name in lower case, or a JSON pointer. */
  readonly messageIdOf?: (request: HttpEvent) => string;
  /** The header that carries the credential, where it has a name of its own. */
  readonly keyHeader?: string;
}

/** Why none lets a request in: of the way in for which it brings something, else of the first. */
export interface Refused {
  readonly verify: Verification['type'];
  readonly why: Why;
}

/** Nobody knows what it would be the digest of. */
const NOTHING = Buffer.alloc(32);
/** In place of an unknown destination's: it compares, and lets nobody in. */
export const NOBODY: Verifier = {
  type: 'basic',
  check: async ({ headers }) => ({
    judgement: anyEqual([NOTHING], [digest(headers.authorization ?? '')]) ? 'holds' : 'wrong-credentials',
  }),
};

/**
 * The first that lets the request in. All are asked at once, and none waits for another: when one holds, the others are
 * broken off.
 *
 * @throws RelayError if none does, and one of them could not tell
 */
export async function verifierOf(
  request: HttpEvent,
  verifiers: readonly Verifier[],
  { deadline, now }: During,
): Promise<{ readonly verifier: Verifier } | { readonly refused: Refused }> {
  const held = new AbortController();
  const signal = verifiers.length === 1 ? deadline.signal : AbortSignal.any([deadline.signal, held.signal]);
  const during = { deadline: { remainingMs: deadline.remainingMs, signal }, now };
  const checks = verifiers.map((verifier) => verifier.check(request, during));
  const looks = [checks.map((check) => check.then(({ judgement }) => judgement))];
  try {
    const first = await firstToHold(verifiers, looks[0] ?? []);
    if (first !== undefined) return { verifier: first };
    const again = checks.map((check) => check.then((verdict) => verdict.again?.() ?? verdict.judgement));
    looks.push(again);
    const second = await firstToHold(verifiers, again);
    if (second !== undefined) return { verifier: second };
    return { refused: refusedBy(verifiers, await judgementsOf(again)) };
  } finally {
    held.abort();
    await Promise.allSettled(looks.flat());
  }
}

/** The verifier whose judgement is the first to come that holds; undefined once all have come and none does. */
function firstToHold(
  verifiers: readonly Verifier[],
  judgements: readonly Promise<Judgement>[],
): Promise<Verifier | undefined> {
  return new Promise((resolve) => {
    const told = judgements.map((coming, index) =>
      coming.then((judgement) => {
        if (judgement === 'holds') resolve(verifiers[index]);
      }),
    );
    Promise.allSettled(told).then(() => resolve(undefined));
  });
}

/** @throws what one of them threw: a bug is not to be hidden behind a secret that cannot be read */
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
  if (nearest === undefined) throw new Error('a way in neither holds nor says why not');
  return nearest;
}
