/** Which headers go along with a message, and which never do. A leaf: settings, sources and adapters share the rule. */

/** `Accept-Encoding` too: what an endpoint says in an answer is read here, and nothing here unpacks one. */
const OWNED = new Set(
  `authorization cookie set-cookie host content-length content-type connection keep-alive te trailer transfer-encoding
   upgrade expect x-csrf-token accept-encoding`.split(/\s+/),
);
/** They say how the body's bytes are to be read, so they go wherever the body goes. */
export const BODY_HEADERS: readonly string[] = ['content-encoding', 'content-language'];

/** True for a header that HTTP or the relay itself writes, whatever a setting lists (RFC 9110 section 7.6.1). */
export function isOwned(name: string): boolean {
  return OWNED.has(name.toLowerCase()) || /^proxy-/i.test(name);
}

/** The headers that a `Connection` lists, lower case: of this hop alone, like itself (RFC 9110 section 7.6.1). */
export function namesIn(connection = ''): string[] {
  return connection
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
}

/**
 * Of these headers the ones that go along.
 *
 * @param headers lower-case name → value
 * @param patterns lower-case names, `*` at the end for any rest
 * @returns those that match and are not owned, whether or not they can stand in HTTP
 */
export function passedOn(
  headers: Readonly<Record<string, string>>,
  patterns: readonly string[],
): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name in headers) {
    if (goesAlong(name, patterns)) passed[name] = headers[name] ?? '';
  }
  return passed;
}

/** @param name lower case */
export function goesAlong(name: string, patterns: readonly string[]): boolean {
  return !isOwned(name) && patterns.some((pattern) => matches(name, pattern));
}

/** What RFC 9110 section 5.1 takes for a header's name. */
export function isToken(name: string): boolean {
  return /^[!#$%&'*+.^_`|~\w-]+$/.test(name);
}

/** What RFC 9110 section 5.5 lets stand in a header's value. */
export function isSendable(value: string): boolean {
  return /^[\t\x20-\x7E\x80-\xFF]*$/.test(value);
}

function matches(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
