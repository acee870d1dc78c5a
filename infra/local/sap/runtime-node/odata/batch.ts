/**
 * `$batch` (OData V2, "Batch Processing") as the OData sender takes it: queries, and changesets of one operation each
 * (SAP: "Supported OData Features"), in order; one that fails is told in its place and stops nothing. A body that is no
 * batch is refused as a whole, before anything of it is carried out, as Olingo 2.0.13 does. What an operation does is
 * for `sender.ts`.
 */
import type { Answer, Request } from '../../../server/server.ts';
import { requestTo } from '../../http-call.ts';
import { mediaType } from '../media-type.ts';
import {
  boundaryOf,
  type Part,
  readPartRequest,
  readParts,
  writePart,
  writePartAnswer,
  writeParts,
} from './multipart.ts';
import { errorAnswer, ODataError } from './odata-error.ts';
import { formatFor } from './representation.ts';

export interface BatchOptions {
  /** Path of the service, which the operations' absolute paths begin with. */
  readonly servicePath: string;
  readonly newBoundary: () => string;
  /** Answers one operation; its errors are answers. */
  readonly operate: (request: Request) => Promise<Answer>;
}

interface Operation {
  readonly request: Request;
  readonly contentId: string | undefined;
}

/** One part of a batch: a query, or the operations of a changeset. */
type Item = { readonly query: Operation } | { readonly changeset: readonly [Operation, ...Operation[]] };

/**
 * The outer answer, 202 whatever came of the parts. Throws an ODataError, 400, where the body as a whole is no batch.
 */
export async function answerBatch(request: Request, options: BatchOptions): Promise<Answer> {
  const items = readItems(request, options);
  const answered: string[] = [];
  for (const item of items) {
    answered.push(
      'query' in item
        ? httpPart(await options.operate(item.query.request), item.query.contentId)
        : await answerChangeset(item.changeset, options),
    );
  }
  const { type, body } = writeParts(answered, `batch_${options.newBoundary()}`);
  const headers = { 'Content-Type': type, DataServiceVersion: '2.0' };
  return { status: 202, headers, body: Buffer.from(body, 'latin1') };
}

function readItems(request: Request, options: BatchOptions): readonly Item[] {
  const boundary = boundaryOf(request.headers['content-type']);
  if (boundary === undefined) throw new ODataError(400, "Content-Type should be 'multipart/mixed'.");
  return readParts(request.body.toString('latin1'), boundary).map((part): Item => {
    const inner = boundaryOf(part.headers['content-type']);
    if (inner === undefined) return { query: readQuery(part, request, options) };
    const [first, ...more] = readParts(part.body, inner).map((one) => readChange(one, request, options));
    if (first === undefined) throw new ODataError(400, 'Missing boundary delimiter.');
    return { changeset: [first, ...more] };
  });
}

function readQuery(part: Part, outer: Request, options: BatchOptions): Operation {
  const query = readOperation(part, outer, options);
  if (query.request.method !== 'GET') {
    const message = 'Invalid method: a Query Operation cannot contain insert, update or delete requests.';
    throw new ODataError(400, message);
  }
  return query;
}

function readChange(part: Part, outer: Request, options: BatchOptions): Operation {
  if (part.headers['content-transfer-encoding'] !== 'binary') {
    throw new ODataError(400, 'The Content-Transfer-Encoding should be binary.');
  }
  const change = readOperation(part, outer, options);
  if (change.request.method === 'GET') {
    throw new ODataError(400, 'Invalid method: a ChangeSet cannot contain retrieve requests.');
  }
  return change;
}

/** A changeset that fails is one answer in place of its parts. */
async function answerChangeset(
  [{ request, contentId }, ...more]: readonly [Operation, ...Operation[]],
  options: BatchOptions,
): Promise<string> {
  const single = new ODataError(400, 'A changeset must have exactly one operation.');
  const answer = more.length > 0 ? errorAnswer(formatFor(request), single) : await options.operate(request);
  if (answer.status >= 400) return httpPart(answer);
  const { type, body } = writeParts([httpPart(answer, contentId)], `changeset_${options.newBoundary()}`);
  return writePart(type, body, { 'Content-Length': String(body.length) });
}

function httpPart(answer: Answer, contentId?: string): string {
  const id = contentId === undefined ? {} : { 'Content-Id': contentId };
  return writePart('application/http', writePartAnswer(answer), { 'Content-Transfer-Encoding': 'binary', ...id });
}

/** Its host is the batch's, and its id where it has none; its format is its own matter. */
function readOperation(part: Part, outer: Request, { servicePath }: BatchOptions): Operation {
  if (mediaType(part.headers['content-type'])?.essence !== 'application/http') {
    throw new ODataError(400, "Content-Type should be 'multipart/mixed or application/http'.");
  }
  const { method, target, headers, body } = readPartRequest(part.body);
  const { host = '', sap_applicationid: id } = outer.headers;
  const inherited = { host, ...(id === undefined ? {} : { sap_applicationid: id }) };
  const request = requestTo(method, absolute(target, host, servicePath), { headers: { ...inherited, ...headers } });
  return { request: { ...request, body: Buffer.from(body, 'latin1') }, contentId: part.headers['content-id'] };
}

/**
 * A URL of this service, a path from the host's root, or one relative to the service's root, with a slash before it
 * too, as SAP's Cloud SDK sends it (Olingo alone refuses that). Throws an ODataError, 400, for a URL elsewhere.
 */
function absolute(target: string, host: string, servicePath: string): string {
  const [, urlHost, urlPath = target] = /^https?:\/\/([^/]*)(\/.*)$/.exec(target) ?? [];
  const within = urlPath.startsWith(`${servicePath}/`);
  if (urlHost !== undefined && (urlHost !== host || !within)) throw new ODataError(400, 'Invalid URI.');
  return within ? urlPath : `${servicePath}/${urlPath.replace(/^\//, '')}`;
}
