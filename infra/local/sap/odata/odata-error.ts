/**
 * What an OData service says when it refuses (OData V2, "Error Condition" of the JSON and Atom formats): one error class
 * for all that is wrong with a request, and its two shapes.
 */
import { STATUS_CODES } from 'node:http';
import type { Answer } from '../../server.ts';
import { escapeXml } from '../xml.ts';

export type Format = 'json' | 'atom';

/** A request that the service refuses with `status`; the message is told. */
export class ODataError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** `{"error":{"code","message":{"lang","value"}}}`, or its Atom twin; the code is the status in words [assumed]. */
export function errorAnswer(format: Format, { status, message }: Pick<ODataError, 'status' | 'message'>): Answer {
  const code = (STATUS_CODES[status] ?? String(status)).replaceAll(' ', '');
  const body =
    format === 'json'
      ? JSON.stringify({ error: { code, message: { lang: 'en', value: message } } })
      : `<?xml version="1.0" encoding="utf-8"?><error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><code>${code}</code><message xml:lang="en">${escapeXml(message)}</message></error>`;
  const type = format === 'json' ? 'application/json' : 'application/xml';
  return { status, headers: { 'Content-Type': `${type};charset=utf-8`, DataServiceVersion: '1.0' }, body };
}
