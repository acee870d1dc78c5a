/**
 * SOAP faults, whatever status they come with: found in an answer's body by structure, not by their words. Loaded with
 * the XML parser when an answer may hold one.
 *
 * @see SOAP 1.1 section 4.4, SOAP 1.2 part 1 section 5.4
 */
import type { SoapVersion } from '../destination.ts';
import { readXml } from './xml.ts';

/** Namespace of the envelope → version of SOAP. */
export const ENVELOPES: ReadonlyMap<string, SoapVersion> = new Map([
  ['http://schemas.xmlsoap.org/soap/envelope/', '1.1'],
  ['http://www.w3.org/2003/05/soap-envelope', '1.2'],
]);

export interface Fault {
  /** `Client` or `Client.Order`, without its prefix. Undefined: not readable. */
  readonly code?: string;
  /** Whether the code is in SOAP's own namespace, or in none. */
  readonly isOfSoap: boolean;
  readonly text?: string;
}

/** Below the fault: of SOAP 1.1, then of 1.2. */
const PATHS: ReadonlyMap<string, 'code' | 'text'> = new Map([
  ['faultcode', 'code'],
  ['faultstring', 'text'],
  ['Code/Value', 'code'],
  ['Reason/Text', 'text'],
]);

/** @returns undefined if the text is no envelope, or one that holds no fault; of a fault that was cut off, what is there */
export function faultIn(text: string): Fault | undefined {
  const read = new Map<string, string>();
  let characters = '';
  let envelope = '';
  let isBody = false;
  let isFault = false;
  let isOfSoap = false;
  let part = '';
  readXml(text, {
    open({ local, uri, depth }) {
      characters = '';
      if (depth === 1) {
        if (local !== 'Envelope' || !ENVELOPES.has(uri)) return 'stop';
        envelope = uri;
      }
      if (depth === 2) isBody = local === 'Body' && uri === envelope;
      if (depth === 3) isFault = isBody && local === 'Fault' && uri === envelope;
      if (depth === 4) part = local;
      return undefined;
    },
    text(more) {
      characters += more;
    },
    close({ local, depth }, resolve) {
      if (!isFault) return undefined;
      if (depth === 3) return 'stop';
      const field = depth === 4 ? PATHS.get(local) : depth === 5 ? PATHS.get(`${part}/${local}`) : undefined;
      if (field === undefined || read.has(field)) return undefined;
      const value = characters.trim();
      read.set(field, value);
      const colon = value.indexOf(':');
      if (field === 'code') isOfSoap = colon < 0 || resolve(value.slice(0, colon)) === envelope;
      return undefined;
    },
  });
  if (!isFault) return undefined;
  const [code, said] = [read.get('code'), read.get('text')];
  return {
    isOfSoap,
    ...(code ? { code: code.slice(code.indexOf(':') + 1) } : {}),
    ...(said ? { text: said } : {}),
  };
}
