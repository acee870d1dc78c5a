/**
 * Reads XML from outside: strict, with namespaces, without building a tree. A DTD is refused (SOAP 1.1 section 3
 * forbids it), so that no entity of a stranger is expanded or fetched.
 */
import { SaxesParser, type SaxesTagNS } from 'saxes';

export interface XmlElement {
  /** With its prefix, as it is written. */
  readonly name: string;
  readonly local: string;
  /** Of its namespace; empty for none. */
  readonly uri: string;
  /** 1 for the root. */
  readonly depth: number;
  readonly isSelfClosing: boolean;
}

/** Called for each part in the order of the text. `stopped` ends the reading. */
export interface XmlVisitor {
  /** @param end position after the declaration, in UTF-16 code units without the byte order mark */
  declaration?(declared: { readonly version?: string | undefined }, end: number): void;
  /** @param end position after the start tag */
  open(element: XmlElement, end: number): 'stopped' | undefined;
  text?(text: string): void;
  /** @param resolve the namespace that a prefix has inside the element */
  close?(element: XmlElement, resolve: (prefix: string) => string | undefined): 'stopped' | undefined;
}

/** `broken`: not well-formed, or with a document type declaration. `deep`: deeper than is read. */
export type XmlEnd = 'whole' | 'cut' | 'stopped' | 'broken' | 'deep';

/** CXF's default. */
export const MAX_DEPTH = 100;
const STEP_CHARACTERS = 8_192;
const RESERVED = [
  ['xml', 'http://www.w3.org/XML/1998/namespace'],
  ['xmlns', 'http://www.w3.org/2000/xmlns/'],
] as const;

/**
 * Takes time in proportion to the text. Never throws because of the text.
 *
 * @param isBeginning whether this is only the beginning of a text, whose end means nothing
 */
export function readXml(text: string, visitor: XmlVisitor, isBeginning = false): XmlEnd {
  // Lines and columns are for error messages, which are not used.
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: XmlElement[] = [];
  /** Prefix → namespace, at the parser's position. The parser's own lookup searches all open elements. */
  const namespaces = new Map<string, string | undefined>(RESERVED);
  /** What the prefixes that open elements declare mean outside of them. */
  const outer: { readonly depth: number; readonly prefix: string; readonly uri: string | undefined }[] = [];
  const resolve = (prefix: string) => namespaces.get(prefix);
  parser.resolve = resolve;

  function over(end: XmlEnd): never {
    throw new Over(end);
  }
  parser.on('error', () => over('broken'));
  parser.on('doctype', () => over('broken'));
  parser.on('xmldecl', ({ version }) => visitor.declaration?.({ version }, parser.position));
  parser.on('attribute', ({ name, prefix, local, value }) => {
    if (prefix !== 'xmlns' && name !== 'xmlns') return;
    const declared = prefix === 'xmlns' ? local : '';
    outer.push({ depth: open.length + 1, prefix: declared, uri: resolve(declared) });
    namespaces.set(declared, value);
  });
  parser.on('opentag', ({ name, local, uri, isSelfClosing }: SaxesTagNS) => {
    const element = { name, local, uri, depth: open.length + 1, isSelfClosing };
    open.push(element);
    if (open.length > MAX_DEPTH) over('deep');
    const end = visitor.open(element, parser.position);
    if (end !== undefined) over(end);
  });
  const onText = (characters: string) => visitor.text?.(characters);
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.on('closetag', () => {
    // The parser closes only elements that it has opened.
    const element = open.pop() as XmlElement;
    const end = visitor.close?.(element, resolve);
    if (end !== undefined) over(end);
    for (let last = outer.at(-1); last?.depth === element.depth; last = outer.at(-1)) {
      namespaces.set(last.prefix, last.uri);
      outer.pop();
    }
  });

  try {
    for (let at = 0; at < text.length; at += STEP_CHARACTERS) parser.write(text.slice(at, at + STEP_CHARACTERS));
    // An element that is still open was cut off. `close` finds any other error at the end.
    if (open.length > 0 || isBeginning) return 'cut';
    parser.close();
    return 'whole';
  } catch (error) {
    if (error instanceof Over) return error.end;
    throw error;
  }
}

/** Leaves the parser, which would otherwise go on, with an error for each character. */
class Over extends Error {
  readonly end: XmlEnd;

  constructor(end: XmlEnd) {
    super();
    this.end = end;
  }
}
