/**
 * The network between an execution environment and the systems it calls by HTTP: how long ways take, what goes wrong on
 * them, and a record of each exchange as a witness on the wire would have it. What Node makes of it is `node-http.ts`.
 */
import type { Answer, Request } from '../../infra/local/server/server.ts';
import type { Gate } from './gate.ts';
import type { Scheduler } from './scheduler.ts';

/** What becomes of an exchange where it does not simply get the system's answer. */
export type Fate =
  /** The connection is refused; on a kept socket: cut. */
  | 'refused'
  /** A connection is never made; on a kept socket: no answer. */
  | 'unreachable'
  /** Cut before the system has read all of the request. */
  | 'reset before'
  /** The system has read it and never handles it. */
  | 'lost before'
  /** Handled, then cut with no byte of an answer. */
  | 'reset after'
  /** Handled, the answer cut in its body. */
  | 'half answer'
  /** Handled, the answer's head comes and its body never does. */
  | 'stalled answer'
  /** Handled, never answered. */
  | 'lost after'
  /** Somebody in front answers. */
  | { readonly front: Answer }
  /**
   * Somebody in front answers before the request is read, and leaves the rest of that on a connection that stays open.
   */
  | { readonly early: Answer }
  /** Handled, and so much later. */
  | { readonly slowMs: number };

/** One request on the wire. Times are epoch milliseconds. */
export interface Exchange {
  readonly number: number;
  readonly caller: Caller;
  /** Of the caller, that it belongs to. */
  readonly invocation: object | undefined;
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly startedAt: number;
  readonly onKeptSocket: boolean;
  /** Whether it carries a message; the fetch of a CSRF token does not. */
  readonly isMessage: boolean;
  fate: Fate | undefined;
  /** What the system answered, whether that came through or not; undefined while it has not handled it. */
  handled: Answer | undefined;
  /** Whether a flow ran on it, as the runtime node has it. */
  ran: boolean;
  /** How it ended for the caller. */
  end: 'whole' | 'cut' | 'given up' | undefined;
  /** Of the answer, when its head has come. */
  status: number | undefined;
  endedAt: number | undefined;
}

/** Who calls: an environment, in one of its invocations. */
export interface Caller {
  readonly environment: string;
  /** The invocation that it is at, or was at last. */
  invocation(): object | undefined;
}

/** A system at the other end; what it needs of the exchange it finds there. */
export type Host = (request: Request, exchange: Exchange) => Promise<Answer>;

export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly random: () => number;
  /** By origin. */
  readonly hosts: ReadonlyMap<string, Host>;
  readonly fateOf: (exchange: Exchange) => Fate | undefined;
  readonly onStart: (exchange: Exchange) => void;
  readonly onEnd: (exchange: Exchange) => void;
  /** How long a server keeps an idle socket, in milliseconds. */
  readonly keepAliveMs: number;
}

export interface Network extends NetworkOptions {
  exchange(
    begun: Pick<Exchange, 'caller' | 'host' | 'method' | 'path' | 'headers' | 'body' | 'onKeptSocket'>,
  ): Exchange;
  end(exchange: Exchange, end: NonNullable<Exchange['end']>): void;
  /** The request has been written: it arrives, is handled, and an answer or none comes back through the gate. */
  carry(exchange: Exchange, request: Request, gate: Gate, deliver: (got: Got) => void): void;
  /** One way, in milliseconds. */
  wayMs(): number;
}

/** What comes back over the socket; `more` says how the answer's body ends, `early` that the request's never does. */
export type Got =
  | { readonly reset: true }
  | { readonly answer: Answer; readonly more: 'whole' | 'early' | 'cut' | 'never' };

export function createNetwork(options: NetworkOptions): Network {
  const { scheduler, random, hosts, fateOf, onStart, onEnd } = options;
  let number = 0;
  const wayMs = () => 1 + Math.floor(random() * 20);

  return {
    ...options,
    wayMs,
    exchange(begun) {
      number += 1;
      const exchange: Exchange = {
        ...begun,
        number,
        isMessage: begun.method === 'POST' && begun.headers.sap_applicationid !== undefined,
        invocation: begun.caller.invocation(),
        startedAt: scheduler.now(),
        fate: undefined,
        handled: undefined,
        ran: false,
        end: undefined,
        status: undefined,
        endedAt: undefined,
      };
      exchange.fate = fateOf(exchange);
      onStart(exchange);
      return exchange;
    },
    end(exchange, end) {
      if (exchange.end !== undefined) return;
      exchange.end = end;
      exchange.endedAt = scheduler.now();
      onEnd(exchange);
    },
    carry(exchange, request, gate, deliver) {
      const back = (got: Got, ms = wayMs()) => {
        scheduler.after(ms, () => gate.enter(() => deliver(got)));
      };
      scheduler.after(wayMs(), () => arrive(exchange, request, back));
    },
  };

  function arrive(exchange: Exchange, request: Request, back: (got: Got, ms?: number) => void): void {
    const { fate } = exchange;
    if (fate === 'lost before' || fate === 'unreachable') return;
    if (fate === 'reset before' || fate === 'refused') back({ reset: true });
    else if (typeof fate === 'object' && 'front' in fate) back({ answer: fate.front, more: 'whole' });
    else if (typeof fate === 'object' && 'early' in fate) back({ answer: fate.early, more: 'early' });
    else handle(exchange, request, back);
  }

  function handle(exchange: Exchange, request: Request, back: (got: Got, ms?: number) => void): void {
    const { fate } = exchange;
    const host = hosts.get(exchange.host);
    if (host === undefined) throw new Error(`no system is at ${exchange.host}`);
    const slowMs = typeof fate === 'object' && 'slowMs' in fate ? fate.slowMs : 0;
    // The work of the system comes first: whoever gives up waiting meanwhile does not undo it.
    scheduler.after(Math.min(slowMs, 1) * random() * slowMs, () => {
      host(request, exchange).then((answer) => {
        exchange.handled = answer;
        if (fate === 'lost after') return;
        const more = fate === 'half answer' ? 'cut' : fate === 'stalled answer' ? 'never' : 'whole';
        if (fate === 'reset after') back({ reset: true });
        else back({ answer, more }, wayMs() + slowMs);
      });
    });
  }
}
