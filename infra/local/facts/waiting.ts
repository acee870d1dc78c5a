/**
 * How a part of the landscape says that something in it changed, and how others wait for a named fact without sleeping.
 * A change carries no value: who waits reads what changed from the part itself.
 */
import { type SetTimer, setRealTimer } from './timer.ts';

export interface WaitOptions {
  /** How long to wait, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

export interface Changes {
  /** Calls `listener` after each change, until the returned function is called. */
  subscribe(listener: () => void): () => void;
  /**
   * Resolves as soon as `holds` is true, now or after a change.
   * @param fact what is waited for, as the error says it
   * @throws Error `waited 10000 ms in vain: <fact>` when the time is over
   */
  until(fact: string, holds: () => boolean, options?: WaitOptions): Promise<void>;
  /**
   * Resolves as soon as `seen` is at least `count`.
   * @param things what is counted, in the plural, as the error says it
   * @throws Error `waited 10000 ms in vain: <count> <things>, saw <seen>` when the time is over
   */
  untilCount(count: number, things: string, seen: () => number, options?: WaitOptions): Promise<void>;
}

export interface ChangesSource extends Changes {
  /** Calls every listener; for the end of an operation, when the state is whole again. */
  announce(): void;
}

/** @param setTimer for the time-outs of those who wait */
export function createChanges(setTimer: SetTimer = setRealTimer): ChangesSource {
  const listeners = new Set<() => void>();

  function subscribe(listener: () => void): () => void {
    // A function of its own for each subscription, so that one listener may subscribe twice.
    const entry = () => listener();
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
    };
  }

  function wait(holds: () => boolean, fact: () => string, { timeoutMs = 10_000 }: WaitOptions = {}): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const unsubscribe = subscribe(() => {
        if (!holds()) return;
        unsubscribe();
        cancel();
        resolve();
      });
      const cancel = setTimer(() => {
        unsubscribe();
        reject(new Error(`waited ${timeoutMs} ms in vain: ${fact()}`));
      }, timeoutMs);
    });
  }

  return {
    subscribe,
    until: (fact, holds, options) => wait(holds, () => fact, options),
    untilCount(count, things, seen, options) {
      return wait(
        () => seen() >= count,
        () => `${count} ${things}, saw ${seen()}`,
        options,
      );
    },
    announce: () => {
      for (const listener of [...listeners]) listener();
    },
  };
}
