/**
 * The kept sockets of one server: a request gets an idle one, else a new one while there are fewer than the limit, else
 * it waits. It replaces Node's own agent, which for each request copies all options three times and joins a name from
 * two dozen of them, a fifth of what a message costs. It is built on internals of Node (`whenInternalsChange`); where
 * they have changed, `plain-agent.ts` takes its place. What it saves: `README.md`.
 *
 * @see Node.js, "Class: http.Agent"; `lib/_http_agent.js` and `lib/_http_client.js` for what a request and its agent do
 */
import { EventEmitter } from 'node:events';
import http, { type ClientRequest, type Agent as HttpAgent } from 'node:http';
import net, { isIP, type Socket } from 'node:net';
import tls, { type SecureContext } from 'node:tls';

export interface SocketPool {
  /** For the requests' option `agent`. */
  readonly agent: HttpAgent;
  /** Makes the first socket before a request needs it, and keeps it as any other. Never rejects; the signal ends it. */
  connect(signal: AbortSignal): Promise<void>;
  /** Closes what idles now: the other side may have closed it at its end, too. */
  closeIdle(): void;
  /** What the server says of it, in milliseconds; a socket that idled longer is not used. */
  limitIdle(maxIdleMs: number): void;
}

export interface SocketPoolOptions {
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
  /** Of TLS; absent: plain TCP. */
  readonly secureContext?: SecureContext;
  /** Sockets at a time. */
  readonly maxSockets: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** A load balancer or NAT on the way may have forgotten a socket that was idle for longer, in milliseconds. */
export const MAX_IDLE_MS = 10_000;

interface Idle {
  readonly socket: Socket;
  readonly since: number;
  /** False: no request has gone out on it yet. */
  readonly wasUsed: boolean;
}

/** A socket that was made ahead and was idle for less, in milliseconds, counts as new: it did not break by its age. */
const NEW_FOR_MS = 1_000;

export function createSocketPool({ hostname, port, secureContext, maxSockets, now }: SocketPoolOptions): SocketPool {
  const idle: Idle[] = [];
  const waiting: ClientRequest[] = [];
  let made = 0;
  let maxIdleMs = MAX_IDLE_MS;
  /** Of TLS, from the connection before: the next one is spared the certificates. */
  let session: Buffer | undefined;

  function addRequest(request: ClientRequest): void {
    const kept = takeIdle();
    if (kept !== undefined) give(kept.socket, request, kept.wasUsed || now() - kept.since >= NEW_FOR_MS);
    else if (made < maxSockets) request.onSocket(makeSocket());
    else waiting.push(request);
  }

  /** @param isReused whether the other side may have closed it while it idled */
  function give(socket: Socket, request: ClientRequest, isReused: boolean): void {
    request.reusedSocket = isReused;
    request.onSocket(socket);
  }

  /** The last one that was used: the others grow old, and are closed together. */
  function takeIdle(): Idle | undefined {
    for (let newest = idle.pop(); newest !== undefined; newest = idle.pop()) {
      const { socket, since } = newest;
      socket.off('data', destroySpeaker);
      if (socket.destroyed || !socket.writable) continue;
      // Lambda freezes the process between invocations, timers too: idleness is read off the clock when it matters.
      if (now() - since <= maxIdleMs) {
        socket.ref();
        return newest;
      }
      socket.destroy();
      closeIdle();
    }
    return undefined;
  }

  function makeSocket(): Socket {
    made += 1;
    const to = { host: hostname, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 1_000 };
    const socket = secureContext === undefined ? net.connect(to) : secured(to, secureContext);
    // Its request gets the error, too. An idle socket is closed by it.
    socket.on('error', () => socket.destroy());
    socket.on('free', () => free(socket));
    socket.on('close', (failed) => end(socket, failed));
    return socket;
  }

  function secured(to: net.TcpNetConnectOpts, context: SecureContext): Socket {
    const socket = tls.connect({
      ...to,
      secureContext: context,
      // An address is no server name (RFC 6066 section 3).
      servername: isIP(hostname) === 0 ? hostname : '',
      ALPNProtocols: ['http/1.1'],
      ...(session === undefined ? {} : { session }),
    });
    socket.on('session', (latest) => {
      session = latest;
    });
    return socket;
  }

  /** Its request is over, or was given up before the socket had anything of it; or it was made ahead. */
  function free(socket: Socket, wasUsed = true): void {
    if (socket.destroyed || !socket.writable) {
      socket.destroy();
      return;
    }
    const next = nextWaiting();
    if (next !== undefined) {
      give(socket, next, wasUsed);
      return;
    }
    // Node's name for the request that a socket works for: it would keep that request and its payload in memory.
    Object.assign(socket, { _httpMessage: null });
    // What the other side sends without a request would be taken for the answer to the next one.
    socket.on('data', destroySpeaker);
    socket.unref();
    idle.push({ socket, since: now(), wasUsed });
  }

  function end(socket: Socket, failed: boolean): void {
    made -= 1;
    if (failed) session = undefined;
    const position = idle.findIndex((kept) => kept.socket === socket);
    if (position >= 0) idle.splice(position, 1);
    const next = nextWaiting();
    next?.onSocket(makeSocket());
  }

  /** One that was given up while it waited needs no socket. */
  function nextWaiting(): ClientRequest | undefined {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) if (!next.destroyed) return next;
    return undefined;
  }

  function closeIdle(): void {
    for (const { socket } of idle.splice(0)) socket.destroy();
  }

  async function connect(signal: AbortSignal): Promise<void> {
    if (made > 0 || signal.aborted) return;
    const socket = makeSocket();
    const abort = () => socket.destroy();
    signal.addEventListener('abort', abort);
    await new Promise<void>((resolve) => {
      socket.once(secureContext === undefined ? 'connect' : 'secureConnect', () => {
        free(socket, false);
        resolve();
      });
      socket.once('close', () => resolve());
    });
    signal.removeEventListener('abort', abort);
  }

  return {
    agent: agentOf(secureContext === undefined ? 'http:' : 'https:', maxSockets, addRequest),
    connect,
    closeIdle,
    limitIdle(limitMs) {
      maxIdleMs = Math.min(MAX_IDLE_MS, limitMs);
    },
  };
}

/** What a request reads of its agent. Not Node's own with another method: that would connect without TLS. */
function agentOf(protocol: string, maxSockets: number, addRequest: (request: ClientRequest) => unknown): HttpAgent {
  const agent = { protocol, defaultPort: protocol === 'http:' ? 80 : 443, keepAlive: true, maxSockets, addRequest };
  return agent as unknown as HttpAgent;
}

/**
 * Tries whether Node's requests still speak with their agent as the pool expects: they call its `addRequest`, take a
 * socket by `onSocket`, and emit `free` on one that they are done with. The request of this trial is given up before
 * anything of it is sent, and its socket leads nowhere.
 *
 * @param onChange gets what has changed, at once or before the next event of the network; not called if nothing has
 */
export function whenInternalsChange(onChange: (what: string) => void): void {
  const asking: ClientRequest[] = [];
  const agent = agentOf('https:', 1, (request) => asking.push(request));
  const socket = Object.assign(new EventEmitter(), { destroyed: false });
  let isFreed = false;
  socket.once('free', () => {
    isFreed = true;
  });
  try {
    const request = http.request({
      protocol: 'https:',
      path: '/',
      method: 'GET',
      headers: ['Host', 'localhost'],
      agent,
    });
    request.on('error', () => undefined);
    request.destroy();
    for (const asked of asking) asked.onSocket(socket as unknown as Socket);
  } catch (error) {
    onChange(error instanceof Error ? error.message : String(error));
    return;
  }
  if (asking.length === 0) onChange('a request does not call addRequest of its agent');
  else {
    setImmediate(() => {
      if (!isFreed) onChange('a request does not emit "free" on a socket that it is done with');
    });
  }
}

function destroySpeaker(this: Socket): void {
  this.destroy();
}
