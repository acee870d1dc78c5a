/**
 * Randomness from a seed (mulberry32): the same seed makes the same choices, so that a run that failed can be run
 * again. For runs whose parts must not shift what another part draws, `createChance` gives each part a stream of its
 * own.
 */

export interface Random {
  /** From 0 to below 1. */
  (): number;
  /** True in so many of all cases, 0 to 1. */
  chance(share: number): boolean;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** @throws RangeError for an empty list */
  pick<T>(values: readonly T[]): T;
  /** A copy in another order. */
  shuffled<T>(values: readonly T[]): T[];
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  return Object.assign(next, {
    chance: (share: number) => next() < share,
    between: (least: number, most: number) => least + Math.floor(next() * (most - least + 1)),
    pick<T>(values: readonly T[]): T {
      const value = values[Math.floor(next() * values.length)];
      if (value === undefined) throw new RangeError('nothing to pick from');
      return value;
    },
    shuffled: <T>(values: readonly T[]): T[] =>
      values
        .map((value) => ({ value, key: next() }))
        .sort((one, other) => one.key - other.key)
        .map(({ value }) => value),
  });
}

/** Streams by name: what one draws does not change what another gets. */
export type Chance = (stream: string) => Random;

export function createChance(seed: number): Chance {
  return (stream) => createRandom(hash(`${seed} ${stream}`));
}

/** In the shape in which the landscape's SAP systems ask for randomness. */
export function bytesOf(random: () => number): (size: number) => Uint8Array {
  return (size) => Uint8Array.from({ length: size }, () => Math.floor(random() * 256));
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
