/** The text or number that a JSON pointer names in a body: a message id, or a message group. */
import { isUtf8 } from 'node:buffer';
import { parseJson } from '../untrusted.ts';

/**
 * @returns a number as it was written. Undefined for anything else than a text or a number, for a blank text, and for
 * one with half of a surrogate pair
 * @see RFC 6901
 */
export function pointed(body: Buffer | undefined, pointer: string): string | undefined {
  const json = textOf(body ?? Buffer.alloc(0));
  const value = valueAt(parseJson(json), pointer);
  // Only for a number: in a large body it takes Node seconds to find out how each number was written.
  const written = typeof value === 'number' ? valueAt(parseJson(json, numbersAsWritten), pointer) : value;
  // As UTF-8 all halves of surrogate pairs are equal, and a field of fixed width without an id is blank. Two messages
  // would have one id, and the flow would take the second for a repetition.
  return typeof written === 'string' && written.isWellFormed() && written.trim() !== '' ? written : undefined;
}

/** Old systems send Latin-1, in which two ids must stay two. .NET writes a byte order mark. */
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

/** Two ids may differ only beyond the precision of a double. */
function numbersAsWritten(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === 'number' ? (source ?? String(value)) : value;
}
