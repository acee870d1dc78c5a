/**
 * `node:http` and `node:https` as the relay's HTTP client sees them, on the simulated network: agents with kept sockets,
 * requests, answers in pieces, and the errors of each stage. A socket that its server closed while it idled is told of as
 * in a process: when that next gets to read, which in a frozen environment is late.
 */
import { EventEmitter } from 'node:events';
import type { Answer, Request } from '../../infra/local/server.ts';
import type { Gate } from './gate.ts';
import type { Caller, Exchange, Got, Network } from './network.ts';

interface Socket extends EventEmitter {
  connecting: boolean;
  /** The server has closed it, whether this side knows or not. */
  closed: boolean;
  destroy(): void;
}

/** The part of Node's that the relay uses. */
class Agent extends EventEmitter {
  readonly freeSockets: Record<string, Socket[]> = {};
  readonly maxSockets: number;
  readonly busy = new Map<string, number>();
  readonly waiting = new Map<string, (() => void)[]>();
  constructor({ maxSockets = Number.POSITIVE_INFINITY }: { readonly maxSockets?: number } = {}) {
    super();
    this.maxSockets = maxSockets;
  }
}

interface RequestOptions {
  readonly hostname: string;
  readonly port?: string | number | null;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly agent: Agent;
}

/** Both modules: they differ in the name of the event that tells of a connection. */
export function createNodeHttp(network: Network, gate: Gate, caller: Caller) {
  const { scheduler } = network;
  const of = (connected: 'connect' | 'secureConnect') => ({
    Agent,
    request: (options: RequestOptions) => request(options, connected),
  });
  return { http: of('connect'), https: of('secureConnect') };

  function request({ hostname, port, path, method, headers, agent }: RequestOptions, connected: string) {
    const scheme = connected === 'connect' ? 'http' : 'https';
    const url = new URL(`${scheme}://${hostname}${port ? `:${port}` : ''}${path}`);
    const { origin } = url;
    let body: Uint8Array = Buffer.alloc(0);
    let isOver = false;
    let exchange: Exchange | undefined;
    let socket: Socket | undefined;
    const emitter = Object.assign(new EventEmitter(), {
      reusedSocket: false,
      end(bytes?: Uint8Array) {
        body = bytes ?? body;
        gate.after(0, assign);
      },
      destroy(error: Error) {
        if (isOver) return;
        over('given up');
        gate.after(0, () => emitter.emit('error', error));
      },
    });
    return emitter;

    function over(end: NonNullable<Exchange['end']>): void {
      isOver = true;
      if (exchange !== undefined) network.end(exchange, end);
      if (socket === undefined) return;
      if (end === 'whole' && !socket.closed) keep(socket);
      release();
    }

    function fail(code: string): void {
      if (isOver) return;
      over('cut');
      emitter.emit('error', Object.assign(new Error(`simulated ${code}`), { code }));
    }

    /** Gives the request a kept socket, or a new one, or a place in the agent's line. */
    function assign(): void {
      if (isOver) return;
      const kept = agent.freeSockets[origin]?.pop();
      const busy = agent.busy.get(origin) ?? 0;
      if (kept === undefined && busy >= agent.maxSockets) {
        agent.waiting.set(origin, [...(agent.waiting.get(origin) ?? []), assign]);
        return;
      }
      if (!gate.leave()) return;
      agent.busy.set(origin, busy + 1);
      socket = kept ?? createSocket();
      lastUse.delete(socket);
      emitter.reusedSocket = kept !== undefined;
      exchange = network.exchange({
        caller,
        host: origin,
        method,
        path: `${url.pathname}${url.search}`,
        headers: lowerCase(headers),
        body,
        onKeptSocket: kept !== undefined,
      });
      emitter.emit('socket', socket);
      if (kept === undefined) connect(socket, exchange);
      else write(socket, exchange);
    }

    function connect(opened: Socket, begun: Exchange): void {
      if (begun.fate === 'unreachable') return;
      gate.after(2 * network.wayMs(), () => {
        if (isOver) return;
        if (begun.fate === 'refused') return fail('ECONNREFUSED');
        opened.connecting = false;
        opened.emit(connected);
        write(opened, begun);
      });
    }

    function write(opened: Socket, begun: Exchange): void {
      if (opened.closed) {
        gate.after(2 * network.wayMs(), () => fail('ECONNRESET'));
        return;
      }
      network.carry(begun, asRead(url, method, headers, body), gate, receive);
    }

    function receive(got: Got): void {
      if (isOver) return;
      if ('reset' in got) fail('ECONNRESET');
      else answer(got);
    }

    function answer({ answer: got, more }: Exclude<Got, { reset: true }>): void {
      const { status, headers: answered = {}, body: text = '' } = got;
      const bytes = Buffer.from(text);
      const incoming = Object.assign(new EventEmitter(), {
        statusCode: status,
        headers: asHeaders(answered),
        errored: null as Error | null,
      });
      if (exchange !== undefined) exchange.status = status;
      emitter.emit('response', incoming);
      if (more === 'never') return;
      if (more === 'whole') {
        if (bytes.byteLength > 0) incoming.emit('data', bytes);
        over('whole');
        incoming.emit('end');
        incoming.emit('close');
        return;
      }
      incoming.emit('data', bytes.subarray(0, bytes.byteLength >> 1));
      over('cut');
      incoming.errored = Object.assign(new Error('simulated ECONNRESET'), { code: 'ECONNRESET' });
      incoming.emit('error', incoming.errored);
      incoming.emit('close');
    }

    function release(): void {
      socket = undefined;
      agent.busy.set(origin, Math.max(0, (agent.busy.get(origin) ?? 1) - 1));
      const [next, ...rest] = agent.waiting.get(origin) ?? [];
      agent.waiting.set(origin, rest);
      if (next !== undefined) gate.after(0, next);
    }

    function keep(idle: Socket): void {
      agent.freeSockets[origin] = [...(agent.freeSockets[origin] ?? []), idle];
      agent.emit('free', idle);
      const usedAt = scheduler.now();
      scheduler.after(network.keepAliveMs, () => {
        // Taken again since then, so a later turn closes it.
        if (usedAt !== lastUse.get(idle)) return;
        idle.closed = true;
        gate.after(network.wayMs(), () => idle.destroy());
      });
      lastUse.set(idle, usedAt);
    }

    function createSocket(): Socket {
      const made: Socket = Object.assign(new EventEmitter(), {
        connecting: true,
        closed: false,
        destroy: () => {
          made.closed = true;
          const free = agent.freeSockets[origin] ?? [];
          agent.freeSockets[origin] = free.filter((one) => one !== made);
        },
      });
      return made;
    }
  }
}

/** When a socket was last set free; none while it is in use. Only its latest idling closes it. */
const lastUse = new WeakMap<Socket, number>();

function lowerCase(headers: RequestOptions['headers']): Record<string, string> {
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) lower[name.toLowerCase()] = String(value);
  return lower;
}

function asRead(url: URL, method: string, headers: RequestOptions['headers'], body: Uint8Array): Request {
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    target: `${url.pathname}${url.search}`,
    headers: { host: url.host, ...lowerCase(headers) },
    rawHeaders: Object.entries(headers).flat().map(String),
    body: Buffer.from(body),
  };
}

function asHeaders(headers: NonNullable<Answer['headers']>): Record<string, string | string[]> {
  const read: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    read[key] = key === 'set-cookie' ? [value].flat() : String(value);
  }
  return read;
}
