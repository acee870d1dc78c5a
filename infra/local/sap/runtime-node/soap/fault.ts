/**
 * SOAP faults in the shapes of both versions (SOAP 1.1 section 4.4, SOAP 1.2 Part 1 section 5.4), and the text that a
 * runtime node gives a fault of which it tells nothing more than the log's id. When to say which is the sender's.
 */
import type { Answer } from '../../../server/server.ts';
import { escapeXml } from '../xml.ts';
import type { FaultCode, SoapVersion } from './channel.ts';
import { envelopeAnswer, namespaces } from './envelope.ts';

export interface Fault {
  readonly code: FaultCode;
  readonly text: string;
  /** XML. */
  readonly detail?: string;
  /** Default 500 (SOAP 1.1 section 6.2). */
  readonly status?: number;
}

const codes: Readonly<Record<FaultCode, Readonly<Record<SoapVersion, string>>>> = {
  client: { '1.1': 'Client', '1.2': 'Sender' },
  server: { '1.1': 'Server', '1.2': 'Receiver' },
  'version-mismatch': { '1.1': 'VersionMismatch', '1.2': 'Receiver' },
  'must-understand': { '1.1': 'MustUnderstand', '1.2': 'MustUnderstand' },
};

export function faultAnswer(version: SoapVersion, { code, text, detail, status = 500 }: Fault): Answer {
  const name = `soap:${codes[code][version]}`;
  const reason = escapeXml(text);
  const content =
    version === '1.1'
      ? `<faultcode>${name}</faultcode><faultstring>${reason}</faultstring>${inside('detail', detail)}`
      : `<soap:Code><soap:Value>${name}</soap:Value>${code === 'version-mismatch' ? mismatch : ''}</soap:Code><soap:Reason><soap:Text xml:lang="en">${reason}</soap:Text></soap:Reason>${inside('soap:Detail', detail)}`;
  return envelopeAnswer(version, status, `<soap:Fault>${content}</soap:Fault>`);
}

/** As CXF 3.6 has it on 1.2, whose own code VersionMismatch it does not use. */
const mismatch = `<soap:Subcode><soap:Value xmlns:ns1="${namespaces['1.1']}">ns1:VersionMismatch</soap:Value></soap:Subcode>`;

/** As observed (SAP blog "How to guard against huge messages", 2017); what follows `/monitoring/` is assumed. */
export function internalErrorText(mplId: string, tmnHost: string): string {
  const url = `https://${tmnHost}:443/itspaces/#/shell/monitoring/Messages/${mplId}`;
  return `An internal error occurred. For error details check MPL ID ${mplId} in message monitoring or use the URL ${url} to directly access the error information.`;
}

function inside(name: string, content: string | undefined): string {
  return content === undefined ? '' : `<${name}>${content}</${name}>`;
}
