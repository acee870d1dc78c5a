/**
 * The Lambda Runtime API of one execution environment: the four calls by which a runtime takes events and hands in
 * replies. When an event is there, and what becomes of a reply, is for environment.ts.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import type { Answer, Answerer, Request } from '../../server/server.ts';

/** 6 MiB and 100 bytes; a request may have 100 bytes less. Observed on AWS. */
export const RESPONSE_LIMIT_BYTES = 6_291_556;

/** An event on its way to a process. */
export interface Invocation {
  readonly requestId: string;
  /** The event as JSON text. */
  readonly event: string;
  /** Epoch milliseconds; what `context.getRemainingTimeInMillis()` counts down to. */
  readonly deadlineMs: number;
  readonly functionArn: string;
  /** X-Ray tracing header. */
  readonly traceId: string;
}

/** What a runtime says of an error: of init, of a handler. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export interface RuntimeApiEvents {
  /** The runtime asks for an event; it is answered when the promise resolves. */
  next(): Promise<Invocation>;
  /** False: no such invocation is running. */
  replied(requestId: string, body: string): boolean;
  /** The reply was beyond the limit. False: no such invocation is running. */
  repliedTooMuch(requestId: string): boolean;
  failed(requestId: string, error: FunctionError): boolean;
  initFailed(error: FunctionError): void;
}

const PREFIX = '/2018-06-01/runtime';

export function createRuntimeApi(events: RuntimeApiEvents): Answerer {
  return async (request) => {
    if (request.method === 'GET' && request.path === `${PREFIX}/invocation/next`) return handOver(await events.next());
    if (request.method === 'POST' && request.path === `${PREFIX}/init/error`) {
      events.initFailed(readError(request));
      return json(202, { status: 'OK' });
    }
    const [, requestId = '', part] =
      /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(request.path) ?? [];
    if (request.method !== 'POST' || part === undefined)
      return json(404, { errorType: 'NotFound', errorMessage: 'Not found' });
    if (part === 'error') return accepted(events.failed(requestId, readError(request)));
    if (request.body.byteLength > RESPONSE_LIMIT_BYTES) {
      return events.repliedTooMuch(requestId)
        ? json(413, {
            errorType: 'RequestEntityTooLarge',
            errorMessage: `Exceeded maximum allowed payload size (${RESPONSE_LIMIT_BYTES} bytes).`,
          })
        : accepted(false);
    }
    return accepted(events.replied(requestId, request.body.toString()));
  };
}

function handOver(invocation: Invocation): Answer {
  return {
    status: 200,
    headers: {
      'Content-Type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': invocation.requestId,
      'Lambda-Runtime-Deadline-Ms': String(invocation.deadlineMs),
      'Lambda-Runtime-Invoked-Function-Arn': invocation.functionArn,
      'Lambda-Runtime-Trace-Id': invocation.traceId,
    },
    body: invocation.event,
  };
}

function accepted(known: boolean): Answer {
  return known
    ? json(202, { status: 'OK' })
    : json(400, { errorType: 'InvalidRequestID', errorMessage: 'Invalid request ID' });
}

function json(status: number, body: object): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}

function readError({ body }: Request): FunctionError {
  const { errorType, errorMessage, trace } = JSON.parse(body.toString()) as Partial<Record<string, unknown>>;
  return {
    errorType: typeof errorType === 'string' ? errorType : 'Runtime.Unknown',
    errorMessage: typeof errorMessage === 'string' ? errorMessage : '',
    ...(Array.isArray(trace) ? { trace: trace.map(String) } : {}),
  };
}
