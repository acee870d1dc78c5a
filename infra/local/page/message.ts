/**
 * A message as the page shows it: where it is, what it is called, and its whole life in order. What moves it from one
 * place to the next is for `ledger.ts`.
 */
import type { SentHeader } from '../sap/runtime-node/allowed-headers.ts';

/**
 * Where a message is. `waiting`: in its queue. `hidden`: in its queue, until its next try. `in flight`: with the relay.
 * `delivered`: its flow ran on exactly its bytes. `dead`: in the dead-letter queue. `returned`: its caller was told that
 * it was not taken. `lost`: in none of these places.
 */
export type Place = 'waiting' | 'hidden' | 'in flight' | 'delivered' | 'dead' | 'returned' | 'lost';

export const PLACES: readonly Place[] = ['delivered', 'waiting', 'hidden', 'in flight', 'dead', 'returned', 'lost'];

/** A row of the page. Times are epoch milliseconds. */
export interface MessageRow {
  /** Of this page alone; a message's own id may come twice, with another payload. */
  readonly key: number;
  readonly id: string;
  readonly destination: string;
  readonly by: 'queue' | 'webhook';
  readonly at: number;
  readonly place: Place;
  readonly bytes: number;
  readonly contentType?: string;
  /** How often SQS has handed it out; 1 for a direct webhook. */
  readonly tries: number;
  /** Of the last attempt, as the relay's log has it. */
  readonly outcome?: string;
  readonly status?: number;
  readonly token?: 'new' | 'warm';
  readonly calls?: number;
  readonly durationMs?: number;
  readonly reason?: string;
  readonly mplId?: string;
  /** Of a cut-over. */
  readonly side?: 'old' | 'new';
  /** When a message that is hidden comes back. */
  readonly visibleAt?: number;
  /** In a FIFO queue: its group, of which the one with the least `turn` is the head, and must go first. */
  readonly group?: string;
  readonly turn?: number;
}

/** One thing that happened to a message, or to others while it was being delivered. Times are epoch milliseconds. */
export type LifeEvent = { readonly at: number } & (
  | { readonly what: 'webhook'; readonly method: string; readonly path: string; readonly status: number }
  | { readonly what: 'queued'; readonly queue: string; readonly bytes: number; readonly again: boolean }
  | { readonly what: 'received'; readonly attempt: number }
  | { readonly what: 'secret read'; readonly secret: string; readonly status: number }
  | {
      readonly what: 'token request';
      readonly client: string;
      readonly status: number;
      readonly expiresAt?: number;
      /** Why it was refused, which the answer does not tell as well. */
      readonly why?: string;
    }
  | ({ readonly what: 'call' } & LifeCall)
  | ({ readonly what: 'attempt' } & LifeAttempt)
  | { readonly what: 'postponed'; readonly reason: string }
  | { readonly what: 'hidden'; readonly visibleAt: number }
  | { readonly what: 'deleted' }
  | { readonly what: 'invocation failed'; readonly error: string }
  | {
      readonly what: 'letter';
      readonly queue: string;
      readonly reason: string;
      readonly outcome?: string;
      readonly status?: number;
    }
  | { readonly what: 'letter taken' }
  | { readonly what: 'gone'; readonly how: 'expired' | 'purged' }
);

/** A request to the runtime node. */
export interface LifeCall {
  readonly method: string;
  readonly path: string;
  /** Absent where there was no answer. */
  readonly status?: number;
  /** `csrf`: it fetched a CSRF token. `message`: it carried the payload. */
  readonly carries: 'message' | 'csrf';
  readonly headers: readonly SentHeader[];
  readonly executed: boolean;
  readonly mplIds: readonly string[];
  readonly durationMs?: number;
  /** Why the node refused it, as only the node knows it. */
  readonly why?: string;
  /** What a fault of the landscape made of it. */
  readonly fault?: string;
  /** What it carried is not what was sent. */
  readonly otherBytes?: boolean;
}

/** What the relay's own log says of an attempt. */
export interface LifeAttempt {
  readonly attempt: number;
  readonly outcome: string;
  readonly executed: string;
  readonly calls: number;
  readonly durationMs: number;
  readonly status?: number;
  readonly token?: 'new' | 'warm';
  readonly tokenAgeMs?: number;
  readonly reason?: string;
  readonly mplId?: string;
  /** Of a cut-over. */
  readonly side?: 'old' | 'new';
  readonly resent?: boolean;
}

/** A request that a webhook refused. */
export interface RefusedRequest {
  readonly key: number;
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** As the relay knows it; absent where the gateway refused. */
  readonly destination?: string;
  readonly verify?: string;
  readonly why: string;
}
