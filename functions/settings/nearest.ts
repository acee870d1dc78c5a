/** Which known name was meant by one that is not known: a slip of the finger, another case, or the beginning of it. */

/** A longer beginning of a name says which one it is; a shorter may be anything. */
const LEAST_BEGINNING = 4;

/** @returns undefined where none is near enough to be worth a word */
export function nearest(name: string, known: readonly string[]): string | undefined {
  // What nobody mistypes is not compared: its length is its writer's to choose.
  if (name.length > 40) return undefined;
  const wanted = name.toLowerCase();
  const [best] = known
    .map((candidate) => ({ candidate, slips: slipsBetween(wanted, candidate.toLowerCase()) }))
    .sort((one, other) => one.slips - other.slips);
  if (best !== undefined && best.slips <= Math.max(1, Math.floor(wanted.length / 4))) return best.candidate;
  if (wanted.length < LEAST_BEGINNING) return undefined;
  return known.find((candidate) => candidate.toLowerCase().startsWith(wanted));
}

/** Letters added, left out, changed, or swapped with their neighbour (optimal string alignment). */
function slipsBetween(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const change = (last[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(change, swap, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    before = last;
    last = row;
  }
  return last[other.length] ?? 0;
}
