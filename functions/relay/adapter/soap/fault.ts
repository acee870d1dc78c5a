/**
 * Finds SOAP faults in an answer's body, by its XML structure and whatever its status. Loaded with the XML parser when
 * an answer may contain one.
 *
 * @see SOAP 1.1 section 4.4, SOAP 1.2 part 1 section 5.4
 */
import type { SoapVersion } from '../../../settings/destination.ts';
import { readXml } from '../xml.ts';

/** Namespace of the envelope → version of SOAP. */
export const ENVELOPES: ReadonlyMap<string, SoapVersion> = new Map([
  ['http://schemas.xmlsoap.org/soap/envelope/', '1.1'],
  ['http://www.w3.org/2003/05/soap-envelope', '1.2'],
]);

export interface Fault {
  /** Undefined: not readable. */
  readonly code?: FaultCode;
  readonly text?: string;
}

export interface FaultCode {
  /** `Client` or `Client.Order`, without its prefix. */
  readonly name: string;
  /** Whether it is in SOAP's own namespace or in none. */
  readonly isOfSoap: boolean;
}

/** Paths below the fault, of SOAP 1.1, then of 1.2. */
const CODES = new Set(['faultcode', 'Code/Value']);
const TEXTS = new Set(['faultstring', 'Reason/Text']);

/** @returns undefined if the text is no envelope with a fault. Of a fault that is cut off: what is there */
export function faultIn(text: string): Fault | undefined {
  let fault: Mutable<Fault> | undefined;
  let envelope: string | undefined;
  let isBody = false;
  let part: string | undefined;
  let characters = '';
  readXml(text, {
    open({ local, uri, depth }) {
      characters = '';
      if (depth === 1) {
        if (local !== 'Envelope' || !ENVELOPES.has(uri)) return 'stopped';
        envelope = uri;
      }
      if (depth === 2) isBody = local === 'Body' && uri === envelope;
      if (depth === 3 && isBody && local === 'Fault' && uri === envelope) fault = {};
      if (depth === 4) part = local;
      return undefined;
    },
    text(more) {
      characters += more;
    },
    close({ local, depth }, resolve) {
      if (fault === undefined) return undefined;
      if (depth === 3) return 'stopped';
      const value = characters.trim();
      if (value === '' || depth > 5) return undefined;
      const path = depth === 4 ? local : `${part}/${local}`;
      if (TEXTS.has(path)) fault.text ??= value;
      if (CODES.has(path)) fault.code ??= codeOf(value, (prefix) => resolve(prefix) === envelope);
      return undefined;
    },
  });
  return fault;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function codeOf(value: string, isOfSoap: (prefix: string) => boolean): FaultCode {
  const colon = value.indexOf(':');
  return { name: value.slice(colon + 1), isOfSoap: colon < 0 || isOfSoap(value.slice(0, colon)) };
}
