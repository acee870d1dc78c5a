/** How the operator breaks a run off: the first signal asks for an end in order, a second ends at once. */

export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One Ctrl-C is delivered by the terminal, by npm and by the launcher, each for itself. */
const SAME_WITHIN_MS = 1_000;

export interface InterruptionOptions {
  /** `process`. */
  readonly signals: { on(name: (typeof SIGNALS)[number], listener: () => void): unknown };
  /** A reader that went away is like the first signal. */
  readonly stdout: { on(name: 'error', listener: () => void): unknown };
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  /** Ends the process. */
  readonly exit: () => void;
}

/** @returns aborts when the run is to end in order */
export function interruption({ signals, stdout, now, exit }: InterruptionOptions): AbortSignal {
  const controller = new AbortController();
  let first: { readonly name: string; readonly at: number } | undefined;
  for (const name of SIGNALS) {
    signals.on(name, () => {
      if (first === undefined) first = { name, at: now() };
      else if (first.name !== name || now() - first.at >= SAME_WITHIN_MS) exit();
      controller.abort();
    });
  }
  stdout.on('error', () => controller.abort());
  return controller.signal;
}
