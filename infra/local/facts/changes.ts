/**
 * How a part of the landscape tells that something in it changed, and how tests wait for a named fact without sleeping.
 * What changed is read from the part itself: a change carries no value.
 */
import { type SetTimer, setRealTimer } from './timer.ts';

export interface Changes {
  /** Calls `listener` after each change, until the returned function is called. */
  subscribe(listener: () => void): () => void;
  /**
   * Resolves as soon as `holds` is true, now or after a change.
   * @param fact what is waited for, as the error says it
   * @param options `timeoutMs` default 10,000
   * @throws Error `waited 10000 ms in vain: <fact>` when the time is over
   */
  until(fact: string, holds: () => boolean, options?: { readonly timeoutMs?: number }): Promise<void>;
}

export interface ChangesSource extends Changes {
  /** Tells every listener; called at the end of an operation, when the state is whole again. */
  announce(): void;
}

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

  function until(fact: string, holds: () => boolean, { timeoutMs = 10_000 } = {}): Promise<void> {
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
        reject(new Error(`waited ${timeoutMs} ms in vain: ${fact}`));
      }, timeoutMs);
    });
  }

  return {
    subscribe,
    until,
    announce: () => {
      for (const listener of [...listeners]) listener();
    },
  };
}
