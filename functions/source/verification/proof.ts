/** The shape that the kinds of verification by a secret have in common: one file each, and each knows no other. */
import type { HttpEvent } from '../http.ts';
import type { EntryKind } from './entries.ts';

/** A way to prove oneself by a secret. `F`: fields of an entry of the secret; `E`: what is kept of one. */
export interface Proof<F extends string, E> extends EntryKind<F, E> {
  /** Whether the request holds against any entry; it is compared with every one, whichever held. */
  readonly holds: (request: HttpEvent, entries: readonly E[], nowMs: number) => boolean;
  /** Where the message id of such a sender is: a header's name, or a JSON pointer. */
  readonly messageId?: string;
}
