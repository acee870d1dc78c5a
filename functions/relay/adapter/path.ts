/**
 * Addresses as every server takes them, and the rest of the path, which a message brings for an endpoint with a wildcard
 * (`/orders/*`) or for an OData service's entities. It comes from outside, so it can only ever lead further down from the
 * address in the settings.
 *
 * @see SAP Help, "HTTPS Sender Adapter", "Invoking an OData API"
 */
import { RelayError } from '../../error.ts';
import type { Message } from '../../message/message.ts';

const MAX_CHARACTERS = 2_048;

/**
 * @param base the address in the settings, its query included
 * @param name lower-case name of the header or, in a queue, the attribute that has the rest. Without one: the address
 * @throws RelayError `MESSAGE_INVALID` if the rest is none, or would lead elsewhere
 */
export function atRestOfPath(base: URL, message: Message, name: string): URL {
  const url = new URL(base);
  const rest = restOf(message, name);
  const segments = rest.replace(/^\//, '').split('/');
  if (rest === '') return url;
  if (rest.length > MAX_CHARACTERS || !rest.isWellFormed() || !segments.every(isSafe)) {
    const problem = 'expected the rest of a path, without dot segments, backslash, ? and #';
    throw new RelayError('MESSAGE_INVALID', `"${name}" of the message: ${problem}; the sender must correct it`);
  }
  url.pathname = encoded(`${url.pathname.replace(/\/$/, '')}/${segments.join('/')}`);
  return url;
}

/** What the message says of it; empty where it says nothing. */
export function restOf({ headers, attributes }: Message, name: string): string {
  return textOf(headers, name) ?? textOf(attributes, name) ?? '';
}

/** The address with no character in path and query that RFC 3986 excludes; escapes stay as they are. */
export function strictUrl(url: URL): URL {
  const strict = new URL(url);
  strict.pathname = encoded(url.pathname);
  strict.search = encoded(url.search);
  return strict;
}

/** WHATWG's URL leaves some as they are (`[ ] |`, in a query `{ } ^` and the backquote, too), to which Tomcat answers 400. */
function encoded(text: string): string {
  return text.replace(/[^\w.~!$&'()*+,;=:@%/?-]+/g, encodeURIComponent);
}

/** Every object has a `constructor`; a message has it if it was sent with one. */
function textOf(fields: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** Also as the servers behind see it: they decode once or, some of them, twice, and cut parameters (`..;a=b`) off. */
function isSafe(segment: string): boolean {
  if (/[?#]/.test(segment)) return false;
  const once = decoded(segment);
  return once !== undefined && [segment, once, decoded(once) ?? once].every(staysBelow);
}

function staysBelow(segment: string): boolean {
  return !/[/\\\p{Cc}]/u.test(segment) && !/^\.{0,2}(;|$)/.test(segment.trim());
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoding of UTF-8 (RFC 3986 section 2.1).
    return undefined;
  }
}
