/** Where letters come from: a dead-letter queue (`dead-letter-queue.ts`) or an exported file (`letter-file.ts`). */
import type { Letter } from './letter.ts';

export interface Source {
  /** The queue's, where it is one. */
  readonly deadLetterQueueUrl?: string;
  /** How many there are, about. */
  count(): Promise<number>;
  /** Each letter once. On FIFO the letters of a group come in their order. Ends early once the signal aborts. */
  letters(): AsyncIterable<Letter>;
  /** Makes sure that it is still ours to send. @returns false if somebody else may have it by now */
  renew(letter: Letter): Promise<boolean>;
  /** Takes it away for good. @throws Error of the SDK; the letter may then be there or not */
  delete(letter: Letter): Promise<void>;
  /** What `letters` could not hand out, in words for the operator; none if it was all. Asked before `release`. */
  missing(): Promise<readonly string[]>;
  /** Gives back everything that was handed out and not deleted. @returns what could not be given back, in words */
  release(): Promise<readonly string[]>;
}
