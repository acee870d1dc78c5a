/**
 * The story of one message: a token, a call of the endpoint; if the endpoint rejects that token, the message goes out once
 * more with another. No other file knows this order.
 *
 * @see SAP Help, "OAuth Client Credentials Grant", step 3
 */
import { type Deadline, MIN_CALL_MS } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import type { Message } from '../message/message.ts';
import type { Token } from '../token/token-endpoint.ts';
import type { Adapter, Exchange } from './adapter/adapter.ts';
import type { EndpointToken } from './endpoint-token.ts';
import { type Outcome, outcomeOfAnswer, outcomeOfError } from './outcome.ts';

/** The way to one destination: what is kept warm for it. */
export interface Route {
  readonly token: EndpointToken;
  readonly adapter: Adapter;
  readonly now: () => number;
}

/** How a message fared, with what its log line tells. */
export interface Attempt {
  readonly outcome: Outcome;
  /** How often the message went out in this attempt. */
  readonly calls: number;
  /** True if a dead socket made the client send once more than told: the flow may have run before the outcome. */
  readonly resent: boolean;
  /** Of the payload; absent where it was not to be had. */
  readonly bytes?: number;
  /** Age of the token that went out last, in milliseconds; absent where none was to be had. */
  readonly tokenAgeMs?: number;
}

/** Never throws: whatever happens to a message is an outcome. */
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
    // The token may have taken what time there was.
    if (deadline.remainingMs() < MIN_CALL_MS)
      throw new RelayError('DEADLINE', 'no time left for the call: kept for a later try');
    sentWith = token;
    const exchange = await adapter.exchange(message, token, deadline, () => {
      calls += 1;
    });
    if (exchange.answer.resent) resent = true;
    return exchange;
  }

  function conclude(exchange: Exchange, token: Token): Outcome {
    const { answer, reachedFlow, finding } = exchange;
    const asked = retryAfterMs(answer.headers, now());
    // What may stand in a Bearer header is ASCII.
    const circumstances = { reachedFlow, retryAfterMs: asked, finding, tokenBytes: token.accessToken.length };
    const outcome = outcomeOfAnswer(answer, circumstances);
    route.token.conclude(exchange, token, outcome);
    return outcome;
  }

  const outcome = await deliver().catch(outcomeOfError);
  const attempt = { outcome, calls, resent, bytes: message.body.bytes };
  return sentWith === undefined ? attempt : { ...attempt, tokenAgeMs: now() - sentWith.issuedAt };
}
