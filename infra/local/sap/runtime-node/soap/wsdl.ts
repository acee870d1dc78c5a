/**
 * The WSDL 1.1 of a flow's SOAP endpoint, as a developer downloads it: one document/literal operation with a port for
 * each SOAP version, with output where the sender gets a reply. The flow itself takes any element, as one with a manual
 * service definition does.
 */
import type { Answer } from '../../../server/server.ts';
import { endpointPath, type IntegrationFlow } from '../integration-flow.ts';
import { escapeXml } from '../xml.ts';
import type { SoapOperation } from './channel.ts';

const defaultOperation: SoapOperation = { name: 'Send', namespace: 'urn:landscape:messages', fields: ['id', 'note'] };

/** `baseUrl` is the node's, as the caller has it. */
export function wsdlAnswer(flow: IntegrationFlow, baseUrl: string): Answer {
  const { name, namespace, fields } = flow.soap.operation ?? defaultOperation;
  const replies = flow.sender === 'soap' && (flow.soap.messageExchangePattern ?? 'request-reply') === 'request-reply';
  const location = escapeXml(`${baseUrl}${endpointPath(flow)}`);
  const strings = fields.map((field) => `<xsd:element name="${field}" type="xsd:string" minOccurs="0"/>`).join('');
  const element = (local: string): string =>
    `<xsd:element name="${local}"><xsd:complexType><xsd:sequence>${strings}</xsd:sequence></xsd:complexType></xsd:element>`;
  const message = (local: string): string =>
    `<wsdl:message name="${local}"><wsdl:part name="parameters" element="tns:${local}"/></wsdl:message>`;
  const binding = (version: string, prefix: string): string =>
    `<wsdl:binding name="${name}${version}" type="tns:${name}PortType"><${prefix}:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/><wsdl:operation name="${name}"><${prefix}:operation soapAction="${namespace}/${name}"/><wsdl:input><${prefix}:body use="literal"/></wsdl:input>${replies ? `<wsdl:output><${prefix}:body use="literal"/></wsdl:output>` : ''}</wsdl:operation></wsdl:binding>`;
  const port = (version: string, prefix: string): string =>
    `<wsdl:port name="${name}Port${version}" binding="tns:${name}${version}"><${prefix}:address location="${location}"/></wsdl:port>`;
  const bodies = [
    `<wsdl:types><xsd:schema targetNamespace="${namespace}" elementFormDefault="qualified">${element(name)}${replies ? element(`${name}Response`) : ''}</xsd:schema></wsdl:types>`,
    message(name),
    replies ? message(`${name}Response`) : '',
    `<wsdl:portType name="${name}PortType"><wsdl:operation name="${name}"><wsdl:input message="tns:${name}"/>${replies ? `<wsdl:output message="tns:${name}Response"/>` : ''}</wsdl:operation></wsdl:portType>`,
    binding('11', 'soap'),
    binding('12', 'soap12'),
    `<wsdl:service name="${name}Service">${port('11', 'soap')}${port('12', 'soap12')}</wsdl:service>`,
  ];
  const xml = `<?xml version="1.0" encoding="UTF-8"?><wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:tns="${namespace}" targetNamespace="${namespace}">${bodies.join('')}</wsdl:definitions>`;
  return { status: 200, headers: { 'Content-Type': 'text/xml;charset=UTF-8' }, body: xml };
}
