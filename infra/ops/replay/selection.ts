/** Which letters a command means: every filter that is given must hold. */
import type { Letter } from './letter.ts';

export interface Selection {
  /** Of messages or of letters; none: any. */
  readonly ids: readonly string[];
  /** Part of the reason, upper and lower case alike. */
  readonly reason?: string;
  /** None: any. */
  readonly outcomes: readonly string[];
  readonly destination?: string;
  /** Dead for at least that long. */
  readonly olderThanMs?: number;
  /** Dead for less than that. */
  readonly newerThanMs?: number;
}

/** @param now epoch ms */
export function isSelected(letter: Letter, selection: Selection, now: number): boolean {
  const { ids, reason, outcomes, destination, olderThanMs = 0, newerThanMs = Number.POSITIVE_INFINITY } = selection;
  const ageMs = Math.max(0, now - letter.deadAt);
  return (
    (ids.length === 0 || ids.includes(letter.messageId) || ids.includes(letter.letterId)) &&
    (outcomes.length === 0 || outcomes.includes(letter.outcome)) &&
    (destination === undefined || letter.destination === destination) &&
    (reason === undefined || letter.why.toLowerCase().includes(reason.toLowerCase())) &&
    ageMs >= olderThanMs &&
    ageMs < newerThanMs
  );
}
