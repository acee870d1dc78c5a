/**
 * A flow behind each of SAP's sender adapters but HTTPS, which the story's orders go through, and a message that suits it:
 * what an integration developer sets in the channel on one side, and in `custom.destinations` on the other.
 */
import { readFileSync } from 'node:fs';
import type { DestinationPlan, Landscape, LocalDestination } from '../landscape.ts';

/** A destination, and a message for it. */
export interface Sending {
  readonly destination: LocalDestination;
  readonly payload: { readonly what: string; readonly contentType: string; readonly bytes: Buffer };
}

const read = (name: string) => readFileSync(new URL(`payloads/${name}`, import.meta.url));

export function connectSenderAdapters({ connect, runtimeNode }: Pick<Landscape, 'connect' | 'runtimeNode'>): Sending[] {
  const invoice = { contentType: 'text/xml; charset=utf-8', bytes: read('invoice-soap.xml') };
  const invoices: DestinationPlan = {
    name: 'invoices',
    flow: { sender: 'soap', soap: { messageExchangePattern: 'one-way', processing: 'robust' } },
    settings: { adapter: 'soap', soapAction: 'urn:acme:invoices:Post' },
  };
  const credits: DestinationPlan = {
    name: 'credits',
    flow: { sender: 'soap-rm', idempotentProcessCall: {} },
    settings: { adapter: 'soap-rm', qualityOfService: 'ExactlyOnce' },
  };
  const materials: DestinationPlan = {
    name: 'materials',
    flow: { sender: 'odata', odata: { entitySets: { Materials: { key: 'MaterialID' } } } },
    settings: { adapter: 'odata', url: `${runtimeNode.url}/gw/odata/SAP/materials;v=1/Materials` },
  };
  const material = { contentType: 'application/json', bytes: read('material.json') };
  return [
    { destination: connect(invoices), payload: { ...invoice, what: 'invoice, SOAP' } },
    { destination: connect(credits), payload: { ...invoice, what: 'credit, SAP RM' } },
    { destination: connect(materials), payload: { ...material, what: 'material, OData' } },
  ];
}
