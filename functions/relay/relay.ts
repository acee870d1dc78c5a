/**
 * The story of one message: a token, a call of the endpoint; if the endpoint rejects that token, it is forgotten and the
 * message goes out once more with a different one. No other file knows this order.
 *
 * @see SAP Help, "OAuth Client Credentials Grant", step 3
 */
import { type Deadline, MIN_CALL_MS } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { retryAfterMs } from '../http-time.ts';
import type { Token } from '../token/token-endpoint.ts';
import type { Warm } from '../warm.ts';
import type { Adapter, Exchange } from './adapter/adapter.ts';
import type { Message } from './message.ts';
import { type Outcome, outcomeOfAnswer, outcomeOfError } from './outcome.ts';
import type { Rejections } from './rejection.ts';

/** The way to one destination: what is kept warm for it. */
export interface Route {
  readonly token: Warm<Token>;
  readonly adapter: Adapter;
  readonly rejections: Rejections;
  readonly now: () => number;
}

/** How a message fared, with what its log line tells. */
export interface Attempt {
  readonly outcome: Outcome;
  /** How often the message went out in this attempt. */
  readonly calls: number;
  /** True if a dead socket made the client send once more than told: the flow may have run before the outcome. */
  readonly resent: boolean;
  /** Age of the token that went out last, in milliseconds; absent where none was to be had. */
  readonly tokenAgeMs?: number;
}

/** Never throws: whatever happens to a message is an outcome. */
export async function relay(message: Message, route: Route, deadline: Deadline): Promise<Attempt> {
  const { token: tokens, rejections } = route;
  const startedAt = route.now();
  let calls = 0;
  let resent = false;
  let used: Token | undefined;

  async function call(token: Token): Promise<Exchange> {
    // The token may have taken what time there was.
    if (deadline.remainingMs() < MIN_CALL_MS)
      throw new RelayError('DEADLINE', 'no time left for the call: kept for a later try');
    used = token;
    const exchange = await route.adapter.exchange(message, token, deadline, () => {
      calls += 1;
    });
    if (exchange.answer.resent) resent = true;
    return exchange;
  }

  /** In place of one that this endpoint has rejected: a different one. */
  async function replacement(rejected: Token): Promise<Token> {
    tokens.forget(rejected);
    const other = await tokens.get(deadline);
    if (rejections.has(other)) throw rejections.giveUp(SAME_TOKEN);
    return other;
  }

  async function deliver(): Promise<Outcome> {
    rejections.assertOpen();
    const warm = await tokens.get(deadline);
    const token = rejections.has(warm) ? await replacement(warm) : warm;
    const first = await call(token);
    const verdict = rejections.verdict(first, token, startedAt);
    if (verdict === 'accepted') return accepted(first);
    if (verdict === 'stale') return withNewScopes(first, token);

    rejections.add(token);
    return lastTry(await replacement(token));
  }

  async function withNewScopes(first: Exchange, token: Token): Promise<Outcome> {
    // Where there is no new token now, what the endpoint said stands.
    const renewed = await tokens.renew(token, deadline).catch(() => token);
    if (!rejections.isSame(renewed, token) && !rejections.has(renewed)) return lastTry(renewed);
    rejections.notStale(token);
    return accepted(first);
  }

  async function lastTry(token: Token): Promise<Outcome> {
    const second = await call(token);
    if (second.answer.status !== 401) return accepted(second);
    rejections.add(token);
    tokens.forget(token);
    const blocked = judged(second, route.now());
    if (blocked.kind === 'blocked') rejections.giveUp(blocked.reason);
    return blocked;
  }

  function accepted(exchange: Exchange): Outcome {
    rejections.accepted();
    return judged(exchange, route.now());
  }

  const outcome = await deliver().catch(outcomeOfError);
  const attempt = { outcome, calls, resent };
  return used === undefined ? attempt : { ...attempt, tokenAgeMs: route.now() - used.issuedAt };
}

const SAME_TOKEN =
  'the endpoint rejected a token and the authorization server gives the very same again; the operator must check that the client is registered for this runtime node';

function judged({ answer, reachedFlow, finding }: Exchange, now: number): Outcome {
  const isDelivered = answer.status >= 200 && answer.status < 300;
  return outcomeOfAnswer(answer, reachedFlow, isDelivered ? undefined : retryAfterMs(answer.headers, now), finding);
}
