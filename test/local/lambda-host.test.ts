import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  createLambdaFunction,
  InvalidParameterValueException,
  type LambdaFunction,
  type LambdaFunctionOptions,
} from '../../infra/local/aws/lambda/lambda.ts';

const fixtures = join(import.meta.dirname, 'lambda-host');
const host = fileURLToPath(new URL('./lambda-host/host.ts', import.meta.url));
const functions: LambdaFunction[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lambda-host-'));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => Promise.all(functions.splice(0).map((fn) => fn.stop())));

/** A function made of one of the fixtures, and everything it writes. */
async function create(
  fixture: string,
  options: Partial<LambdaFunctionOptions> = {},
): Promise<LambdaFunction & { lines: string[] }> {
  const lines: string[] = [];
  const fn = await createLambdaFunction({
    name: 'orders',
    bundle: join(fixtures, `${fixture}.mjs`),
    environment: {},
    onOutput: (line) => lines.push(line),
    ...options,
  });
  functions.push(fn);
  return Object.defineProperty(fn, 'lines', { value: lines }) as LambdaFunction & { lines: string[] };
}

/** The payload of an invocation that must succeed. */
async function payload<T = Record<string, unknown>>(fn: LambdaFunction, event: unknown = {}): Promise<T> {
  const result = await fn.invoke(event);
  if (!result.ok) throw new Error(`${result.errorType}: ${result.errorMessage}`);
  return result.payload as T;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A process that has ended and was not waited for is none any more.
  return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

describe('a handler', () => {
  test('a handler gets the event, and its return value is the payload', async () => {
    const fn = await create('echo');
    const event = { text: 'Übergrößen 🧦', list: [1, null, { deep: true }] };
    expect(await payload(fn, event)).toMatchObject({ event, functionName: 'orders' });
  });

  test.each([
    ['undefined', undefined, {}],
    ['null', null, null],
    ['text', 'text', 'text'],
  ])('a handler gets %s as Lambda would hand it over', async (_, event, expected) => {
    expect((await payload(await create('echo'), event)).event).toEqual(expected);
  });

  test('a handler sees the time left until its timeout', async () => {
    const { remainingMs } = await payload<{ remainingMs: number }>(await create('echo', { timeoutSeconds: 7 }));
    expect(remainingMs).toBeGreaterThan(5500);
    expect(remainingMs).toBeLessThanOrEqual(7000);
  });

  test('a handler has the request id that stands in the log and in the result', async () => {
    const fn = await create('echo');
    const result = await fn.invoke({});
    expect(result).toMatchObject({ ok: true, payload: { requestId: result.requestId } });
    expect(fn.lines).toContain(`START RequestId: ${result.requestId} Version: $LATEST`);
  });

  test('a handler may be exported under another name', async () => {
    expect(await payload(await create('no-handler', { exportName: 'main' }))).toBe('elsewhere');
  });
});

describe("a process's environment", () => {
  test('a process has the variables of Lambda and of the function, and nothing of this process', async () => {
    process.env.OF_THE_HOST = 'secret';
    const fn = await create('echo', { environment: { OWN: 'yes' }, memoryMb: 256, region: 'eu-west-1' });
    const { variables, cwd, execArgv } = await payload<{
      variables: Record<string, string>;
      cwd: string;
      execArgv: string[];
    }>(fn);
    delete process.env.OF_THE_HOST;
    expect(Object.keys(variables).sort()).toEqual([
      'AWS_ACCESS_KEY_ID',
      'AWS_DEFAULT_REGION',
      'AWS_EXECUTION_ENV',
      'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
      'AWS_LAMBDA_FUNCTION_NAME',
      'AWS_LAMBDA_FUNCTION_VERSION',
      'AWS_LAMBDA_INITIALIZATION_TYPE',
      'AWS_LAMBDA_LOG_GROUP_NAME',
      'AWS_LAMBDA_LOG_STREAM_NAME',
      'AWS_LAMBDA_RUNTIME_API',
      'AWS_REGION',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'AWS_XRAY_CONTEXT_MISSING',
      'LAMBDA_RUNTIME_DIR',
      'LAMBDA_TASK_ROOT',
      'LANG',
      'OWN',
      'PATH',
      'TZ',
      '_HANDLER',
      '_X_AMZN_TRACE_ID',
    ]);
    expect(variables).toMatchObject({
      OWN: 'yes',
      AWS_REGION: 'eu-west-1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      _HANDLER: 'echo.handler',
      LAMBDA_TASK_ROOT: fixtures,
    });
    expect(cwd).toBe(fixtures);
    expect(execArgv).toContain('--max-old-space-size=231');
  });

  test('a process has credentials that are announced as confidential', async () => {
    const confidential: string[] = [];
    const fn = await create('echo', { confidential: (value) => confidential.push(value) });
    const { variables } = await payload<{ variables: Record<string, string> }>(fn);
    expect(confidential).toEqual([variables.AWS_SECRET_ACCESS_KEY, variables.AWS_SESSION_TOKEN]);
  });

  test.each([
    ['more than 4 KB', { DESTINATIONS: 'x'.repeat(4080) }, /exceeded the 4KB limit/],
    ['a reserved name', { AWS_REGION: 'eu-west-1', OWN: '1' }, /Reserved keys used in this request: AWS_REGION$/],
    ['a name with a dash', { 'MY-NAME': '1' }, /"MY-NAME" is malformed/],
  ])('a process does not start with %s, and the error quotes no value', async (_, environment, message) => {
    const refused = create('echo', { environment: { ...environment, HIDDEN: 'top-secret' } });
    await expect(refused).rejects.toThrow(InvalidParameterValueException);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.not.toThrow(/top-secret/);
  });

  test('a process takes 4 KB of variables exactly, measured as JSON', async () => {
    const environment = { DESTINATIONS: 'x'.repeat(4096 - '{"DESTINATIONS":""}'.length) };
    expect(await payload(await create('counts', { environment }))).toMatchObject({ invocations: 1 });
  });
});

describe('environments', () => {
  test('environments are used again: module state stays', async () => {
    const fn = await create('counts');
    expect(await payload(fn)).toMatchObject({ invocations: 1 });
    expect(await payload(fn)).toMatchObject({ invocations: 2 });
    expect(fn).toMatchObject({ environments: 1, coldStarts: 1, invocations: 2 });
  });

  test('environments run one invocation at a time: a parallel one starts another', async () => {
    const fn = await create('slow');
    const [first, second] = await Promise.all([payload(fn, { ms: 50 }), payload(fn, { ms: 50 })]);
    expect(first.pid).not.toBe(second.pid);
    expect(fn).toMatchObject({ environments: 2, coldStarts: 2 });
  });

  test('environments that were used last are used first', async () => {
    const fn = await create('slow');
    const order: unknown[] = [];
    const record = async (ms: number) => order.push((await payload(fn, { ms })).pid);
    await Promise.all([record(200), record(0)]);
    expect(fn.environments).toBe(2);
    expect((await payload(fn, { ms: 0 })).pid).toBe(order[1]);
    expect((await payload(fn, { ms: 0 })).pid).toBe(order[1]);
  });

  test('environments are busy or idle', async () => {
    const fn = await create('slow');
    const invocation = fn.invoke({ ms: 100 });
    await fn.waitForInvocationStart(1);
    expect(fn.running).toMatchObject([{ busy: true }]);
    await invocation;
    expect(fn.running).toMatchObject([{ busy: false }]);
  });

  test('environments are at most as many as the reserved concurrency; what is beyond is refused', async () => {
    const fn = await create('slow', { reservedConcurrency: 1 });
    const first = fn.invoke({ ms: 50 });
    expect(await fn.invoke({ ms: 0 })).toMatchObject({ ok: false, errorType: 'TooManyRequestsException' });
    expect(await first).toMatchObject({ ok: true });
    expect(await fn.invoke({ ms: 0 })).toMatchObject({ ok: true });
    expect(fn).toMatchObject({ invocations: 2, coldStarts: 1 });
  });

  test('environments get new variables in new processes; a busy one ends with its invocation', async () => {
    const fn = await create('slow', { environment: { OWN: 'old' } });
    const old = fn.invoke({ ms: 100 });
    await fn.waitForInvocationStart(1);
    await fn.updateEnvironment({ OWN: 'new' });
    expect(await old).toMatchObject({ ok: true });
    expect(fn.environments).toBe(0);
    await fn.updateEnvironment({ OWN: 'newer' });
    await fn.invoke({ ms: 0 });
    expect(fn).toMatchObject({ environments: 1, coldStarts: 2 });
    await expect(fn.updateEnvironment({ AWS_REGION: 'x' })).rejects.toThrow(/Reserved keys/);
  });

  test('environments that are idle see an update as well', async () => {
    const fn = await create('echo', { environment: { OWN: 'old' } });
    const before = await payload<{ pid: number }>(fn);
    await fn.updateEnvironment({ OWN: 'new' });
    expect(isAlive(before.pid)).toBe(false);
    expect(await payload(fn)).toMatchObject({ variables: { OWN: 'new' } });
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'environments that are idle and frozen can be ended by %s',
    async (signal) => {
      const fn = await create('counts');
      const { pid } = await payload<{ pid: number }>(fn);
      await fn.killEnvironments(signal);
      expect(isAlive(pid)).toBe(false);
      expect(await payload(fn)).toMatchObject({ invocations: 1 });
      expect(fn.coldStarts).toBe(2);
    },
  );

  test('environments that die on their own while idle are replaced', async () => {
    const fn = await create('counts', { freeze: false });
    const { pid } = await payload<{ pid: number }>(fn);
    process.kill(pid, 'SIGKILL');
    const result = await fn.invoke({});
    // The host may hand over the event before it has learned of the death.
    if (!result.ok) expect(result.errorType).toBe('Runtime.ExitError');
    expect((await payload(fn)).pid).not.toBe(pid);
  });
});

describe('a frozen environment', () => {
  test('a frozen environment does nothing between its reply and the next event', async () => {
    const file = join(folder, 'frozen');
    const fn = await create('after-reply');
    await payload(fn, { file });
    const before = existsSync(file) ? await readFile(file, 'utf8') : '';
    // Time in which an unfrozen process ticks some hundred times; nothing can be waited for that must not happen.
    await delay(300);
    expect(existsSync(file) ? await readFile(file, 'utf8') : '').toBe(before);
  });

  test('a frozen environment goes on where it stood with the next event', async () => {
    const fn = await create('counts');
    await payload(fn);
    const stat = `/proc/${fn.running[0]?.pid}/stat`;
    // The signal is taken when the process is next given a CPU, before any code of it runs.
    await expect.poll(() => readFileSync(stat, 'utf8')).toMatch(/\) T /);
    expect(await payload(fn)).toMatchObject({ invocations: 2 });
  });

  test('a frozen environment is an option: without it the process runs on', async () => {
    const file = join(folder, 'not-frozen');
    const fn = await create('after-reply', { freeze: false });
    await payload(fn, { file });
    await expect.poll(() => existsSync(file), { timeout: 5000 }).toBe(true);
  });
});

describe('an invocation fails', () => {
  test.each([
    ['an error', {}, { errorType: 'OrderError', errorMessage: 'no such order' }],
    ['something that is no error', { as: 'string' }, { errorType: 'string', errorMessage: 'plain text' }],
  ])('an invocation fails when its handler throws %s, and the environment lives on', async (_, event, expected) => {
    const fn = await create('throws');
    expect(await fn.invoke(event)).toMatchObject({ ok: false, ...expected });
    expect(await fn.invoke(event)).toMatchObject({ ok: false, ...expected });
    expect(fn).toMatchObject({ coldStarts: 1, environments: 1 });
    expect(fn.lines.join('\n')).toMatch(/ERROR\tInvoke Error/);
  });

  test.each([
    [0, 'Runtime exited without providing a reason'],
    [3, 'Runtime exited with error: exit status 3'],
    ['abort', 'Runtime exited with error: signal: aborted (core dumped)'],
  ])('an invocation fails when its process exits (%s); the next one is a cold start', async (how, message) => {
    const fn = await create('exits');
    const result = await fn.invoke({ how });
    expect(result).toMatchObject({
      ok: false,
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${result.requestId} Error: ${message}`,
    });
    expect(fn.lines.join('\n')).toMatch(/last words/);
    expect(fn.lines.at(-1)).toMatch(/\tStatus: error\tError Type: Runtime\.ExitError/);
    await fn.invoke({ how });
    expect(fn.coldStarts).toBe(2);
  });

  test('an invocation fails when its environment is killed in the middle', async () => {
    const fn = await create('slow');
    const invocation = fn.invoke({ ms: 60_000 });
    await fn.killDuring(1);
    expect(await invocation).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringMatching(/signal: killed$/),
    });
    expect(await fn.invoke({ ms: 0 })).toMatchObject({ ok: true });
    expect(fn.coldStarts).toBe(2);
    await expect(fn.killDuring(1)).rejects.toThrow(/ended already/);
  });

  test('an invocation fails when its time is over: the process is killed', async () => {
    const fn = await create('slow', { timeoutSeconds: 1 });
    const { pid } = await payload<{ pid: number }>(fn, { ms: 0 });
    const result = await fn.invoke({ ms: 60_000 });
    expect(result).toEqual({
      ok: false,
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${result.requestId} Error: Task timed out after 1.00 seconds`,
      requestId: result.requestId,
    });
    expect(isAlive(pid)).toBe(false);
    expect(fn.lines.slice(-3)).toEqual([
      expect.stringMatching(new RegExp(`^\\S+Z ${result.requestId} Task timed out after 1\\.00 seconds$`)),
      `END RequestId: ${result.requestId}`,
      expect.stringMatching(/\tDuration: 1\d{3}\.\d\d ms\t.*\tStatus: timeout\t$/),
    ]);
    expect(await fn.invoke({ ms: 0 })).toMatchObject({ ok: true });
  });

  test.each([
    ['a callback', 'callback', 'Runtime.CallbackHandlerDeprecated', /removed support for callback-based/],
    ['no handler', 'no-handler', 'Runtime.HandlerNotFound', /no-handler\.handler is undefined or not exported/],
    ['an exit in init', 'exits-at-init', 'Runtime.ExitError', /exit status 7/],
  ])('an invocation fails when the module has %s', async (_, fixture, errorType, message) => {
    const fn = await create(fixture);
    const result = await fn.invoke({});
    expect(result).toMatchObject({ ok: false, errorType, errorMessage: expect.stringMatching(message) });
    expect(fn.environments).toBe(0);
  });

  test('an invocation fails when the module cannot be parsed', async () => {
    const bundle = join(folder, 'broken.mjs');
    await writeFile(bundle, 'export const handler = async () => {');
    const fn = await create('', { bundle });
    expect(await fn.invoke({})).toMatchObject({ ok: false, errorType: 'Runtime.UserCodeSyntaxError' });
  });

  test('an invocation fails when the module throws: init is repeated once within it', async () => {
    const file = join(folder, 'starts');
    const fn = await create('throws-at-init', { environment: { STARTS: file } });
    const expected = { ok: false, errorType: 'RangeError', errorMessage: 'bad setting' };
    expect(await fn.invoke({})).toMatchObject(expected);
    expect(await readFile(file, 'utf8')).toBe('started\n'.repeat(2));
    expect(await fn.invoke({})).toMatchObject(expected);
    expect(await readFile(file, 'utf8')).toBe('started\n'.repeat(4));
    expect(fn).toMatchObject({ coldStarts: 2, invocations: 2, environments: 0 });
    const reports = fn.lines.filter((line) => line.startsWith('INIT_REPORT')).slice(0, 2);
    expect(reports).toEqual([
      expect.stringMatching(
        /^INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: error\tError Type: RangeError$/,
      ),
      expect.stringMatching(/\tPhase: invoke\tStatus: error\tError Type: RangeError$/),
    ]);
  });

  test('an invocation fails when the event is too large for Lambda: nothing is started', async () => {
    const fn = await create('big');
    expect(await fn.invoke('x'.repeat(6_291_455))).toMatchObject({
      ok: false,
      errorType: 'RequestEntityTooLargeException',
    });
    expect(fn).toMatchObject({ invocations: 0, coldStarts: 0 });
  });

  test.each([
    [6_291_554, { ok: true }],
    [6_291_555, { ok: false, errorType: 'Function.ResponseSizeTooLarge' }],
  ])('an invocation fails when the reply is too large: %s characters and two quotes', async (characters, expected) => {
    const fn = await create('big');
    expect(await fn.invoke({ characters })).toMatchObject(expected);
    expect(await payload(fn, { characters: 1 })).toBe('x');
    expect(fn.coldStarts).toBe(1);
  });

  test('an invocation fails when the function was stopped before, or is while it runs', async () => {
    const fn = await create('slow');
    const invocation = fn.invoke({ ms: 60_000 });
    await fn.waitForInvocationStart(1);
    await fn.stop();
    expect(await invocation).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(await fn.invoke({})).toMatchObject({ ok: false, errorType: 'ResourceNotFoundException' });
    expect(fn.environments).toBe(0);
  });

  test('an invocation fails when the function is stopped while its process is only starting', async () => {
    const fn = await create('slow');
    const invocation = fn.invoke({ ms: 60_000 });
    await fn.stop();
    expect(await invocation).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(fn.environments).toBe(0);
  });
});

describe('init that takes longer than its limit', () => {
  test('an init that takes longer than its limit is repeated within the invocation', async () => {
    const fn = await create('slow-first-init', {
      environment: { MARK: join(folder, 'first') },
      initLimitMs: 500,
    });
    expect(await payload(fn)).toBe('at last');
    expect(fn.lines).toContainEqual(
      expect.stringMatching(/^INIT_REPORT Init Duration: \d{3,}\.\d\d ms\tPhase: init\tStatus: timeout$/),
    );
  });

  test('an init that takes longer than its limit has no more than the time of the invocation then', async () => {
    const fn = await create('slow-first-init', {
      environment: { MARK: join(folder, 'always'), ALWAYS: 'true' },
      timeoutSeconds: 1,
      initLimitMs: 500,
    });
    expect(await fn.invoke({})).toMatchObject({ ok: false, errorType: 'Sandbox.Timedout' });
    expect(fn.lines).toContainEqual(
      expect.stringMatching(/Init Duration: (9\d\d|\d{4,})\.\d\d ms\tPhase: invoke\tStatus: timeout$/),
    );
  });
});

describe('the log', () => {
  test('the log has every line of both streams between START and END, before the invocation’s result', async () => {
    const fn = await create('prints');
    await payload(fn);
    const [initStart, start, ...rest] = fn.lines;
    const [end, report] = rest.splice(-2);
    expect(initStart).toMatch(/^INIT_START Runtime Version: nodejs:24\./);
    expect(start).toMatch(/^START RequestId: \S+ Version: \$LATEST$/);
    expect(rest.map((line) => line.replace(/^\S+Z\t\S+\t/, '')).sort()).toEqual(
      [
        'INFO\tby console.log\rwith two lines',
        'to stdout',
        'to stderr',
        'x'.repeat(300_000),
        'without a newline',
      ].sort(),
    );
    expect(end).toMatch(/^END RequestId: /);
    expect(report).toMatch(
      /^REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t$/,
    );
  });

  test('the log reports the init of a cold start alone', async () => {
    const fn = await create('counts');
    await payload(fn);
    await payload(fn);
    expect(fn.lines.filter((line) => line.includes('Init Duration'))).toHaveLength(1);
    expect(fn.lines.filter((line) => line.startsWith('INIT_START'))).toHaveLength(1);
  });
});

describe('waiting for a fact', () => {
  test('waiting for a fact ends with an error that says what was seen', async () => {
    const fn = await create('counts');
    await payload(fn);
    await expect(fn.waitForInvocationEnd(1)).resolves.toBeUndefined();
    await expect(fn.waitForInvocationEnd(2, { timeoutMs: 10 })).rejects.toThrow(
      'waited 10 ms in vain: 2 invocations of orders to end, saw 1',
    );
  });
});

describe('no process of a function outlives its host', () => {
  test.each([
    ['exits', 'exit', undefined, true],
    ['throws', 'throw', undefined, true],
    ['gets SIGINT', 'wait', 'SIGINT', true],
    ['gets SIGTERM', 'wait', 'SIGTERM', true],
    ['gets SIGKILL, where the watchdog does it', 'wait', 'SIGKILL', false],
  ] as const)('no process of a function outlives its host that %s', async (_, how, signal, isWithoutWatchdog) => {
    const child = spawn(process.execPath, [host, how, String(isWithoutWatchdog)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const exit = once(child, 'exit');
    const line = await once(createInterface(child.stdout), 'line');
    const pids = JSON.parse(String(line[0])) as number[];
    expect(pids).toHaveLength(2);
    if (signal !== undefined) child.kill(signal);
    const [code, endedBy] = await exit;
    expect([code, endedBy]).toEqual({ exit: [0, null], throw: [1, null], wait: [null, signal] }[how]);
    await expect.poll(() => pids.filter(isAlive), { timeout: 5000 }).toEqual([]);
  });
});
