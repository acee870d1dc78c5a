/**
 * The answer to an OData batch, taken apart: a multipart body whose parts are HTTP answers, or change sets, which are
 * multipart bodies of such parts. What the statuses in it mean is for others.
 *
 * @see RFC 2046 section 5.1, OData V2 "Batch Processing"
 */
import type { HttpAnswer } from '../../http-client.ts';
import { mediaTypeOf } from './charset.ts';

/** What became of one operation; of a change set that failed as a whole there is one for all of it. */
export type Operation = Pick<HttpAnswer, 'status' | 'headers' | 'body'>;

export interface Operations {
  readonly operations: readonly Operation[];
  /** False where a part is missing or cannot be read, so that there may be operations beside these. */
  readonly isWhole: boolean;
}

/** A change set is in a batch, and nothing is in a change set but answers. */
const MAX_DEPTH = 2;

export function operationsIn({
  headers,
  body,
  truncated,
}: Pick<HttpAnswer, 'headers' | 'body' | 'truncated'>): Operations {
  const read = operationsOf(body, headers['content-type'], 1);
  return { ...read, isWhole: read.isWhole && !truncated };
}

/** The first part of a multipart answer; of one that has none, nothing. */
export function rootOf({ headers, body }: Pick<HttpAnswer, 'headers' | 'body'>): Pick<Operation, 'headers' | 'body'> {
  const boundary = boundaryOf(headers['content-type']);
  const { parts, rest } = boundary === undefined ? { parts: [], rest: undefined } : partsOf(body, boundary);
  return entityOf(parts[0] ?? rest ?? Buffer.alloc(0));
}

function operationsOf(body: Buffer, contentType: string | undefined, depth: number): Operations {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined || depth > MAX_DEPTH) return UNREADABLE;
  const { parts, isClosed } = partsOf(body, boundary);
  const read = parts.map((part) => {
    const { headers, body: content } = entityOf(part);
    const type = headers['content-type'];
    if (mediaTypeOf(type) === 'multipart/mixed') return operationsOf(content, type, depth + 1);
    return mediaTypeOf(type) === 'application/http' ? operationIn(content) : UNREADABLE;
  });
  return {
    operations: read.flatMap(({ operations }) => operations),
    isWhole: isClosed && read.every(({ isWhole }) => isWhole),
  };
}

const UNREADABLE: Operations = { operations: [], isWhole: false };

function operationIn(content: Buffer): Operations {
  const lineEnd = content.indexOf('\n');
  const statusLine = content.toString('latin1', 0, lineEnd < 0 ? content.byteLength : lineEnd);
  const [, status] = /^\s*HTTP\/\d(?:\.\d)? ([1-5]\d\d)(?!\d)/.exec(statusLine) ?? [];
  if (status === undefined) return UNREADABLE;
  const rest = lineEnd < 0 ? Buffer.alloc(0) : content.subarray(lineEnd + 1);
  return { operations: [{ status: Number(status), ...entityOf(rest) }], isWhole: true };
}

function boundaryOf(contentType: string | undefined): string | undefined {
  const [, quoted, plain] = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType ?? '') ?? [];
  return quoted ?? plain;
}

/**
 * A delimiter stands at the beginning of a line, and nothing but white space behind it on that line.
 *
 * @returns `rest` of a body that was cut off: its last part, as far as it is there
 */
function partsOf(
  body: Buffer,
  boundary: string,
): { readonly parts: readonly Buffer[]; readonly isClosed: boolean; readonly rest?: Buffer } {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const parts: Buffer[] = [];
  let start: number | undefined;
  let at = body.indexOf(delimiter);
  for (; at >= 0; at = body.indexOf(delimiter, at + delimiter.byteLength)) {
    if (at > 0 && body[at - 1] !== LF) continue;
    const behind = at + delimiter.byteLength;
    const lineEnd = body.indexOf(LF, behind);
    const tail = body.toString('latin1', behind, lineEnd < 0 ? body.byteLength : lineEnd);
    if (!/^(--)?\s*$/.test(tail)) continue;
    if (start !== undefined) parts.push(body.subarray(start, withoutLineEnd(body, at)));
    if (tail.startsWith('--')) return { parts, isClosed: true };
    start = lineEnd < 0 ? body.byteLength : lineEnd + 1;
  }
  return { parts, isClosed: false, ...(start === undefined ? {} : { rest: body.subarray(start) }) };
}

const LF = 10;
const CR = 13;

/** The line end before a delimiter belongs to the delimiter. */
function withoutLineEnd(body: Buffer, at: number): number {
  return body[at - 2] === CR ? at - 2 : at - 1;
}

/** Headers, an empty line, and the rest. */
function entityOf(bytes: Buffer): Pick<Operation, 'headers' | 'body'> {
  const headers: Record<string, string> = Object.create(null);
  let at = 0;
  while (at < bytes.byteLength) {
    const lineEnd = bytes.indexOf(LF, at);
    const line = bytes.toString('latin1', at, lineEnd < 0 ? bytes.byteLength : lineEnd).trimEnd();
    at = lineEnd < 0 ? bytes.byteLength : lineEnd + 1;
    if (line === '') break;
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { headers, body: bytes.subarray(at) };
}
