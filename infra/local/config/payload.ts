/** A payload that suits a destination's adapter and what its webhook takes: to begin with, and to be replaced by one's own. */
import { readFileSync } from 'node:fs';
import { placeFlow } from './flow.ts';
import type { Written } from './settings.ts';

export interface SamplePayload {
  readonly text: string;
  readonly contentType: string;
  /** Of its file. */
  readonly ending: 'json' | 'xml' | 'txt';
}

const read = (name: string) => readFileSync(new URL(`../story/payloads/${name}`, import.meta.url), 'utf8');
/** With an `id`, where Stripe has that of the message. */
const ORDER = '{"id":"evt_4711","orderNumber":"4711","currency":"EUR"}\n';
const ENTITY = '{"Description":"Pump, 25 mm","Unit":"PCE"}\n';
const SOAP_1_1 = 'http://schemas.xmlsoap.org/soap/envelope/';
const SOAP_1_2 = 'http://www.w3.org/2003/05/soap-envelope';

export function samplePayload(name: string, settings: Written): SamplePayload {
  const { adapter = 'https', soapVersion, soapWrap, webhook } = settings;
  const [wanted = settings.contentType] = webhook?.contentTypes ?? [];
  if (adapter === 'odata') return odataPayload(name, settings);
  if (adapter !== 'https' && String(soapWrap) === 'true') {
    return { text: read('invoice.xml'), contentType: wanted ?? 'application/xml', ending: 'xml' };
  }
  if (adapter !== 'https') {
    const isNew = String(soapVersion) === '1.2';
    const text = read('invoice-soap.xml');
    const byVersion = isNew ? 'application/soap+xml; charset=utf-8' : 'text/xml; charset=utf-8';
    return { text: isNew ? text.replace(SOAP_1_1, SOAP_1_2) : text, contentType: wanted ?? byVersion, ending: 'xml' };
  }
  const contentType = (wanted ?? 'application/json').replace(/^(\w+)\/\*$/, '$1/plain');
  if (/[/+]xml\b/.test(contentType)) return { text: read('orders05.xml'), contentType, ending: 'xml' };
  return { text: ORDER, contentType, ending: /[/+]json\b/.test(contentType) ? 'json' : 'txt' };
}

function odataPayload(name: string, settings: Written): SamplePayload {
  if (!placeFlow(name, settings).target.endsWith('/$batch'))
    return { text: ENTITY, contentType: 'application/json', ending: 'json' };
  const operation = [
    ...['--batch', 'Content-Type: multipart/mixed; boundary=changes', '', '--changes'],
    ...['Content-Type: application/http', 'Content-Transfer-Encoding: binary', 'Content-ID: 1', ''],
    ...['POST Materials HTTP/1.1', 'Content-Type: application/json', `Content-Length: ${ENTITY.length}`, ''],
    ...[ENTITY, '--changes--', '--batch--', ''],
  ];
  return { text: operation.join('\r\n'), contentType: 'multipart/mixed; boundary=batch', ending: 'txt' };
}
