/**
 * Makes the SOAP envelope to send: puts one around a payload that has none, or a header block into an existing one. The
 * payload's own bytes are never changed; a payload for which that is impossible is refused. Loaded with the XML parser,
 * only if a setting asks for one of the two.
 */
import { RelayError } from '../../../error.ts';
import type { SoapVersion } from '../../../settings/destination.ts';
import { charsetIn, decoded, encodingNamed } from '../charset.ts';
import { MAX_DEPTH, readXml } from '../xml.ts';
import { ENVELOPES } from './fault.ts';

export interface EnvelopeOptions {
  /** Of an envelope made here. */
  readonly version: SoapVersion;
  /** Whether to make one for a payload that has none. */
  readonly wrap: boolean;
  /** From the payload's content type. Default: by its bytes. */
  readonly charset?: string | undefined;
  /** A header block to add, unless the envelope has one of that name. */
  readonly block?: HeaderBlock;
}

export interface HeaderBlock {
  readonly local: string;
  readonly uri: string;
  /** Its content, not yet escaped. */
  readonly text: string;
}

export interface Envelope {
  readonly bytes: Buffer;
  /** Whether it was made here, around the payload. */
  readonly isMade: boolean;
  readonly version: SoapVersion;
  /** For the content type. */
  readonly charset: string;
}

/** @throws RelayError `MESSAGE_INVALID` if no envelope can be made without changing the payload */
export function envelopeOf(payload: Buffer, { version, wrap, charset, block }: EnvelopeOptions): Envelope {
  const named = (charset ?? charsetIn(payload))?.trim();
  if (named === undefined) throw invalid('expected UTF-8, or an XML declaration that names the encoding');
  const encoding = encodingNamed(named);
  if (encoding === undefined || /utf-16|iso-2022|replacement|x-user/.test(encoding))
    throw invalid('expected an encoding that has ASCII in it, as UTF-8 and ISO-8859-1 have');
  const bytes = payload.subarray(startsWithMark(payload) ? 3 : 0);
  const text = decoded(bytes, encoding, true);
  if (text === undefined) throw invalid(`the bytes are not what the encoding ${encoding} allows`);

  const found = inspect(text, block);
  if (found.version !== undefined) {
    const isComplete = block === undefined || found.hasBlock;
    const made = isComplete ? payload : withBlock(bytes, text, found, block, encoding);
    return { bytes: made, isMade: false, version: found.version, charset: named };
  }
  if (!wrap) throw invalid('expected a SOAP envelope');
  // The declaration is ASCII: one byte for each character.
  const body = bytes.subarray(found.declarationEnd);
  const isUtf8 = encoding === 'utf-8';
  const label = /^[A-Za-z][\w.-]*$/.test(named) ? named : encoding;
  const declaration = isUtf8 ? '' : `<?xml version="1.0" encoding="${label}"?>`;
  const header = block === undefined ? '' : `<soapenv:Header>${xmlOf(block)}</soapenv:Header>`;
  return {
    bytes: Buffer.concat([
      Buffer.from(`${declaration}<soapenv:Envelope xmlns:soapenv="${NAMESPACES[version]}">${header}<soapenv:Body>`),
      body,
      Buffer.from('</soapenv:Body></soapenv:Envelope>'),
    ]),
    isMade: true,
    version,
    charset: isUtf8 ? 'utf-8' : label,
  };
}

const NAMESPACES = Object.fromEntries([...ENVELOPES].map(([uri, version]) => [version, uri]));

interface Inspected {
  /** Of the envelope; undefined if the payload is something else. */
  readonly version: SoapVersion | undefined;
  /** Of the element `Envelope`, with its colon; empty for none. */
  readonly prefix: string;
  readonly declarationEnd: number;
  /** After the start tag of the envelope. */
  readonly envelopeEnd: number;
  readonly header: { readonly name: string; readonly end: number; readonly isSelfClosing: boolean } | undefined;
  readonly hasBlock: boolean;
}

function inspect(text: string, block: HeaderBlock | undefined): Inspected {
  let version: SoapVersion | undefined;
  let prefix = '';
  let xmlVersion: string | undefined;
  let declarationEnd = 0;
  let envelopeEnd = 0;
  let header: Inspected['header'];
  let hasBlock = false;
  let hasBody = false;
  const end = readXml(text, {
    declaration(declared, position) {
      xmlVersion = declared.version;
      declarationEnd = position;
    },
    open({ name, local, uri, depth, isSelfClosing }, position) {
      if (depth === 1) {
        version = local === 'Envelope' ? ENVELOPES.get(uri) : undefined;
        prefix = name.slice(0, -local.length);
        envelopeEnd = position;
      }
      if (version === undefined) return undefined;
      if (depth === 2 && local === 'Header') header = { name, end: position, isSelfClosing };
      if (depth === 2 && local === 'Body') hasBody = true;
      if (depth === 3 && local === block?.local && uri === block.uri) hasBlock = true;
      return hasBody ? 'stopped' : undefined;
    },
  });
  if (end === 'deep') throw invalid(`expected elements nested ${MAX_DEPTH} deep at most`);
  // An existing envelope is read up to its body. A payload for a new one must be well-formed to its end.
  if (version === undefined ? end !== 'whole' : !hasBody)
    throw invalid('expected well-formed XML without a document type declaration');
  if (version === undefined && xmlVersion === '1.1') throw invalid('expected XML 1.0, as SOAP does');
  return { version, prefix, declarationEnd, envelopeEnd, hasBlock, header };
}

function withBlock(
  bytes: Buffer,
  text: string,
  { prefix, envelopeEnd, header }: Inspected,
  block: HeaderBlock,
  encoding: string,
): Buffer {
  if (encoding !== 'utf-8' && text.length !== bytes.byteLength)
    throw invalid(`no header can be put into an envelope in the encoding ${encoding}`);
  const offsetOf = (position: number) => (encoding === 'utf-8' ? Buffer.byteLength(text.slice(0, position)) : position);
  const insert = (position: number, xml: string, replaced = 0) =>
    Buffer.concat([
      bytes.subarray(0, offsetOf(position) - replaced),
      Buffer.from(xml),
      bytes.subarray(offsetOf(position)),
    ]);

  if (header?.isSelfClosing === false) return insert(header.end, xmlOf(block));
  if (header === undefined) return insert(envelopeEnd, `<${prefix}Header>${xmlOf(block)}</${prefix}Header>`);
  // `<Header/>` becomes `<Header>…</Header>`: the two characters `/>` are replaced.
  return insert(header.end, `>${xmlOf(block)}</${header.name}>`, 2);
}

function xmlOf({ local, uri, text }: HeaderBlock): string {
  const escaped = text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<${local} xmlns="${uri}">${escaped}</${local}>`;
}

function startsWithMark(bytes: Buffer): boolean {
  return bytes.subarray(0, 3).toString('hex') === 'efbbbf';
}

function invalid(problem: string): RelayError {
  return new RelayError(
    'MESSAGE_INVALID',
    `the payload cannot go out in an envelope: ${problem}; the sender must correct it`,
  );
}
