/** Lines as a terminal shows them: one that is longer would wrap where the terminal wants. */

const COLUMNS = 80;

/** At most 80 characters; what is cut off ends in `…`. */
export function fitted(text: string, columns = COLUMNS): string {
  const characters = [...text];
  return characters.length <= columns ? text : `${characters.slice(0, columns - 1).join('')}…`;
}

/**
 * The whole text in lines of at most `columns` characters, broken between words; all but the first are indented so far. A
 * word that is longer, as an address, stays whole, so that it can be read and copied.
 */
export function wrapped(text: string, indent: number, columns: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && [...line].length + 1 + [...word].length <= columns) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else if (word !== '' || line === undefined) {
      lines.push(line === undefined ? word : `${' '.repeat(indent)}${word}`);
    }
  }
  return lines.map((line) => line.trimEnd()).join('\n');
}
