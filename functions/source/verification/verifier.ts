/**
 * What the front door asks of each way in, whatever it is: does this request hold, and if it does not, does it once what
 * it is held against has been read again. Which of them held first also says where the sender's message id is.
 */
import type { Deadline } from '../../deadline.ts';
import { RelayError } from '../../error.ts';
import type { HttpEvent } from '../http.ts';
import { anyEqual, digest } from './comparison.ts';

export interface During {
  readonly deadline: Deadline;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface Verdict {
  readonly holds: boolean;
  /** Another look, at what is known beyond what it was held against; absent where that could not change the verdict. */
  readonly again?: () => Promise<boolean>;
}

export interface Verifier {
  /** @throws RelayError if it cannot be told now */
  readonly check: (request: HttpEvent, during: During) => Promise<Verdict>;
  /** Where the message id of such a sender is: a header's name in lower case, or a JSON pointer. */
  readonly messageId?: string;
  /** The header that carries the credential, where it has a name of its own. */
  readonly keyHeader?: string;
}

/** Nobody knows what it would be the digest of. */
const NOTHING = Buffer.alloc(32);
/** In place of an unknown destination's: it compares, and lets nobody in. */
export const NOBODY: Verifier = {
  check: async ({ headers }) => ({ holds: anyEqual([NOTHING], [digest(headers.authorization ?? '')]) }),
};

/**
 * The first that lets the request in; every one is asked, whichever held.
 *
 * @throws RelayError if none does, and one of them could not tell
 */
export async function verifierOf(
  request: HttpEvent,
  verifiers: readonly Verifier[],
  during: During,
): Promise<Verifier | undefined> {
  const checks = await Promise.allSettled(verifiers.map(({ check }) => check(request, during)));
  const verdicts = checks.map((check) => (check.status === 'fulfilled' ? check.value : undefined));
  const first = verifiers.find((_, index) => verdicts[index]?.holds === true);
  if (first !== undefined) return first;
  const again = await Promise.all(verdicts.map((verdict) => verdict?.again?.()));
  const second = verifiers.find((_, index) => again[index] === true);
  if (second !== undefined) return second;
  const failures = checks.flatMap((check) => (check.status === 'rejected' ? [check.reason] : []));
  // A bug is not to be hidden behind a secret that cannot be read.
  const failure: unknown = failures.find((reason) => !(reason instanceof RelayError)) ?? failures[0];
  if (failure !== undefined) throw failure;
  return undefined;
}
