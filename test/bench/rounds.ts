/**
 * Variants in turns: each round runs all of them once, in fresh processes, every other round in reverse order, so that
 * what else the machine does falls on all alike.
 */
export interface Variant<T> {
  readonly name: string;
  run(): Promise<T>;
}

/** @returns all results of each variant, in the order of the rounds */
export async function inTurns<T>(
  variants: readonly Variant<T>[],
  rounds: number,
  onDone: () => void,
): Promise<Map<string, T[]>> {
  const results = new Map<string, T[]>(variants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, run } of round % 2 === 0 ? variants : variants.toReversed()) {
      results.get(name)?.push(await run());
      onDone();
    }
  }
  return results;
}

/** Of nothing, or where one was not measured: not a number. */
export function median(values: readonly number[]): number {
  if (values.some(Number.isNaN)) return Number.NaN;
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

export function minimum(values: readonly number[]): number {
  return Math.min(...values);
}
