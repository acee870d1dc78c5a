/** What a JSON pointer points to in a body, where that is a text or a number: ids of messages and of their groups. */

/**
 * @returns undefined for what is not there, or is no text and no number; a number as it was written
 * @see RFC 6901
 */
export function pointed(body: Buffer | undefined, pointer: string): string | undefined {
  let value = parseJson(body);
  for (const step of pointer.slice(1).split('/')) {
    if (typeof value !== 'object' || value === null) return undefined;
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    value = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  }
  return typeof value === 'string' ? value : undefined;
}

/** Two ids that differ beyond a double's precision are two ids. */
function numbersAsWritten(_: string, value: unknown, { source }: { source?: string } = {}): unknown {
  return typeof value === 'number' ? (source ?? String(value)) : value;
}

function parseJson(body: Buffer | undefined): unknown {
  try {
    return JSON.parse((body ?? '').toString(), numbersAsWritten);
  } catch {
    // A payload that is not JSON has no id in it; that is no error.
    return undefined;
  }
}
