/**
 * The one HTTP client: Node's own requests on kept sockets (`socket-pool.ts`). It sends a request and reads the whole
 * answer; what a status means is decided elsewhere. Where no answer comes, its error says whether the other side may
 * have acted on the request.
 */
import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import tls, { type SecureContext } from 'node:tls';
import { type Executed, RelayError } from '../error.ts';
import { createPlainAgent } from './plain-agent.ts';
import { createSocketPool, type SocketPool, whenInternalsChange } from './socket-pool.ts';

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
  /** Called where a kept socket broke with no byte of an answer, before the request goes out again: it may run twice. */
  readonly onResend?: () => void;
  /** For mutual TLS; sockets are kept for each such object. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** A text goes out as UTF-8. */
type Opened = string | Uint8Array | Readable;

/** A body that can be opened anew for each send: after a 401 or a dead socket it goes out again. */
export interface HttpBody {
  readonly bytes: number;
  open(): Opened | Promise<Opened>;
}

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names; `set-cookie` is a list. */
  readonly headers: IncomingHttpHeaders;
  /** At most `keepBytes` of it. */
  readonly body: Buffer;
  /** True if the body was longer than `keepBytes`. */
  readonly truncated: boolean;
}

/**
 * Sends a request; redirects are never followed.
 *
 * @throws RelayError `CONNECTION_FAILED`, `TIMED_OUT`, `DEADLINE` if no whole answer came; `executed: no` while the
 * request cannot have reached the other side's application, else `unknown`
 */
export interface Send {
  (request: HttpRequest): Promise<HttpAnswer>;
  /**
   * Connects before there is a request, so that the first one need not wait for it. A connection that fails is not
   * reported: the first request will fail in the same way. Absent where there is nothing to connect to.
   *
   * @param to the host, and the certificate for it
   * @param signal gives the connection up
   * @throws OpenSSL's error for an invalid certificate
   */
  connect?(to: Pick<HttpRequest, 'url' | 'certificate'>, signal: AbortSignal): Promise<void>;
}

export interface HttpClientOptions {
  /** Sockets for one host; further requests wait for one. Default 10. */
  readonly maxSockets?: number;
  readonly now?: () => number;
  /** Called once, with the reason, where Node's own agent replaces the socket pool. */
  readonly onPlainAgent?: (why: string) => void;
}

/** A kept socket that was closed while it was idle fails at its next request within so many milliseconds. */
const DEAD_WITHIN_MS = 1_000;

/** Makes the client of one execution environment; its sockets outlive the invocation. */
export function createHttpClient(options: HttpClientOptions = {}): Send {
  const { maxSockets = 10, now = Date.now, onPlainAgent } = options;
  /** By URL object: an endpoint's is kept, and to take a URL apart costs more than the rest of a request's options. */
  let addresses = new WeakMap<URL, Address>();
  let pools = new WeakMap<object, Map<string, SocketPool>>();
  const contexts = new WeakMap<object, SecureContext>();
  let createPool = createSocketPool;
  whenInternalsChange((why) => {
    createPool = createPlainAgent;
    addresses = new WeakMap();
    pools = new WeakMap();
    onPlainAgent?.(why);
  });

  function addressOf({ url, certificate }: Pick<HttpRequest, 'url' | 'certificate'>): Address {
    const { href } = url;
    const known = addresses.get(url);
    // The object may have another URL by now.
    if (known?.href === href && known.certificate === certificate) return known;
    const { host, pathname, search } = url;
    const address = { href, certificate, host, path: `${pathname}${search}`, pool: poolOf(url, certificate) };
    addresses.set(url, address);
    return address;
  }

  function poolOf({ protocol, hostname, port, origin }: URL, certificate: Certificate = NO_CERTIFICATE): SocketPool {
    const ofCertificate = pools.get(certificate) ?? new Map<string, SocketPool>();
    pools.set(certificate, ofCertificate);
    const known = ofCertificate.get(origin);
    if (known !== undefined) return known;
    const isPlain = protocol === 'http:';
    const made = createPool({
      // An IPv6 address has brackets in a URL alone.
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || (isPlain ? 80 : 443),
      ...(isPlain ? {} : { secureContext: contextOf(certificate) }),
      maxSockets,
      now,
    });
    ofCertificate.set(origin, made);
    return made;
  }

  /** One for all sockets: to make one reads the certificates of all authorities, about 10 ms. */
  function contextOf(certificate: Certificate): SecureContext {
    const known = contexts.get(certificate);
    if (known !== undefined) return known;
    const made = tls.createSecureContext({ cert: certificate.cert, key: certificate.key });
    contexts.set(certificate, made);
    return made;
  }

  function send(request: HttpRequest): Promise<HttpAnswer> {
    try {
      const startedAt = now();
      const address = addressOf(request);
      const onDeadSocket = () => sendAgain(request, address, startedAt);
      const go = (body: Opened | undefined) => exchange(request, body, address, { now, onDeadSocket });
      const opened = request.body?.open();
      return opened instanceof Promise ? opened.then(go) : go(opened);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The other side closed a kept socket while it was idle: without a byte of an answer the request goes out again. */
  async function sendAgain(request: HttpRequest, address: Address, startedAt: number): Promise<HttpAnswer> {
    address.pool.closeIdle();
    request.onResend?.();
    const timeoutMs = Math.max(1, startedAt + request.timeoutMs - now());
    try {
      const body = await request.body?.open();
      return await exchange({ ...request, timeoutMs }, body, address, { now });
    } catch (error) {
      throw maybeExecuted(error);
    }
  }

  async function connect(to: Pick<HttpRequest, 'url' | 'certificate'>, signal: AbortSignal): Promise<void> {
    await addressOf(to).pool.connect(signal);
  }

  return Object.assign(send, { connect });
}

type Certificate = Partial<NonNullable<HttpRequest['certificate']>>;

const NO_CERTIFICATE: Certificate = {};

/** Where a request goes, as its parts. */
interface Address {
  /** Of the URL that it was taken from. */
  readonly href: string;
  readonly certificate: HttpRequest['certificate'];
  /** With the port, where it is not the protocol's own. */
  readonly host: string;
  readonly path: string;
  readonly pool: SocketPool;
}

interface ExchangeOptions {
  readonly now: () => number;
  /** What comes of it where a kept socket broke with no byte of an answer. Default: a failure like any other. */
  readonly onDeadSocket?: () => Promise<HttpAnswer>;
}

function exchange(
  request: HttpRequest,
  body: Opened | undefined,
  { host, path, pool }: Address,
  { now, onDeadSocket }: ExchangeOptions,
): Promise<HttpAnswer> {
  const { method, url, timeoutMs, signal } = request;
  if (signal?.aborted === true) {
    // Node would write the request before it looks at the signal.
    if (isStream(body)) body.destroy();
    return Promise.reject(noAnswer('DEADLINE', request, overByNow(), 'no', undefined));
  }
  return new Promise((resolve, reject) => {
    const { protocol } = url;
    /** When it had its socket, for which it may have waited. */
    let startedAt = Number.NEGATIVE_INFINITY;
    let executed: Executed = 'no';
    let response: IncomingMessage | undefined;
    let timedOut = false;
    let isOver = false;
    const headers = headersOf(request, host);
    const sent: ClientRequest = http.request({ protocol, path, method, headers, agent: pool.agent });

    // A request that waits for a socket emits nothing when it is destroyed, so it is failed here as well.
    const end = (error: Error) => {
      sent.destroy(error);
      fail(error);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      end(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    const abort = () => end(overByNow());
    signal?.addEventListener('abort', abort);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const fail = (error: NodeJS.ErrnoException) => {
      if (isOver) return;
      isOver = true;
      settle();
      if (isStream(body)) body.destroy();
      // One that broke later may have been read: the other side may be at work on it, and would do the work twice.
      const wasIdle = now() - startedAt < DEAD_WITHIN_MS;
      const dead = sent.reusedSocket && wasIdle && response === undefined && isReset(error);
      if (dead && onDeadSocket !== undefined) resolve(onDeadSocket());
      else reject(noAnswer(codeOf(timedOut, signal), request, error, executed, response?.statusCode));
    };

    sent.on('socket', (socket) => {
      startedAt = now();
      // Before a connection (for TLS: a handshake) is made, nothing of the request has left.
      if (!socket.connecting) executed = 'unknown';
      else {
        socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', () => {
          executed = 'unknown';
        });
      }
    });
    sent.on('error', (error) => {
      // An answer that has come whole counts, even if the connection breaks under the rest of its request.
      if (response?.complete !== true) fail(error);
    });
    // Without this the call would wait for its timeout: no other protocol is spoken here.
    sent.on('upgrade', (_, socket) => {
      socket.destroy();
      fail(new Error('switched to another protocol'));
    });
    sent.on('response', (incoming) => {
      response = incoming;
      const { statusCode: status = 0, headers } = incoming;
      // RFC 9112 section 9.5: a client that is refused stops sending, to read the answer before the connection breaks.
      if (status >= 300 && isStream(body)) body.destroy();
      const maxIdleMs = keptFor(incoming);
      if (maxIdleMs !== undefined) pool.limitIdle(maxIdleMs);
      readBody(incoming, request.keepBytes ?? 65_536, (error, kept, truncated) => {
        if (isOver) return;
        if (error !== undefined) return fail(error);
        const answered = () => {
          if (isOver) return;
          isOver = true;
          settle();
          if (isStream(body)) body.destroy();
          // Node would keep the socket until the rest is written, which the other side may never read.
          if (!sent.writableFinished) sent.destroy();
          resolve({ status, headers, body: kept, truncated });
        };
        // A 2xx to a payload that was not sent whole is no delivery.
        const unlessUnsent = () => {
          if (isOver || sent.writableFinished || status >= 300) answered();
          else end(new Error('answered before the payload was sent'));
        };
        // Over TLS, Node says only in the next turn that something was written: 1 answer in 8 comes before that.
        if (sent.writableFinished) answered();
        else setImmediate(unlessUnsent);
      });
    });
    if (body === undefined) sent.end();
    else write(sent, body, request.body?.bytes ?? 0, end);
  });
}

/** Writes exactly so many bytes: one more would be the beginning of the next request on this socket. */
function write(sent: ClientRequest, body: Opened, bytes: number, end: (error: Error) => void): void {
  const endUnlike = (found: string) => end(new Error(`the payload has ${found} than the ${bytes} bytes announced`));
  if (isStream(body)) {
    let left = bytes;
    body.on('data', (chunk: string | Uint8Array) => {
      left -= Buffer.byteLength(chunk);
      if (left < 0) endUnlike('more');
    });
    body.on('error', (error: NodeJS.ErrnoException) => {
      // Without its code, which would look like one of the endpoint's socket.
      end(new Error(`the payload broke off: ${error.code ?? error.message}`));
    });
    body.on('end', () => {
      if (left > 0) endUnlike('less');
    });
    body.pipe(sent);
  } else if (typeof body === 'string' && body.length === bytes) {
    // Node writes a head and a text at once, both in one encoding; a head's is Latin-1, and ASCII is the same in it.
    sent.end(body, 'latin1');
  } else {
    const content = typeof body === 'string' ? Buffer.from(body) : body;
    if (content.byteLength === bytes) sent.end(content);
    else endUnlike(content.byteLength > bytes ? 'more' : 'less');
  }
}

function isStream(body: Opened | undefined): body is Readable {
  return typeof body === 'object' && 'destroy' in body;
}

function overByNow(): Error {
  return new Error('the time of the invocation is over');
}

/** As a list of names and values: Node then checks each and writes it, and keeps no index of them by name. */
function headersOf({ method, headers, body }: HttpRequest, host: string): string[] {
  const list = ['Host', host];
  for (const name in headers) list.push(name, headers[name] ?? '');
  // RFC 9110 section 8.6: where the method lets one expect a body, its absence is said.
  const bytes = body?.bytes ?? (BODILESS.has(method) ? undefined : 0);
  if (bytes !== undefined) list.push('Content-Length', String(bytes));
  return list;
}

const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/** How long the server keeps an idle socket, less a second for the way, in milliseconds (RFC 2068 section 19.7.1.1). */
function keptFor({ rawHeaders }: IncomingMessage): number | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length !== KEEP_ALIVE.length || name.toLowerCase() !== KEEP_ALIVE) continue;
    const seconds = /\btimeout=(\d+)/i.exec(rawHeaders[index + 1] ?? '')?.[1];
    return seconds === undefined ? undefined : Math.max(0, Number(seconds) - 1) * 1_000;
  }
  return undefined;
}

const KEEP_ALIVE = 'keep-alive';

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
    const leftBytes = keepBytes - kept;
    if (chunk.byteLength > leftBytes) truncated = true;
    if (leftBytes <= 0) return;
    const part = chunk.byteLength > leftBytes ? chunk.subarray(0, leftBytes) : chunk;
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
