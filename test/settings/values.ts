/** The values of some settings, each as a pattern that finds it in a text; names of fields are no values. */

/** Words that say what was expected, and so stand in a message in their own right. */
const WORDS = new Set(
  `iam none basic hmac direct POST GET post MERGE https soap soap-rm odata ODATA true query header ExactlyOnce ExactlyOnceInOrder s x good dlq
   yes TE`.split(/\s+/),
);

export function valuesIn(input: unknown): RegExp[] {
  if (typeof input === 'string') return input === '' || WORDS.has(input) ? [] : [found(input)];
  if (typeof input === 'number') return [found(String(input))];
  if (typeof input !== 'object' || input === null) return [];
  return Object.values(input).flatMap(valuesIn);
}

function found(value: string): RegExp {
  return new RegExp(`(?<![\\w.])${value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?![\\w])`, 'i');
}
