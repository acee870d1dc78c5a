/** A line as a terminal of 80 columns shows it: one that is longer would wrap. */

export const COLUMNS = 80;

/** At most 80 characters; what is cut off ends in `…`. */
export function fitted(text: string, columns = COLUMNS): string {
  const characters = [...text];
  return characters.length <= columns ? text : `${characters.slice(0, columns - 1).join('')}…`;
}
