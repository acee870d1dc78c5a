/** `npm start` as a process of its own, what it has written so far, and what is left when it has ended. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { createChanges } from '../../infra/local/facts/waiting.ts';

const PROJECT = resolve(import.meta.dirname, '../..');

export interface Started {
  readonly child: ChildProcess;
  /** Whole lines of the standard output. */
  readonly lines: readonly string[];
  /** What was written to standard error. */
  readonly errors: () => string;
  /** Resolves when a line was written that the pattern fits, at most `timeoutMs` later. */
  until(pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<number | null>;
}

/** The link that is printed last: then it is up. */
export const UP = /^Watch it, and break it: {2}http:\/\/127\.0\.0\.1:\d+$/;

/** Every test file has ports of its own: of two landscapes that start at once both may find the same ones free. */
export function start(
  options: readonly string[],
  folder = PROJECT,
  environment: Readonly<Record<string, string>> = {},
): Started {
  const { PATH } = process.env;
  const child = spawn('npm', ['start', '--silent', '--', ...options], {
    cwd: folder,
    // A terminal's colours are for `script` to ask for.
    env: { PATH, HOME: process.env.HOME, NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const changes = createChanges();
  const lines: string[] = [];
  let rest = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = `${rest}${text}`.split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    changes.announce();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(async () => {
    signalGroup(child, 'SIGTERM');
    await ended;
  });
  return {
    child,
    lines,
    errors: () => errors,
    ended,
    async until(pattern, timeoutMs = 60_000) {
      const found = () => lines.find((line) => pattern.test(line));
      await changes.until(`a line ${pattern}`, () => found() !== undefined, { timeoutMs });
      return found() ?? '';
    },
  };
}

/** To npm, the shell, the launcher and the landscape, as a terminal does it. */
export function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-(pid ?? 0), signal);
  } catch (error) {
    // Nobody of the group is left.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** What still runs of the process group that npm began. A dead one that nobody has asked after runs no more. */
export function runningOf({ pid }: ChildProcess): string[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pgid=,args='], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.trim().startsWith(`${pid} `) && !line.includes('<defunct>'));
}
