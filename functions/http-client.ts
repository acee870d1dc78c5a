/**
 * The one HTTP client: `node:https` with kept-alive sockets. It sends a request and reads the answer whole; what a status
 * means is not its business. Whether the other side may have acted on a request that got no answer is: the error says it.
 */
import type { ClientRequest, Agent as HttpAgent, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { type Executed, RelayError } from './error.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** How errors name the address. Default: its origin and path. */
  readonly shownUrl?: string;
  readonly body?: HttpBody;
  /** From the start of the call until the answer has arrived whole. */
  readonly timeoutMs: number;
  /** How much of the answer's body is kept; the rest is read and dropped. Default 65536. */
  readonly keepBytes?: number;
  /** Ends the call early, as a timeout would. */
  readonly signal?: AbortSignal;
  /** For mutual TLS; sockets are kept for each such object. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** A body that can be opened anew for each send: after a 401 or a dead socket it goes out again. */
export interface HttpBody {
  readonly bytes: number;
  /** A text goes out as UTF-8. */
  open(): Promise<string | Uint8Array | Readable>;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names; `set-cookie` is a list. */
  readonly headers: IncomingHttpHeaders;
  /** At most `keepBytes` of it. */
  readonly body: Buffer;
  /** True if the body was longer than `keepBytes`. */
  readonly truncated: boolean;
  /** True if a kept socket broke with no byte of an answer and the request went out a second time: it may run twice. */
  readonly resent: boolean;
}

/**
 * Sends a request; redirects are never followed.
 *
 * @throws RelayError `CONNECTION_FAILED`, `TIMED_OUT`, `DEADLINE` if no whole answer came; `executed: no` while the request cannot have reached
 * the other side's application, else `unknown`
 */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>;

export interface HttpClientOptions {
  /** Sockets for one host; further requests wait for one. Default 10. */
  readonly maxSockets?: number;
  readonly now?: () => number;
}

/** A kept socket that was closed while it idled says so at the first byte, not later than this, in milliseconds. */
const DEAD_WITHIN_MS = 1_000;
/** A load balancer or NAT on the way may have forgotten a socket that idled longer than this, in milliseconds. */
const MAX_IDLE_MS = 10_000;

/** Makes the client of one execution environment; its sockets outlive the invocation. */
export function createHttpClient(options: HttpClientOptions = {}): Send {
  const now = options.now ?? Date.now;
  const settings = { keepAlive: true, maxSockets: options.maxSockets ?? 10, scheduling: 'lifo' as const };
  const plain = watched(new http.Agent(settings));
  const secure = watched(new https.Agent(settings));
  const certified = new WeakMap<object, https.Agent>();

  function agentFor({ url, certificate }: HttpRequest): HttpAgent {
    if (url.protocol === 'http:') return plain;
    if (certificate === undefined) return secure;
    const known = certified.get(certificate);
    if (known !== undefined) return known;
    const agent = watched(new https.Agent({ ...settings, cert: certificate.cert, key: certificate.key }));
    certified.set(certificate, agent);
    return agent;
  }

  /** Lambda freezes the process between invocations, timers too: idleness is read off the clock when it matters. */
  function watched<A extends HttpAgent>(agent: A): A {
    agent.on('free', (socket: object) => idleSince.set(socket, now()));
    return agent;
  }

  return async function send(request) {
    const endsAt = now() + request.timeoutMs;
    const body = await request.body?.open();
    const agent = agentFor(request);
    closeStale(agent, now);
    try {
      return await exchange(request, body, agent, now);
    } catch (error) {
      if (!(error instanceof DeadSocket)) throw error;
      // The other side closed a kept socket while it idled: with no byte of an answer the request goes out once more.
      closeIdle(agent);
      const again = (resent: HttpRequest) => ({ ...resent, timeoutMs: Math.max(1, endsAt - now()) });
      try {
        return { ...(await exchange(again(request), await request.body?.open(), agent, now)), resent: true };
      } catch (second) {
        throw maybeExecuted(second instanceof DeadSocket ? second.failure : second);
      }
    }
  };
}

/** A reused socket that broke before the first byte of an answer. */
class DeadSocket extends Error {
  readonly failure: RelayError;
  constructor(failure: RelayError) {
    super('dead socket', { cause: failure });
    this.failure = failure;
  }
}

function exchange(
  request: HttpRequest,
  body: string | Uint8Array | Readable | undefined,
  agent: HttpAgent,
  now: () => number,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const { method, url, timeoutMs, signal } = request;
    const startedAt = now();
    let executed: Executed = 'no';
    let response: IncomingMessage | undefined;
    let timedOut = false;
    const headers: Record<string, string | number> = { ...request.headers };
    if (request.body !== undefined) headers['Content-Length'] = request.body.bytes;
    const { hostname, port, path } = addressOf(url);
    const to = { hostname, port, path, method, headers, agent };
    const sent: ClientRequest = url.protocol === 'http:' ? http.request(to) : https.request(to);

    // A request that still waits for a socket tells nobody that it was destroyed: so it is failed here as well.
    const end = (error: Error) => {
      sent.destroy(error);
      fail(error);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      end(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const abort = () => end(new Error('the time of the invocation is over'));
    let stopListening: (() => void) | undefined;
    if (signal?.aborted === true) queueMicrotask(abort);
    else if (signal !== undefined) stopListening = onAbort(signal, abort);
    const settle = () => {
      clearTimeout(timer);
      stopListening?.();
    };
    const fail = (error: NodeJS.ErrnoException) => {
      settle();
      if (typeof body === 'object' && 'destroy' in body) body.destroy();
      const failure = noAnswer(codeOf(timedOut, signal), request, error, executed, response?.statusCode);
      // One that broke later had been taken up: the other side may be at work on it, and a second one would run twice.
      const wasIdle = now() - startedAt < DEAD_WITHIN_MS;
      const dead = sent.reusedSocket && wasIdle && response === undefined && isReset(error);
      reject(dead ? new DeadSocket(failure) : failure);
    };

    sent.on('socket', (socket) => {
      // Before a connection (for TLS: a handshake) is made, nothing of the request has left.
      if (!socket.connecting) executed = 'unknown';
      else {
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
          executed = 'unknown';
        });
      }
    });
    sent.on('error', fail);
    sent.on('response', (incoming) => {
      response = incoming;
      readBody(incoming, request.keepBytes ?? 65_536, (error, kept, truncated) => {
        if (error !== undefined) return fail(error);
        settle();
        if (typeof body === 'object' && 'destroy' in body) body.destroy();
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: kept, truncated, resent: false });
      });
    });
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) sent.end(body);
    else body.on('error', (error) => sent.destroy(error)).pipe(sent);
  });
}

/** Of URLs that are kept, as an endpoint's is: to take one apart costs more than the rest of a request's options. */
const addresses = new WeakMap<URL, Address>();

interface Address {
  readonly href: string;
  readonly hostname: string;
  readonly port: string;
  readonly path: string;
}

function addressOf(url: URL): Address {
  const { href } = url;
  const known = addresses.get(url);
  // A URL can be changed.
  if (known?.href === href) return known;
  const { hostname, port, pathname, search } = url;
  // An IPv6 address has brackets in a URL alone.
  const address = { href, hostname: hostname.replace(/^\[|\]$/g, ''), port, path: `${pathname}${search}` };
  addresses.set(url, address);
  return address;
}

/** Calls that a signal ends: one listener for all, since one for each costs as much as writing its headers. */
const callsBySignal = new WeakMap<AbortSignal, Set<() => void>>();

/** @returns ends the listening */
function onAbort(signal: AbortSignal, abort: () => void): () => void {
  const known = callsBySignal.get(signal);
  const calls = known ?? new Set();
  calls.add(abort);
  if (known === undefined) {
    callsBySignal.set(signal, calls);
    signal.addEventListener('abort', abortCalls);
  }
  return () => {
    calls.delete(abort);
    if (calls.size > 0 || callsBySignal.get(signal) !== calls) return;
    callsBySignal.delete(signal);
    signal.removeEventListener('abort', abortCalls);
  };
}

function abortCalls(this: AbortSignal): void {
  for (const abort of callsBySignal.get(this) ?? []) abort();
}

function readBody(
  incoming: IncomingMessage,
  keepBytes: number,
  done: (error: Error | undefined, body: Buffer, truncated: boolean) => void,
): void {
  const chunks: Buffer[] = [];
  let kept = 0;
  let truncated = false;
  let ended = false;
  incoming.on('data', (chunk: Buffer) => {
    const room = keepBytes - kept;
    if (chunk.byteLength > room) truncated = true;
    if (room <= 0) return;
    const part = chunk.byteLength > room ? chunk.subarray(0, room) : chunk;
    chunks.push(part);
    kept += part.byteLength;
  });
  incoming.on('end', () => {
    ended = true;
    done(undefined, chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks), truncated);
  });
  incoming.on('error', () => undefined);
  incoming.on('close', () => {
    if (!ended) done(incoming.errored ?? new Error('the answer broke off'), Buffer.alloc(0), truncated);
  });
}

function codeOf(timedOut: boolean, signal: AbortSignal | undefined): 'TIMED_OUT' | 'DEADLINE' | 'CONNECTION_FAILED' {
  if (timedOut) return 'TIMED_OUT';
  return signal?.aborted === true ? 'DEADLINE' : 'CONNECTION_FAILED';
}

function noAnswer(
  code: 'TIMED_OUT' | 'DEADLINE' | 'CONNECTION_FAILED',
  { method, url, timeoutMs, shownUrl = `${url.origin}${url.pathname}` }: HttpRequest,
  cause: NodeJS.ErrnoException,
  executed: Executed,
  status: number | undefined,
): RelayError {
  const what = status === undefined ? 'no answer' : `status ${status}, then the answer broke off`;
  // Node's own words name a host and a port, which an operator needs, and no header or body.
  const why = code === 'TIMED_OUT' ? `within ${timeoutMs} ms` : (cause.code ?? cause.message);
  const message = `${method} ${shownUrl}: ${what} (${why})`;
  return new RelayError(code, message, { cause, executed, ...(status === undefined ? {} : { status }) });
}

/** The second failure speaks for both sends, and the first may have reached the application. */
function maybeExecuted(error: unknown): unknown {
  if (!(error instanceof RelayError) || error.executed === 'unknown') return error;
  return new RelayError(error.code, error.message, { cause: error, executed: 'unknown' });
}

function isReset(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE';
}

const idleSince = new WeakMap<object, number>();
/** None of an agent's sockets has idled longer than since then, epoch milliseconds. */
const noneIdleBefore = new WeakMap<HttpAgent, number>();

function closeStale(agent: HttpAgent, now: () => number): void {
  const at = now();
  const limit = at - MAX_IDLE_MS;
  if ((noneIdleBefore.get(agent) ?? 0) >= limit) return;
  let oldest = at;
  closeIdle(agent, (socket) => {
    const since = idleSince.get(socket) ?? 0;
    if (since < limit) return true;
    oldest = Math.min(oldest, since);
    return false;
  });
  noneIdleBefore.set(agent, oldest);
}

function closeIdle(agent: HttpAgent, isDead: (socket: object) => boolean = () => true): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of [...(sockets ?? [])]) if (isDead(socket)) socket.destroy();
  }
}
