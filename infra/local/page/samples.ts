/** Messages such as legacy systems send, one that suits the sender adapter of each destination. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { LocalDestination } from '../destination.ts';

export interface Sample {
  readonly contentType: string;
  readonly bytes: Buffer;
}

const read = (name: string) => readFileSync(new URL(`../story/payloads/${name}`, import.meta.url));
const INVOICE: Sample = { contentType: 'text/xml; charset=utf-8', bytes: read('invoice-soap.xml') };
const SAMPLES: Readonly<Record<string, readonly Sample[]>> = {
  https: [
    { contentType: 'application/json', bytes: read('order.json') },
    { contentType: 'application/xml; charset=utf-8', bytes: read('orders05.xml') },
    { contentType: 'application/pdf', bytes: read('delivery-note.pdf') },
  ],
  soap: [INVOICE],
  'soap-rm': [INVOICE],
  odata: [{ contentType: 'application/json', bytes: read('material.json') }],
};

/** They take turns by `index`. */
export function sampleFor({ flow }: LocalDestination, index: number): Sample {
  const samples = SAMPLES[flow.sender ?? 'https'] ?? [];
  return samples[index % samples.length] ?? INVOICE;
}

/** As any sender may do it: text as it is, bytes as base64, the content type beside it. */
export function sendSample({ queue }: LocalDestination, { contentType, bytes }: Sample): void {
  const isText = !contentType.endsWith('pdf');
  const string = (stringValue: string) => ({ dataType: 'String', stringValue });
  queue.send({
    body: bytes.toString(isText ? 'utf8' : 'base64'),
    attributes: { contentType: string(contentType), ...(isText ? {} : { bodyEncoding: string('base64') }) },
    ...(queue.fifo ? { groupId: 'samples', deduplicationId: randomUUID() } : {}),
  });
}
