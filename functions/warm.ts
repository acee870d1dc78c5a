/**
 * A value worth keeping between invocations: the fresh one, else the load that is in flight, else a new load. A failure
 * is never kept. A load belongs to those who wait for it: when the last of them gives up, it is aborted, so that nothing
 * runs on after a reply.
 */

export interface Warm<T extends object> {
  /**
   * @param signal ends the waiting of this caller; the others wait on
   * @throws what the load threw, or the signal's reason
   */
  get(signal?: AbortSignal): Promise<T>;
  /** Drops exactly this value: one that has been replaced in the meantime does not take its successor along. */
  forget(value: T): void;
}

export interface WarmOptions<T extends object> {
  /** Gets a new value; must end soon after its signal is aborted. */
  readonly load: (signal: AbortSignal) => Promise<T>;
  /** Default: for ever, until forgotten. */
  readonly isFresh?: (value: T) => boolean;
}

interface Load<T> {
  readonly promise: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

export function warm<T extends object>({ load, isFresh = () => true }: WarmOptions<T>): Warm<T> {
  let value: T | undefined;
  let inFlight: Load<T> | undefined;

  function start(): Load<T> {
    const abort = new AbortController();
    const started: Load<T> = { promise: Promise.resolve(abort.signal).then(run), abort, waiting: 0 };
    inFlight = started;
    return started;

    async function run(signal: AbortSignal): Promise<T> {
      try {
        const loaded = await load(signal);
        // One that was given up must not overwrite what a later load brought.
        if (inFlight === started) value = loaded;
        return loaded;
      } finally {
        if (inFlight === started) inFlight = undefined;
      }
    }
  }

  return {
    async get(signal) {
      signal?.throwIfAborted();
      if (value !== undefined && isFresh(value)) return value;
      const joined = inFlight ?? start();
      joined.waiting += 1;
      try {
        return await orAborted(joined.promise, signal);
      } finally {
        joined.waiting -= 1;
        if (joined.waiting === 0 && inFlight === joined) {
          inFlight = undefined;
          joined.abort.abort(signal?.reason);
        }
      }
    },
    forget(rejected) {
      if (value === rejected) value = undefined;
    },
  };
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
