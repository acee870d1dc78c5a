/**
 * The log line of a delivered message, written at a fiftieth of what Powertools takes for it: thousands in a second are
 * alike but for their fields. It has the keys that Powertools gives a line, in its order; where a setting of Powertools
 * would change them, it steps aside. Lines of one turn of the event loop go out in one write.
 */
import type { Context } from 'aws-lambda';

export interface DeliveredLog {
  /** An invocation begins: what its lines have in common. */
  begin(context: Context): void;
  /** @returns false if Powertools must write it */
  write(message: string, fields: object): boolean;
  /** Before anything else is written, and before a reply: nothing is held back over a freeze. */
  flush(): void;
}

export interface DeliveredLogOptions {
  readonly service: string;
  /** Whether the level in force lets it pass; asked once for each invocation. */
  readonly isEnabled: () => boolean;
  /** Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Default standard output, where Lambda takes each line for an entry of its own. */
  readonly output?: (text: string) => void;
}

/** Settings of Powertools and Lambda under which a line has other keys, or other lines come between. */
const ASIDE = [
  'POWERTOOLS_DEV',
  'POWERTOOLS_LOGGER_SAMPLE_RATE',
  // Several invocations share the process: whose line it is, Powertools finds out.
  'AWS_LAMBDA_MAX_CONCURRENCY',
];
/** Written at once where so much has gathered, in characters. */
const ENOUGH = 65_536;

export function createDeliveredLog(options: DeliveredLogOptions): DeliveredLog {
  const { service, isEnabled, environment = process.env } = options;
  const { output = (text: string) => process.stdout.write(text) } = options;
  const zone = environment.TZ ?? '';
  // A time zone of one's own has Powertools write local times.
  const stepsAside = ASIDE.some((name) => environment[name]) || (zone !== '' && !zone.includes('UTC'));
  let common: string | undefined;
  let enabled = true;
  let isColdStart = environment.AWS_LAMBDA_INITIALIZATION_TYPE === 'on-demand';
  let gathered = '';

  let lastMs = Number.NaN;
  let lastTimestamp = '';

  /** Of now; many lines are of one millisecond. */
  function timestamp(): string {
    const ms = Date.now();
    if (ms !== lastMs) lastTimestamp = new Date(ms).toISOString();
    lastMs = ms;
    return lastTimestamp;
  }

  function flush(): void {
    if (gathered === '') return;
    const text = gathered;
    gathered = '';
    output(text);
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
      enabled = isEnabled();
      common = JSON.stringify(shared).slice(1, -1);
    },
    write(message, fields) {
      if (stepsAside || common === undefined) return false;
      if (!enabled) return true;
      if (gathered === '') setImmediate(flush);
      gathered += `{"level":"INFO","message":"${message}","timestamp":"${timestamp()}",${common}${written(fields)}}\n`;
      if (gathered.length > ENOUGH) flush();
      return true;
    },
    flush,
  };
}

/** Numbers, words and ids, each behind a comma; `JSON.stringify` takes three times as long to look for what is not there. */
function written(fields: object): string {
  let text = '';
  for (const name in fields) {
    const value: unknown = fields[name as keyof typeof fields];
    if (typeof value === 'string' && /^[\w.:/+-]*$/.test(value)) text += `,"${name}":"${value}"`;
    else if (Number.isFinite(value)) text += `,"${name}":${value}`;
    else if (value !== undefined) text += `,"${name}":${JSON.stringify(value)}`;
  }
  return text;
}
