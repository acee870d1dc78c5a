/**
 * SOAP envelopes of both versions (SOAP 1.1, W3C Note of 8 May 2000; SOAP 1.2 Part 1, second edition): read from a
 * request, and written around a reply. What is wrong with a request is an `EnvelopeError`; its fault is made by
 * `fault.ts`.
 */
import type { Answer, Request } from '../../../server/server.ts';
import { mediaType } from '../media-type.ts';
import { parseXml, type XmlElement, XmlError } from '../xml.ts';
import type { FaultCode, SoapVersion } from './channel.ts';

/** The request is no SOAP message that is understood. */
export class EnvelopeError extends Error {
  readonly code: FaultCode;
  /** Of the envelope, where that was read. */
  readonly version: SoapVersion | undefined;
  constructor(code: FaultCode, message: string, version?: SoapVersion) {
    super(message);
    this.code = code;
    this.version = version;
  }
}

export interface Envelope {
  readonly version: SoapVersion;
  readonly action: string | undefined;
  /** The blocks of its Header. */
  readonly headers: readonly XmlElement[];
  /** The content of its Body, exactly as it stands there. */
  readonly payload: string;
}

export const namespaces: Readonly<Record<SoapVersion, string>> = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
};
const contentTypes: Readonly<Record<SoapVersion, string>> = { '1.1': 'text/xml', '1.2': 'application/soap+xml' };

/**
 * The envelope of a request: of the version that its namespace says, 1.2 only to an endpoint that `takes` it, as one
 * does that has a binding for it; 1.1 is taken by both, as CXF does. `understood` are header blocks, as
 * `{namespace}name`, that may say mustUnderstand. Throws an EnvelopeError.
 */
export function readEnvelope(
  { headers: sent }: Request,
  { source, takes, understood = [] }: { source: string; takes: SoapVersion; understood?: readonly string[] },
): Envelope {
  const root = readRoot(source);
  const version = versionOf(root, takes);
  const namespace = namespaces[version];
  const inSoap = (element: XmlElement | undefined, name: string): element is XmlElement =>
    element?.namespace === namespace && element.local === name;
  const [first, second] = root.children;
  const header = inSoap(first, 'Header') ? first : undefined;
  const body = header === undefined ? first : second;
  // CXF's own words: it reads on as if the Body were there.
  if (!inSoap(body, 'Body')) throw new EnvelopeError('server', 'Fault occurred while processing.', version);
  const headers = header?.children ?? [];
  const unknown = headers
    .filter((block) => mustBeUnderstood(block, version))
    .map(qualifiedName)
    .filter((name) => !understood.includes(name));
  if (unknown.length > 0) {
    const message = `MustUnderstand headers: [${unknown.join(', ')}] are not understood.`;
    throw new EnvelopeError('must-understand', message, version);
  }
  return { version, action: actionOf(sent, version), headers, payload: body.content };
}

/** An answer with an envelope of `version` whose Body has `content`, which is XML. */
export function envelopeAnswer(version: SoapVersion, status: number, content: string): Answer {
  const xml = `<soap:Envelope xmlns:soap="${namespaces[version]}"><soap:Body>${content}</soap:Body></soap:Envelope>`;
  return { status, headers: { 'Content-Type': `${contentTypes[version]};charset=UTF-8` }, body: xml };
}

/** `{namespace}name`. */
export function qualifiedName({ namespace, local }: XmlElement): string {
  return `{${namespace}}${local}`;
}

function readRoot(source: string): XmlElement {
  try {
    return parseXml(source);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const version = error.open[0]?.namespace === namespaces['1.1'] ? '1.1' : undefined;
    throw readByFlow(error)
      ? new EnvelopeError('server', `Error during type conversion to the required type: ${error.message}`, version)
      : new EnvelopeError('client', `Error reading XMLStreamReader: ${error.message}`, version);
  }
}

/** Up to the first start tag in the Body CXF reads, whose fault is the client's; the flow reads the rest, and fails. */
function readByFlow({ open: [envelope, ...inside] }: XmlError): boolean {
  const isBody = ({ local, namespace }: XmlElement): boolean =>
    local === 'Body' && Object.values(namespaces).includes(namespace);
  const [body] = inside;
  if (body === undefined) return envelope?.children.some(isBody) ?? false;
  return isBody(body) && inside.length > 1;
}

function versionOf({ local, namespace }: XmlElement, takes: SoapVersion): SoapVersion {
  if (namespace !== namespaces['1.1'] && namespace !== namespaces['1.2']) {
    const message =
      namespace === ''
        ? `No namespace on "${local}" element. You must send a SOAP message.`
        : `"${namespace}", the namespace on the "${local}" element, is not a valid SOAP version.`;
    throw new EnvelopeError('version-mismatch', message);
  }
  const version = namespace === namespaces['1.1'] ? '1.1' : '1.2';
  if (version === '1.2' && takes === '1.1') {
    const message = 'A SOAP 1.2 message is not valid when sent to a SOAP 1.1 only endpoint.';
    throw new EnvelopeError('version-mismatch', message);
  }
  if (local !== 'Envelope') throw new EnvelopeError('client', 'Invalid SOAP Envelope name');
  return version;
}

/**
 * A block for another actor (1.1) or role (1.2) is none of ours; one for the next, for the last or for nobody named is.
 */
function mustBeUnderstood(block: XmlElement, version: SoapVersion): boolean {
  const namespace = namespaces[version];
  const role = block.attribute(version === '1.1' ? 'actor' : 'role', namespace) ?? '';
  const value = block.attribute('mustUnderstand', namespace);
  return ours[version].includes(role) && (value === '1' || value === 'true');
}

const ours: Readonly<Record<SoapVersion, readonly string[]>> = {
  '1.1': ['', 'http://schemas.xmlsoap.org/soap/actor/next'],
  '1.2': ['', `${namespaces['1.2']}/role/next`, `${namespaces['1.2']}/role/ultimateReceiver`],
};

function actionOf(headers: Request['headers'], version: SoapVersion): string | undefined {
  const sent = version === '1.1' ? headers.soapaction : mediaType(headers['content-type'])?.params.get('action');
  return sent?.replace(/^"(.*)"$/, '$1') ?? undefined;
}
