/**
 * The character encoding of a payload or an answer: by its content type, else by its first bytes.
 *
 * @see RFC 7303 section 3, XML 1.0 appendix F
 */
import { isUtf8 } from 'node:buffer';

/** SOAP Messages with Attachments (W3C Note of 11 December 2000): the XML is the root part. */
export const ATTACHED = 'multipart/related';

/** The media type without parameters, lower case; empty if there is none. */
export function mediaTypeOf(contentType = ''): string {
  return contentType.replace(/;.*/s, '').trim().toLowerCase();
}

const CHARSET = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]*))/i;

/** The parameter `charset`, as it was written; undefined if it is missing or empty. */
export function charsetOf(contentType: string | undefined): string | undefined {
  const found = contentType === undefined ? null : CHARSET.exec(contentType);
  return found?.[1] || found?.[2] || undefined;
}

/** The characters of a charset's name (RFC 2978 section 2.3). */
const NAME = /^[\w!#$%&'+^`{}~.:-]+$/;

/** The content type with this charset instead of its own; unchanged if the charset is not a valid name. */
export function withCharset(contentType: string, charset: string): string {
  if (!NAME.test(charset)) return contentType;
  if (CHARSET.test(contentType)) return contentType.replace(CHARSET, () => `; charset=${charset}`);
  const type = contentType.trimEnd();
  return `${type}${type.endsWith(';') ? '' : ';'} charset=${charset}`;
}

/** The XML declaration (XML 1.0 [23]), in an encoding that contains ASCII. */
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
 * The charset of an XML text by its bytes. Valid UTF-8 counts as UTF-8, whatever is declared: on its way through a
 * queue a text is converted to UTF-8, and its declaration is not changed.
 *
 * @returns undefined if they are not UTF-8 and declare nothing
 */
export function charsetIn(bytes: Uint8Array): string | undefined {
  const utf16 = UTF_16.get(Buffer.from(bytes.subarray(0, 2)).toString('hex'));
  if (utf16 !== undefined) return utf16;
  return isUtf8(bytes) ? 'utf-8' : declaredIn(Buffer.from(bytes.subarray(0, 200)).toString('latin1'));
}

/** The charset in the XML declaration at the beginning of a text. */
export function declaredIn(text: string): string | undefined {
  const found = DECLARED.exec(text);
  return found?.[1] ?? found?.[2];
}

/**
 * Decodes bytes, without a byte order mark.
 *
 * @param isExact whether an invalid byte makes the whole unreadable. Default: it becomes U+FFFD
 * @param isBeginning whether it is only the beginning of a text, so that an incomplete last character is left out
 * @returns undefined if the encoding is unknown, or with `isExact` if a byte is invalid
 */
export function decoded(bytes: Uint8Array, charset: string, isExact = false, isBeginning = false): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: isExact }).decode(bytes, { stream: isBeginning });
  } catch {
    // An unknown encoding, or an invalid byte.
    return undefined;
  }
}

/** The standard name of an encoding (WHATWG Encoding), by any of its labels; undefined if it is unknown. */
export function encodingNamed(charset: string): string | undefined {
  try {
    return new TextDecoder(charset).encoding;
  } catch {
    // Not a label of the standard.
    return undefined;
  }
}
