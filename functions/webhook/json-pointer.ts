/** What a JSON pointer points to in a body, where that is a text or a number: ids of messages and of their groups. */
import { isUtf8 } from 'node:buffer';
import { parseJson } from '../untrusted.ts';

/**
 * @returns undefined for what is not there or blank, or is no text and no number, or a text that no bytes stand for; a number
 * as it was written
 * @see RFC 6901
 */
export function pointed(body: Buffer | undefined, pointer: string): string | undefined {
  const json = textOf(body ?? Buffer.alloc(0));
  const value = valueAt(parseJson(json), pointer);
  // Only for a number, since it takes Node seconds to tell how each of the numbers in a large body was written.
  const written = typeof value === 'number' ? valueAt(parseJson(json, numbersAsWritten), pointer) : value;
  // Halves of surrogate pairs are all the same in UTF-8, blanks stand in fields of fixed width where there is no id: two
  // messages would have the same one, and the flow would take the second for a repeat.
  return typeof written === 'string' && written.isWellFormed() && written.trim() !== '' ? written : undefined;
}

/** Old systems send Latin-1: two names must not become one for the letters that are no UTF-8. Of .NET comes the mark. */
function textOf(body: Buffer): string {
  return isUtf8(body) ? body.toString().replace(/^\uFEFF/, '') : body.toString('latin1');
}

function valueAt(json: unknown, pointer: string): unknown {
  let value = json;
  for (const step of pointer.slice(1).split('/')) {
    if (typeof value !== 'object' || value === null) return undefined;
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    value = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

/** Two ids that differ beyond a double's precision are two ids. */
function numbersAsWritten(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === 'number' ? (source ?? String(value)) : value;
}
