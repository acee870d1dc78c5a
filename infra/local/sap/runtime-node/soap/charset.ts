/**
 * Charsets of SOAP messages as CXF 3.6 takes them: the content type alone names one, else it is ISO-8859-1, and neither
 * the XML declaration nor a byte order mark is asked. An answer is in the charset of its request.
 */

/** Java's names of those that are known here; Java itself knows about 170. */
export type Charset = 'UTF-8' | 'ISO-8859-1' | 'US-ASCII' | 'windows-1252' | 'UTF-16' | 'UTF-16LE' | 'UTF-16BE';

const charsets: readonly Charset[] = [
  'UTF-8',
  'ISO-8859-1',
  'US-ASCII',
  'windows-1252',
  'UTF-16',
  'UTF-16LE',
  'UTF-16BE',
];
const aliases: Readonly<Record<string, Charset>> = { utf8: 'UTF-8', latin1: 'ISO-8859-1', ascii: 'US-ASCII' };

/** ISO-8859-1 where none is named; undefined for one that is not known. */
export function charsetNamed(name: string | null | undefined): Charset | undefined {
  const known = name?.replace(/^'(.*)'$/, '$1').toLowerCase() ?? '';
  if (known === '') return 'ISO-8859-1';
  return charsets.find((one) => one.toLowerCase() === known) ?? aliases[known];
}

/** Undefined where the bytes are not of that charset. A byte order mark is dropped where the charset has one. */
export function decode(body: Buffer, charset: Charset): string | undefined {
  // With a charset of one byte CXF's parser gives up at UTF-8's mark, and takes that of UTF-16 for letters.
  if (singleByte.has(charset) && body.subarray(0, 3).toString('hex') === 'efbbbf') return undefined;
  if (charset === 'ISO-8859-1') return body.toString('latin1');
  if (charset === 'US-ASCII') return body.every((byte) => byte < 0x80) ? body.toString('latin1') : undefined;
  try {
    return new TextDecoder(charset === 'UTF-16' ? markedOrder(body) : charset, { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

/** XML in a charset: what it lacks becomes a character reference. UTF-16 is written as Java does, with its mark. */
export function encode(xml: string, charset: Charset): Buffer {
  if (charset === 'UTF-8') return Buffer.from(xml, 'utf8');
  if (singleByte.has(charset)) {
    const highest = charset === 'ISO-8859-1' ? 0xff : 0x7f;
    const written = [...xml].map((character) => {
      const code = character.codePointAt(0) ?? 0;
      return code > highest ? `&#x${code.toString(16)};` : character;
    });
    return Buffer.from(written.join(''), 'latin1');
  }
  const bytes = Buffer.from(charset === 'UTF-16' ? `\uFEFF${xml}` : xml, 'utf16le');
  return charset === 'UTF-16LE' ? bytes : bytes.swap16();
}

const singleByte: ReadonlySet<Charset> = new Set(['ISO-8859-1', 'US-ASCII', 'windows-1252']);

function markedOrder(body: Buffer): string {
  return body[0] === 0xff && body[1] === 0xfe ? 'utf-16le' : 'utf-16be';
}
