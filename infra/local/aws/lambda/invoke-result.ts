/**
 * How one invocation ends, for whoever called Invoke: with a payload, or with Lambda's words for what went wrong. Who
 * is retried or answered because of it is for the caller.
 * Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */

export type InvokeResult = InvokeSuccess | InvokeFailure;

export interface InvokeSuccess {
  readonly ok: true;
  /** What the handler returned, by way of JSON; `null` where it returned nothing. */
  readonly payload: unknown;
  readonly requestId: string;
}

/**
 * `errorType` is the name of the error a handler threw, one of Lambda's (`Sandbox.Timedout`, `Runtime.ExitError`,
 * `Runtime.ImportModuleError`, `Function.ResponseSizeTooLarge`, …), or of an Invoke that started nothing
 * (`TooManyRequestsException`, `RequestEntityTooLargeException`, `ResourceNotFoundException`).
 */
export interface InvokeFailure {
  readonly ok: false;
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
  readonly requestId: string;
}

export function timedOut(requestId: string, timeoutSeconds: number): InvokeFailure {
  return failure(
    requestId,
    'Sandbox.Timedout',
    `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
  );
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Go's words for signals, since Lambda passes them on. */
const SIGNAL_NAMES: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGABRT: 'aborted (core dumped)',
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGKILL: 'killed',
  SIGSEGV: 'segmentation fault (core dumped)',
  SIGTERM: 'terminated',
};

export function exited(requestId: string, { code, signal }: Exit): InvokeFailure {
  let reason = 'without providing a reason';
  if (signal !== null) reason = `with error: signal: ${SIGNAL_NAMES[signal] ?? signal}`;
  else if (code !== 0) reason = `with error: exit status ${code}`;
  return failure(requestId, 'Runtime.ExitError', `RequestId: ${requestId} Error: Runtime exited ${reason}`);
}

export function failure(
  requestId: string,
  errorType: string,
  errorMessage: string,
  trace?: readonly string[],
): InvokeFailure {
  return { ok: false, errorType, errorMessage, ...(trace === undefined ? {} : { trace }), requestId };
}
