/** A warm value whose loads the test settles by hand, in whichever order it likes. */
import { warm } from '../../functions/warm.ts';

/** Loads that the test settles by hand. */
export function start(isFresh?: (value: { n: number }) => boolean) {
  const loads: { signal: AbortSignal; resolve: (value: { n: number }) => void; reject: (error: unknown) => void }[] =
    [];
  const value = warm<{ n: number }>({
    load: (signal) => new Promise((resolve, reject) => loads.push({ signal, resolve, reject })),
    ...(isFresh === undefined ? {} : { isFresh }),
  });
  /** Lets everything happen that is due. */
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { value, loads, turn };
}
