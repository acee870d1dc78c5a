/**
 * SAP's id of the message processing log, the flow's mark: what refuses a call before the flow (proxy, container, security
 * filter) has no log to name. So an answer that names one came from the flow, whatever its status.
 *
 * @see SAP Help, "Define Error Configuration"
 */
import type { HttpAnswer } from '../http-client.ts';

/** On failure it stands in the text of the body, on success at most in a header. Undefined: no id, no mark. */
export function mplIdOf({ headers, body }: Pick<HttpAnswer, 'headers' | 'body'>): string | undefined {
  for (const name of ['sap_messageprocessinglogid', 'sap-messageprocessinglogid']) {
    const value = headers[name];
    if (typeof value === 'string' && /^[\w-]{20,40}$/.test(value)) return value;
  }
  if (!body.includes('MPL ID')) return undefined;
  const [, afterColon, named] =
    /MPL ID(?:[^:]{0,60}:\s*([\w-]{20,40})|\s+([\w-]{20,40})\b)/.exec(body.toString('latin1')) ?? [];
  return afterColon ?? named;
}
