/**
 * The CSRF handshake of SAP's HTTPS and OData sender adapters: a modifying call needs a token that was fetched before,
 * with exactly the cookies it came with. The pair is kept warm for as long as the access token that opened its session;
 * it is one value, so that parallel calls can never mix two of them. Other servers renew a session's id or its token with
 * each answer (Spring Security, Tomcat behind a proxy): the pair follows, and calls that cannot share it have one each.
 *
 * @see SAP Help, "HTTPS Sender Adapter", "Use CSRF Protection"; Spring Security, "Session Fixation"; Tomcat,
 * "CSRF Prevention Filter for REST APIs"
 */
import type { Deadline } from '../../deadline.ts';
import { RelayError } from '../../error.ts';
import type { HttpAnswer, HttpRequest, Send } from '../../http/http.ts';
import { type Warm, warm } from '../../warm/warm.ts';
import { mplIdOf } from '../mpl-id.ts';
import { type Cookies, cookiesAfter } from './cookies.ts';

/** What came of a call: its answer, and whether the flow can have run on it. */
export interface Exchange {
  readonly answer: HttpAnswer;
  /** False where the answer is to the fetch of a CSRF token: the flow does not run on that. */
  readonly reachedFlow: boolean;
}

interface Pair {
  readonly token: string;
  readonly cookies: Cookies;
  /** As one `Cookie` header, values exactly as they were set: an encoded one breaks SAP's load balancing. */
  readonly cookie: string;
}

interface Session {
  /** As the latest answer has left it. */
  pair: Pair;
  /** How many calls have gone out in it. */
  calls: number;
}

/** Of one access token. */
interface Sessions {
  /** That of all calls, while they can share one. */
  readonly shared: Warm<Session>;
  /** Those of one call each, while no call is in them: no more than there ever were calls at once. */
  readonly idle: Session[];
  open(deadline: Deadline): Promise<Session>;
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
  /** Epoch milliseconds, for cookies that expire. Default `Date.now`. */
  readonly now?: () => number;
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
export function createCsrf({ required, send, maxCallMs, now = Date.now }: CsrfOptions): Csrf {
  const sessions = new WeakMap<object, Sessions>();
  /** `expected` by the setting, `demanded` by the endpoint itself. */
  let protection: 'none' | 'expected' | 'demanded' = required ? 'expected' : 'none';
  /** As SAP's sessions can; no longer once the endpoint has shown that it renews them under parallel calls. */
  let canShare = true;

  function sessionsOf(request: HttpRequest, { identity, fetchUrl = request.url }: Call): Sessions {
    const known = sessions.get(identity);
    if (known !== undefined) return known;
    // GET runs the flow of an endpoint that is not protected, so it must have shown that it is.
    // Of the request only what every message under this token has: its body and its time are its own.
    const fetch = { ...fetchOf(request), url: fetchUrl };
    const open = async ({ signal, remainingMs }: Deadline) => {
      const timeoutMs = Math.min(maxCallMs, remainingMs());
      const answer = await fetchToken({ ...fetch, timeoutMs, signal }, send, protection === 'demanded');
      return { pair: pairAfter(NO_PAIR, answer, now()), calls: 0 };
    };
    const made = { shared: warm({ load: open }), idle: [], open };
    sessions.set(identity, made);
    return made;
  }

  function call(request: HttpRequest, { onCall }: Call): Promise<HttpAnswer> {
    onCall();
    return send(request);
  }

  /** @returns undefined where the endpoint demands another token */
  async function callIn(session: Session, request: HttpRequest, made: Call): Promise<HttpAnswer | undefined> {
    session.calls += 1;
    const answer = await call(withPair(request, session.pair), made);
    if (isDemand(answer)) return undefined;
    session.pair = pairAfter(session.pair, answer, now());
    return answer;
  }

  async function callShared(request: HttpRequest, made: Call): Promise<HttpAnswer> {
    const { deadline } = made;
    const { shared } = sessionsOf(request, made);
    const first = await shared.get(deadline);
    const answer = await callIn(first, request, made);
    if (answer !== undefined) return answer;
    shared.forget(first);
    const renewed = await shared.get(deadline);
    const answerToRenewed = await callIn(renewed, request, made);
    if (answerToRenewed !== undefined) return answerToRenewed;
    shared.forget(renewed);
    if (renewed.calls === 1) throw newTokenRefused();
    canShare = false;
    return callAlone(request, made);
  }

  async function callAlone(request: HttpRequest, made: Call): Promise<HttpAnswer> {
    const { idle, open } = sessionsOf(request, made);
    const kept = idle.pop();
    if (kept !== undefined) {
      const answer = await callIn(kept, request, made);
      if (answer !== undefined) {
        idle.push(kept);
        return answer;
      }
    }
    const opened = await open(made.deadline);
    const answer = await callIn(opened, request, made);
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

function withPair(request: HttpRequest, { token, cookie }: Pair): HttpRequest {
  const pair: Record<string, string> = { 'X-CSRF-Token': token };
  if (cookie !== '') pair.Cookie = cookie;
  return { ...request, headers: { ...request.headers, ...pair } };
}

/**
 * By HEAD, which transfers least; else by GET. Neither runs the flow of a protected endpoint.
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

function tokenIn({ headers }: HttpAnswer): string | undefined {
  const token = headers['x-csrf-token'];
  return typeof token !== 'string' || /^(required|fetch)?$/i.test(token) ? undefined : token;
}

/** As SAP's answers leave it, the same. */
function pairAfter(before: Pair, answer: HttpAnswer, nowMs: number): Pair {
  const token = tokenIn(answer) ?? before.token;
  const { 'set-cookie': lines } = answer.headers;
  if (lines === undefined) return { ...before, token };
  const cookies = cookiesAfter(before.cookies, lines, nowMs);
  return { token, cookies, cookie: [...cookies.values()].join('; ') };
}

const NO_PAIR: Pair = { token: '', cookies: new Map(), cookie: '' };
