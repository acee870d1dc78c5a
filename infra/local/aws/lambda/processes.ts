/**
 * The child processes that must not outlive this one, frozen ones included: killed when this process exits, on its own
 * account, by an uncaught exception, or by a signal that nobody else handles. After a SIGKILL of this process, which
 * runs nothing, a watchdog kills them; it is one small shell that learns of the death by the end of its input.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WATCHDOG = fileURLToPath(new URL('watchdog.sh', import.meta.url));
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const pids = new Set<number>();
let watchdog: ChildProcess | undefined;

/** From now on `child` dies with this process. Forgotten when it ends by itself. */
export function bindToThisProcess(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (pids.size === 0) watch();
  pids.add(pid);
  tellWatchdog(`+${pid}`);
  child.once('exit', () => {
    pids.delete(pid);
    tellWatchdog(`-${pid}`);
    if (pids.size === 0) unwatch();
  });
}

/** SIGKILL ends a stopped process too. */
function killAll(): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // ESRCH: it has ended and its exit event is still on the way.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function killBoundProcesses(signal: NodeJS.Signals): void {
  // Whoever else listens decides what the signal means, and stops its functions or exits. By the name, since a test
  // runner may have loaded this module more than once.
  if (process.listeners(signal).some((listener) => listener.name !== killBoundProcesses.name)) return;
  killAll();
  unwatch();
  process.kill(process.pid, signal);
}

function watch(): void {
  process.on('exit', killAll);
  for (const signal of SIGNALS) process.on(signal, killBoundProcesses);
  watchdog = spawn('/bin/sh', [WATCHDOG], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: {} });
  watchdog.on('error', () => {
    // Without a shell there is no watchdog, and everything else holds.
    watchdog = undefined;
  });
  watchdog.stdin?.on('error', ignoreBrokenPipe);
  watchdog.unref();
  const input = watchdog.stdin;
  if (input !== null && 'unref' in input && typeof input.unref === 'function') input.unref();
}

function unwatch(): void {
  process.off('exit', killAll);
  for (const signal of SIGNALS) process.off(signal, killBoundProcesses);
  watchdog?.stdin?.end();
  watchdog = undefined;
}

function tellWatchdog(line: string): void {
  watchdog?.stdin?.write(`${line}\n`);
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') throw error;
}
