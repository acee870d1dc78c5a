/**
 * The relay's `Send` onto systems of the landscape without their sockets: a request becomes what a server would have
 * read, an answer what the HTTP client would have handed over. Ways take as long as the test says, on simulated time.
 */
import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer, HttpRequest, Send } from '../../functions/http/http.ts';
import type { Answer, Answerer, Request } from '../../infra/local/server/server.ts';
import type { SimulatedTime } from '../doubles/time.ts';

/** The way to one system. */
export interface Link {
  /** The system at its end; another may be put in its place. */
  answer: Answerer;
  /** How long a request is on its way before it is judged; default: no time. */
  travelMs: (request: HttpRequest) => number;
  /** Connections that are still to be refused. */
  refusals: number;
  /** Requests under way at this moment, and the most there ever were. */
  open: number;
  mostOpen: number;
}

export function createLink(answer: Answerer): Link {
  return { answer, travelMs: () => 0, refusals: 0, open: 0, mostOpen: 0 };
}

/** @param links by origin */
export function simulatedSend(links: Readonly<Record<string, Link>>, time: SimulatedTime): Send {
  return async function send(request) {
    const { url, body, keepBytes = 65_536 } = request;
    const link = links[url.origin];
    if (link === undefined) throw new Error(`no system is at ${url.origin}`);
    const bytes = Buffer.from(body === undefined ? '' : ((await body.open()) as Uint8Array));
    link.open += 1;
    link.mostOpen = Math.max(link.mostOpen, link.open);
    try {
      if (link.refusals > 0) {
        link.refusals -= 1;
        throw new RelayError('CONNECTION_FAILED', `${request.method} ${url.origin}: no answer (ECONNREFUSED)`);
      }
      await travel(request, link.travelMs(request), time);
      return handedOver(await time.hold(Promise.resolve(link.answer(asRead(request, bytes)))), keepBytes);
    } finally {
      link.open -= 1;
    }
  };
}

/** @throws RelayError `TIMED_OUT`, `DEADLINE`, as the HTTP client does */
function travel({ method, url, timeoutMs, signal }: HttpRequest, ms: number, { after }: SimulatedTime): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (code: 'TIMED_OUT' | 'DEADLINE') =>
      reject(new RelayError(code, `${method} ${url.origin}: no answer`, { executed: 'unknown' }));
    const abort = () => {
      cancel();
      fail('DEADLINE');
    };
    const cancel = after(Math.min(ms, timeoutMs), () => {
      signal?.removeEventListener('abort', abort);
      if (ms < timeoutMs) resolve();
      else fail('TIMED_OUT');
    });
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

function asRead({ method, url, headers }: HttpRequest, body: Buffer): Request {
  const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    target: `${url.pathname}${url.search}`,
    headers: { host: url.host, ...lowerCase },
    rawHeaders: Object.entries(headers).flat(),
    body,
  };
}

function handedOver({ status, headers = {}, body = '' }: Answer, keepBytes: number): HttpAnswer {
  const bytes = Buffer.from(body);
  const lowerCase = Object.entries(headers).map(([name, value]) => {
    const key = name.toLowerCase();
    return [key, key === 'set-cookie' ? [value].flat() : String(value)];
  });
  return {
    status,
    headers: Object.fromEntries(lowerCase),
    body: bytes.subarray(0, keepBytes),
    truncated: bytes.byteLength > keepBytes,
  };
}
