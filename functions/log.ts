/**
 * The log's lines, as Powertools Logger writes them and without its cost: a fiftieth for each line, and at a cold start a
 * tenth of what there is to load. They have the keys that Powertools gives a line, in its order; where one of its
 * settings would change them, Powertools itself writes (`telemetry.ts`). Lines are gathered for a moment: a write costs
 * more than a line.
 */
import type { Context } from 'aws-lambda';
import { afterTimeout, type Clock } from './deadline.ts';

export type Level = 'info' | 'warn' | 'error';

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
  /** Default standard output, and standard error for warnings and errors; Lambda takes each line for an entry of its own. */
  readonly output?: (text: string, level: Level) => void;
  /** Default `setTimeout`. */
  readonly after?: NonNullable<Clock['after']>;
}

/** Settings of Powertools and Lambda under which a line has other keys, or is not written, or other lines come between. */
const CHANGE_LINES = [
  'POWERTOOLS_DEV',
  'POWERTOOLS_LOGGER_SAMPLE_RATE',
  'POWERTOOLS_LOGGER_LOG_EVENT',
  'POWERTOOLS_LOG_LEVEL',
  'LOG_LEVEL',
  'AWS_LAMBDA_LOG_LEVEL',
  // Several invocations share the process: whose line it is, Powertools finds out.
  'AWS_LAMBDA_MAX_CONCURRENCY',
];
/** Written at once where so much has gathered, in characters. */
const ENOUGH = 65_536;
/** No line is held back for longer, in milliseconds: a process that is killed had no time to write what it had gathered. */
const LATEST_MS = 20;

/** Whether the lines must be left to Powertools. @param environment default `process.env` */
export function isPowertoolsNeeded(environment: LogOptions['environment'] = process.env): boolean {
  const zone = environment.TZ ?? '';
  // A time zone of one's own has Powertools write local times.
  return CHANGE_LINES.some((name) => environment[name]) || (zone !== '' && !zone.includes('UTC'));
}

export function createLog(options: LogOptions): Log {
  const { service, environment = process.env, output = toStandardStreams, after = afterTimeout } = options;
  let common = `"service":${JSON.stringify(service)}`;
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

  /** Each stream has its own lines; they stay in the order of what they tell. */
  function gather(level: Level, line: string): void {
    if (level !== gatheredLevel) flush();
    gatheredLevel = level;
    if (gathered === '') cancelFlush = after(LATEST_MS, flush);
    gathered += line;
    if (gathered.length > ENOUGH) flush();
  }

  function flush(): void {
    if (gathered === '') return;
    cancelFlush?.();
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
    },
    write(level, message, fields) {
      const head = `{"level":"${WORDS[level]}","message":"${message}","timestamp":"${timestamp()}",`;
      gather(level, `${head}${common}${written(fields)}}\n`);
    },
    append: (line) => gather('info', line),
    flush,
  };
}

const WORDS = { info: 'INFO', warn: 'WARN', error: 'ERROR' } as const;

function toStandardStreams(text: string, level: Level): void {
  if (level === 'info') process.stdout.write(text);
  else process.stderr.write(text);
}

/** Numbers, words and ids, each behind a comma; `JSON.stringify` takes three times as long to look for what is not there. */
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
