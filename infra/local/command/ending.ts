/**
 * How `npm start` ends: by Ctrl-C, by SIGTERM or SIGHUP to its process group, or since nobody reads its output any more.
 * In silence, in order where that is quick, and at once where it is not. npm hands on no signal that is sent to its own
 * process alone: `kill -- -<process group>` reaches everyone.
 */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** What has not ended by then ends with the process: who waits for a prompt waits two seconds at most. */
const LONGEST_END_MS = 1_500;

export interface EndingOptions {
  /** `process`. */
  readonly signals: { on(name: (typeof SIGNALS)[number], listener: () => void): unknown };
  readonly stdout: { on(name: 'error', listener: () => void): unknown };
  readonly stderr: { on(name: 'error', listener: () => void): unknown };
  /** Ends the process; its children die with it. */
  readonly exit: () => void;
}

/** @returns aborts when everything is to end */
export function ending({ signals, stdout, stderr, exit }: EndingOptions): AbortSignal {
  const controller = new AbortController();
  const end = () => {
    if (controller.signal.aborted) return;
    setTimeout(exit, LONGEST_END_MS).unref();
    controller.abort();
  };
  for (const name of SIGNALS) signals.on(name, end);
  // A pipe tells that its reader has gone when something is written to it.
  for (const stream of [stdout, stderr]) stream.on('error', end);
  return controller.signal;
}
