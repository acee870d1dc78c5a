/** The shape that the kinds of verification by a secret have in common: one file each, and each knows no other. */
import type { HttpEvent } from '../event.ts';
import type { EntryKind } from './entries.ts';
import type { Judgement } from './judgement.ts';

/** A way to prove oneself by a secret. `F`: fields of an entry of the secret; `E`: what is kept of one. */
export interface Proof<F extends string, E> extends EntryKind<F, E> {
  /** Whether the request brings anything to judge: for one that does not, no secret is read. */
  readonly isPresentedBy: (request: HttpEvent) => boolean;
  /** Of a request that brings something, against any entry; it is compared with every one, whichever held. */
  readonly judge: (request: HttpEvent, entries: readonly E[], nowMs: number) => Judgement;
  /** Where the message id of such a request is: a header's name, or a JSON pointer. */
  readonly messageIdOf?: (request: HttpEvent) => string;
}
