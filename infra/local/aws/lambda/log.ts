/**
 * What Lambda writes to a function's log: the lines of its processes, and the platform's own around them in Lambda's
 * text format. Where the lines go is for who creates the function.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
 */
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';

/** The lines of one stream of a process, and the marks that runtime-client.cjs puts between them. */
export interface Lines {
  /** Resolves when everything before the mark of this number has been passed on, or when the stream has ended. */
  waitForMark(number: number): Promise<void>;
}

/** Cuts a stream into lines; text before a mark or the end counts as a line without its newline. */
export function readLines(stream: Readable, onLine: (line: string) => void): Lines {
  let rest = '';
  let seen = 0;
  const waiting = new Map<number, () => void>();

  function passOn(text: string): void {
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    for (const line of lines) onLine(line);
  }

  function marked(number: number): void {
    seen = number;
    for (const [wanted, resolve] of waiting) {
      if (wanted <= seen) resolve();
    }
  }

  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    rest += chunk;
    for (let mark = findMark(rest); mark !== undefined; mark = findMark(rest)) {
      passOn(rest.slice(0, mark.start));
      rest = rest.slice(mark.end);
      marked(mark.number);
    }
    // A mark may have arrived in part.
    const whole = rest.slice(0, rest.lastIndexOf('\n') + 1);
    if (!whole.includes('\u0000')) {
      passOn(whole);
      rest = rest.slice(whole.length);
    }
  });
  stream.on('close', () => {
    passOn(rest);
    rest = '';
    marked(Number.POSITIVE_INFINITY);
  });

  return {
    waitForMark(number) {
      if (seen >= number) return Promise.resolve();
      return new Promise((resolve) => waiting.set(number, resolve));
    },
  };
}

function findMark(text: string): { start: number; end: number; number: number } | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the mark is made of what no log line has
  const match = /\u0000next (\d+)\u0000/.exec(text);
  if (match === null) return undefined;
  return { start: match.index, end: match.index + match[0].length, number: Number(match[1]) };
}

export interface Report {
  readonly requestId: string;
  readonly durationMs: number;
  /** Given for the first invocation of an environment alone. */
  readonly initDurationMs?: number | undefined;
  readonly memoryMb: number;
  readonly maxMemoryUsedMb?: number | undefined;
  readonly status?: 'timeout' | 'error' | undefined;
  readonly errorType?: string | undefined;
}

export function initStartLine(region: string): string {
  return `INIT_START Runtime Version: nodejs:24.${process.version}\tRuntime Version ARN: arn:aws:lambda:${region}::runtime:local`;
}

/** Lambda writes it only of an init that failed, or that was done over within the invocation. */
export function initReportLine(init: {
  durationMs: number;
  phase: 'init' | 'invoke';
  status: 'success' | 'error' | 'timeout';
  errorType?: string | undefined;
}): string {
  const { durationMs, phase, status, errorType } = init;
  const error = errorType === undefined ? '' : `\tError Type: ${errorType}`;
  return `INIT_REPORT Init Duration: ${durationMs.toFixed(2)} ms\tPhase: ${phase}\tStatus: ${status}${error}`;
}

export function reportLine(report: Report): string {
  // Init is billed like the rest since August 2025.
  const billedMs = Math.ceil(report.durationMs + (report.initDurationMs ?? 0));
  return [
    `REPORT RequestId: ${report.requestId}`,
    `Duration: ${report.durationMs.toFixed(2)} ms`,
    `Billed Duration: ${billedMs} ms`,
    `Memory Size: ${report.memoryMb} MB`,
    ...(report.maxMemoryUsedMb === undefined ? [] : [`Max Memory Used: ${report.maxMemoryUsedMb} MB`]),
    ...(report.initDurationMs === undefined ? [] : [`Init Duration: ${report.initDurationMs.toFixed(2)} ms`]),
    ...(report.status === undefined ? [] : [`Status: ${report.status}`]),
    ...(report.errorType === undefined ? [] : [`Error Type: ${report.errorType}`]),
    '',
  ].join('\t');
}

/** The peak of a process's memory; undefined where there is no /proc, or the process has ended. */
export function maxMemoryUsedMb(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Math.ceil(Number(kilobytes) / 1024);
  } catch {
    return undefined;
  }
}
