/**
 * Waiting as an option: the one shape in which the parts of the landscape ask for a timer, so that a simulation can
 * hand in its own time. What is waited for belongs to the callers.
 */

/** Calls `run` once after `delayMs`; the returned function calls it off. */
export type SetTimer = (run: () => void, delayMs: number) => () => void;

/** The host's clock. A waiting timer keeps the process alive, so whoever sets one calls it off when it stops. */
export const setRealTimer: SetTimer = (run, delayMs) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};
