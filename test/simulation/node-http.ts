/**
 * `node:http`, `node:net` and `node:tls` as the relay's HTTP client sees them, on the simulated network: sockets,
 * requests that are given one by their agent, answers in pieces, and the errors of each stage. A socket that its server
 * closed while it idled is reported as in a process: when that next gets to read, which in a frozen environment is
 * late.
 */
import { EventEmitter } from 'node:events';
import * as net from 'node:net';
import * as tls from 'node:tls';
import type { Answer, Request } from '../../infra/local/server/server.ts';
import type { Gate } from './gate.ts';
import type { Caller, Exchange, Got, Network } from './network.ts';

interface Socket extends EventEmitter {
  readonly origin: string;
  connecting: boolean;
  destroyed: boolean;
  writable: boolean;
  /** The server has closed it, whether this side knows or not. */
  closed: boolean;
  destroy(): void;
}

/** What an agent learns of, and what it gives a socket to. */
interface ClientRequest extends EventEmitter {
  destroyed: boolean;
  reusedSocket: boolean;
  onSocket(socket: Socket): void;
}

interface RequestOptions {
  readonly protocol: 'http:' | 'https:';
  readonly path: string;
  readonly method: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly agent: { addRequest(request: ClientRequest): void };
}

interface ConnectOptions {
  readonly host: string;
  readonly port: number;
}

/** The modules by their names. */
export function createNodeHttp(network: Network, gate: Gate, caller: Caller): Record<string, object> {
  const { scheduler } = network;
  return {
    'node:http': { request },
    'node:net': { isIP: net.isIP, connect: (to: ConnectOptions) => createSocket('http', to) },
    'node:tls': { ...tls, connect: (to: ConnectOptions) => createSocket('https', to) },
  };

  function createSocket(scheme: 'http' | 'https', { host, port }: ConnectOptions): Socket {
    const made: Socket = Object.assign(new EventEmitter(), {
      origin: new URL(`${scheme}://${host}:${port}`).origin,
      connecting: true,
      destroyed: false,
      writable: true,
      closed: false,
      ref: () => undefined,
      unref: () => undefined,
      destroy: () => {
        if (made.destroyed) return;
        Object.assign(made, { closed: true, destroyed: true, writable: false });
        gate.after(0, () => made.emit('close', false));
      },
    });
    return made;
  }

  function request({ protocol, path, method, headers: list, agent }: RequestOptions) {
    const headers = fromList(list);
    let body: Uint8Array = Buffer.alloc(0);
    let isOver = false;
    let exchange: Exchange | undefined;
    let socket: Socket | undefined;
    /** Of a request that was answered before it was written out: Node keeps it for what is left to be written. */
    let held: Socket | undefined;
    const emitter = Object.assign(new EventEmitter(), {
      destroyed: false,
      writableFinished: true,
      reusedSocket: false,
      onSocket(given: Socket) {
        gate.after(0, () => begin(given));
      },
      end(content: string | Uint8Array = '', encoding?: BufferEncoding) {
        body = typeof content === 'string' ? Buffer.from(content, encoding) : content;
      },
      destroy(error?: Error) {
        held?.destroy();
        if (isOver) return;
        over('given up');
        gate.after(0, () => emitter.emit('error', error));
      },
    });
    agent.addRequest(emitter);
    return emitter;

    function over(end: NonNullable<Exchange['end']>): void {
      isOver = true;
      emitter.destroyed = true;
      if (exchange !== undefined) network.end(exchange, end);
      if (socket === undefined) return;
      if (end === 'whole' && !socket.closed) free(socket);
      else socket.destroy();
      socket = undefined;
    }

    function fail(code: string): void {
      if (isOver) return;
      over('cut');
      emitter.emit('error', Object.assign(new Error(`simulated ${code}`), { code }));
    }

    function begin(given: Socket): void {
      if (isOver) {
        // It was given up before it had one.
        if (!given.destroyed) given.emit('free');
        return;
      }
      if (!gate.leave()) return;
      socket = given;
      lastUse.delete(given);
      const url = new URL(`${given.origin}${path}`);
      const begun = network.exchange({
        caller,
        host: given.origin,
        method,
        path: `${url.pathname}${url.search}`,
        headers: lowerCase(headers),
        body,
        onKeptSocket: emitter.reusedSocket,
      });
      exchange = begun;
      emitter.emit('socket', given);
      if (given.connecting) connect(given, begun, url);
      else write(given, begun, url);
    }

    function connect(opened: Socket, begun: Exchange, url: URL): void {
      if (begun.fate === 'unreachable') return;
      gate.after(2 * network.wayMs(), () => {
        if (isOver) return;
        if (begun.fate === 'refused') return fail('ECONNREFUSED');
        opened.connecting = false;
        opened.emit(protocol === 'https:' ? 'secureConnect' : 'connect');
        write(opened, begun, url);
      });
    }

    function write(opened: Socket, begun: Exchange, url: URL): void {
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
        rawHeaders: Object.entries(answered).flat().map(String),
        errored: null as Error | null,
      });
      if (exchange !== undefined) exchange.status = status;
      emitter.emit('response', incoming);
      if (more === 'never') return;
      if (more === 'whole' || more === 'early') {
        if (bytes.byteLength > 0) incoming.emit('data', bytes);
        if (more === 'early') {
          held = socket;
          socket = undefined;
          emitter.writableFinished = false;
        }
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
  }

  /** Its request is over; the server closes it when it has idled for so long. */
  function free(idle: Socket): void {
    const usedAt = scheduler.now();
    scheduler.after(network.keepAliveMs, () => {
      // Taken again since then, so a later turn closes it.
      if (usedAt !== lastUse.get(idle)) return;
      idle.closed = true;
      gate.after(network.wayMs(), () => idle.destroy());
    });
    lastUse.set(idle, usedAt);
    gate.after(0, () => idle.emit('free'));
  }
}

/** When a socket was last set free; none while it is in use. Only its latest idling closes it. */
const lastUse = new WeakMap<Socket, number>();

type Headers = Readonly<Record<string, string>>;

function fromList(list: readonly string[]): Headers {
  return Object.fromEntries(list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? '']] : [])));
}

function lowerCase(headers: Headers): Record<string, string> {
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) lower[name.toLowerCase()] = String(value);
  return lower;
}

function asRead(url: URL, method: string, headers: Headers, body: Uint8Array): Request {
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
