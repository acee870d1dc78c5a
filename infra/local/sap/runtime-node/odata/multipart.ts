/**
 * Bodies of `multipart/mixed` (RFC 2046 section 5.1) and of `application/http` within them (RFC 9112), as `$batch`
 * nests them. Bytes are kept as they are: text here is Latin-1, one character for each byte. What parts mean is for
 * `batch.ts`.
 */
import { STATUS_CODES } from 'node:http';
import type { Answer } from '../../../server/server.ts';
import { mediaType } from '../media-type.ts';
import { ODataError } from './odata-error.ts';

export interface Part {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request inside a part. */
export interface PartRequest extends Part {
  readonly method: string;
  readonly target: string;
}

/** The boundary of a content type; undefined when it is not multipart/mixed with one. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const type = mediaType(contentType);
  return type?.essence === 'multipart/mixed' ? (type.params.get('boundary') ?? undefined) : undefined;
}

/** Throws an ODataError, 400, for a body whose last boundary is missing, or which has no part. */
export function readParts(body: string, boundary: string): readonly Part[] {
  const delimiter = `--${boundary}`;
  const parts: Part[] = [];
  let partStart: number | undefined;
  let closed = false;
  for (const { start, end, text } of lines(body)) {
    const line = text.trimEnd();
    if (closed || (line !== delimiter && line !== `${delimiter}--`)) continue;
    // The line break before a delimiter belongs to the delimiter.
    if (partStart !== undefined) parts.push(readPart(withoutLastBreak(body.slice(partStart, start))));
    partStart = end;
    closed = line !== delimiter;
  }
  if (!closed || parts.length === 0)
    throw new ODataError(400, 'The multipart body has no part, or does not end with its boundary.');
  return parts;
}

/** Throws an ODataError, 400, for what is no HTTP/1.1 request of a method that OData has. */
export function readPartRequest(text: string): PartRequest {
  const [first] = lines(text);
  const [, method, target] = /^(GET|POST|PUT|MERGE|PATCH|DELETE) (\S+) HTTP\/1\.1$/.exec(first?.text ?? '') ?? [];
  if (first === undefined || method === undefined || target === undefined) {
    throw new ODataError(400, `Invalid request line '${first?.text ?? ''}'.`);
  }
  const { headers, body } = readPart(text.slice(first.end));
  const { 'content-length': length = String(body.length) } = headers;
  if (!/^\d+$/.test(length)) throw new ODataError(400, `Invalid header: '${length}'.`);
  return { method, target, headers, body: body.slice(0, Number(length)) };
}

/** A body of these parts, and its content type. */
export function writeParts(
  parts: readonly string[],
  boundary: string,
): { readonly type: string; readonly body: string } {
  const body = [...parts.map((part) => `--${boundary}\r\n${part}\r\n`), `--${boundary}--\r\n`].join('');
  return { type: `multipart/mixed; boundary=${boundary}`, body };
}

/** A part of content type `type`. */
export function writePart(type: string, body: string, headers: Readonly<Record<string, string>> = {}): string {
  return `${headerLines({ 'Content-Type': type, ...headers })}\r\n${body}`;
}

/** An answer as a part of type application/http has it. */
export function writePartAnswer({ status, headers = {}, body = '' }: Answer): string {
  const text = Buffer.from(body).toString('latin1');
  const single = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  const length = { 'Content-Length': String(text.length) };
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${headerLines({ ...Object.fromEntries(single), ...length })}\r\n${text}`;
}

function readPart(text: string): Part {
  const headers: Record<string, string> = {};
  for (const { text: line, end } of lines(text)) {
    if (line === '') return { headers, body: text.slice(end) };
    const colon = line.indexOf(':');
    if (colon < 1) break;
    headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  throw new ODataError(400, "Expected empty line but was '[None]'.");
}

/** Lines with the place of the line and of what follows it; one that ends with LF alone has that in its text. */
function* lines(text: string): Generator<{ readonly start: number; readonly end: number; readonly text: string }> {
  for (let start = 0; start < text.length; ) {
    const feed = text.indexOf('\n', start);
    const end = feed < 0 ? text.length : feed + 1;
    yield { start, end, text: text.slice(start, end).replace(/\r\n$/, '') };
    start = end;
  }
}

function withoutLastBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}

function headerLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}
