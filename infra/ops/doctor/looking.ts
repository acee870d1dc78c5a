/** What every look needs: the services, the relay's own HTTP client, the clock, and the end that an operator may set. */
import type { Send } from '../../../functions/http/http.ts';
import type { Clients } from './clients.ts';

export interface Looking {
  readonly clients: Clients;
  readonly send: Send;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}
