/**
 * What the operator sees: lines for the result, lines for what happens on the way, and a bar where a terminal can show
 * one. Texts from letters are made harmless first, since anyone may have written them.
 */

export interface Terminal {
  /** A line of the result. */
  print(line: string): void;
  /** A line about what happens; to standard error. */
  note(line: string): void;
  /** How far it is: a bar on a terminal, elsewhere a line now and then. */
  progress(done: number, total: number, label: string): void;
  /** Takes the bar away. */
  endProgress(): void;
  /** Columns to write in. */
  readonly columns: number;
}

export interface TerminalOptions {
  readonly stdout: Pick<NodeJS.WriteStream, 'write'> & Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>>;
  readonly stderr: Pick<NodeJS.WriteStream, 'write'> & Partial<Pick<NodeJS.WriteStream, 'isTTY'>>;
  /** Epoch ms. */
  readonly now: () => number;
}

const COLUMNS = 100;
const BAR_CELLS = 30;
const REDRAW_MS = 100;
const LINE_MS = 10_000;
const CLEAR = '\r\u001b[K';

export function createTerminal({ stdout, stderr, now }: TerminalOptions): Terminal {
  const bar = stderr.isTTY === true;
  let drawn = '';
  let shownAt = now();

  /** A line while the bar is there: in its place, and the bar below again. */
  const above = (write: () => void) => {
    if (drawn !== '') stderr.write(CLEAR);
    write();
    if (drawn !== '') stderr.write(drawn);
  };

  return {
    print: (line) => above(() => stdout.write(`${line}\n`)),
    note: (line) => above(() => stderr.write(`${line}\n`)),
    progress: (done, total, label) => {
      if (now() - shownAt < (bar ? REDRAW_MS : LINE_MS)) return;
      shownAt = now();
      if (!bar) {
        stderr.write(`${label}, ${done} of about ${Math.max(done, total)} letters\n`);
        return;
      }
      const share = total > 0 ? Math.min(1, done / total) : 0;
      const cells = '█'.repeat(Math.round(share * BAR_CELLS)).padEnd(BAR_CELLS, '░');
      drawn = `${CLEAR}${cells} ${label}, ${done} of about ${Math.max(done, total)}`;
      stderr.write(drawn);
    },
    endProgress: () => {
      if (drawn !== '') stderr.write(CLEAR);
      drawn = '';
    },
    columns: Math.max(60, stdout.isTTY === true ? (stdout.columns ?? COLUMNS) : COLUMNS),
  };
}

/** Without control and direction characters, which could move the cursor or say something else than is there. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '·');
}

/** Harmless, and at most `columns` long. */
export function shorten(text: string, columns: number): string {
  const safe = harmless(text);
  return safe.length <= columns ? safe : `${safe.slice(0, columns - 1)}…`;
}

/** In lines of at most `columns`, broken between words; a longer word stays whole, so that it can be copied. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

export function writeBytes(bytes: number): string {
  return bytes < 1_024 ? `${bytes} B` : `${(bytes / 1_024).toFixed(1)} KiB`;
}

/** `1 letter is`, `2 letters are`. */
export function lettersAre(count: number): string {
  return count === 1 ? '1 letter is' : `${count} letters are`;
}
