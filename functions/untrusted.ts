/** Text from outside, before it is trusted: secrets, tokens, payloads, settings. A leaf. */

/**
 * @param reviver as `JSON.parse` takes it
 * @returns undefined for what is no JSON; never throws, since the message of `JSON.parse`'s error quotes the text
 */
export function parseJson(text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch {
    // What is missing then, the caller says in words of its own.
    return undefined;
  }
}

/** An object by name, so neither null nor a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 4648 section 4, with padding. Node's own decoder skips every character that is not base64. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
