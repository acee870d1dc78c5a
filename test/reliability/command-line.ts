/** What the two commands of this folder read and print alike. */

/** Counts by name, in one line. */
export function words(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).sort(([one], [other]) => one.localeCompare(other));
  return parts.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}

/** @throws TypeError for what is no whole number of at least 0 */
export function whole(name: string, value: string | undefined, otherwise: number): number {
  const number = value === undefined ? otherwise : Number(value);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new TypeError(`--${name}: expected a whole number`);
}
