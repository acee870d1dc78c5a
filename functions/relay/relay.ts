/**
 * One message to its endpoint: get a token, call the endpoint; if it rejects the token, send the message once more with
 * another. No other file knows this order.
 *
 * @see SAP Help, "OAuth Client Credentials Grant", step 3
 */
import { type Deadline, MIN_CALL_MS } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import type { Message } from '../message/message.ts';
import type { Token } from '../token/token-endpoint.ts';
import type { Adapter } from './adapter/adapter.ts';
import type { EndpointToken } from './endpoint-token.ts';
import { type Exchange, type Outcome, outcomeOfAnswer, outcomeOfError } from './outcome.ts';

/** What is kept warm for one destination. */
export interface Route {
  readonly token: EndpointToken;
  readonly adapter: Adapter;
  readonly now: () => number;
}

/** The way to SAP of one destination; with a cut-over that is the old side, and `newSide` is the other. */
export interface Routes {
  readonly route: Route;
  readonly newSide?: Route;
}

/** The outcome of one attempt, and what else its log line says. */
export interface Attempt {
  readonly outcome: Outcome;
  /** How often the message was sent in this attempt. */
  readonly calls: number;
  /** True if a dead socket made the client send it a second time, so that the flow may have run before. */
  readonly resent: boolean;
  /** Of the payload. Absent: not known. */
  readonly bytes?: number;
  /** Age of the token that was sent last, in milliseconds. Absent: none was sent. */
  readonly tokenAgeMs?: number;
}

/** Never throws: an error is an outcome, too. */
export async function relay(message: Message, route: Route, deadline: Deadline): Promise<Attempt> {
  const { adapter, now } = route;
  const startedAt = now();
  let calls = 0;
  let resent = false;
  let sentWith: Token | undefined;

  async function deliver(): Promise<Outcome> {
    const { token, isLast } = await route.token.get(deadline);
    const first = await call(token);
    const other = isLast ? undefined : await route.token.another(first, token, startedAt, deadline);
    return other === undefined ? conclude(first, token) : conclude(await call(other), other);
  }

  async function call(token: Token): Promise<Exchange> {
    // Getting the token may have used up the time.
    if (deadline.remainingMs() < MIN_CALL_MS)
      throw new RelayError('DEADLINE', 'no time left for the call: kept for a later try');
    sentWith = token;
    return adapter.exchange(message, token, deadline, { onCall, onResend });
  }

  function onCall(): void {
    calls += 1;
  }

  function onResend(): void {
    resent = true;
  }

  function conclude(exchange: Exchange, token: Token): Outcome {
    const { answer, reachedFlow, finding } = exchange;
    const asked = retryAfterMs(answer.headers, now());
    // A token in a Bearer header is ASCII, so its length is its bytes.
    const options = { reachedFlow, retryAfterMs: asked, finding, tokenBytes: token.accessToken.length };
    const outcome = outcomeOfAnswer(answer, options);
    route.token.conclude(exchange, token, outcome);
    return outcome;
  }

  const outcome = await deliver().catch(outcomeOfError);
  const attempt = { outcome, calls, resent, bytes: message.body.bytes };
  return sentWith === undefined ? attempt : { ...attempt, tokenAgeMs: now() - sentWith.issuedAt };
}
