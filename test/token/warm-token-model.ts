/**
 * A warm token under any interleaving of commands, with what must hold at every moment written as rules that throw.
 * What is known of tokens is kept here once more, by rules of its own: which are rejected, which are good, which is in
 * use.
 */

import { RelayError } from '../../functions/error.ts';
import type { Credentials } from '../../functions/token/credentials.ts';
import { warmToken } from '../../functions/token/token.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';
import { warm } from '../../functions/warm/warm.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';
import { rule } from '../warm/rule.ts';
import { opaqueWanted } from './clients.ts';
import { createHeldServer } from './held-server.ts';
import { createKnownTokens } from './known-tokens.ts';

export const SHORTEST_LIFE_SECONDS = 60;
/** A token is due for renewal at 45 to 55 % of its life. */
const EARLIEST_RENEWAL = 0.45;
/** The first pause after a refusal, and the least between two renewals. */
const PAUSE_MS = 30_000;
/** Between two tokens that are given up for a 401. */
const REJECTION_PAUSE_MS = 10_000;

interface Getter {
  readonly abort: AbortController;
  /** Tokens that had been rejected when it asked. */
  readonly rejected: ReadonlySet<Token>;
  /** What was at hand, good, when it asked: that very token it must get. */
  readonly atHand: Token | undefined;
  over: boolean;
}

export function createWarmTokenModel(random: () => number) {
  const time = createSimulatedTime(NOON);
  const broken: unknown[] = [];
  const getters: Getter[] = [];
  const known = createKnownTokens();
  const counts = { rejectedKept: 0, givenUp: 0 };
  /** The token in use, as it was when all was calm. */
  let kept: Token | undefined;
  /** Why a load may begin, as it was when somebody asked. */
  let reason: 'load' | 'renewal' | undefined;
  let renewalBegan = Number.NEGATIVE_INFINITY;
  let refusal: RelayError | undefined;
  let refusedAt = Number.NEGATIVE_INFINITY;
  /** When a 401 last dropped a token, or one was last asked for in its place. */
  let rejectedAt = Number.NEGATIVE_INFINITY;

  const check = (holds: boolean, words: string): void => {
    if (!holds) broken.push(new Error(words));
  };

  const server = createHeldServer({
    onBroken: (words) => check(false, words),
    onRequest() {
      const isInPlaceOfOne = tokens.peek() === undefined && rejectedAt > Number.NEGATIVE_INFINITY;
      if (isInPlaceOfOne) rejectedAt = time.now();
    },
    onSecretRead() {
      check(time.now() - refusedAt >= PAUSE_MS || refusedAt === time.now(), 'the secret is read while a pause lasts');
    },
    onLoad() {
      check(reason !== undefined, 'a token is asked for although a good one is at hand and not due');
      check(time.now() - refusedAt >= PAUSE_MS, 'a token is asked for while a refusal’s pause lasts');
      if (reason !== 'renewal') return;
      check(time.now() - renewalBegan >= PAUSE_MS, 'two renewals begin less than 30 s apart');
      renewalBegan = time.now();
    },
  });
  const credentials = warm<Credentials>({ load: async () => server.readCurrent() });
  const tokens = warmToken({
    credentials,
    previousCredentials: async () => server.readPrevious(),
    wanted: opaqueWanted,
    send: server.send,
    random,
    now: time.now,
    after: time.after,
    onRenewalFailed: noteFailure,
  });

  /** While a pause lasts everyone gets the refusal that began it. */
  function noteFailure(error: unknown): void {
    if (!(error instanceof RelayError && error.code === 'TOKEN_REFUSED') || error === refusal) return;
    refusal = error;
    refusedAt = time.now();
  }

  const good = (token: Token | undefined): token is Token => {
    return known.isGood(token, time.now(), credentials.peek()?.versionId);
  };
  const meet = (token: Token): void => known.meet(token, credentials.peek()?.versionId);

  function got(getter: Getter, token: Token): void {
    meet(token);
    rule(!getter.rejected.has(token), 'a rejected token is handed out again');
    rule(getter.atHand === undefined || getter.atHand === token, 'another token comes than the good one at hand');
    rule(time.now() < token.expiresAt, 'a dead token is handed out');
  }

  function failed({ abort: { signal }, atHand }: Getter, error: unknown): void {
    if (signal.aborted && error === signal.reason) return;
    noteFailure(error);
    rule(error instanceof RelayError, 'an error that is not ours');
    rule(atHand === undefined, 'a failure comes although a good token is at hand');
  }

  /** Somebody wants a token, and does not wait for it here. */
  function get(): void {
    const token = tokens.peek();
    const getter: Getter = {
      abort: new AbortController(),
      rejected: new Set(known.rejected),
      atHand: good(token) ? token : undefined,
      over: false,
    };
    if (getter.atHand === undefined) reason = 'load';
    else if (reason === undefined && isDue(getter.atHand)) reason = 'renewal';
    getters.push(getter);
    tokens
      .get(deadlineOf(600_000, getter.abort.signal))
      .then(
        (brought) => got(getter, brought),
        (error: unknown) => failed(getter, error),
      )
      .catch((error: unknown) => void broken.push(error))
      .finally(() => {
        getter.over = true;
      });
  }

  function isDue({ issuedAt, expiresAt }: Token): boolean {
    return time.now() >= issuedAt + (expiresAt - issuedAt) * EARLIEST_RENEWAL;
  }

  /** Everything that is due happens; then what was seen must be right. */
  async function settleDown(): Promise<void> {
    await time.pass(0);
    reason = undefined;
    if (good(kept)) rule(tokens.peek() !== undefined, 'a good token is lost');
    kept = tokens.peek();
    if (kept !== undefined) meet(kept);
    for (const { atHand, over } of getters)
      rule(atHand === undefined || over, 'one waits although a good token is at hand');
    // Without rejections, rotations and loads that were given up: one each 27 s, at 45 % of the shortest life.
    const elapsedSeconds = (time.now() - NOON) / 1000;
    const causes = 1 + counts.rejectedKept + counts.givenUp + server.rotations;
    const bound = causes + elapsedSeconds / (SHORTEST_LIFE_SECONDS * EARLIEST_RENEWAL);
    rule(server.minted <= bound, `${server.minted} tokens were minted where ${bound} are enough`);
    if (broken.length > 0) throw broken[0];
  }

  return {
    get,
    answer: server.answer,
    rotate: server.rotate,
    pass: time.pass,
    settleDown,
    /** The endpoint answers 401 to a call with this token, be it as old as it may. */
    reject(which: number): void {
      const token = known.all[which % known.all.length];
      if (token === undefined) return;
      const before = tokens.peek();
      // Another was given up a moment ago: this one stays in use for others.
      const isBounded = before === token && time.now() - rejectedAt < REJECTION_PAUSE_MS;
      if (before === token && !isBounded) {
        rejectedAt = time.now();
        counts.rejectedKept += 1;
      }
      if (!isBounded) known.reject(token);
      tokens.forget(token);
      const isDropped = before === token && !isBounded;
      rule(
        tokens.peek() === (isDropped ? undefined : before),
        'a 401 drops a token that is to stay, or keeps the other',
      );
    },
    /** One who waits has no time left. */
    giveUp(which: number): void {
      const waiting = getters.filter(({ over, abort }) => !over && !abort.signal.aborted);
      const one = waiting[which % waiting.length];
      if (one === undefined) return;
      counts.givenUp += 1;
      one.abort.abort(new RelayError('DEADLINE', 'no time'));
    },
    endInvocation(): void {
      counts.givenUp += tokens.renewing() === undefined ? 0 : 1;
      tokens.abortRenewal();
    },
    /** Both ends are well again: whoever waits gets a token or a reason, and the next one a token. */
    async heal(): Promise<void> {
      server.heal();
      for (let step = 0; step < 60; step += 1) {
        server.answer('as it decides', 3_600);
        await settleDown();
        if (getters.every(({ over }) => over) && tokens.renewing() === undefined) break;
        await time.pass(10_000);
      }
      rule(
        getters.every(({ over }) => over),
        'somebody waits for ever',
      );
      // More than the longest pause, and the longest life.
      await time.pass(7_500_000);
      get();
      for (let step = 0; step < 4; step += 1) {
        await settleDown();
        server.answer('as it decides', 3_600);
      }
      await settleDown();
      rule(good(tokens.peek()), 'no token is to be had though all is well');
    },
  };
}

export type WarmTokenModel = ReturnType<typeof createWarmTokenModel>;
