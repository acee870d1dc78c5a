/**
 * A value worth keeping between invocations: the fresh one, else the load that is in flight, else a new load. A failure
 * is never kept. A load belongs to those who wait for it, a renewal ahead to the invocation it runs beside: when nobody
 * is left, it is aborted, so that nothing runs on after a reply.
 */
import { type Clock, type Deadline, wait } from '../deadline.ts';

export interface Warm<T extends object> {
  /**
   * The value; one that is due for renewal is still handed out, while its successor is loaded beside.
   *
   * @param deadline ends the waiting of this caller; the others wait on
   * @throws what the load threw, or the reason of the deadline's signal
   */
  get(deadline?: Deadline): Promise<T>;
  /** A successor of this value: the current one if that is another already, else a load that all join. */
  renew(value: T, deadline?: Deadline): Promise<T>;
  /** Drops exactly this value: one that has been replaced in the meantime does not take its successor along. */
  forget(value: T): void;
  /** What is kept, fresh or not. */
  peek(): T | undefined;
  /** A renewal that runs beside the work, if one does; it never rejects. */
  renewing(): Promise<void> | undefined;
  /** Ends a renewal that nobody waits for; it counts as failed. @returns when it has ended; undefined if none was ended */
  abortRenewal(): Promise<void> | undefined;
}

export interface WarmOptions<T extends object> {
  /** Gets a new value; must end soon after the deadline's signal is aborted. */
  readonly load: (deadline: Deadline) => Promise<T>;
  /** Default: for ever, until forgotten. */
  readonly isFresh?: (value: T) => boolean;
  /** Whether a successor should be loaded beside the work. Default: never. */
  readonly isDue?: (value: T) => boolean;
  /** Told why a renewal ahead failed; the value that it was to replace is kept. */
  readonly onRenewalFailed?: (error: unknown) => void;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** Renewals ahead begin at least this far apart, whatever comes of them, in milliseconds. */
export const RENEWAL_PAUSE_MS = 30_000;

interface Load<T> {
  readonly promise: Promise<T>;
  readonly abort: AbortController;
  /** Of those who wait, and of the invocation that a renewal runs beside. */
  readonly holders: Set<Deadline>;
  waiting: number;
}

const NO_DEADLINE: Deadline = { remainingMs: () => Number.POSITIVE_INFINITY, signal: new AbortController().signal };

export function warm<T extends object>(options: WarmOptions<T>): Warm<T> {
  const { load, isFresh = () => true, isDue = () => false, onRenewalFailed, now = Date.now } = options;
  let value: T | undefined;
  let inFlight: Load<T> | undefined;
  let renewal: { readonly load: Load<T>; readonly done: Promise<void> } | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;

  function start(): Load<T> {
    const abort = new AbortController();
    const holders = new Set<Deadline>();
    const remainingMs = () => Math.max(0, ...[...holders].map((holder) => holder.remainingMs()));
    const started: Load<T> = {
      // Begun in a later turn, so that whoever starts it is among the holders by then.
      promise: Promise.resolve({ remainingMs, signal: abort.signal }).then(run),
      abort,
      holders,
      waiting: 0,
    };
    inFlight = started;
    return started;

    async function run(deadline: Deadline): Promise<T> {
      try {
        const loaded = await load(deadline);
        // One that was given up must not overwrite what a later load brought.
        if (inFlight === started) value = loaded;
        return loaded;
      } finally {
        if (inFlight === started) inFlight = undefined;
      }
    }
  }

  function startRenewal(deadline: Deadline): void {
    renewedAt = now();
    const started = start();
    started.holders.add(deadline);
    const done = started.promise.then(
      () => undefined,
      (error: unknown) => onRenewalFailed?.(error),
    );
    const current = { load: started, done };
    renewal = current;
    done.finally(() => {
      if (renewal === current) renewal = undefined;
    });
  }

  function giveUp(given: Load<T>, reason: unknown): void {
    if (given.waiting > 0 || inFlight !== given || renewal?.load === given) return;
    inFlight = undefined;
    given.abort.abort(reason);
  }

  async function join(deadline: Deadline): Promise<T> {
    const joined = inFlight ?? start();
    // An object of its own, since one caller may wait more than once.
    const holder: Deadline = { ...deadline };
    joined.waiting += 1;
    joined.holders.add(holder);
    try {
      return await orAborted(joined.promise, deadline.signal);
    } finally {
      joined.waiting -= 1;
      joined.holders.delete(holder);
      giveUp(joined, deadline.signal.reason);
    }
  }

  return {
    async get(deadline = NO_DEADLINE) {
      deadline.signal.throwIfAborted();
      if (value === undefined || !isFresh(value)) return join(deadline);
      if (inFlight === undefined && isDue(value) && now() - renewedAt >= RENEWAL_PAUSE_MS) startRenewal(deadline);
      return value;
    },
    async renew(old, deadline = NO_DEADLINE) {
      deadline.signal.throwIfAborted();
      return value !== undefined && value !== old && isFresh(value) ? value : join(deadline);
    },
    forget(rejected) {
      if (value === rejected) value = undefined;
    },
    peek: () => value,
    renewing: () => renewal?.done,
    abortRenewal() {
      const ended = renewal;
      renewal = undefined;
      if (ended === undefined || ended.load.waiting > 0) return undefined;
      giveUp(ended.load, new Error('the invocation that it ran beside is over'));
      return ended.done;
    },
  };
}

/** How long renewals that run beside the work may go on after it, in milliseconds. */
const RENEWAL_GRACE_MS = 1_000;

/** At the end of an invocation: awaits the renewals shortly, while there is time, then aborts them. Never rejects. */
export async function settleRenewals(
  warms: readonly Warm<object>[],
  clock: Clock,
  reserve: Pick<Deadline, 'remainingMs'> = NO_DEADLINE,
): Promise<void> {
  const renewals = warms.map((one) => one.renewing()).filter((renewal) => renewal !== undefined);
  if (renewals.length === 0) return;
  const grace = new AbortController();
  // It ends early once all renewals are done; that is no error.
  const over = wait(Math.min(RENEWAL_GRACE_MS, reserve.remainingMs()), grace.signal, clock).catch(() => undefined);
  await Promise.race([Promise.all(renewals), over]);
  grace.abort();
  // One that another invocation has joined goes on, and is not awaited here.
  const aborted = warms.map((one) => one.abortRenewal());
  await Promise.all([over, ...aborted]);
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
