/**
 * The SDK's requests through the relay's own HTTP client: the same code is compiled once, the authorities' certificates
 * are read once, and the SDK's own client stays out of the bundles: 5.5 ms of a cold start (`infra/build/README.md`).
 * For the JSON protocol, whose requests and answers fit into memory.
 *
 * @see Smithy, `RequestHandler` in `@smithy/types`; `NodeHttpHandler`, whose errors the SDK's retries go by
 */
import { RelayError } from '../error.ts';
import type { HttpAnswer, Send } from '../http/http.ts';

/** What is read of the SDK's request; in the JSON protocol each is a POST to `/`. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** For an SDK client's option `requestHandler`; a type, since the SDK's own also takes any record. */
export type RequestHandler = {
  readonly metadata: { readonly handlerProtocol: string };
  handle(request: SdkRequest, options?: { readonly abortSignal?: AbortSignal }): Promise<{ response: SdkResponse }>;
};

/** For one attempt, from its start until the whole answer has arrived, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** A secret has at most 65,536 bytes, which the escapes of JSON make six times as many. */
const KEEP_BYTES = 1_048_576;

export function createRequestHandler(send: Send): RequestHandler {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle({ protocol, hostname, port, path, method, headers, body }, { abortSignal } = {}) {
      const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`);
      const answer = await send({
        method,
        url,
        headers: withoutOwn(headers),
        body: { bytes: Buffer.byteLength(body), open: () => body },
        timeoutMs: TIMEOUT_MS,
        keepBytes: KEEP_BYTES,
        ...(abortSignal === undefined ? {} : { signal: abortSignal }),
      }).catch(asSdkError);
      return { response: { statusCode: answer.status, headers: namesAndValues(answer), body: answer.body } };
    },
  };
}

/** The client itself writes host and length, the same values that were signed. */
function withoutOwn({ host, 'content-length': length, ...headers }: SdkRequest['headers']): Record<string, string> {
  return headers;
}

function namesAndValues({ headers }: HttpAnswer): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/** The SDK retries an error named `TimeoutError`, or caused by Node's network errors; never an `AbortError`. */
function asSdkError(error: unknown): never {
  if (error instanceof RelayError && error.code === 'TIMED_OUT') error.name = 'TimeoutError';
  if (error instanceof RelayError && error.code === 'DEADLINE') error.name = 'AbortError';
  throw error;
}
