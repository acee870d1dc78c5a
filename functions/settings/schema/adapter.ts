/**
 * The settings of the sender adapters: their schema, which adapter has which, and their defaults. A setting of another
 * adapter is a mistake, since it would have no effect.
 */
import * as v from 'valibot';
import type { SoapVersion } from '../destination.ts';
import { flag, headerName, headerValue, oneOf, text } from './fields.ts';

const QUEUE_ID = 'expected a queue id of at most 128 printable ASCII characters';
/** YAML reads an unquoted 1.1 as a number. */
const soapVersion = v.pipe(
  v.picklist(['1.1', '1.2', 1.1, 1.2], 'expected 1.1 or 1.2'),
  v.transform((version) => String(version) as SoapVersion),
);

export const adapterFields = {
  adapter: v.optional(oneOf(['https', 'soap', 'soap-rm', 'odata']), 'https'),
  method: v.optional(oneOf(['POST', 'PUT', 'PATCH', 'DELETE', 'MERGE'])),
  contentType: v.optional(v.pipe(headerValue, v.includes('/', 'expected a media type, such as application/xml'))),
  csrf: v.optional(flag),
  idHeader: v.optional(headerName('expected a header name')),
  soapVersion: v.optional(soapVersion),
  soapAction: v.optional(v.pipe(headerValue, v.regex(/^[^"\\]*$/, 'expected a URI without quotes'))),
  soapWrap: v.optional(flag),
  messageIdAs: v.optional(oneOf(['query', 'header'])),
  messageIdFormat: v.optional(oneOf(['guid', 'as-is'])),
  qualityOfService: v.optional(oneOf(['ExactlyOnce', 'ExactlyOnceInOrder'])),
  queueId: v.optional(v.pipe(text(QUEUE_ID), v.regex(/^[!-~]{1,128}$/, QUEUE_ID))),
  queueIdFromGroup: v.optional(flag),
  resendPartialBatch: v.optional(flag),
};

/** A destination's settings, each valid by itself, before the defaults are added. */
export type Written = v.InferOutput<v.ObjectSchema<typeof adapterFields, undefined>> & {
  readonly query: Readonly<Record<string, string>>;
  readonly url?: string | undefined;
};

const SOAP = ['soap', 'soap-rm'];
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  soapVersion: SOAP,
  soapAction: SOAP,
  soapWrap: SOAP,
  messageIdAs: ['soap-rm'],
  messageIdFormat: ['soap-rm'],
  qualityOfService: ['soap-rm'],
  queueId: ['soap-rm'],
  queueIdFromGroup: ['soap-rm'],
  resendPartialBatch: ['odata'],
};
const RM_PARAMETERS = ['MessageId', 'QualityOfService', 'QueueId'];

/** Whether the setting is of another adapter alone. */
export function strangerTo(adapter: string, field: string): boolean {
  return OWNERS[field]?.includes(adapter) === false;
}

/** @returns for each setting that does not go with the destination's adapter, its name and why */
export function strangers(written: Written): [field: string, problem: string][] {
  const { adapter, method = 'POST', query, url, queueId, queueIdFromGroup = false, qualityOfService } = written;
  const found: [string, string][] = [];
  for (const [field, owners] of Object.entries(OWNERS)) {
    if (field in written && !owners.includes(adapter)) found.push([field, `only for adapter ${owners.join(' or ')}`]);
  }
  if (method === 'MERGE' && adapter !== 'odata') found.push(['method', 'MERGE is only for adapter odata']);
  else if (method !== 'POST' && SOAP.includes(adapter)) found.push(['method', 'expected POST: SOAP knows no other']);
  if (adapter !== 'soap-rm') return found;

  // A second parameter of that name might be the one that counts: all messages would have the same id.
  for (const [field, names] of [
    ['query', Object.keys(query)],
    ['url', [...(URL.parse(url ?? '')?.searchParams.keys() ?? [])]],
  ] as const) {
    if (RM_PARAMETERS.some((own) => names.some((name) => name.toLowerCase() === own.toLowerCase())))
      found.push([field, `${RM_PARAMETERS.join(', ')} are written by adapter soap-rm`]);
  }
  const isQueued = queueId !== undefined || queueIdFromGroup;
  if (queueId !== undefined && queueIdFromGroup) found.push(['queueId', 'expected either queueId or queueIdFromGroup']);
  else if (qualityOfService === 'ExactlyOnceInOrder' && !isQueued)
    found.push(['qualityOfService', 'ExactlyOnceInOrder needs queueId or queueIdFromGroup: order holds in a queue']);
  else if (qualityOfService !== 'ExactlyOnceInOrder' && isQueued)
    found.push([queueIdFromGroup ? 'queueIdFromGroup' : 'queueId', 'only for qualityOfService ExactlyOnceInOrder']);
  return found;
}

/** The defaults of the settings that this adapter has. */
export function defaultsOf({ adapter, soapVersion = '1.1' }: Written) {
  const call = { method: 'POST', contentType: 'application/json', csrf: false } as const;
  const envelope = { ...call, contentType: ENVELOPE_TYPES[soapVersion], soapVersion, soapAction: '', soapWrap: false };
  const idHeader = 'SAP_ApplicationID';
  switch (adapter) {
    case 'https':
      return { ...call, idHeader };
    case 'soap':
      return { ...envelope, idHeader };
    case 'soap-rm':
      return { ...envelope, messageIdAs: 'query', messageIdFormat: 'guid', queueIdFromGroup: false } as const;
    case 'odata':
      return { ...call, idHeader, csrf: true, resendPartialBatch: false };
  }
}

const ENVELOPE_TYPES: Readonly<Record<SoapVersion, string>> = {
  '1.1': 'text/xml; charset=utf-8',
  '1.2': 'application/soap+xml; charset=utf-8',
};
