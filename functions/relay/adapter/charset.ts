/**
 * In which character encoding a payload or an answer is: what its content type says, else what its own first bytes say.
 * Knows media types and bytes; what the characters mean is for others.
 *
 * @see RFC 7303 section 3, XML 1.0 appendix F
 */
import { isUtf8 } from 'node:buffer';

/** With attachments: the XML is its first part (SOAP Messages with Attachments, W3C Note of 11 December 2000). */
export const ATTACHED = 'multipart/related';

/** The media type without parameters, lower case; empty where there is none. */
export function mediaTypeOf(contentType = ''): string {
  return contentType.replace(/;.*/s, '').trim().toLowerCase();
}

const CHARSET = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]*))/i;

/** The parameter `charset`, as it was written; undefined where it is empty, too. */
export function charsetOf(contentType: string | undefined): string | undefined {
  const found = contentType === undefined ? null : CHARSET.exec(contentType);
  return found?.[1] || found?.[2] || undefined;
}

/** What a charset's name is made of (RFC 2978 section 2.3). */
const NAME = /^[\w!#$%&'+^`{}~.:-]+$/;

/** The content type with this charset in place of its own, if it is a name. */
export function withCharset(contentType: string, charset: string): string {
  if (!NAME.test(charset)) return contentType;
  if (CHARSET.test(contentType)) return contentType.replace(CHARSET, () => `; charset=${charset}`);
  const type = contentType.trimEnd();
  return `${type}${type.endsWith(';') ? '' : ';'} charset=${charset}`;
}

/** The declaration is a regular production (XML 1.0 [23]), and in ASCII wherever this is asked. */
const DECLARED =
  /^<\?xml\s+version\s*=\s*(?:"[\d.]+"|'[\d.]+')\s+encoding\s*=\s*(?:"([A-Za-z][\w.-]*)"|'([A-Za-z][\w.-]*)')/;

/** A byte order mark, or `<`. */
const UTF_16: ReadonlyMap<string, string> = new Map([
  ['fffe', 'utf-16le'],
  ['3c00', 'utf-16le'],
  ['feff', 'utf-16be'],
  ['003c', 'utf-16be'],
]);

/**
 * What the bytes of an XML text say. Valid UTF-8 is taken for UTF-8 whatever is declared: a text that went through a
 * queue was recoded on the way, and its declaration was not.
 *
 * @returns undefined if they are neither UTF-8 nor say what they are
 */
export function charsetIn(bytes: Uint8Array): string | undefined {
  const utf16 = UTF_16.get(Buffer.from(bytes.subarray(0, 2)).toString('hex'));
  if (utf16 !== undefined) return utf16;
  return isUtf8(bytes) ? 'utf-8' : declaredIn(Buffer.from(bytes.subarray(0, 200)).toString('latin1'));
}

/** What the XML declaration names, at the beginning of a text. */
export function declaredIn(text: string): string | undefined {
  const found = DECLARED.exec(text);
  return found?.[1] ?? found?.[2];
}

/**
 * The characters; a byte order mark is none.
 *
 * @param isExact whether a byte that means nothing makes the whole unreadable. Default: it becomes U+FFFD
 * @param isBeginning whether there is more of it, so that a character may lack its end, and is left out then
 * @returns undefined if the encoding is unknown, or a byte means nothing in it
 */
export function decoded(bytes: Uint8Array, charset: string, isExact = false, isBeginning = false): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: isExact }).decode(bytes, { stream: isBeginning });
  } catch {
    // Neither error says more than that.
    return undefined;
  }
}

/** The name that the encoding has here, whatever it was called; undefined if it is unknown. */
export function encodingNamed(charset: string): string | undefined {
  try {
    return new TextDecoder(charset).encoding;
  } catch {
    // A label that no standard knows.
    return undefined;
  }
}
