/**
 * `$batch` (OData V2, "Batch Processing") as the OData sender takes it: queries, and changesets of one operation each, in
 * order; one that fails is told in its place and stops nothing. What an operation does is for `sender.ts`.
 */
import type { Answer, Request } from '../../server.ts';
import { requestTo } from '../http-call.ts';
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

export interface BatchOptions {
  /** Path of the service, which the operations' absolute paths begin with. */
  readonly servicePath: string;
  readonly newBoundary: () => string;
  /** Answers one operation; its errors are answers. */
  readonly operate: (request: Request) => Promise<Answer>;
}

/** The outer answer, 202 whatever came of the parts. Throws an ODataError, 400, where the body as a whole is no batch. */
export async function answerBatch(request: Request, options: BatchOptions): Promise<Answer> {
  const boundary = boundaryOf(request.headers['content-type']);
  if (boundary === undefined) throw new ODataError(400, 'Content-Type must be multipart/mixed with a boundary.');
  const answered: string[] = [];
  for (const part of readParts(request.body.toString('latin1'), boundary)) {
    const inner = boundaryOf(part.headers['content-type']);
    answered.push(
      inner === undefined
        ? await answerQuery(part, request, options)
        : await answerChangeset(part, inner, request, options),
    );
  }
  const { type, body } = writeParts(answered, `batch_${options.newBoundary()}`);
  const headers = { 'Content-Type': type, DataServiceVersion: '2.0' };
  return { status: 202, headers, body: Buffer.from(body, 'latin1') };
}

async function answerQuery(part: Part, outer: Request, options: BatchOptions): Promise<string> {
  return httpPart(
    await attempt(async () => {
      const request = operation(part, outer, options);
      if (request.method !== 'GET') throw new ODataError(400, 'A change must be in a changeset.');
      return options.operate(request);
    }),
  );
}

/** A changeset that fails is one answer in place of its parts. */
async function answerChangeset(part: Part, boundary: string, outer: Request, options: BatchOptions): Promise<string> {
  let contentId: string | undefined;
  const answer = await attempt(async () => {
    const [only, ...more] = readParts(part.body, boundary);
    if (only === undefined || more.length > 0)
      throw new ODataError(400, 'A changeset must have exactly one operation.');
    const request = operation(only, outer, options);
    if (request.method === 'GET') throw new ODataError(400, 'A changeset must not have a query.');
    contentId = only.headers['content-id'];
    return options.operate(request);
  });
  if (answer.status >= 400) return httpPart(answer);
  const { type, body } = writeParts([httpPart(answer, contentId)], `changeset_${options.newBoundary()}`);
  return writePart(type, body, { 'Content-Length': String(body.length) });
}

function httpPart(answer: Answer, contentId?: string): string {
  const id = contentId === undefined ? {} : { 'Content-Id': contentId };
  return writePart('application/http', writePartAnswer(answer), { 'Content-Transfer-Encoding': 'binary', ...id });
}

/** Host and what else the operation does not say itself are the batch's. */
function operation(part: Part, outer: Request, { servicePath }: BatchOptions): Request {
  const { method, target, headers, body } = readPartRequest(part.body);
  const { host = '', accept, sap_applicationid: id } = outer.headers;
  const inherited = {
    host,
    ...(accept === undefined ? {} : { accept }),
    ...(id === undefined ? {} : { sap_applicationid: id }),
  };
  const request = requestTo(method, absolute(target, servicePath), { headers: { ...inherited, ...headers } });
  return { ...request, body: Buffer.from(body, 'latin1') };
}

/** A URL, a path from the host's root, or one relative to the service's root. */
function absolute(target: string, servicePath: string): string {
  const path = URL.canParse(target) ? target.slice(target.indexOf('/', target.indexOf('//') + 2)) : target;
  return path.startsWith(`${servicePath}/`) ? path : `${servicePath}/${path.replace(/^\//, '')}`;
}

/** Whatever is wrong with one part is that part's answer; in JSON [assumed]. */
async function attempt(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ODataError) return errorAnswer('json', error);
    throw error;
  }
}
