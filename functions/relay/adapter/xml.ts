/**
 * Reads XML from the outside world: strict, with namespaces, without a tree. There is no DTD (SOAP 1.1 section 3 forbids
 * it), so no entity of anyone's making is ever expanded or fetched.
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

/** Told what comes, in order; `stop` ends the reading. */
export interface XmlVisitor {
  /** @param end position behind the declaration, in UTF-16 code units without the byte order mark */
  declaration?(declared: { readonly version?: string | undefined }, end: number): void;
  /** @param end position behind the start tag */
  open(element: XmlElement, end: number): 'stop' | undefined;
  text?(text: string): void;
  /** @param resolve the namespace that a prefix has inside the element */
  close?(element: XmlElement, resolve: (prefix: string) => string | undefined): 'stop' | undefined;
}

/** `broken`: not well-formed, or with a document type declaration. `deep`: deeper than is read. */
export type XmlEnd = 'whole' | 'cut' | 'stopped' | 'broken' | 'deep';

/** As CXF reads, by default. */
export const MAX_DEPTH = 100;
const STEP_CHARACTERS = 8_192;
const RESERVED = [
  ['xml', 'http://www.w3.org/XML/1998/namespace'],
  ['xmlns', 'http://www.w3.org/2000/xmlns/'],
] as const;

/**
 * In time that grows with the text alone. Never throws for what a text may be.
 *
 * @param isBeginning whether there is more of the text, so that where it ends says nothing
 */
export function readXml(text: string, visitor: XmlVisitor, isBeginning = false): XmlEnd {
  // Lines and columns are for messages, of which none is told.
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: XmlElement[] = [];
  const namespaces = createNamespaces();
  // The parser's own looks through all elements that are open.
  parser.resolve = namespaces.resolve;

  function over(how: XmlEnd): never {
    throw new Over(how);
  }
  parser.on('error', () => over('broken'));
  parser.on('doctype', () => over('broken'));
  parser.on('xmldecl', ({ version }) => visitor.declaration?.({ version }, parser.position));
  parser.on('attribute', namespaces.declare);
  parser.on('opentag', ({ name, local, uri, isSelfClosing }: SaxesTagNS) => {
    const element = { name, local, uri, depth: open.length + 1, isSelfClosing };
    open.push(element);
    namespaces.enter();
    if (open.length > MAX_DEPTH) over('deep');
    if (visitor.open(element, parser.position) === 'stop') over('stopped');
  });
  const onText = (characters: string) => visitor.text?.(characters);
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.on('closetag', () => {
    const element = open.pop();
    if (element !== undefined && visitor.close?.(element, namespaces.resolve) === 'stop') over('stopped');
    namespaces.leave();
  });

  try {
    for (let at = 0; at < text.length; at += STEP_CHARACTERS) parser.write(text.slice(at, at + STEP_CHARACTERS));
    // What is open at the end was cut off; all else that the end brings to light is an error.
    if (open.length > 0 || isBeginning) return 'cut';
    parser.close();
    return 'whole';
  } catch (error) {
    if (error instanceof Over) return error.end;
    throw error;
  }
}

/** Ends the parser where it stands: else it would read on, with an error for each character. */
class Over extends Error {
  readonly end: XmlEnd;

  constructor(end: XmlEnd) {
    super();
    this.end = end;
  }
}

/** What the prefixes mean at a place in the text. */
function createNamespaces() {
  const known = new Map<string, string | undefined>(RESERVED);
  /** Of each open element, what its own prefixes meant before it. */
  const before: (readonly (readonly [prefix: string, uri: string | undefined])[])[] = [];
  let declared: [prefix: string, uri: string | undefined][] = [];

  return {
    resolve: (prefix: string) => known.get(prefix),
    declare({ name, prefix, local, value }: { name: string; prefix: string; local: string; value: string }) {
      if (prefix !== 'xmlns' && name !== 'xmlns') return;
      const own = prefix === 'xmlns' ? local : '';
      declared.push([own, known.get(own)]);
      known.set(own, value);
    },
    enter() {
      before.push(declared);
      declared = [];
    },
    leave() {
      for (const [prefix, uri] of before.pop() ?? []) known.set(prefix, uri);
    },
  };
}
