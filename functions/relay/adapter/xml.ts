/**
 * Reads XML from the outside world: strict, with namespaces, without a tree. There is no DTD (SOAP 1.1 section 3 forbids
 * it), so no entity of anyone's making is ever expanded or fetched, and no recursion, so depth costs nothing.
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
  open?(element: XmlElement, end: number): 'stop' | undefined;
  text?(text: string): void;
  /** @param resolve the namespace that a prefix has inside the element */
  close?(element: XmlElement, resolve: (prefix: string) => string | undefined): 'stop' | undefined;
}

/** `broken`: not well-formed, with a document type declaration, or deeper than anyone needs. */
export type XmlEnd = 'whole' | 'cut' | 'stopped' | 'broken';

const MAX_DEPTH = 1_000;
const STEP_CHARACTERS = 8_192;

/** Never throws for what a text may be. */
export function readXml(text: string, visitor: XmlVisitor): XmlEnd {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const open: XmlElement[] = [];
  const prefixes: Readonly<Record<string, string>>[] = [];
  let end: XmlEnd = 'cut';
  let hasRoot = false;
  const isOver = () => end !== 'cut';
  const resolve = (prefix: string) => prefixes.findLast((scope) => Object.hasOwn(scope, prefix))?.[prefix];

  parser.on('error', () => {
    if (!isOver()) end = 'broken';
  });
  parser.on('doctype', () => {
    if (!isOver()) end = 'broken';
  });
  parser.on('xmldecl', ({ version }) => visitor.declaration?.({ version }, parser.position));
  parser.on('opentag', (tag: SaxesTagNS) => {
    if (isOver()) return;
    const { name, local, uri, isSelfClosing, ns } = tag;
    const element = { name, local, uri, depth: open.length + 1, isSelfClosing };
    hasRoot = true;
    open.push(element);
    prefixes.push(ns ?? {});
    if (open.length > MAX_DEPTH) end = 'broken';
    else if (visitor.open?.(element, parser.position) === 'stop') end = 'stopped';
  });
  const onText = (characters: string) => {
    if (!isOver()) visitor.text?.(characters);
  };
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.on('closetag', () => {
    const element = open.at(-1);
    if (isOver() || element === undefined) return;
    if (visitor.close?.(element, resolve) === 'stop') end = 'stopped';
    open.pop();
    prefixes.pop();
  });

  for (let at = 0; at < text.length && !isOver(); at += STEP_CHARACTERS) {
    parser.write(text.slice(at, at + STEP_CHARACTERS));
  }
  if (isOver()) return end;
  // What is open at the end was cut off; all else that the end brings to light is an error.
  if (open.length > 0) return 'cut';
  parser.close();
  return isOver() ? end : hasRoot ? 'whole' : 'broken';
}
