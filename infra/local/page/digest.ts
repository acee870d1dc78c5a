/**
 * By what a payload is known again at SAP: the SHA-256 of its bytes, and where the relay puts it into an envelope, of what
 * is inside. Two settings change bytes, as functions/relay/adapter/README.md says: `soapWrap` takes byte order mark and
 * declaration off and puts tags around, `messageIdAs: header` puts a header block in. Nothing else may differ.
 */
import { createHash } from 'node:crypto';

/** Lower-case hex; of a payload without byte order mark and XML declaration with `bare ` before it. */
export type Digest = string;

/** What a destination's settings do to bytes. */
export type Settings = Readonly<Record<string, unknown>>;

export function digestsOf(payload: Uint8Array): readonly Digest[] {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const whole = sha256(bytes);
  const start = BEFORE_ROOT.exec(bytes.toString('latin1', 0, 1_024))?.[0].length ?? 0;
  return [whole, `bare ${start === 0 ? whole : sha256(bytes.subarray(start))}`];
}

/** Byte order mark of UTF-8, and declaration. */
const BEFORE_ROOT = /^(?:\xEF\xBB\xBF)?(?:<\?xml\s[^<>]*\?>)?/;

/** Of all payloads of which the relay makes this body by these settings. */
export function digestsOfBody(body: Uint8Array, { soapWrap, messageIdAs }: Settings): readonly Digest[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const text = soapWrap === true || messageIdAs === 'header' ? bytes.toString('latin1') : '';
  const [start = '', prefix] = (soapWrap === true ? ENVELOPE_START : NOTHING).exec(text) ?? [];
  const end = `</${prefix}:Body></${prefix}:Envelope>`;
  const isMade = start !== '' && text.endsWith(end);
  return [
    sha256(bytes),
    ...(isMade ? [`bare ${sha256(bytes.subarray(start.length, -end.length))}`] : []),
    ...(messageIdAs === 'header' ? withoutId(text).map((one) => sha256(Buffer.from(one, 'latin1'))) : []),
  ];
}

const NOTHING = /^$/;
const ID_BLOCK = '<messageId xmlns="http://www.sap.com/webas/640/soap/features/messageId/">[^<]*</messageId>';
/** All that the relay puts before a payload: declaration, start tag, the id where that is wanted, start tag. */
const ENVELOPE_START = new RegExp(
  `^(?:<\\?xml [^<>]*\\?>)?<(\\w+):Envelope xmlns:\\1="[^"]*">(?:<\\1:Header>${ID_BLOCK}</\\1:Header>)?<\\1:Body>`,
);

/** The envelope as it may have been: with a header that had more in it, with an empty one, with none. */
function withoutId(text: string): string[] {
  const [block = '', name] = new RegExp(`(?:<((?:\\w+:)?Header)>)?${ID_BLOCK}`).exec(text) ?? [];
  if (block === '') return [];
  const own = name === undefined ? block : block.slice(`<${name}>`.length);
  const whole = `${block}</${name}>`;
  const isAlone = name !== undefined && text.includes(whole);
  return [text.replace(own, ''), ...(isAlone ? [text.replace(whole, ''), text.replace(whole, `<${name}/>`)] : [])];
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
