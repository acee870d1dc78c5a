/**
 * Multipart bodies. An OData batch, request or answer, has parts that are HTTP messages, or change sets, which are
 * multipart bodies of such parts. A SOAP message with attachments has its envelope in the root part.
 *
 * @see RFC 2046 section 5.1, RFC 2387, OData V2 "Batch Processing"
 */
import type { HttpAnswer } from '../../http/http.ts';
import { mediaTypeOf } from './charset.ts';

/** The answer to one operation. */
export type Operation = Pick<HttpAnswer, 'status' | 'headers' | 'body'>;

export interface BatchAnswer {
  /** By operation of the request, in its order. Undefined: the answer does not say. */
  readonly operations: readonly (Operation | undefined)[];
  /** False if it is no batch answer, is cut off, or has a part that cannot be read. */
  readonly isWhole: boolean;
}

const OPERATION = 'application/http';
const CHANGE_SET = 'multipart/mixed';

/**
 * How many operations each part of a batch request has, in its order: one, or those of a change set.
 *
 * @returns undefined if there is no part, or more of them than are read
 */
export function operationsAsked(body: Buffer, contentType: string | undefined): readonly number[] | undefined {
  const { parts, isClosed, isTooMany } = partsAsked(body, contentType);
  if (isTooMany || (parts.length === 0 && !isClosed)) return undefined;
  const counts: number[] = [];
  for (const part of parts) {
    const { headers, body: content } = entityOf(part);
    const type = headers['content-type'];
    if (mediaTypeOf(type) === CHANGE_SET) {
      const inSet = partsAsked(content, type);
      if (inSet.isTooMany) return undefined;
      counts.push(inSet.parts.filter((inner) => isOperation(entityOf(inner).headers)).length);
    } else counts.push(isOperation(headers) ? 1 : 0);
  }
  return counts;
}

/** Includes a last part that nothing closes: the service may carry it out all the same. */
function partsAsked(body: Buffer, contentType: string | undefined) {
  const { parts, isClosed, rest } = partsIn(body, contentType);
  const isTooMany = parts.length === MOST_PARTS && !isClosed;
  return { parts: rest === undefined ? parts : [...parts, rest], isClosed, isTooMany };
}

function isOperation(headers: Operation['headers']): boolean {
  return mediaTypeOf(headers['content-type']) === OPERATION;
}

/** @param asked operations by part of the request; absent: as many as are answered */
export function answersIn(
  { headers, body, truncated }: Pick<HttpAnswer, 'headers' | 'body' | 'truncated'>,
  asked: readonly number[] = [],
): BatchAnswer {
  const type = headers['content-type'];
  const { parts, isClosed } = mediaTypeOf(type) === CHANGE_SET ? partsIn(body, type) : NO_PARTS;
  const read = parts.map((part, index) => answersInPart(part, asked[index] ?? 1));
  // Answers are in the order of the operations.
  const missing = asked.slice(parts.length).map((count) => repeated(undefined, count));
  return {
    operations: read
      .map(({ operations }) => operations)
      .concat(missing)
      .flat(),
    isWhole: isClosed && !truncated && read.every(({ isWhole }) => isWhole),
  };
}

/** A change set that failed has one answer, for all its operations. */
function answersInPart(part: Buffer, asked: number): BatchAnswer {
  const { headers, body } = entityOf(part);
  const type = headers['content-type'];
  if (mediaTypeOf(type) === CHANGE_SET) {
    const { parts, isClosed } = partsIn(body, type);
    const operations = parts.map((inner) => operationIn(entityOf(inner)));
    const isWhole = isClosed && !operations.includes(undefined);
    return { operations: operations.concat(repeated(undefined, asked - operations.length)), isWhole };
  }
  const operation = operationIn({ headers, body });
  const ofOthers = operation !== undefined && operation.status > 299 ? operation : undefined;
  return { operations: [operation, ...repeated(ofOthers, asked - 1)], isWhole: operation !== undefined };
}

function repeated<T>(value: T, count: number): T[] {
  return new Array(Math.max(0, count)).fill(value);
}

function operationIn({ headers, body }: Pick<Operation, 'headers' | 'body'>): Operation | undefined {
  if (!isOperation(headers)) return undefined;
  const statusLine = body.toString('latin1', 0, MOST_OF_STATUS_LINE);
  const status = /^[\t ]*HTTP\/\d(?:\.\d)? ([1-5]\d\d)(?!\d)/.exec(statusLine)?.[1];
  // `entityOf` reads the status line as a header, which nothing uses.
  return status === undefined ? undefined : { status: Number(status), ...entityOf(body) };
}

export interface Root extends Pick<Operation, 'headers' | 'body'> {
  /** False where it is not the part that `start` names, or was encoded for the transfer. */
  readonly isCertain: boolean;
}

/**
 * The part of a multipart body that `start` names, else its first one; of a body that has none, nothing.
 *
 * @see RFC 2387 section 3.2
 */
export function rootOf({ headers, body }: Pick<HttpAnswer, 'headers' | 'body'>): Root {
  const type = headers['content-type'];
  const { parts, rest } = partsIn(body, type);
  const all = rest === undefined ? parts : [...parts, rest];
  const match = START.exec(type ?? '');
  const start = idOf(match?.[1] ?? match?.[2]);
  let root: Pick<Operation, 'headers' | 'body'> | undefined;
  for (const part of start === '' ? [] : all.slice(0, MOST_BEFORE_ROOT)) {
    const entity = entityOf(part);
    if (idOf(entity.headers['content-id']) !== start) continue;
    root = entity;
    break;
  }
  const isNamed = start === '' || root !== undefined;
  root ??= entityOf(all[0] ?? Buffer.alloc(0));
  const transfer = String(root.headers['content-transfer-encoding'] ?? 'binary').toLowerCase();
  const isCertain = isNamed && /^(7bit|8bit|binary)$/.test(transfer);
  return { headers: root.headers, body: untransferred(root.body, transfer), isCertain };
}

const START = /;\s*start\s*=\s*(?:"([^"]*)"|([^\s;"]*))/i;
/** Nobody writes more parts before the root; the head of each is read. */
const MOST_BEFORE_ROOT = 64;

/** Some senders write the brackets in one of the two places only. */
function idOf(value: string | readonly string[] | undefined): string {
  return String(value ?? '').replace(/^<|>$/g, '');
}

/** Takes 80 ms for quoted-printable, during which nothing else runs; 40 MiB would take 13 s and 2 GB. */
const MOST_UNDONE_BYTES = 262_144;

/** A longer body is not decoded. @see RFC 2045 section 6 */
function untransferred(body: Buffer, encoding: string): Buffer {
  if (body.byteLength > MOST_UNDONE_BYTES) return body;
  if (encoding === 'base64') return Buffer.from(body.toString('latin1'), 'base64');
  if (encoding !== 'quoted-printable') return body;
  const text = body.toString('latin1');
  return Buffer.from(
    text.replace(QUOTED, (_, code) => (code ? String.fromCharCode(Number(`0x${code}`)) : '')),
    'latin1',
  );
}

/** An encoded byte, or a soft line break. */
const QUOTED = /=(?:([\dA-F]{2})|[\t ]*\r?\n)/gi;

interface Parts {
  readonly parts: readonly Buffer[];
  readonly isClosed: boolean;
  /** The last part of a body that is not closed, as far as it goes. */
  readonly rest?: Buffer;
}

/** Enough for the status in an answer's first line. */
const MOST_OF_STATUS_LINE = 64;
const NO_PARTS: Parts = { parts: [], isClosed: false };

function partsIn(body: Buffer, contentType: string | undefined): Parts {
  const boundary = boundaryOf(contentType);
  return boundary === undefined ? NO_PARTS : partsOf(body, boundary);
}

function boundaryOf(contentType: string | undefined): string | undefined {
  const match = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType ?? '');
  return match?.[1] ?? match?.[2];
}

/** A delimiter is at the beginning of a line, with nothing but white space after it. */
function partsOf(body: Buffer, boundary: string): Parts {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const parts: Buffer[] = [];
  let start: number | undefined;
  let at = body.indexOf(delimiter);
  for (; at >= 0; at = body.indexOf(delimiter, at + delimiter.byteLength)) {
    if (at > 0 && body[at - 1] !== LF) continue;
    let after = at + delimiter.byteLength;
    const isLast = body[after] === DASH && body[after + 1] === DASH;
    if (isLast) after += 2;
    while (WHITE_SPACE.has(body[after])) after += 1;
    if (after < body.byteLength && body[after] !== LF) continue;
    if (start !== undefined) parts.push(body.subarray(start, withoutLineEnd(body, at)));
    if (isLast) return { parts, isClosed: true };
    if (parts.length === MOST_PARTS) return { parts, isClosed: false };
    start = after + 1;
  }
  return { parts, isClosed: false, ...(start === undefined ? {} : { rest: body.subarray(start) }) };
}

/** No answer is shorter than 64 bytes, so no more of them fit into what is kept of an answer. */
const MOST_PARTS = 65_536;
const LF = 10;
const CR = 13;
const DASH = 45;
const WHITE_SPACE: ReadonlySet<number | undefined> = new Set([9, CR, 32]);

/** The line end before a delimiter belongs to the delimiter. */
function withoutLineEnd(body: Buffer, at: number): number {
  return body[at - 2] === CR ? at - 2 : at - 1;
}

/** Node's limit for an HTTP head. What follows counts as the body. */
const MOST_HEAD_BYTES = 16_384;

/** Headers, an empty line, and the rest. */
function entityOf(bytes: Buffer): Pick<Operation, 'headers' | 'body'> {
  const headers: Record<string, string> = {};
  let at = 0;
  for (let line = ' '; line !== '' && at < MOST_HEAD_BYTES; ) {
    const lineEnd = bytes.indexOf(LF, at);
    const end = lineEnd < 0 ? bytes.byteLength : lineEnd;
    line = bytes.toString('latin1', at, end).trimEnd();
    at = end + 1;
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { headers, body: bytes.subarray(at) };
}
