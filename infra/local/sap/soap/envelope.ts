/**
 * SOAP envelopes of both versions (SOAP 1.1, W3C Note of 8 May 2000; SOAP 1.2 Part 1, second edition): read from a request,
 * and written around a reply. What is wrong with a request is an `EnvelopeError`; its fault is made by `fault.ts`.
 */
import type { Answer, Request } from '../../server.ts';
import { mediaType } from '../media-type.ts';
import { decodeXml, parseXml, type XmlElement, XmlError } from '../xml.ts';
import type { FaultCode, SoapVersion } from './channel.ts';

/** The request is no SOAP message that is understood. */
export class EnvelopeError extends Error {
  readonly code: FaultCode;
  constructor(code: FaultCode, message: string) {
    super(message);
    this.code = code;
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

/** The version that the content type says; undefined when it is none of SOAP's. */
export function versionOf({ headers }: Request): SoapVersion | undefined {
  const essence = mediaType(headers['content-type'])?.essence;
  if (essence === contentTypes['1.1']) return '1.1';
  return essence === contentTypes['1.2'] ? '1.2' : undefined;
}

/**
 * The envelope of a request that says to be of `version`. `understood` are header blocks, as `{namespace}name`, that may
 * say mustUnderstand. Throws an EnvelopeError.
 */
export function readEnvelope(request: Request, version: SoapVersion, understood: readonly string[] = []): Envelope {
  const contentType = request.headers['content-type'];
  const root = readRoot(request.body, contentType);
  const namespace = namespaces[version];
  const inSoap = ({ namespace: own }: XmlElement, local: string, name: string): boolean =>
    own === namespace && local === name;
  if (root.local !== 'Envelope')
    throw new EnvelopeError('client', `"${root.local}" is not a valid SOAP message: no Envelope.`);
  if (root.namespace !== namespace) {
    const message = `"${root.namespace}", the namespace on the "Envelope" element, is not a valid SOAP version.`;
    throw new EnvelopeError('version-mismatch', message);
  }
  const [first, second] = root.children;
  const header = first !== undefined && inSoap(first, first.local, 'Header') ? first : undefined;
  const body = header === undefined ? first : second;
  if (body === undefined || !inSoap(body, body.local, 'Body')) {
    throw new EnvelopeError('client', 'The SOAP envelope has no Body.');
  }
  const headers = header?.children ?? [];
  const ignored = headers.filter((block) => mustBeUnderstood(block, namespace)).map(qualifiedName);
  const unknown = ignored.filter((name) => !understood.includes(name));
  if (unknown.length > 0) {
    throw new EnvelopeError('must-understand', `MustUnderstand headers: [${unknown.join(', ')}] are not understood.`);
  }
  return { version, action: actionOf(request, version), headers, payload: body.content };
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

function readRoot(body: Buffer, contentType: string | undefined): XmlElement {
  try {
    return parseXml(decodeXml(body, contentType));
  } catch (error) {
    if (error instanceof XmlError) throw new EnvelopeError('client', `Error reading XMLStreamReader: ${error.message}`);
    throw error;
  }
}

/** A block for another actor (1.1) or role (1.2) is none of ours. */
function mustBeUnderstood(block: XmlElement, namespace: string): boolean {
  const elsewhere = block.attribute('actor', namespace) ?? block.attribute('role', namespace);
  const value = block.attribute('mustUnderstand', namespace);
  return elsewhere === undefined && (value === '1' || value === 'true');
}

function actionOf({ headers }: Request, version: SoapVersion): string | undefined {
  const sent = version === '1.1' ? headers.soapaction : mediaType(headers['content-type'])?.params.get('action');
  return sent?.replace(/^"(.*)"$/, '$1') ?? undefined;
}
