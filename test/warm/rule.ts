/** @throws Error with these words where the rule does not hold; for models whose runs fast-check shrinks. */
export function rule(holds: boolean, words: string): asserts holds {
  if (!holds) throw new Error(words);
}
