/**
 * A Lambda function on this machine: a built bundle, its configuration, and as many execution environments as
 * invocations at a time ask for. It decides which environment runs what; how one starts is in lambda/initialization.ts,
 * how it lives in lambda/environment.ts. Nobody's events but the caller's: queues and HTTP are others' business.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createChanges, type WaitOptions } from '../../facts/waiting.ts';
import { type ExecutionEnvironment, startEnvironment } from './environment.ts';
import type { LambdaFunction, LambdaFunctionOptions } from './function.ts';
import { initialize } from './initialization.ts';
import { failure, type InvokeResult } from './invoke-result.ts';
import type { Invocation } from './runtime-api.ts';
import { checkVariables } from './variables.ts';

export type { LambdaFunction, LambdaFunctionOptions } from './function.ts';
export type { InvokeFailure, InvokeResult, InvokeSuccess } from './invoke-result.ts';
export { InvalidParameterValueException } from './variables.ts';

/** "Request must be smaller than 6291456 bytes for the InvokeFunction operation": 100 bytes less than a response. */
const REQUEST_LIMIT_BYTES = 6_291_456;
/** An account's default quota of concurrent executions. */
const ACCOUNT_CONCURRENCY = 1000;
const ACCOUNT_ID = '123456789012';

/** @throws InvalidParameterValueException for variables that Lambda would not take. */
export async function createLambdaFunction(options: LambdaFunctionOptions): Promise<LambdaFunction> {
  const { name, bundle, exportName = 'handler', timeoutSeconds = 3, memoryMb = 512, region = 'eu-central-1' } = options;
  const { reservedConcurrency = ACCOUNT_CONCURRENCY, initLimitMs = 10_000, freeze = true } = options;
  const onOutput = options.onOutput ?? ignore;
  const confidential = options.confidential ?? ignore;
  const arn = `arn:aws:lambda:${region}:${ACCOUNT_ID}:function:${name}`;

  let variables = checkVariables(options.environment);
  let coldStarts = 0;
  let isStopped = false;
  const alive = new Set<ExecutionEnvironment>();
  /** Idle ones, used last at the end. */
  const idle: ExecutionEnvironment[] = [];
  /** Where the invocations in flight run, by the order in which their events were handed out, from 1. */
  const startedIn = new Map<number, ExecutionEnvironment>();
  const pending = new Set<Promise<InvokeResult>>();
  /** Environments that got their variables before the last update. */
  const outdated = new WeakSet<ExecutionEnvironment>();
  const changes = createChanges();
  let started = 0;
  let ended = 0;
  let invocations = 0;

  function waitForInvocationStart(count: number, waiting?: WaitOptions): Promise<void> {
    return changes.untilCount(count, `invocations of ${name} to start`, () => started, waiting);
  }

  async function start(initDeadlineMs: number): Promise<ExecutionEnvironment> {
    const own = variables;
    const environment = await startEnvironment({
      functionName: name,
      bundle,
      exportName,
      memoryMb,
      timeoutSeconds,
      region,
      variables: own,
      freeze,
      initDeadlineMs,
      onOutput,
      confidential,
    });
    alive.add(environment);
    if (own !== variables) outdated.add(environment);
    environment.end.then(() => alive.delete(environment));
    if (isStopped) environment.kill();
    return environment;
  }

  async function invoke(event: unknown): Promise<InvokeResult> {
    const requestId = randomUUID();
    if (isStopped) return failure(requestId, 'ResourceNotFoundException', `Function not found: ${arn}`);
    const body = event === undefined ? '{}' : JSON.stringify(event);
    if (Buffer.byteLength(body) > REQUEST_LIMIT_BYTES) {
      return failure(
        requestId,
        'RequestEntityTooLargeException',
        `Request must be smaller than ${REQUEST_LIMIT_BYTES} bytes for the InvokeFunction operation`,
      );
    }
    if (pending.size >= reservedConcurrency) return failure(requestId, 'TooManyRequestsException', 'Rate Exceeded.');
    invocations += 1;
    const environment = takeIdle();
    const result =
      environment === undefined
        ? coldStart(requestId, body)
        : run(environment, { requestId, event: body, ...invocationContext(Date.now() + timeoutSeconds * 1000) });
    pending.add(result);
    try {
      return await result;
    } finally {
      pending.delete(result);
      ended += 1;
      changes.announce();
    }
  }

  function takeIdle(): ExecutionEnvironment | undefined {
    let environment = idle.pop();
    while (environment?.ended) environment = idle.pop();
    return environment;
  }

  function invocationContext(deadlineMs: number): Omit<Invocation, 'requestId' | 'event'> {
    const seconds = Math.floor(Date.now() / 1000).toString(16);
    const root = `1-${seconds}-${randomBytes(12).toString('hex')}`;
    return {
      deadlineMs,
      functionArn: arn,
      traceId: `Root=${root};Parent=${randomBytes(8).toString('hex')};Sampled=0`,
    };
  }

  async function run(
    environment: ExecutionEnvironment,
    invocation: Invocation,
    initDurationMs?: number,
  ): Promise<InvokeResult> {
    const running = environment.run(invocation, initDurationMs);
    started += 1;
    const number = started;
    startedIn.set(number, environment);
    changes.announce();
    const result = await running;
    startedIn.delete(number);
    if (environment.ended) await environment.end;
    else if (isStopped || outdated.has(environment)) await end(environment);
    else idle.push(environment);
    return result;
  }

  async function coldStart(requestId: string, event: string): Promise<InvokeResult> {
    coldStarts += 1;
    const log = { memoryMb, region, onOutput };
    const init = await initialize(start, { requestId, initLimitMs, timeoutSeconds, ...log });
    if (!init.ok) return init;
    const context = invocationContext(init.deadlineMs);
    return run(init.environment, { requestId, event, ...context }, init.durationMs);
  }

  async function end(environment: ExecutionEnvironment, signal?: NodeJS.Signals): Promise<void> {
    environment.kill(signal);
    await environment.end;
  }

  async function killEnvironments(signal?: NodeJS.Signals): Promise<void> {
    await Promise.all([...alive].map((environment) => end(environment, signal)));
  }

  return {
    name,
    arn,
    get configuration() {
      return { timeoutSeconds, memoryMb, variables };
    },
    invoke,
    get environments() {
      return alive.size;
    },
    get coldStarts() {
      return coldStarts;
    },
    get invocations() {
      return invocations;
    },
    get running() {
      return [...alive].map((environment) => ({ pid: environment.pid, busy: !idle.includes(environment) }));
    },
    killEnvironments,
    async killDuring(count, waiting) {
      await waitForInvocationStart(count, waiting);
      const environment = startedIn.get(count);
      if (environment === undefined) throw new Error(`invocation ${count} of ${name} has ended already`);
      await end(environment);
    },
    waitForInvocationStart,
    waitForInvocationEnd: (count, waiting) =>
      changes.untilCount(count, `invocations of ${name} to end`, () => ended, waiting),
    async updateEnvironment(next) {
      variables = checkVariables(next);
      for (const environment of alive) outdated.add(environment);
      await Promise.all(idle.splice(0).map((environment) => end(environment)));
    },
    async stop() {
      isStopped = true;
      await killEnvironments();
      // An environment that was only just starting is killed as soon as it has a process.
      await Promise.all(pending);
    },
  };
}

function ignore(): void {
  // Nobody asked for the lines or the credentials.
}
