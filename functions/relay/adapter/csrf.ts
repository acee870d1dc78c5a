/**
 * The CSRF handshake of SAP's HTTPS and OData sender adapters: a modifying call needs a token that was fetched before,
 * and exactly the cookies that came with it. The pair is kept warm for as long as the access token that opened its
 * session. It is one value, so that parallel calls cannot mix two pairs. Other servers renew a session's id or its
 * token with each answer (Spring Security, Tomcat behind a proxy): the pair is updated then, and calls that cannot
 * share it get one each.
 *
 * @see SAP Help, "HTTPS Sender Adapter", "Use CSRF Protection"; Spring Security, "Session Fixation"; Tomcat, "CSRF
 * Prevention Filter for REST APIs"
 */
import type { Deadline } from '../../deadline.ts';
import { RelayError } from '../../error.ts';
import type { HttpAnswer, HttpRequest, Send } from '../../http/http.ts';
import { type Warm, warm } from '../../warm/warm.ts';
import { mplIdOf } from '../mpl-id.ts';
import type { Exchange } from '../outcome.ts';
import { type Cookies, cookiesAfter } from './cookies.ts';

interface Pair {
  readonly token: string;
  readonly cookies: Cookies;
  /** As one `Cookie` header, values exactly as they were set: an encoded one breaks SAP's load balancing. */
  readonly cookie: string;
}

/** Keeps the pair of the latest answer. */
interface Session {
  /** @returns undefined where the endpoint demands another token */
  call(request: HttpRequest, made: CsrfCall): Promise<HttpAnswer | undefined>;
  /** Whether no more than one call was sent with it. */
  isNew(): boolean;
}

/** The sessions of one access token. */
interface Sessions {
  /** The session of all calls, while they can share one. */
  readonly shared: Warm<Session>;
  /** Sessions of one call each that no call uses now; never more than the most calls at once. */
  readonly idle: Session[];
  open(deadline: Deadline): Promise<Session>;
}

/** The fetch of a CSRF token was answered without one. */
class FetchRefused extends Error {
  readonly answer: HttpAnswer;
  constructor(answer: HttpAnswer) {
    super(`the fetch of a CSRF token was answered ${answer.status}`);
    this.answer = answer;
  }
}

export interface CsrfCall {
  /** The owner of the session: the access token's object. */
  readonly identity: object;
  readonly deadline: Deadline;
  /** Where the session is opened. Default: the call's own URL. */
  readonly fetchUrl?: URL;
  /** Called each time the request itself is sent; not for the fetch of a CSRF token. */
  readonly onCall: () => void;
}

export interface CsrfOptions {
  readonly required: boolean;
  readonly send: Send;
  /** Longest fetch of a token, in milliseconds. */
  readonly maxCallMs: number;
  /** Epoch milliseconds, for cookies that expire. Default `Date.now`. */
  readonly now?: () => number;
}

/** One for each destination: sends a request, with the handshake where the endpoint wants it. */
export interface Csrf {
  /** @throws RelayError `CONNECTION_FAILED`, `TIMED_OUT`, `CSRF_UNAVAILABLE` */
  exchange(request: HttpRequest, call: CsrfCall): Promise<Exchange>;
}

/**
 * @param required true: a session is opened before the first message. False: when the endpoint first answers 403 with
 * `X-CSRF-Token: required`, and from then on.
 */
export function createCsrf({ required, send, maxCallMs, now = Date.now }: CsrfOptions): Csrf {
  const sessions = new WeakMap<object, Sessions>();
  /** `expected` by the setting, `demanded` by the endpoint itself. */
  let protection: 'none' | 'expected' | 'demanded' = required ? 'expected' : 'none';
  /** True for SAP's sessions. False once the endpoint was seen to renew a session under parallel calls. */
  let canShare = true;

  function sessionsOf(request: HttpRequest, { identity, fetchUrl = request.url }: CsrfCall): Sessions {
    const known = sessions.get(identity);
    if (known !== undefined) return known;
    // Only what all messages with this token share, since the session is used by all of them.
    const fetch = { ...fetchOf(request), url: fetchUrl };
    const open = async ({ signal, remainingMs }: Deadline) => {
      const timeoutMs = Math.min(maxCallMs, remainingMs());
      // On an endpoint without CSRF protection a GET would run the flow.
      const mayGet = protection === 'demanded';
      const answer = await fetchToken({ ...fetch, timeoutMs, signal }, send, mayGet);
      return createSession(pairAfter(NO_PAIR, answer, now()));
    };
    const made = { shared: warm({ load: open }), idle: [], open };
    sessions.set(identity, made);
    return made;
  }

  function call(request: HttpRequest, { onCall }: CsrfCall): Promise<HttpAnswer> {
    onCall();
    return send(request);
  }

  function createSession(opened: Pair): Session {
    let pair = opened;
    let calls = 0;
    return {
      async call(request, made) {
        calls += 1;
        const answer = await call(withPair(request, pair), made);
        if (isDemand(answer)) return undefined;
        pair = pairAfter(pair, answer, now());
        return answer;
      },
      isNew: () => calls <= 1,
    };
  }

  async function callShared(request: HttpRequest, made: CsrfCall): Promise<HttpAnswer> {
    const { deadline } = made;
    const { shared } = sessionsOf(request, made);
    const first = await shared.get(deadline);
    const answer = await first.call(request, made);
    if (answer !== undefined) return answer;
    shared.forget(first);
    const renewed = await shared.get(deadline);
    const answerToRenewed = await renewed.call(request, made);
    if (answerToRenewed !== undefined) return answerToRenewed;
    shared.forget(renewed);
    if (renewed.isNew()) throw newTokenRefused();
    canShare = false;
    return callAlone(request, made);
  }

  async function callAlone(request: HttpRequest, made: CsrfCall): Promise<HttpAnswer> {
    const { idle, open } = sessionsOf(request, made);
    const kept = idle.pop();
    if (kept !== undefined) {
      const answer = await kept.call(request, made);
      if (answer !== undefined) {
        idle.push(kept);
        return answer;
      }
    }
    const opened = await open(made.deadline);
    const answer = await opened.call(request, made);
    if (answer === undefined) throw newTokenRefused();
    idle.push(opened);
    return answer;
  }

  return {
    async exchange(request, made) {
      try {
        if (protection === 'expected') {
          const { shared } = sessionsOf(request, made);
          const opened = await shared.get(made.deadline).catch(unlessUnprotected);
          protection = opened === undefined ? 'none' : 'demanded';
        }
        if (protection === 'none') {
          const answer = await call(request, made);
          if (!isDemand(answer)) return { answer, reachedFlow: true };
          protection = 'demanded';
        }
        const answer = await (canShare ? callShared(request, made) : callAlone(request, made));
        return { answer, reachedFlow: true };
      } catch (error) {
        if (error instanceof FetchRefused) return { answer: error.answer, reachedFlow: false };
        throw error;
      }
    },
  };
}

function newTokenRefused(): RelayError {
  const message = 'the endpoint refused a new CSRF token, too: kept for a later try';
  return new RelayError('CONNECTION_FAILED', message, { status: 403 });
}

/** The endpoint is not protected after all: it takes no HEAD, or gives no token. */
function unlessUnprotected(error: unknown): undefined {
  const isUnprotected =
    error instanceof FetchRefused
      ? [404, 405, 501].includes(error.answer.status)
      : error instanceof RelayError && error.code === 'CSRF_UNAVAILABLE';
  if (!isUnprotected) throw error;
}

/**
 * Only this header distinguishes it from a 403 for a missing role; both bodies may be HTML. An answer of the flow
 * itself is no demand, whatever its headers: the flow has run, and would run twice.
 */
function isDemand(answer: HttpAnswer): boolean {
  const { status, headers } = answer;
  if (status !== 403 || String(headers['x-csrf-token']).toLowerCase() !== 'required') return false;
  return mplIdOf(answer) === undefined;
}

function withPair(request: HttpRequest, { token, cookie }: Pair): HttpRequest {
  const pair: Record<string, string> = { 'X-CSRF-Token': token };
  if (cookie !== '') pair.Cookie = cookie;
  return { ...request, headers: { ...request.headers, ...pair } };
}

/**
 * By HEAD, which transfers the least; else by GET. Neither runs the flow of a protected endpoint.
 *
 * @returns an answer with a token, whatever its status: CXF behind a CSRF filter answers 405 to HEAD and 500 to GET
 * @throws FetchRefused, RelayError `CSRF_UNAVAILABLE`
 */
async function fetchToken(request: Omit<HttpRequest, 'method'>, send: Send, mayGet: boolean): Promise<HttpAnswer> {
  const fetchBy = (method: 'HEAD' | 'GET') => send({ ...request, method }).catch(nothingExecuted);
  let answer = await fetchBy('HEAD');
  if (mayGet && tokenIn(answer) === undefined && ![401, 403].includes(answer.status)) {
    answer = await fetchBy('GET');
  }
  if (tokenIn(answer) !== undefined) return answer;
  if (answer.status > 299) throw new FetchRefused(answer);
  throw new RelayError(
    'CSRF_UNAVAILABLE',
    'the endpoint demands a CSRF token and gives none when asked for one; the operator must check the sender channel',
    { status: answer.status },
  );
}

/** The message was not sent, and the flow does not run on a fetch, however that ended. */
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

function tokenIn({ headers }: HttpAnswer): string | undefined {
  const token = headers['x-csrf-token'];
  return typeof token !== 'string' || /^(required|fetch)?$/i.test(token) ? undefined : token;
}

/** SAP's answers change nothing in it. */
function pairAfter(before: Pair, answer: HttpAnswer, nowMs: number): Pair {
  const token = tokenIn(answer) ?? before.token;
  const { 'set-cookie': lines } = answer.headers;
  if (lines === undefined) return { ...before, token };
  const cookies = cookiesAfter(before.cookies, lines, nowMs);
  return { token, cookies, cookie: [...cookies.values()].join('; ') };
}

const NO_PAIR: Pair = { token: '', cookies: new Map(), cookie: '' };
