/**
 * The file that outlives a run: a line before and a line after each send, so that a resumed run sends nothing twice that
 * it can know of, and on FIFO repeats a deduplication id where it cannot know. No payload is in it.
 */
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { isRecord, parseJson } from '../../../functions/untrusted.ts';

/** `refused`: SQS said no, so it was certainly not sent. */
export type JournalEvent = 'sending' | 'sent' | 'refused';

export interface JournalEntry {
  readonly event: JournalEvent;
  /** Back into its queue, or as a letter into a dead-letter queue. */
  readonly as: 'message' | 'letter';
  /** SQS's id of the letter. */
  readonly letterId: string;
  /** The message's stable id. */
  readonly messageId: string;
  readonly queueUrl: string;
  /** On FIFO. */
  readonly deduplicationId?: string;
  /** ISO 8601. */
  readonly at: string;
}

export interface Journal {
  readonly path: string;
  /** The last that is known of this letter; undefined: nothing, or that it was not sent. */
  find(letterId: string, as: JournalEntry['as']): JournalEntry | undefined;
  /** On disk when it returns: what comes next may be the last that this process does. @throws Error of node:fs */
  write(entry: JournalEntry): void;
  close(): void;
}

/** The file is made at the first `write`: a dry run leaves none. @throws Error of node:fs if it cannot be read */
export function openJournal(path: string): Journal {
  const known = new Map<string, JournalEntry>();
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  for (const line of before.split('\n')) remember(readEntry(line));
  let file: number | undefined;

  function remember(entry: JournalEntry | undefined): void {
    if (entry === undefined) return;
    const key = `${entry.as} ${entry.letterId}`;
    if (entry.event === 'refused') known.delete(key);
    else known.set(key, entry);
  }

  return {
    path,
    find: (letterId, as) => known.get(`${as} ${letterId}`),
    write: (entry) => {
      if (file === undefined) {
        file = openSync(path, 'a', 0o600);
        // A run that was cut off may have left half a line.
        if (before !== '' && !before.endsWith('\n')) writeSync(file, '\n');
      }
      writeSync(file, `${JSON.stringify(entry)}\n`);
      fdatasyncSync(file);
      remember(entry);
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** Half a line of a run that was cut off counts as none: what it was about to do had not begun, or is not certain. */
function readEntry(line: string): JournalEntry | undefined {
  const json = parseJson(line);
  return isEntry(json) ? json : undefined;
}

function isEntry(json: unknown): json is JournalEntry {
  return (
    isRecord(json) &&
    ['sending', 'sent', 'refused'].includes(String(json.event)) &&
    ['message', 'letter'].includes(String(json.as)) &&
    ['letterId', 'messageId', 'queueUrl', 'at'].every((name) => typeof json[name] === 'string') &&
    (json.deduplicationId === undefined || typeof json.deduplicationId === 'string')
  );
}
