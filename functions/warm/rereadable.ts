/**
 * A warm value that requests are checked against and that may change: the entries of a secret, the keys of an issuer.
 * It is read again in the background after a while, and for a failed check. For failed checks at most once in 30 s, and
 * not within 30 s of a failed reading: requests of strangers must not cause a call each.
 */
import { type Clock, type Deadline, startWithin } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { createPause } from './pause.ts';
import { type Warm, warm } from './warm.ts';

export interface Rereadable<T extends object> {
  /** @throws RelayError if it cannot be read; the same one for 30 s */
  get(deadline: Deadline): Promise<T>;
  /**
   * A newer value, for a check that failed by this one. Waits two seconds at most.
   *
   * @returns undefined if there is none: it was read again less than 30 s ago, or cannot be read now. The value then
   * stays in use, so that a stranger's request does not lock out the good senders
   */
  newerThan(value: T, deadline: Deadline): Promise<T | undefined>;
  /** For the end of the invocation, where renewals are awaited or aborted. */
  readonly warm: Warm<T>;
}

const READ_AGAIN_MS = 30_000;
/** Long enough for the first request of a sender with a new secret; a stranger's request occupies us no longer. */
const NEWER_WITHIN_MS = 2_000;

export interface RereadableOptions<T extends object> {
  readonly load: (deadline: Deadline) => Promise<T>;
  /** Age at which the value is no longer returned, in milliseconds. Default: none. */
  readonly maxAgeMs?: number;
  /** Age from which it is read again in the background, in milliseconds; it is still returned meanwhile. */
  readonly dueAfterMs: number;
  readonly clock: Clock & { readonly now: () => number };
}

export function createRereadable<T extends object>(options: RereadableOptions<T>): Rereadable<T> {
  const { load, maxAgeMs, dueAfterMs, clock } = options;
  const { now } = clock;
  const pause = createPause(now);
  const loadedAt = new WeakMap<T, number>();
  let readAgainAt = Number.NEGATIVE_INFINITY;
  let readingAgain = 0;
  const ageMs = (value: T) => now() - (loadedAt.get(value) ?? 0);

  const source: Warm<T> = warm<T>({
    async load(deadline) {
      const inForce = pause.current();
      if (inForce !== undefined) throw inForce;
      try {
        const value = await load(deadline);
        loadedAt.set(value, now());
        return value;
      } catch (error) {
        // One that was aborted, since its time was over, says nothing about the next.
        if (error instanceof RelayError && !deadline.signal.aborted) pause.open(error, READ_AGAIN_MS);
        throw error;
      }
    },
    isFresh: (value) => maxAgeMs === undefined || ageMs(value) < maxAgeMs,
    isDue: (value) => ageMs(value) >= dueAfterMs,
    onRenewalFailed(error) {
      const value = source.peek();
      if (value !== undefined && isWithdrawn(error)) source.forget(value);
    },
    now,
  });

  async function renew(value: T, deadline: Deadline): Promise<T> {
    const within = startWithin(Math.min(NEWER_WITHIN_MS, deadline.remainingMs()), clock);
    const signal = AbortSignal.any([deadline.signal, within.signal]);
    try {
      return await source.renew(value, { remainingMs: within.remainingMs, signal });
    } finally {
      within.end();
    }
  }

  return {
    get: source.get,
    async newerThan(value, deadline) {
      const newer = source.peek();
      if (newer !== undefined && newer !== value) return newer;
      // Checks that fail while it is being read again wait for the same reading.
      if (readingAgain === 0) {
        if (now() - readAgainAt < READ_AGAIN_MS) return undefined;
        readAgainAt = now();
      }
      readingAgain += 1;
      try {
        return await renew(value, deadline).catch(unlessUnreadable);
      } finally {
        readingAgain -= 1;
      }
    },
    warm: source,
  };
}

/**
 * Somebody has deleted the secret or taken the permission on purpose. An outage or malformed content is no withdrawal.
 */
function isWithdrawn(error: unknown): boolean {
  return error instanceof RelayError && (error.code === 'SECRET_NOT_FOUND' || error.code === 'SECRET_UNREADABLE');
}

function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof RelayError)) throw error;
}
