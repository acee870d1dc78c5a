/**
 * What a SOAP fault in an answer means for the message: who must act is read off its code, which goes into the reason. Its
 * text goes into a dead letter alone; its detail is never looked at.
 *
 * @see SAP Help, "Creating an Exception Response for SOAP-Based Adapters"; SOAP 1.1 section 4.4.1, SOAP 1.2 section 5.4.6
 */
import type { HttpAnswer } from '../../../http/http.ts';
import type { Message } from '../../../message/message.ts';
import type { Token } from '../../../token/token-endpoint.ts';
import type { Finding } from '../../outcome.ts';
import type { Shape } from '../adapter.ts';
import { ATTACHED, charsetIn, charsetOf, decoded, mediaTypeOf } from '../charset.ts';
import { codeForLog, textForLetter } from '../error-text.ts';
import { rootOf } from '../odata/multipart.ts';
import type { Fault } from './fault.ts';

/** A fault stands at the beginning of its answer, before the detail. */
const LOOKED_AT_BYTES = 65_536;
/** These speak of the call, the token or the size, and not of what is in the envelope. */
const STATUS_STANDS = new Set([401, 403, 404, 405, 408, 413, 425, 429, 503]);

const MEANING: ReadonlyMap<string | undefined, Pick<Finding, 'kind' | 'conclusion'>> = new Map([
  ['Client', { kind: 'rejected' }],
  ['Sender', { kind: 'rejected' }],
  ['Server', { kind: 'failed' }],
  ['Receiver', { kind: 'failed' }],
  // Not the message is wrong but what the flow and the settings make of it: put right, the same message is taken.
  [
    'VersionMismatch',
    {
      kind: 'blocked',
      conclusion:
        'the flow takes another version of SOAP; the operator must correct the setting "soapVersion" or the flow',
    },
  ],
  // Only the sender's envelope can demand something: none that is made here does.
  [
    'MustUnderstand',
    { kind: 'rejected', conclusion: 'its envelope demands what the flow does not know; the sender must correct it' },
  ],
  ['DataEncodingUnknown', { kind: 'rejected' }],
]);

/** What CXF says of a payload that is no envelope or not well-formed, depending on the version and on where it breaks. */
const MAY_BE_THE_PAYLOADS: ReadonlySet<string | undefined> = new Set(['VersionMismatch', 'Server', 'Receiver']);

/** Reads an answer of a SOAP endpoint; where a fault may be the payload's, that, too. Never throws. */
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
  // Saves most answers the parser. In every encoding with ASCII in it the element's name stands as these bytes.
  if (!bytes.includes('Fault') && !bytes.includes(0)) return undefined;
  const { faultIn } = await import('./fault.ts');
  // What a content type says may be wrong, or no encoding at all: a fault is one all the same.
  const found = charsetIn(bytes) ?? 'utf-8';
  const charsets = new Set([charsetOf(headers['content-type']) ?? found, found]);
  let fault: Fault | undefined;
  for (const charset of charsets) {
    const text = decoded(bytes, charset);
    // Scripts leave white space before the declaration, where XML has none.
    if (text !== undefined) fault ??= faultIn(text.trimStart());
  }
  if (fault === undefined) return undefined;

  const told = { says: wordsFor(fault, token), detail: textForLetter(fault.text ?? '', token) };
  const family = Math.floor(status / 100);
  if (STATUS_STANDS.has(status) || family === 3) return told;
  const base = baseOf(fault);
  if (MAY_BE_THE_PAYLOADS.has(base)) {
    const { problemOf } = await import('./payload.ts');
    const problem = await problemOf(message, shape);
    const conclusion = `the payload ${problem}; the sender must correct it`;
    if (problem !== undefined) return { kind: 'rejected', conclusion, ...told };
  }
  const meaning = MEANING.get(base);
  if (meaning !== undefined) return { ...meaning, ...told };
  // A code of the flow's own making: the status decides, but for one that says that all is well.
  return family === 2 ? { kind: 'failed', ...told } : told;
}

/** SOAP 1.1 has codes that go on behind a dot: `Client.Order`. Undefined for a code that is none of SOAP's. */
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
