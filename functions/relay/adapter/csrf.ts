/**
 * The CSRF handshake of SAP's HTTPS and OData sender adapters: a modifying call needs a token that was fetched before,
 * with exactly the cookies it came with. The pair is kept warm for as long as the access token that opened its session;
 * it is one value, so that parallel calls can never mix two of them.
 *
 * @see SAP Help, "HTTPS Sender Adapter", "Use CSRF Protection"
 */
import type { Deadline } from '../../deadline.ts';
import { RelayError } from '../../error.ts';
import type { HttpAnswer, HttpRequest, Send } from '../../http-client.ts';
import { type Warm, warm } from '../../warm.ts';
import { mplIdOf } from '../mpl-id.ts';

/** What came of a call: its answer, and whether the flow can have run on it. */
export interface Exchange {
  readonly answer: HttpAnswer;
  /** False where the answer is to the fetch of a CSRF token: the flow does not run on that. */
  readonly reachedFlow: boolean;
}

interface Session {
  readonly token: string;
  /** As one `Cookie` header, values exactly as they were set: an encoded one breaks SAP's load balancing. */
  readonly cookie: string;
}

/** The endpoint's answer to a fetch that brought no session. */
class FetchRefused extends Error {
  readonly answer: HttpAnswer;
  constructor(answer: HttpAnswer) {
    super(`the fetch of a CSRF token was answered ${answer.status}`);
    this.answer = answer;
  }
}

/** Whose call it is. */
export interface Call {
  /** Whom the session belongs to: the access token's object. */
  readonly identity: object;
  readonly deadline: Deadline;
  /** Where its session is opened. Default: where the call goes. */
  readonly fetchUrl?: URL;
  /** Told each time the request itself goes out; the fetch of a CSRF token is not one. */
  readonly onCall: () => void;
}

export interface CsrfOptions {
  readonly required: boolean;
  readonly send: Send;
  /** Longest fetch of a token, in milliseconds. */
  readonly maxCallMs: number;
}

/** One for each destination: sends a request, with the handshake where the endpoint wants it. */
export interface Csrf {
  /** @throws RelayError `CONNECTION_FAILED`, `TIMED_OUT`, `CSRF_UNAVAILABLE` */
  exchange(request: HttpRequest, call: Call): Promise<Exchange>;
}

/**
 * @param required true: a session is opened before the first message. False: when the endpoint first answers 403 with
 * `X-CSRF-Token: required`, and from then on.
 */
export function createCsrf({ required, send, maxCallMs }: CsrfOptions): Csrf {
  const sessions = new WeakMap<object, Warm<Session>>();
  /** `expected` by the setting, `demanded` by the endpoint itself. */
  let protection: 'none' | 'expected' | 'demanded' = required ? 'expected' : 'none';

  function sessionOf(request: HttpRequest, { identity, fetchUrl = request.url }: Call): Warm<Session> {
    const known = sessions.get(identity);
    if (known !== undefined) return known;
    // GET runs the flow of an endpoint that is not protected, so it must have shown that it is.
    // Of the request only what every message under this token has: its body and its time are its own.
    const fetch = { ...fetchOf(request), url: fetchUrl };
    const made = warm({
      load: ({ signal, remainingMs }) => {
        const timeoutMs = Math.min(maxCallMs, remainingMs());
        return fetchSession({ ...fetch, timeoutMs, signal }, send, protection === 'demanded');
      },
    });
    sessions.set(identity, made);
    return made;
  }

  function call(request: HttpRequest, { onCall }: Call): Promise<HttpAnswer> {
    onCall();
    return send(request);
  }

  return {
    async exchange(request, made) {
      const { deadline } = made;
      try {
        if (protection === 'expected') {
          const opened = await sessionOf(request, made).get(deadline).catch(unlessUnprotected);
          protection = opened === undefined ? 'none' : 'demanded';
        }
        if (protection === 'none') {
          const answer = await call(request, made);
          if (!isDemand(answer)) return { answer, reachedFlow: true };
          protection = 'demanded';
        }
        const session = sessionOf(request, made);
        const first = await session.get(deadline);
        const answer = await call(withSession(request, first), made);
        if (!isDemand(answer)) return { answer, reachedFlow: true };
        session.forget(first);
        const renewed = await call(withSession(request, await session.get(deadline)), made);
        if (!isDemand(renewed)) return { answer: renewed, reachedFlow: true };
        throw new RelayError('CONNECTION_FAILED', 'the endpoint refused a new CSRF token, too: kept for a later try', {
          status: renewed.status,
        });
      } catch (error) {
        if (error instanceof FetchRefused) return { answer: error.answer, reachedFlow: false };
        throw error;
      }
    },
  };
}

/** Expected, but not there: the endpoint takes no HEAD, or gives no token. */
function unlessUnprotected(error: unknown): undefined {
  const isUnprotected =
    error instanceof FetchRefused
      ? [404, 405, 501].includes(error.answer.status)
      : error instanceof RelayError && error.code === 'CSRF_UNAVAILABLE';
  if (!isUnprotected) throw error;
}

/**
 * A 403 for a missing role looks the same but for this header; both bodies may be HTML. A flow that has run demands
 * nothing, whatever it answers: the message would go through it twice.
 */
function isDemand(answer: HttpAnswer): boolean {
  const { status, headers } = answer;
  if (status !== 403 || String(headers['x-csrf-token']).toLowerCase() !== 'required') return false;
  return mplIdOf(answer) === undefined;
}

function withSession(request: HttpRequest, { token, cookie }: Session): HttpRequest {
  const session: Record<string, string> = { 'X-CSRF-Token': token };
  if (cookie !== '') session.Cookie = cookie;
  return { ...request, headers: { ...request.headers, ...session } };
}

/**
 * By HEAD, which transfers least; else by GET. Neither runs the flow of a protected endpoint.
 *
 * @throws FetchRefused, RelayError `CSRF_UNAVAILABLE`
 */
async function fetchSession(request: Omit<HttpRequest, 'method'>, send: Send, mayGet: boolean): Promise<Session> {
  const fetchBy = (method: 'HEAD' | 'GET') => send({ ...request, method }).catch(nothingExecuted);
  let answer = await fetchBy('HEAD');
  if (mayGet && sessionIn(answer) === undefined && ![401, 403].includes(answer.status)) {
    answer = await fetchBy('GET');
  }
  const session = sessionIn(answer);
  if (session !== undefined) return session;
  if (answer.status < 200 || answer.status > 299) throw new FetchRefused(answer);
  throw new RelayError(
    'CSRF_UNAVAILABLE',
    'the endpoint demands a CSRF token and gives none when asked for one; the operator must check the sender channel',
    { status: answer.status },
  );
}

/** The message has not gone out, and the flow does not run on a fetch, whatever became of it. */
function nothingExecuted(error: unknown): never {
  if (!(error instanceof RelayError)) throw error;
  throw new RelayError(error.code, error.message, { cause: error, executed: 'no' });
}

function fetchOf({ headers, certificate }: HttpRequest): Pick<HttpRequest, 'headers' | 'certificate'> {
  const { Authorization } = headers;
  return {
    headers: { ...(Authorization === undefined ? {} : { Authorization }), 'X-CSRF-Token': 'Fetch' },
    ...(certificate === undefined ? {} : { certificate }),
  };
}

function sessionIn({ status, headers }: HttpAnswer): Session | undefined {
  const token = headers['x-csrf-token'];
  if (status < 200 || status > 299 || typeof token !== 'string' || /^(required|fetch)?$/i.test(token)) return undefined;
  const cookies = (headers['set-cookie'] ?? []).map((line) => line.split(';', 1)[0]?.trim());
  return { token, cookie: cookies.join('; ') };
}
