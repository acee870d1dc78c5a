/**
 * A cold start: one environment that is ready for an event, or the failure of the invocation that waited for it.
 *
 * Lambda does a failed init over within the invocation, on the function's own time; documented for init that takes too
 * long, and seen in the logs of failed starts: two INIT_REPORT lines, `Phase: init` and `Phase: invoke`.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
import type { ExecutionEnvironment, InitResult } from './environment.ts';
import { exited, failure, type InvokeFailure, timedOut } from './invoke-result.ts';
import { initReportLine, initStartLine, reportLine } from './log.ts';

export interface InitializationOptions {
  readonly requestId: string;
  readonly initLimitMs: number;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly region: string;
  readonly onOutput: (line: string) => void;
}

export interface Initialized {
  readonly ok: true;
  readonly environment: ExecutionEnvironment;
  /** Epoch milliseconds: the end of the invocation's time, some of which init may have taken. */
  readonly deadlineMs: number;
  /** Undefined when init was done over, which Lambda reports apart. */
  readonly durationMs: number | undefined;
}

/** @param start starts an environment whose init must be done by the given time, epoch milliseconds. */
export async function initialize(
  start: (initDeadlineMs: number) => Promise<ExecutionEnvironment>,
  options: InitializationOptions,
): Promise<Initialized | InvokeFailure> {
  const { requestId, memoryMb, onOutput } = options;
  const timeoutMs = options.timeoutSeconds * 1000;

  onOutput(initStartLine(options.region));
  const first = await start(Date.now() + options.initLimitMs);
  const firstInit = await first.initialized;
  if (firstInit.status === 'success') {
    return { ok: true, environment: first, deadlineMs: Date.now() + timeoutMs, durationMs: firstInit.durationMs };
  }
  await first.end;
  logInit(firstInit, 'init');

  const deadlineMs = Date.now() + timeoutMs;
  const second = await start(deadlineMs);
  const init = await second.initialized;
  if (init.status === 'success') return { ok: true, environment: second, deadlineMs, durationMs: undefined };
  await second.end;
  logInit(init, 'invoke');
  const failed = failureOf(init);
  onOutput(`START RequestId: ${requestId} Version: $LATEST`);
  onOutput(`END RequestId: ${requestId}`);
  const { status, durationMs } = init;
  onOutput(reportLine({ requestId, durationMs, memoryMb, status, errorType: errorTypeOf(init) }));
  return failed;

  function failureOf(result: Exclude<InitResult, { status: 'success' }>): InvokeFailure {
    if (result.status === 'timeout') return timedOut(requestId, options.timeoutSeconds);
    if ('code' in result.error) return exited(requestId, result.error);
    return failure(requestId, result.error.errorType, result.error.errorMessage, result.error.trace);
  }

  function errorTypeOf(result: Exclude<InitResult, { status: 'success' }>): string | undefined {
    return result.status === 'error' ? failureOf(result).errorType : undefined;
  }

  function logInit(result: Exclude<InitResult, { status: 'success' }>, phase: 'init' | 'invoke'): void {
    const { durationMs: initMs, status: initStatus } = result;
    onOutput(initReportLine({ durationMs: initMs, phase, status: initStatus, errorType: errorTypeOf(result) }));
  }
}
