/**
 * What requests are held against and may change meanwhile: the entries of a secret, the keys of an issuer. Kept warm; after
 * a while read again beside the work; read again for a failed check, but at most once in 30 s, and not for 30 s after it
 * could not be read, so that what strangers send does not become a call for each of them.
 */
import { type Clock, type Deadline, startWithin } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { createPause } from './pause.ts';
import { type Warm, warm } from './warm.ts';

export interface Known<T extends object> {
  /** @throws RelayError if it cannot be read; the same one for 30 s */
  get(deadline: Deadline): Promise<T>;
  /**
   * What there is to know beyond a value that did not hold; it is waited for two seconds at most.
   *
   * @returns undefined if nothing newer is to be had: lately read again, or not readable now, which leaves the value as
   * it is, so that a stranger does not shut the door on the others
   */
  beyond(value: T, deadline: Deadline): Promise<T | undefined>;
  /** For whoever ends what runs beside the work. */
  readonly warm: Warm<T>;
}

const READ_AGAIN_MS = 30_000;
/** A sender that comes first with a new secret is worth this wait, in milliseconds, and a stranger no more. */
const NEWER_WITHIN_MS = 2_000;

export interface KnownOptions<T extends object> {
  readonly load: (deadline: Deadline) => Promise<T>;
  /** After this the value is no more handed out, in milliseconds since it was loaded. Default: it never is. */
  readonly maxAgeMs?: number;
  /** After this it is handed out while it is read again beside the work. */
  readonly dueAfterMs: number;
  readonly clock: Clock & { readonly now: () => number };
}

export function createKnown<T extends object>({ load, maxAgeMs, dueAfterMs, clock }: KnownOptions<T>): Known<T> {
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
        // One that was broken off for want of time says nothing about the next.
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
    async beyond(value, deadline) {
      const newer = source.peek();
      if (newer !== undefined && newer !== value) return newer;
      // Those who come while it is being read again wait for what it brings.
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

/** A secret that was deleted or closed to us was so on purpose; one that is out of reach or misspelt was not. */
function isWithdrawn(error: unknown): boolean {
  return error instanceof RelayError && (error.code === 'SECRET_NOT_FOUND' || error.code === 'SECRET_UNREADABLE');
}

function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof RelayError)) throw error;
}
