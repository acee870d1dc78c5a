/**
 * The story of one message: a token, a call of the endpoint; if the endpoint rejects that token, it is forgotten and the
 * message goes out once more with a different one. No other file knows this order.
 *
 * @see SAP Help, "OAuth Client Credentials Grant", step 3
 */
import { type Deadline, MIN_CALL_MS } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { retryAfterMs } from '../http-time.ts';
import { REJECTION_PAUSE_MS } from '../token/token.ts';
import type { Token } from '../token/token-endpoint.ts';
import type { Warm } from '../warm.ts';
import type { Adapter, Exchange } from './adapter/adapter.ts';
import type { Message } from './message.ts';
import { type Outcome, outcomeOfAnswer, outcomeOfError } from './outcome.ts';
import { isRejection, type Rejections } from './rejection.ts';

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
  /** Of the payload; absent where it was not to be had. */
  readonly bytes?: number;
  /** Age of the token that went out last, in milliseconds; absent where none was to be had. */
  readonly tokenAgeMs?: number;
}

/** What is known of a message on its way. */
interface Story {
  readonly message: Message;
  readonly route: Route;
  readonly deadline: Deadline;
  readonly startedAt: number;
  calls: number;
  resent: boolean;
  /** What went out last. */
  used: Token | undefined;
}

/** Never throws: whatever happens to a message is an outcome. */
export async function relay(message: Message, route: Route, deadline: Deadline): Promise<Attempt> {
  const startedAt = route.now();
  const story: Story = { message, route, deadline, startedAt, calls: 0, resent: false, used: undefined };
  let outcome: Outcome;
  try {
    outcome = await deliver(story);
  } catch (error) {
    outcome = outcomeOfError(error);
  }
  const { calls, resent, used } = story;
  const bytes = message.body.bytes;
  if (used === undefined) return { outcome, calls, resent, bytes };
  return { outcome, calls, resent, bytes, tokenAgeMs: route.now() - used.issuedAt };
}

async function deliver(story: Story): Promise<Outcome> {
  const { route, deadline, startedAt } = story;
  const { rejections } = route;
  rejections.assertOpen();
  const warm = await route.token.get(deadline);
  // An attempt before this one has seen a 401 for it.
  if (rejections.has(warm)) return lastTry(await replacement(warm, story), story);
  const first = await call(warm, story);
  const verdict = rejections.verdict(first, warm, startedAt);
  if (verdict === 'accepted') return accepted(first, warm, route);
  if (verdict === 'stale') return withNewScopes(first, warm, story);

  rejections.add(warm);
  return lastTry(await replacement(warm, story), story);
}

async function call(token: Token, story: Story): Promise<Exchange> {
  const { message, route, deadline } = story;
  // The token may have taken what time there was.
  if (deadline.remainingMs() < MIN_CALL_MS)
    throw new RelayError('DEADLINE', 'no time left for the call: kept for a later try');
  story.used = token;
  const exchange = await route.adapter.exchange(message, token, deadline, () => {
    story.calls += 1;
  });
  if (exchange.answer.resent) story.resent = true;
  return exchange;
}

/** In place of one that this endpoint has rejected: a different one. */
async function replacement(rejected: Token, { route: { token: tokens, rejections }, deadline }: Story): Promise<Token> {
  tokens.forget(rejected);
  const other = await tokens.get(deadline);
  if (other === rejected) {
    // It was kept: others may use it, and will not be made to ask for one after another.
    throw new RelayError('TOKEN_POSTPONED', POSTPONED, { status: 401, retryAfterMs: REJECTION_PAUSE_MS });
  }
  if (rejections.has(other)) {
    // Another message of this destination may have got as far meanwhile.
    rejections.assertOpen();
    throw rejections.giveUp(SAME_TOKEN);
  }
  return other;
}

async function withNewScopes(first: Exchange, token: Token, story: Story): Promise<Outcome> {
  const { route, deadline } = story;
  // Where there is no new token now, what the endpoint said stands.
  const renewed = await route.token.renew(token, deadline).catch(() => token);
  if (!route.rejections.isSame(renewed, token) && !route.rejections.has(renewed)) return lastTry(renewed, story);
  route.rejections.notStale(token);
  return accepted(first, token, route);
}

async function lastTry(token: Token, story: Story): Promise<Outcome> {
  const { route } = story;
  const second = await call(token, story);
  if (!isRejection(second.answer)) return accepted(second, token, route);
  route.rejections.add(token);
  route.token.forget(token);
  const blocked = judged(second, token, route.now);
  if (blocked.kind === 'blocked') route.rejections.giveUp(blocked.reason);
  return blocked;
}

function accepted(exchange: Exchange, token: Token, { rejections, now }: Route): Outcome {
  rejections.accepted();
  return judged(exchange, token, now);
}

const SAME_TOKEN =
  'the endpoint rejected a token and the authorization server gives the very same again; the operator must check that the client is registered for this runtime node';

const POSTPONED = `the endpoint rejected a token less than ${REJECTION_PAUSE_MS / 1000} s after another: kept for a later try`;

function judged({ answer, reachedFlow, finding }: Exchange, { accessToken }: Token, now: () => number): Outcome {
  const isDelivered = answer.status >= 200 && answer.status < 300;
  return outcomeOfAnswer(answer, {
    reachedFlow,
    retryAfterMs: isDelivered ? undefined : retryAfterMs(answer.headers, now()),
    finding,
    // What may stand in a Bearer header is ASCII.
    tokenBytes: accessToken.length,
  });
}
