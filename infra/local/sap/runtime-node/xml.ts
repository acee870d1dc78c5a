/**
 * XML as SAP's runtime reads it: a tree of elements with their namespaces, from a strict parser (saxes) that knows no
 * DTD, so that no entity is ever expanded or fetched; a DOCTYPE is refused outright. What elements mean is for those
 * who ask.
 */
import { SaxesParser } from 'saxes';
import { mediaType } from './media-type.ts';

export interface XmlElement {
  readonly local: string;
  /** Empty where there is none. */
  readonly namespace: string;
  /** Values by local name and namespace. */
  attribute(local: string, namespace?: string): string | undefined;
  readonly children: readonly XmlElement[];
  /** The text directly inside, white space at both ends removed. */
  readonly text: string;
  /** What stands between its tags, exactly as it stands there. */
  readonly content: string;
}

/** The document is not one, or not one that is taken; the message says why, in the words of the runtime's parser. */
export class XmlError extends Error {
  /** The elements that were open where it shows, the root first, each with the children that it has so far. */
  readonly open: readonly XmlElement[];
  constructor(message: string, open: readonly XmlElement[] = []) {
    super(message);
    this.open = open;
  }
}

interface Building {
  readonly element: { -readonly [Key in keyof XmlElement]: XmlElement[Key] } & { children: XmlElement[] };
  readonly contentAt: number;
}

/** How deep elements may be nested (CXF: `org.apache.cxf.stax.maxElementDepth`). */
const maxDepth = 100;

/** The root of a well-formed document. Throws an XmlError. */
export function parseXml(source: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true });
  const open: Building[] = [];
  let root: XmlElement | undefined;

  const failed = (message: string) =>
    new XmlError(
      message,
      open.map(({ element }) => element),
    );
  parser.on('error', ({ message }) => {
    throw failed(message);
  });
  parser.on('doctype', () => {
    throw failed('Received event DTD, instead of START_ELEMENT or END_ELEMENT.');
  });
  parser.on('opentag', ({ local, uri, attributes, isSelfClosing }) => {
    if (open.length >= maxDepth) throw failed(`Maximum Element Depth limit (${maxDepth}) Exceeded`);
    const values = new Map(Object.values(attributes).map((one) => [`${one.uri} ${one.local}`, one.value]));
    const element: Building['element'] = {
      local,
      namespace: uri,
      attribute: (name, namespace = '') => values.get(`${namespace} ${name}`),
      children: [],
      text: '',
      content: '',
    };
    open.at(-1)?.element.children.push(element);
    root ??= element;
    open.push({ element, contentAt: isSelfClosing ? -1 : parser.position });
  });
  const addText = (text: string): void => {
    const parent = open.at(-1)?.element;
    if (parent !== undefined) parent.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    const { element, contentAt } = open.pop() ?? {};
    if (element === undefined || contentAt === undefined) return;
    element.text = element.text.trim();
    // The parser stands behind the closing tag, in which `</` occurs once.
    if (contentAt >= 0) element.content = source.slice(contentAt, source.lastIndexOf('</', parser.position - 1));
  });
  parser.write(source).close();
  if (root === undefined) throw new XmlError('Unexpected EOF in prolog');
  return root;
}

/**
 * The text of a document (RFC 7303 section 3): by its byte order mark, else by the content type's charset, else by its
 * XML declaration, else UTF-8. Throws an XmlError for an encoding that is unknown, or that the bytes are not in.
 */
export function decodeXml(body: Buffer, contentType: string | undefined): string {
  const encoding = byteOrderMark(body) ?? charsetOf(contentType) ?? declaredEncoding(body) ?? 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(body);
  } catch {
    throw new XmlError(`Invalid byte or unknown encoding: ${encoding}`);
  }
}

/** For text and attribute values. */
export function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

function charsetOf(contentType: string | undefined): string | undefined {
  return mediaType(contentType)?.params.get('charset') ?? undefined;
}

function byteOrderMark(body: Buffer): string | undefined {
  const start = body.subarray(0, 3).toString('hex');
  if (start === 'efbbbf') return 'utf-8';
  if (start.startsWith('feff')) return 'utf-16be';
  return start.startsWith('fffe') ? 'utf-16le' : undefined;
}

/** Every encoding without a byte order mark that is taken has ASCII where the declaration stands. */
function declaredEncoding(body: Buffer): string | undefined {
  const parser = new SaxesParser();
  let encoding: string | undefined;
  parser.on('error', () => undefined);
  parser.on('xmldecl', (declaration) => {
    encoding = declaration.encoding;
  });
  parser.write(body.subarray(0, 256).toString('latin1'));
  return encoding;
}
