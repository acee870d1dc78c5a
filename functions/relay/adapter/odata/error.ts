/**
 * The error in the body of an OData service's answer, as JSON or as XML.
 *
 * @see OData V2, "JSON Format" and "Atom Format", error responses
 */
import type { HttpAnswer } from '../../../http/http.ts';
import { isRecord, parseJson } from '../../../untrusted.ts';
import { charsetIn, charsetOf, decoded } from '../charset.ts';

/** Both are empty if they are missing. */
export interface ODataError {
  readonly code: string;
  readonly text: string;
}

const LOOKED_AT_BYTES = 65_536;
/** Of OData V2, then of V4. */
const METADATA = [
  'http://schemas.microsoft.com/ado/2007/08/dataservices/metadata',
  'http://docs.oasis-open.org/odata/ns/metadata',
];

/** @returns undefined if the body holds no such error */
export async function errorIn({
  headers,
  body,
}: Pick<HttpAnswer, 'headers' | 'body'>): Promise<ODataError | undefined> {
  const bytes = body.subarray(0, LOOKED_AT_BYTES);
  const text = decoded(bytes, charsetOf(headers['content-type']) ?? charsetIn(bytes) ?? 'utf-8')?.trimStart();
  if (text?.startsWith('{')) return errorInJson(text);
  // Usually a page of HTML, for which no XML parser is loaded.
  if (text === undefined || !METADATA.some((uri) => text.includes(uri))) return undefined;
  return errorInXml(text);
}

function errorInJson(text: string): ODataError | undefined {
  const error = fieldOf(parseJson(text), 'error');
  if (!isRecord(error)) return undefined;
  const message = fieldOf(error, 'message');
  return made(fieldOf(error, 'code'), isRecord(message) ? fieldOf(message, 'value') : message);
}

async function errorInXml(text: string): Promise<ODataError | undefined> {
  const { readXml } = await import('../xml.ts');
  const read = new Map<string, string>();
  let characters = '';
  let isError = false;
  readXml(text, {
    open({ local, uri, depth }) {
      characters = '';
      if (depth === 1) isError = local === 'error' && METADATA.includes(uri);
      return isError ? undefined : 'stopped';
    },
    text(more) {
      characters += more;
    },
    close({ local, depth }) {
      if (depth === 2 && !read.has(local)) read.set(local, characters.trim());
      return undefined;
    },
  });
  return isError ? made(read.get('code'), read.get('message')) : undefined;
}

function made(code: unknown, text: unknown): ODataError {
  return { code: typeof code === 'string' ? code : '', text: typeof text === 'string' ? text : '' };
}

function fieldOf(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
