/**
 * Whether a payload that was sent can be an envelope at all. Read only after a fault that may be about that, since
 * CXF's code alone does not tell who must act. Loaded with the XML parser.
 */
import { type Message, payloadStart } from '../../../message/message.ts';
import type { Shape } from '../adapter.ts';
import { ATTACHED, charsetIn, charsetOf, decoded, encodingNamed, mediaTypeOf } from '../charset.ts';
import { rootOf } from '../multipart.ts';
import { readXml, type XmlVisitor } from '../xml.ts';
import { ENVELOPES } from './fault.ts';

/** The parser takes 12 ms for ordinary XML of this size and 40 ms at worst, while the rest of the batch waits. */
const LOOKED_AT_BYTES = 131_072;

/** @returns what is wrong, to follow the words "the payload"; undefined if nothing was found, or it cannot be read */
export async function problemOf(
  message: Message,
  { body = message.body, contentType }: Pick<Shape, 'body' | 'contentType'>,
): Promise<string | undefined> {
  if (!/^(identity)?$/i.test(message.headers['content-encoding'] ?? '')) return undefined;
  // The endpoint has answered: the outcome must not depend on reading the payload once more.
  const bytes = await payloadStart({ body }, LOOKED_AT_BYTES).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const whole = { headers: { 'content-type': contentType }, body: bytes, isCertain: true };
  const root = mediaTypeOf(contentType) === ATTACHED ? rootOf(whole) : whole;
  // Attachments without their boundary have no root part. Where CXF may read it otherwise, the sender is not blamed.
  if (!root.isCertain || (root !== whole && root.body.byteLength === 0)) return undefined;
  // CXF's default is ISO-8859-1.
  const named = charsetOf(root.headers['content-type']) ?? charsetOf(contentType) ?? 'latin1';
  const charset = /^utf-16$/i.test(named) ? utf16In(root.body) : named;
  const encoding = encodingNamed(charset);
  if (encoding === undefined) return undefined;
  const isBeginning = bytes.byteLength < body.bytes;
  const text = decoded(root.body, encoding, true, isBeginning);
  return text === undefined ? `has bytes that mean nothing in ${encoding}` : problemIn(text, isBeginning);
}

/**
 * By its byte order mark or first character, else big-endian (RFC 2781 section 4.3); `TextDecoder` assumes
 * little-endian.
 */
function utf16In(bytes: Buffer): string {
  const found = charsetIn(bytes);
  return found?.startsWith('utf-16') ? found : 'utf-16be';
}

function problemIn(text: string, isBeginning: boolean): string | undefined {
  let envelope: string | undefined;
  let hasBody = false;
  const open: XmlVisitor['open'] = ({ local, uri, depth }) => {
    if (depth === 1) envelope = local === 'Envelope' && ENVELOPES.has(uri) ? uri : '';
    if (depth === 2 && local === 'Body' && uri === envelope) hasBody = true;
    return undefined;
  };
  const end = readXml(text, { open }, isBeginning);
  if (envelope === '') return 'is no SOAP envelope';
  if (end === 'broken') return 'is not well-formed XML without a document type declaration';
  if (end === 'cut' && !isBeginning) return 'is XML that is cut off';
  return end === 'whole' && !hasBody ? 'is an envelope without a body' : undefined;
}
