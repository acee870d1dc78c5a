/** Indexes on the command line: `none`, or numbers and ranges of them with commas, `0-17,19`. */

/** @param indexes ascending */
export function listed(indexes: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const index of indexes) {
    const range = ranges.at(-1);
    if (range?.[1] === index - 1) range[1] = index;
    else ranges.push([index, index]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',') || 'none';
}

/** @param length of the list that they are of; all of it where nothing is said */
export function indexesIn(text: string | undefined, length: number): number[] {
  if (text === undefined) return [...Array(length).keys()];
  if (text === 'none') return [];
  return text.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
