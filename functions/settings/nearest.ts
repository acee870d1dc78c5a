/** The known name that was probably meant by an unknown one: a typing mistake, other case, or its beginning only. */

/** A shorter beginning could be of any name. */
const LEAST_BEGINNING = 4;

/** @returns undefined if none is similar enough */
export function nearest(name: string, known: readonly string[]): string | undefined {
  // No known name is that long; and the time to compare grows with the length.
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
