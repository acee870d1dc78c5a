/**
 * The story of one message: a token, a call of the endpoint; on a 401 that token is forgotten and the message goes out
 * once more with a new one. No other file knows this order.
 *
 * @see SAP Help, "OAuth Client Credentials Grant", step 3
 */
import { RelayError } from '../error.ts';
import { retryAfterMs } from '../http-time.ts';
import type { Token } from '../token/token-endpoint.ts';
import type { Warm } from '../warm.ts';
import type { Exchange } from './adapter/csrf.ts';
import type { Adapter } from './adapter/https.ts';
import type { Deadline, Message } from './message.ts';
import { type Outcome, outcomeOfAnswer, outcomeOfError } from './outcome.ts';

/** The way to one destination: what is kept warm for it. */
export interface Route {
  readonly token: Warm<Token>;
  readonly adapter: Adapter;
  readonly now: () => number;
}

/** How a message fared, with what its log line tells. */
export interface Attempt {
  readonly outcome: Outcome;
  /** How often the message went out in this attempt. */
  readonly calls: number;
  /** Age of the token that went out last, in milliseconds; absent where none was to be had. */
  readonly tokenAgeMs?: number;
}

/** Never throws: whatever happens to a message is an outcome. */
export async function relay(message: Message, route: Route, deadline: Deadline): Promise<Attempt> {
  let calls = 0;
  let used: Token | undefined;

  function call(token: Token): Promise<Exchange> {
    used = token;
    return route.adapter.exchange(message, token, deadline, () => {
      calls += 1;
    });
  }

  async function deliver(): Promise<Outcome> {
    const token = await route.token.get(deadline.signal);
    const first = await call(token);
    if (first.answer.status !== 401) return judged(first, route.now());

    route.token.forget(token);
    const renewed = await route.token.get(deadline.signal);
    if (renewed.accessToken === token.accessToken) {
      route.token.forget(renewed);
      throw new RelayError('TOKEN_REFUSED', SAME_TOKEN, { status: 401 });
    }
    return judged(await call(renewed), route.now());
  }

  const outcome = await deliver().catch(outcomeOfError);
  const age = used === undefined ? {} : { tokenAgeMs: route.now() - used.issuedAt };
  return { outcome, calls, ...age };
}

const SAME_TOKEN =
  'the endpoint refused a token and the authorization server gave the very same again; the operator must check that the client is registered for this runtime node';

function judged({ answer, reachedFlow }: Exchange, now: number): Outcome {
  return outcomeOfAnswer(answer, reachedFlow, retryAfterMs(answer.headers, now));
}
