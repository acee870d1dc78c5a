/**
 * The URL of a call: the address in the settings, in a form that every server accepts, and the rest of the path, which
 * a message brings for an endpoint with a wildcard (`/orders/*`) or for the entities of an OData service. The rest
 * comes from outside and must not lead out of the address in the settings.
 *
 * @see SAP Help, "HTTPS Sender Adapter", "Invoking an OData API"
 */
import { RelayError } from '../../error.ts';
import type { Message } from '../../message/message.ts';

const MAX_CHARACTERS = 2_048;

/**
 * @param base the address in the settings, its query included
 * @param name lower-case name of the header, or of the message attribute in a queue, with the rest. Without one: the
 * address
 * @throws RelayError `MESSAGE_INVALID` if the rest is not a path, or leads elsewhere
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

/** The rest of the path in the message; empty if there is none. */
export function restOf({ headers, attributes }: Message, name: string): string {
  return textOf(headers, name) ?? textOf(attributes, name) ?? '';
}

/** Escapes the characters in path and query that RFC 3986 does not allow. Existing escapes stay. */
export function strictUrl(url: URL): URL {
  const strict = new URL(url);
  strict.pathname = encoded(url.pathname);
  strict.search = encoded(url.search);
  return strict;
}

/** `URL` does not escape `[ ] |`, and in a query not `{ } ^` and the backquote; Tomcat answers 400 to them. */
function encoded(text: string): string {
  return text.replace(/[^\w.~!$&'()*+,;=:@%/?-]+/g, encodeURIComponent);
}

/** Own properties only: every object has a `constructor`, and a header may have that name. */
function textOf(fields: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** Also as servers see it that decode once, or twice, or cut off path parameters (`..;a=b`). */
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
