/**
 * A value that is kept between invocations: the fresh value, else the load in flight, else a new load. A failure is
 * never kept. A load belongs to the callers that wait for it, a renewal ahead to the invocation in which it began. When
 * none of them is left it is aborted, so that nothing runs on after a reply.
 */
import { type Clock, type Deadline, wait } from '../deadline.ts';

export interface Warm<T extends object> {
  /**
   * The value. One that is due for renewal is still returned, while its successor is loaded in the background.
   *
   * @param deadline ends the waiting of this caller alone
   * @throws what the load threw, or the reason of the deadline's signal
   */
  get(deadline?: Deadline): Promise<T>;
  /** A successor of this value: the current value if it is another one already, else a load that all callers share. */
  renew(value: T, deadline?: Deadline): Promise<T>;
  /** Drops this value. Does nothing if it has been replaced meanwhile: the successor stays. */
  forget(value: T): void;
  /** The value that is kept, fresh or not. */
  peek(): T | undefined;
  /** The renewal in the background, if one runs; never rejects. */
  renewing(): Promise<void> | undefined;
  /**
   * Aborts a renewal that no caller waits for; it counts as failed.
   *
   * @returns when it has ended; undefined if there was none
   */
  abortRenewal(): Promise<void> | undefined;
}

export interface WarmOptions<T extends object> {
  /** Gets a new value; must end soon after the deadline's signal is aborted. */
  readonly load: (deadline: Deadline) => Promise<T>;
  /** Default: always, until it is forgotten. */
  readonly isFresh?: (value: T) => boolean;
  /** Whether a successor should be loaded in the background. Default: never. */
  readonly isDue?: (value: T) => boolean;
  /** Called when a renewal ahead failed; the old value is kept. */
  readonly onRenewalFailed?: (error: unknown) => void;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** Shortest time between the beginnings of two renewals ahead, in milliseconds. */
export const RENEWAL_PAUSE_MS = 30_000;

interface Load<T> {
  readonly promise: Promise<T>;
  readonly abort: AbortController;
  /** Of the callers that wait, and of the invocation in which a renewal began. */
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
      // Begins in a later turn, when the caller that starts it is among the holders.
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
        // A load that was given up must not overwrite the value of a later one.
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
    // A copy, since one caller may wait more than once with the same deadline.
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

/** How long renewals may go on after the work, in milliseconds. */
const RENEWAL_GRACE_MS = 1_000;

/** At the end of an invocation: waits for renewals shortly, while there is time, then aborts them. Never rejects. */
export async function settleRenewals(
  warms: readonly Warm<object>[],
  clock: Clock,
  reserve: Pick<Deadline, 'remainingMs'> = NO_DEADLINE,
): Promise<void> {
  const renewals = warms.map((one) => one.renewing()).filter((renewal) => renewal !== undefined);
  if (renewals.length === 0) return;
  const grace = new AbortController();
  // Aborted once all renewals are done, which is no error.
  const over = wait(Math.min(RENEWAL_GRACE_MS, reserve.remainingMs()), grace.signal, clock).catch(() => undefined);
  await Promise.race([Promise.all(renewals), over]);
  grace.abort();
  // A renewal that a caller of another invocation waits for goes on.
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
