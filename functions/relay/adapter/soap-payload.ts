/**
 * Whether a payload that went out can be an envelope at all. Looked at only after a fault that may speak of that, since
 * CXF's code alone does not say who must act. Loaded with the XML parser.
 */
import type { Destination, EnvelopeSettings } from '../destination.ts';
import { type Message, payloadStart } from '../message.ts';
import { rootOf } from './batch-answer.ts';
import { ATTACHED, charsetIn, charsetOf, decoded, encodingNamed, mediaTypeOf } from './charset.ts';
import { ENVELOPES } from './soap-fault.ts';
import { readXml } from './xml.ts';

/** Of ordinary XML about 12 ms of the parser's time, of the worst 40 ms: it holds up the rest of the batch. */
const LOOKED_AT_BYTES = 131_072;

/** @returns what is wrong with it, behind "the payload"; undefined if nothing was found, or it cannot be read here */
export async function problemOf(
  message: Message,
  destination: Pick<Destination & EnvelopeSettings, 'contentType' | 'soapWrap'>,
): Promise<string | undefined> {
  if (!/^(identity)?$/i.test(message.headers['content-encoding'] ?? '')) return undefined;
  // The endpoint has answered by now: what becomes of the message must not depend on reading it once more.
  const bytes = await payloadStart(message, LOOKED_AT_BYTES).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const type = message.contentType ?? destination.contentType;
  const root = mediaTypeOf(type) === ATTACHED ? rootOf({ headers: { 'content-type': type }, body: bytes }) : undefined;
  // Without its boundary there is no root part.
  if (root?.body.byteLength === 0) return undefined;
  const xml = root?.body ?? bytes;
  const named = charsetOf(root?.headers['content-type']) ?? charsetOf(message.contentType);
  // Where nobody tells, CXF takes ISO-8859-1.
  const encoding = encodingNamed(named ?? charsetIn(xml) ?? charsetOf(type) ?? 'latin1');
  if (encoding === undefined) return undefined;
  const isBeginning = bytes.byteLength < message.body.bytes;
  const text = decoded(xml, encoding, true, isBeginning);
  if (text === undefined) return `has bytes that mean nothing in ${encoding}`;
  return problemIn(text, isBeginning, destination.soapWrap);
}

/** @param isWrapped whether one that is no envelope was put into one */
function problemIn(text: string, isBeginning: boolean, isWrapped: boolean): string | undefined {
  let envelope: string | undefined;
  let hasBody = false;
  const end = readXml(
    text,
    {
      open({ local, uri, depth }) {
        if (depth === 1) envelope = local === 'Envelope' && ENVELOPES.has(uri) ? uri : '';
        if (depth === 2 && local === 'Body' && uri === envelope) hasBody = true;
        return undefined;
      },
    },
    isBeginning,
  );
  if (envelope === '' && !isWrapped) return 'is no SOAP envelope';
  if (end === 'broken') return 'is not well-formed XML without a document type declaration';
  if (end === 'cut' && !isBeginning) return 'is XML that is cut off';
  return end === 'whole' && !hasBody && !isWrapped ? 'is an envelope without a body' : undefined;
}
