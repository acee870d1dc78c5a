/**
 * One HTTP server on loopback, as every part of the local landscape uses it: a function from request to answer behind a
 * socket that can be stopped, started again on the same port, slowed down, and made to fail in the ways a network
 * fails. What a request means is for the file that hands in `answer`.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';

/**
 * A request as it was read off the socket; header names are lower-case, repeated ones joined with `, ` (cookies `; `).
 */
export interface Request {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Path and query exactly as they stood in the request line. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Name and value in turns, as sent. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** The client's certificate (PEM) where the server asked for one and it was accepted. */
  readonly clientCertificate?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
}

/** What a request gets; free of sockets, so that it can be called in a simulation as it is. */
export type Answerer = (request: Request) => Answer | Promise<Answer>;

/**
 * How an exchange fails: an answer that somebody in front gives instead, or a broken connection.
 * `reset-before`: cut before the request is handled. `reset-after`: handled, then cut with no byte of an answer.
 * `half-answer`: handled, its answer cut in the middle of the body. `hang`: handled, never answered.
 */
export type Fault = Answer | EarlyAnswer | 'reset-before' | 'reset-after' | 'half-answer' | 'hang';

/** An answer that goes out before the request's body is read, and is never handled: a 401, a 413. */
export interface EarlyAnswer {
  readonly early: Answer;
  /**
   * What becomes of the body. `read`: read and dropped, the connection stays. `unread`: left where it is, the
   * connection stays open. `reset`: the answer says `Connection: close`, and the connection is cut behind it.
   */
  readonly body: 'read' | 'unread' | 'reset';
}

export interface FaultRule {
  readonly fault: Fault;
  /** How many requests it hits. Default 1. */
  readonly times?: number;
  /** Which requests it hits; one with an early answer has no body yet. Default all. */
  readonly when?: (request: Request) => boolean;
}

export interface LocalServer {
  /** `http://127.0.0.1:<port>`, without a slash at the end; the same over stop and start. */
  readonly url: string;
  readonly port: number;
  /** Refuses connections and cuts the open ones, as a machine that is gone. */
  stop(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
  /** Delays each answer from now on; 0 ends it. */
  slowDown(delayMs: number): void;
  /** Makes coming requests fail. Rules are tried in the order they were added. */
  fail(rule: FaultRule): void;
  /** Ends every fault that was asked for and not yet used. */
  heal(): void;
  /** How many requests are still to be hit by faults that were asked for. */
  readonly pendingFaults: number;
  /** False between `stop` and `start`. */
  readonly isListening: boolean;
  /** By how much each answer is delayed now. */
  readonly delayMs: number;
}

export interface LocalServerOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Serves HTTPS with these; `requestCert` and `ca` for client certificates. Default plain HTTP. */
  readonly tls?: ServerOptions;
  /** Largest request line and headers, in bytes. Default 65536. */
  readonly maxHeaderBytes?: number;
  /**
   * A request whose body lets so many milliseconds pass without a byte is answered with 408. Default: it is waited for.
   */
  readonly bodyGapMs?: number;
  /** Is told each request that a fault has hit: one that was handled nevertheless is known to `answer`, too. */
  readonly onFault?: (request: Request, fault: Fault) => void;
}

/**
 * Listens on loopback and answers with `answer`; an exception in it is a bug of the landscape and crashes the process.
 */
export async function startServer(answer: Answerer, options: LocalServerOptions = {}): Promise<LocalServer> {
  let delayMs = 0;
  let port = options.port ?? 0;
  let server: Server | undefined;
  let closing = new AbortController();
  const rules: { fault: Fault; left: number; when: (request: Request) => boolean }[] = [];

  function takeFault<Taken extends Fault>(request: Request, isOf: (fault: Fault) => fault is Taken): Taken | undefined {
    for (const [index, rule] of rules.entries()) {
      const { fault } = rule;
      if (!isOf(fault) || !rule.when(request)) continue;
      rule.left -= 1;
      if (rule.left <= 0) rules.splice(index, 1);
      options.onFault?.(request, fault);
      return fault;
    }
    return undefined;
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (!isOfThisMachine(incoming)) return send(outgoing, incoming.method ?? 'GET', STRANGER, false);
    const early = rules.length === 0 ? undefined : takeFault(readRequest(incoming, Buffer.alloc(0)), isEarly);
    if (early !== undefined) return sendEarly(incoming, outgoing, early);
    const body = await readBody(incoming, options.bodyGapMs);
    if (body === 'gone') return;
    if (body === 'stalled') return send(outgoing, '', { status: 408, headers: { Connection: 'close' } }, false);
    const request = readRequest(incoming, body);
    const fault = takeFault(request, isNotEarly);
    if (fault === 'reset-before') return cut(incoming);
    if (delayMs > 0) await delay(delayMs, undefined, { signal: closing.signal }).catch(ignoreAbort);
    const answered = typeof fault === 'object' ? fault : await answer(request);
    if (fault === 'reset-after') return cut(incoming);
    if (fault === 'hang') return;
    send(outgoing, request.method, answered, fault === 'half-answer');
  }

  const listener: RequestListener = (incoming, outgoing) => {
    // An error here must not become an answer: it would look like a fault of the system that is imitated.
    serve(incoming, outgoing).catch((error) =>
      queueMicrotask(() => {
        throw error;
      }),
    );
  };

  async function start(): Promise<void> {
    closing = new AbortController();
    const limits = { maxHeaderSize: options.maxHeaderBytes ?? 65_536, keepAliveTimeout: 60_000 };
    const next = options.tls
      ? createTlsServer({ ...limits, ...options.tls }, listener)
      : createServer(limits, listener);
    await new Promise<void>((resolve, reject) => {
      next.once('error', reject).listen(port, '127.0.0.1', () => resolve());
    });
    server = next;
    port = (next.address() as AddressInfo).port;
  }

  async function stop(): Promise<void> {
    const current = server;
    if (current === undefined) return;
    server = undefined;
    closing.abort();
    await new Promise<void>((resolve) => {
      current.close(() => resolve());
      current.closeAllConnections();
    });
  }

  await start();
  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    stop,
    start,
    slowDown: (ms) => {
      delayMs = ms;
    },
    fail: ({ fault, times = 1, when = () => true }) => {
      rules.push({ fault, left: times, when });
    },
    heal: () => {
      rules.length = 0;
      delayMs = 0;
    },
    get isListening() {
      return server !== undefined;
    },
    get delayMs() {
      return delayMs;
    },
    get pendingFaults() {
      return rules.reduce((sum, { left }) => sum + left, 0);
    },
  };
}

const STRANGER: Answer = {
  status: 403,
  headers: { Connection: 'close', 'Content-Type': 'text/plain' },
  body: 'Host: expected 127.0.0.1 or localhost\n',
};

/**
 * A site that points its own name at 127.0.0.1 (DNS rebinding) would have a browser on this machine read queues and secrets
 * for it; its name is then in Host, which no script can change. Programs that send none are no browser.
 */
function isOfThisMachine({ headers: { host } }: IncomingMessage): boolean {
  return host === undefined || /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(host);
}

function isEarly(fault: Fault): fault is EarlyAnswer {
  return typeof fault === 'object' && 'early' in fault;
}

function isNotEarly(fault: Fault): fault is Exclude<Fault, EarlyAnswer> {
  return !isEarly(fault);
}

function sendEarly(incoming: IncomingMessage, outgoing: ServerResponse, { early, body }: EarlyAnswer): void {
  incoming.on('error', () => undefined);
  // Of a body that nobody has begun to read, Node reads and drops the rest once the answer is out.
  if (body === 'unread') incoming.read(0);
  if (body === 'reset') outgoing.setHeader('Connection', 'close').once('finish', () => cut(incoming));
  send(outgoing, incoming.method ?? 'GET', early, false);
}

function ignoreAbort(error: Error): void {
  if (error.name !== 'AbortError') throw error;
}

/** `gone`: the client went away before its request was whole. `stalled`: it sent no byte of it for `gapMs`. */
function readBody(incoming: IncomingMessage, gapMs: number | undefined): Promise<Buffer | 'gone' | 'stalled'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const finish = (body: Buffer | 'gone' | 'stalled'): void => {
      clearTimeout(gap);
      resolve(body);
    };
    const gap = gapMs === undefined ? undefined : setTimeout(() => finish('stalled'), gapMs);
    incoming.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      gap?.refresh();
    });
    incoming.once('end', () => finish(Buffer.concat(chunks)));
    incoming.once('error', () => finish('gone'));
    incoming.once('close', () => finish('gone'));
  });
}

function readRequest(incoming: IncomingMessage, body: Buffer): Request {
  const target = incoming.url ?? '/';
  const [path = '/', search = ''] = split(target, '?');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const certificate = clientCertificate(incoming);
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(search),
    target,
    headers,
    rawHeaders: incoming.rawHeaders,
    body,
    ...(certificate === undefined ? {} : { clientCertificate: certificate }),
  };
}

function clientCertificate(incoming: IncomingMessage): string | undefined {
  const { socket } = incoming;
  if (!('getPeerX509Certificate' in socket) || typeof socket.getPeerX509Certificate !== 'function') return undefined;
  return socket.getPeerX509Certificate()?.toString();
}

function split(text: string, at: string): [string, string?] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + at.length)];
}

function cut({ socket }: IncomingMessage): void {
  // Node resets TCP alone; over TLS the connection ends without a farewell, and with a reset where bytes lie unread.
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

function send(outgoing: ServerResponse, method: string, answered: Answer, half: boolean): void {
  const body = Buffer.from(answered.body ?? '');
  outgoing.statusCode = answered.status;
  for (const [name, value] of Object.entries(answered.headers ?? {})) {
    outgoing.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  const bodyless = answered.status === 204 || answered.status === 304;
  if (!bodyless && !outgoing.hasHeader('content-length')) outgoing.setHeader('Content-Length', body.byteLength);
  if (half) {
    outgoing.setHeader('Content-Length', body.byteLength + 1);
    outgoing.write(body.subarray(0, body.byteLength >> 1), () => outgoing.socket?.resetAndDestroy());
    outgoing.flushHeaders();
    return;
  }
  outgoing.end(method === 'HEAD' || bodyless ? undefined : body);
}
