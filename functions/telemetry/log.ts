/**
 * The log's lines, in the form of Powertools Logger: the same keys in the same order, compared with it by the tests.
 * Not by Powertools itself, whose line costs 109 µs in the first 200 and 15 µs later on, where a whole message costs
 * 52; one of these costs less than 2. Lines are gathered for a moment, since a write costs more than a line.
 *
 * `README.md` lists the environment variables of Powertools that are read here, and those that do nothing.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { writeSync } from 'node:fs';
import type { Context } from 'aws-lambda';
import { afterTimeout, type Clock } from '../deadline.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

export interface Log {
  /** An invocation begins: what its lines have in common. */
  begin(context: Context): void;
  /** @param fields without secret, token or payload; those that are undefined, null or empty are left out */
  write(level: Level, message: string, fields: object): void;
  /** A whole line for standard output, in its turn. */
  append(line: string): void;
  /** Before anything else is written, and before a reply: nothing is held back over a freeze. */
  flush(): void;
}

export interface LogOptions {
  readonly service: string;
  /** Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Default standard output, and standard error for warnings and errors; Lambda takes each line as one entry. */
  readonly output?: (text: string, level: Level) => void;
  /** Default `setTimeout`. */
  readonly after?: NonNullable<Clock['after']>;
}

/** How many of our levels, from `debug` on, are not written. */
const UNWRITTEN: Readonly<Record<string, number>> = {
  TRACE: 0,
  DEBUG: 0,
  INFO: 1,
  WARN: 2,
  ERROR: 3,
  CRITICAL: 4,
  FATAL: 4,
  SILENT: 4,
};
/** Written at once where so much has gathered, in characters. */
const ENOUGH = 65_536;
/** No line is held back for longer, in milliseconds: a process that is killed does not write what it has gathered. */
const LATEST_MS = 20;

/** The levels that are written. A level that is none of these counts as not set. */
function levelsOf(environment: NonNullable<LogOptions['environment']>): readonly Level[] {
  const { AWS_LAMBDA_LOG_LEVEL, POWERTOOLS_LOG_LEVEL, LOG_LEVEL } = environment;
  const set = [AWS_LAMBDA_LOG_LEVEL, POWERTOOLS_LOG_LEVEL, LOG_LEVEL].map((level) => level?.toUpperCase() ?? '');
  return LEVELS.slice(UNWRITTEN[set.find((level) => Object.hasOwn(UNWRITTEN, level)) ?? 'INFO']);
}

const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error'];

export function createLog(options: LogOptions): Log {
  const { service, environment = process.env, output = toStandardStreams, after = afterTimeout } = options;
  const levels = levelsOf(environment);
  /** What the lines of an invocation have in common. */
  let common = `"service":${JSON.stringify(service)}`;
  /** Several invocations share the process (Lambda Managed Instances): each line bears the request id of its own. */
  const ofInvocation = environment.AWS_LAMBDA_MAX_CONCURRENCY ? new AsyncLocalStorage<string>() : undefined;
  let isColdStart = environment.AWS_LAMBDA_INITIALIZATION_TYPE === 'on-demand';
  let gathered = '';
  let gatheredLevel: Level = 'info';
  let cancelFlush: (() => void) | undefined;
  /** The second of the line before, and how it is written. */
  let second = Number.NaN;
  let writtenSecond = '';

  function timestamp(): string {
    const ms = Date.now();
    const now = Math.floor(ms / 1_000);
    if (now !== second) writtenSecond = new Date(ms).toISOString().slice(0, -4);
    second = now;
    return `${writtenSecond}${String(ms - now * 1_000).padStart(3, '0')}Z`;
  }

  /** Standard output and standard error have their own lines; all are written in the order in which they came. */
  function gather(level: Level, line: string): void {
    if (level !== gatheredLevel) flush();
    gatheredLevel = level;
    if (gathered === '') {
      cancelFlush = after(LATEST_MS, flush);
      holding.add(flush);
    }
    gathered += line;
    if (gathered.length > ENOUGH) flush();
  }

  function flush(): void {
    if (gathered === '') return;
    cancelFlush?.();
    holding.delete(flush);
    const text = gathered;
    gathered = '';
    output(text, gatheredLevel);
  }

  return {
    begin(context) {
      const { invokedFunctionArn, memoryLimitInMB, functionName, awsRequestId, tenantId } = context;
      const trace = /Root=([^;]+)/.exec(environment._X_AMZN_TRACE_ID ?? '')?.[1];
      const shared = {
        service,
        cold_start: isColdStart,
        function_arn: invokedFunctionArn,
        function_memory_size: memoryLimitInMB,
        function_name: functionName,
        function_request_id: awsRequestId,
        sampling_rate: 0,
        xray_trace_id: trace,
        tenant_id: tenantId,
      };
      isColdStart = false;
      common = JSON.stringify(shared).slice(1, -1);
      ofInvocation?.enterWith(common);
    },
    write(level, message, fields) {
      if (!levels.includes(level)) return;
      const head = `{"level":"${WORDS[level]}","message":"${message}","timestamp":"${timestamp()}",`;
      gather(level, `${head}${ofInvocation?.getStore() ?? common}${written(fields)}}\n`);
    },
    append: (line) => gather('info', line),
    flush,
  };
}

const WORDS = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' } as const;

/** Logs that have gathered something; one listener for them all, however many a process has. */
const holding = new Set<() => void>();
let isExiting = false;
process.on('exit', () => {
  isExiting = true;
  for (const flush of holding) flush();
});

function toStandardStreams(text: string, level: Level): void {
  const isStandardError = level === 'warn' || level === 'error';
  if (isExiting) writeNow(isStandardError ? 2 : 1, Buffer.from(text));
  else if (isStandardError) process.stderr.write(text);
  else process.stdout.write(text);
}

/** How long a pipe that is full is waited for while the process exits, in milliseconds. */
const FULL_PIPE_MS = 200;

/** While a process exits, what a stream has not written at once is lost. */
function writeNow(descriptor: number, bytes: Uint8Array): void {
  const endsAt = Date.now() + FULL_PIPE_MS;
  for (let written = 0; written < bytes.byteLength; ) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      // The reader is gone, and with it the only place to report this.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || Date.now() > endsAt) return;
    }
  }
}

/** Numbers, words and ids, each behind a comma: a third of the time of `JSON.stringify`, which looks for more. */
function written(fields: object): string {
  let text = '';
  for (const name in fields) {
    const value: unknown = fields[name as keyof typeof fields];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value === 'string' && /^[\w.:/+-]*$/.test(value)) text += `,"${name}":"${value}"`;
    else text += `,"${name}":${typeof value === 'number' && Number.isFinite(value) ? value : JSON.stringify(value)}`;
  }
  return text;
}
