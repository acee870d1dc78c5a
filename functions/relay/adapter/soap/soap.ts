/**
 * SAP's SOAP 1.x sender adapter. A call has an envelope, which is sent byte for byte as it came; a content type with
 * its version and charset, without which CXF reads ISO-8859-1, whatever the XML declares; and the action. SAP RM uses
 * the same.
 *
 * @see SAP Help, "Configure the SOAP (SOAP 1.x) Sender Adapter"; SOAP 1.1 section 6, RFC 3902
 */
import { RelayError } from '../../../error.ts';
import { bodyOf, type Message, payloadOf } from '../../../message/message.ts';
import type { Destination, SoapRmSettings, SoapSettings, SoapVersion } from '../../../settings/destination.ts';
import { type Adapter, type AdapterOptions, createAdapter, type Shape } from '../adapter.ts';
import { ATTACHED, charsetIn, charsetOf, encodingNamed, mediaTypeOf, withCharset } from '../charset.ts';
import { rootOf } from '../multipart.ts';
import type { HeaderBlock } from './envelope.ts';
import { readFault } from './fault-meaning.ts';

export function soapAdapter(options: AdapterOptions<Destination & SoapSettings>): Adapter {
  return createAdapter(options, { shape: (message) => soapShape(message, options.destination), read: readFault });
}

/** The media types of an envelope. */
const ENVELOPE_TYPES = ['text/xml', 'application/soap+xml'];

/** The parser does not pause: more would stop the rest of the batch for seconds, beyond its deadline. */
const MOST_READ_BYTES = 4 * 1024 * 1024;

/**
 * The call for an envelope.
 *
 * @param block a header block that the envelope must have
 * @throws RelayError `MESSAGE_INVALID` if the payload must be put into an envelope, or a block into it, and cannot be;
 * `PAYLOAD_TOO_LARGE` if it is too large for that
 */
export async function soapShape(
  message: Message,
  destination: Destination & (SoapSettings | SoapRmSettings),
  block?: HeaderBlock,
): Promise<Shape> {
  const { soapVersion, soapWrap, soapAction } = destination;
  const isSetAttached = mediaTypeOf(destination.contentType) === ATTACHED;
  const own = message.contentType ?? (isSetAttached ? destination.contentType : undefined);
  const mediaType = mediaTypeOf(own);
  const ownShape = (type: string, charset?: string) => {
    const exact = charset === undefined || charsetOf(type) !== undefined ? type : withCharset(type, charset);
    return { contentType: exact, headers: actionHeader(exact, soapAction) };
  };
  const isAsItIs = !soapWrap || mediaType === ATTACHED;
  if (block === undefined && isAsItIs) {
    const isOwn = own !== undefined && [...ENVELOPE_TYPES, ATTACHED].includes(mediaType);
    if (isOwn && charsetOf(own) !== undefined) return ownShape(own);
    const bytes = await payloadOf(message);
    const body = bodyOf(bytes);
    if (!isOwn) return { ...shapeFor(destination, charsetOf(own) ?? charsetIn(bytes)), body };
    return { ...ownShape(own, mediaType === ATTACHED ? charsetOfRoot(own, bytes) : charsetIn(bytes)), body };
  }

  const { bytes } = message.body;
  if (bytes > MOST_READ_BYTES) {
    const problem = `the payload has ${bytes} bytes, of which an envelope can be made for ${MOST_READ_BYTES} at most`;
    throw new RelayError('PAYLOAD_TOO_LARGE', `${problem}; the sender must split it, or send the envelope itself`);
  }
  const { envelopeOf } = await import('./envelope.ts');
  const envelope = envelopeOf(await payloadOf(message), {
    version: soapVersion,
    wrap: soapWrap,
    charset: charsetOf(own),
    ...(block === undefined ? {} : { block }),
  });
  const body = bodyOf(envelope.bytes);
  if (!envelope.isMade && own !== undefined && ENVELOPE_TYPES.includes(mediaType))
    return { ...ownShape(own, envelope.charset), body };
  return { ...shapeFor(destination, envelope.charset, envelope.version), body };
}

/**
 * The charset to add to the content type of a message with attachments. CXF takes the root part's own charset, else
 * this one, so no byte of the parts must be changed.
 *
 * @returns undefined if the root part has its own
 */
function charsetOfRoot(contentType: string, bytes: Buffer): string | undefined {
  const root = rootOf({ headers: { 'content-type': contentType }, body: bytes });
  return charsetOf(root.headers['content-type']) === undefined ? charsetIn(root.body) : undefined;
}

/** With the settings' content type, but the payload's own charset. */
function shapeFor(
  { soapVersion, soapAction, contentType }: Destination & (SoapSettings | SoapRmSettings),
  charset: string | undefined,
  version: SoapVersion = soapVersion,
): Shape {
  const type = version === soapVersion ? contentType : OF_VERSION[version];
  const named = charsetOf(type);
  const isSame = named !== undefined && charset !== undefined && encodingNamed(charset) === encodingNamed(named);
  const exact = charset === undefined || isSame ? type : withCharset(type, charset);
  if (mediaTypeOf(type) !== 'application/soap+xml' || soapAction === '' || /;\s*action=/i.test(type))
    return { contentType: exact, headers: actionHeader(exact, soapAction) };
  return { contentType: `${exact}; action="${soapAction}"` };
}

const OF_VERSION: Readonly<Record<SoapVersion, string>> = {
  '1.1': 'text/xml; charset=utf-8',
  '1.2': 'application/soap+xml; charset=utf-8',
};

/** SOAP 1.1 requires the header, even if it is empty; 1.2 has the action in the content type. */
function actionHeader(contentType: string, action: string): Record<string, string> {
  return mediaTypeOf(contentType) === 'application/soap+xml' ? {} : { SOAPAction: `"${action}"` };
}
