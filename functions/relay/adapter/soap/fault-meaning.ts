/**
 * What a SOAP fault in an answer means for the message. Its code decides who must act, and is part of the reason. Its
 * text is only for a dead letter; its detail is never read.
 *
 * @see SAP Help, "Creating an Exception Response for SOAP-Based Adapters"; SOAP 1.1 section 4.4.1, SOAP 1.2 section
 * 5.4.6
 */
import type { HttpAnswer } from '../../../http/http.ts';
import type { Message } from '../../../message/message.ts';
import type { Token } from '../../../token/token-endpoint.ts';
import type { Finding } from '../../outcome.ts';
import type { Shape } from '../adapter.ts';
import { ATTACHED, charsetIn, charsetOf, decoded, mediaTypeOf } from '../charset.ts';
import { codeForLog, textForLetter } from '../error-text.ts';
import { rootOf } from '../multipart.ts';
import type { Fault } from './fault.ts';

/** Code and text of a fault come before its detail, which may be long. */
const LOOKED_AT_BYTES = 65_536;
/** These statuses are about the call, the token or the size, and not about the envelope's content. */
const STATUS_STANDS = new Set([401, 403, 404, 405, 408, 413, 425, 429, 503]);

const MEANING: ReadonlyMap<string | undefined, Pick<Finding, 'kind' | 'conclusion'>> = new Map([
  ['Client', { kind: 'rejected' }],
  ['Sender', { kind: 'rejected' }],
  ['Server', { kind: 'failed' }],
  ['Receiver', { kind: 'failed' }],
  // The settings or the flow are wrong: once they are corrected, the same message is taken.
  [
    'VersionMismatch',
    {
      kind: 'blocked',
      conclusion:
        'the flow takes another version of SOAP; the operator must correct the setting "soapVersion" or the flow',
    },
  ],
  // `mustUnderstand` is in the sender's own envelope: an envelope made here has none.
  [
    'MustUnderstand',
    { kind: 'rejected', conclusion: 'its envelope demands what the flow does not know; the sender must correct it' },
  ],
  ['DataEncodingUnknown', { kind: 'rejected' }],
]);

/** CXF's codes for a payload that is no envelope or not well-formed, by version and by the place of the error. */
const MAY_BE_THE_PAYLOADS: ReadonlySet<string | undefined> = new Set(['VersionMismatch', 'Server', 'Receiver']);

/** Reads an answer of a SOAP endpoint, and the payload, if a fault may be about that. Never throws. */
export async function readFault(
  answer: HttpAnswer,
  message: Message,
  token: Token,
  shape: Shape,
): Promise<Finding | undefined> {
  const { status } = answer;
  const beginning = { headers: answer.headers, body: answer.body.subarray(0, LOOKED_AT_BYTES) };
  const isAttached = mediaTypeOf(answer.headers['content-type']) === ATTACHED;
  const { headers, body: bytes } = isAttached ? rootOf(beginning) : beginning;
  // Without these bytes there is no fault, except in UTF-16, which has zero bytes. Most answers need no parser so.
  if (!bytes.includes('Fault') && !bytes.includes(0)) return undefined;
  const { faultIn } = await import('./fault.ts');
  // The charset of the content type may be wrong, or no encoding at all: then the bytes decide.
  const found = charsetIn(bytes) ?? 'utf-8';
  const charsets = new Set([charsetOf(headers['content-type']) ?? found, found]);
  let fault: Fault | undefined;
  for (const charset of charsets) {
    const text = decoded(bytes, charset);
    // Groovy scripts often write white space before the declaration, which XML does not allow.
    if (text !== undefined) fault ??= faultIn(text.trimStart());
  }
  if (fault === undefined) return undefined;

  const words = { says: wordsFor(fault, token), detail: textForLetter(fault.text ?? '', token) };
  const family = Math.floor(status / 100);
  if (STATUS_STANDS.has(status) || family === 3) return words;
  const base = baseOf(fault);
  if (MAY_BE_THE_PAYLOADS.has(base)) {
    const { problemOf } = await import('./payload.ts');
    const problem = await problemOf(message, shape);
    const conclusion = `the payload ${problem}; the sender must correct it`;
    if (problem !== undefined) return { kind: 'rejected', conclusion, ...words };
  }
  const meaning = MEANING.get(base);
  if (meaning !== undefined) return { ...meaning, ...words };
  // A code of the flow's own: the status decides, except for a 2xx, which a fault contradicts.
  return family === 2 ? { kind: 'failed', ...words } : words;
}

/** Without the part after the dot that SOAP 1.1 allows (`Client.Order`). Undefined for a code that is not SOAP's. */
function baseOf({ code }: Fault): string | undefined {
  return code?.isOfSoap ? code.name.split('.', 1)[0] : undefined;
}

function wordsFor(fault: Fault, token: Token): string {
  const { code } = fault;
  if (code === undefined) return 'a fault without a code';
  const base = baseOf(fault);
  const shown = codeForLog(code.name, token) ?? (MEANING.has(base) ? base : undefined);
  if (shown === undefined) return 'a fault whose code is no name';
  return code.isOfSoap ? `fault ${shown}` : `fault ${shown} of another namespace`;
}
