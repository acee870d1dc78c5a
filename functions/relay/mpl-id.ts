/**
 * SAP's id of the message processing log (MPL). Proxy, container and security filter, which may refuse a call before
 * the flow, have no such log. So an answer with an MPL id came from the flow, whatever its status.
 *
 * @see SAP Help, "Define Error Configuration"
 */
import type { HttpAnswer } from '../http/http.ts';

/** After a failure it is in the text of the body, after a success at most in a header. */
export function mplIdOf({ headers, body }: Pick<HttpAnswer, 'headers' | 'body'>): string | undefined {
  for (const name of ['sap_messageprocessinglogid', 'sap-messageprocessinglogid']) {
    const all = headers[name];
    // Flow and runtime node may both set it; Node.js joins the two values with a comma.
    const value = typeof all === 'string' ? all.split(',', 1)[0]?.trim() : undefined;
    if (value !== undefined && /^[\w-]{20,40}$/.test(value)) return value;
  }
  let at = body.indexOf(WORDS);
  for (let times = 0; at >= 0 && times < LOOKED_AT; times += 1) {
    const match = ID.exec(body.toString('latin1', at, at + REACH_BYTES));
    if (match !== null) return match[1] ?? match[2];
    at = body.indexOf(WORDS, at + WORDS.length);
  }
  return undefined;
}

const WORDS = 'MPL ID';
const ID = /^MPL ID(?:[^:]{0,60}:\s{0,20}([\w-]{20,40})|\s{1,20}([\w-]{20,40})\b)/;
/** More than the words, the text between, and the id. */
const REACH_BYTES = 200;
/** An answer names the log once or twice. One that repeats the words is not searched to its end. */
const LOOKED_AT = 10;
