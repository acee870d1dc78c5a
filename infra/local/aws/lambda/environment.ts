/**
 * One execution environment: a process of Node with the official runtime in it, one invocation at a time, frozen
 * between them, and the end of it by its own doing, by a timeout or by a signal. Which environment gets which
 * invocation is for lambda-host.ts.
 *
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html. Not imitated: the shares of CPU
 * and the memory limit beyond V8's heap, /tmp, and the end of environments that were idle for long.
 */
import { once } from 'node:events';
import { startServer } from '../../server/server.ts';
import { type Exit, exited, failure, type InvokeResult, timedOut } from './invoke-result.ts';
import { maxMemoryUsedMb, readLines, reportLine } from './log.ts';
import { createRuntimeApi, type FunctionError, type Invocation, RESPONSE_LIMIT_BYTES } from './runtime-api.ts';
import { type RuntimeProcessOptions, spawnRuntime } from './runtime-process.ts';

export interface EnvironmentOptions extends Omit<RuntimeProcessOptions, 'runtimeApi'> {
  readonly timeoutSeconds: number;
  readonly freeze: boolean;
  /** Epoch milliseconds; init that is not done by then is killed. */
  readonly initDeadlineMs: number;
  readonly onOutput: (line: string) => void;
}

export type InitResult =
  | { readonly status: 'success'; readonly durationMs: number }
  | { readonly status: 'timeout'; readonly durationMs: number }
  | { readonly status: 'error'; readonly durationMs: number; readonly error: FunctionError | Exit };

export interface ExecutionEnvironment {
  readonly pid: number;
  /** Never rejects. */
  readonly initialized: Promise<InitResult>;
  /** The process has ended, or is about to. */
  readonly ended: boolean;
  /** Resolves when the process is gone and all its output has been passed on. */
  readonly end: Promise<void>;
  /**
   * Hands the event to the process and waits until it asks for the next one. Only after `initialized`, and not twice at
   * a time. Never rejects.
   * @param initDurationMs told in the log; for the first invocation alone.
   */
  run(invocation: Invocation, initDurationMs?: number): Promise<InvokeResult>;
  /** Sends a signal that reaches the process even while it is frozen. Default `SIGKILL`. */
  kill(signal?: NodeJS.Signals): void;
}

export async function startEnvironment(options: EnvironmentOptions): Promise<ExecutionEnvironment> {
  const { timeoutSeconds, memoryMb, onOutput } = options;
  const initialized = Promise.withResolvers<InitResult>();
  const end = Promise.withResolvers<void>();
  let running: { requestId: string; reply?: InvokeResult; settle: (result: InvokeResult) => void } | undefined;
  let handOver: ((invocation: Invocation) => void) | undefined;
  let initError: FunctionError | undefined;
  let isInitialized = false;
  let timeIsUp = false;
  let ended = false;
  let exit: Exit | undefined;
  let asked = 0;

  const runtimeApi = await startServer(
    createRuntimeApi({
      async next() {
        asked += 1;
        // As on Lambda, the whole environment stands still from the moment it asks until there is an event.
        if (options.freeze) child.kill('SIGSTOP');
        await Promise.all([stdout.waitForMark(asked), stderr.waitForMark(asked)]);
        const { promise, resolve } = Promise.withResolvers<Invocation>();
        handOver = resolve;
        settleInit({ status: 'success', durationMs: performance.now() - startedAt });
        running?.settle(
          running.reply ?? failure(running.requestId, 'Runtime.Unknown', 'No reply before the next event'),
        );
        return promise;
      },
      replied: (id, body) => reply(id, () => ({ ok: true, payload: JSON.parse(body), requestId: id })),
      repliedTooMuch: (id) =>
        reply(id, () =>
          failure(
            id,
            'Function.ResponseSizeTooLarge',
            `Response payload size exceeded maximum allowed payload size (${RESPONSE_LIMIT_BYTES} bytes).`,
          ),
        ),
      failed: (id, error) => reply(id, () => failure(id, error.errorType, error.errorMessage, error.trace)),
      initFailed: (error) => {
        initError = error;
      },
    }),
  );

  const startedAt = performance.now();
  const child = spawnRuntime({ ...options, runtimeApi: `127.0.0.1:${runtimeApi.port}` });
  const stdout = readLines(child.stdout, onOutput);
  const stderr = readLines(child.stderr, onOutput);
  child.once('close', (code, signal) => {
    exit = { code, signal };
    onClose(exit).then(end.resolve, end.reject);
  });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;

  const initTimer = setTimeout(() => {
    timeIsUp = true;
    kill();
  }, options.initDeadlineMs - Date.now());

  function settleInit(result: InitResult): void {
    if (isInitialized) return;
    isInitialized = true;
    clearTimeout(initTimer);
    initialized.resolve(result);
  }

  function reply(requestId: string, result: () => InvokeResult): boolean {
    if (running?.requestId !== requestId) return false;
    running.reply ??= result();
    return true;
  }

  async function onClose(closed: Exit): Promise<void> {
    ended = true;
    const durationMs = performance.now() - startedAt;
    settleInit(
      timeIsUp ? { status: 'timeout', durationMs } : { status: 'error', durationMs, error: initError ?? closed },
    );
    if (running !== undefined) {
      const { requestId, settle } = running;
      // A reply that was handed in stands, even if the process does not live to ask for the next event.
      settle(running.reply ?? (timeIsUp ? timedOut(requestId, timeoutSeconds) : exited(requestId, closed)));
    }
    await runtimeApi.stop();
  }

  function kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    ended = true;
    child.kill(signal);
    child.kill('SIGCONT');
  }

  async function run(invocation: Invocation, initDurationMs?: number): Promise<InvokeResult> {
    const { requestId } = invocation;
    const { promise, resolve } = Promise.withResolvers<InvokeResult>();
    running = { requestId, settle: resolve };
    onOutput(`START RequestId: ${requestId} Version: $LATEST`);
    const runStartedAt = performance.now();
    const timer = setTimeout(() => {
      timeIsUp = true;
      kill();
    }, invocation.deadlineMs - Date.now());
    child.kill('SIGCONT');
    handOver?.(invocation);
    handOver = undefined;
    // It ended while it was idle, and nobody had looked.
    if (exit !== undefined) resolve(exited(requestId, exit));

    const result = await promise;
    running = undefined;
    clearTimeout(timer);
    const isTimeout = !result.ok && result.errorType === 'Sandbox.Timedout';
    const hasEnded = !result.ok && result.errorType === 'Runtime.ExitError';
    if (isTimeout)
      onOutput(`${new Date().toISOString()} ${requestId} Task timed out after ${timeoutSeconds.toFixed(2)} seconds`);
    onOutput(`END RequestId: ${requestId}`);
    onOutput(
      reportLine({
        requestId,
        durationMs: performance.now() - runStartedAt,
        initDurationMs,
        memoryMb,
        maxMemoryUsedMb: maxMemoryUsedMb(pid),
        status: isTimeout ? 'timeout' : hasEnded ? 'error' : undefined,
        errorType: hasEnded ? result.errorType : undefined,
      }),
    );
    return result;
  }

  return {
    pid,
    initialized: initialized.promise,
    get ended() {
      return ended;
    },
    end: end.promise,
    run,
    kill,
  };
}
