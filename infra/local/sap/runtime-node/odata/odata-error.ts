/**
 * What an OData service says when it refuses (OData V2, "Error Condition" of the JSON and Atom formats): one error
 * class for all that is wrong with a request, and its two shapes.
 */
import type { Answer } from '../../../server/server.ts';
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

/**
 * `{"error":{"code","message":{"lang","value"}}}`, or its Atom twin; without a code, as Olingo 2.0.13 has them (whether
 * SAP's adapter sets one is not known).
 */
export function errorAnswer(format: Format, { status, message }: Pick<ODataError, 'status' | 'message'>): Answer {
  const body =
    format === 'json'
      ? JSON.stringify({ error: { code: null, message: { lang: 'en', value: message } } })
      : `<?xml version='1.0' encoding='UTF-8'?><error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><code/><message xml:lang="en">${escapeXml(message)}</message></error>`;
  const headers = { 'Content-Type': `application/${format === 'json' ? 'json' : 'xml'}`, DataServiceVersion: '1.0' };
  return { status, headers, body };
}
