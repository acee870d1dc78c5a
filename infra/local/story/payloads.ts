/** What is sent in the story, as legacy systems have it, and what the flows make of it. */
import { readFileSync } from 'node:fs';
import type { FlowResult, Received } from '../sap/runtime-node/integration-flow.ts';

/** A payload as a legacy system has it. */
export interface Payload {
  readonly what: string;
  readonly contentType: string;
  readonly bytes: Buffer;
}

const FILES = { idoc: 'orders05.xml', json: 'order.json', pdf: 'delivery-note.pdf' } as const;
const read = (name: string) => readFileSync(new URL(`payloads/${name}`, import.meta.url));
export const PAYLOADS: Readonly<Record<keyof typeof FILES, Payload>> = {
  idoc: { what: 'IDoc ORDERS05', contentType: 'application/xml; charset=utf-8', bytes: read(FILES.idoc) },
  json: { what: 'order, JSON', contentType: 'application/json', bytes: read(FILES.json) },
  pdf: { what: 'delivery note, PDF', contentType: 'application/pdf', bytes: read(FILES.pdf) },
};

/** What the flow of the story makes of an order: for one without a customer it has no use, until it is deployed anew. */
export function orderFlow({ body }: Received): FlowResult {
  const isRefused = body.includes('"customer": ""');
  return isRefused ? { status: 422, headers: { 'Content-Type': 'text/plain' }, body: 'no customer' } : undefined;
}

/** What is asked of the flow `stock`, and what it knows. */
export const STOCK_REQUEST = '{"material":"PUMP-100"}';
export function stockFlow(): FlowResult {
  const body = '{"material":"PUMP-100","available":12}\n';
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body };
}

export const REFUSED: Payload = {
  what: 'order without customer',
  contentType: 'application/json',
  bytes: Buffer.from(PAYLOADS.json.bytes.toString().replace(/"customer": "\d+"/, '"customer": ""')),
};
