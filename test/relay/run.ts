/** One message on its way over tokens and answers that come in a given order, and what it made of them. */

import { expect } from 'vitest';
import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer } from '../../functions/http/http.ts';
import type { Message } from '../../functions/message/message.ts';
import type { Adapter } from '../../functions/relay/adapter/adapter.ts';
import { relay } from '../../functions/relay/relay.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';
import { deadlineOf } from '../doubles/deadline.ts';
import { messageOf } from '../doubles/message.ts';
import { NOON } from '../doubles/time.ts';
import { tokenOf, warmTokens } from '../doubles/token.ts';
import { type KeptEndpoint, keptEndpoint } from './kept-endpoint.ts';

/** An answer; one to the fetch of a CSRF token; or an error, thrown before or after the message went out. */
export type Step = HttpAnswer | { fetch: HttpAnswer } | RelayError | { sent: RelayError };

export interface Told {
  /** Tokens that were asked for, in place of one that was rejected or at first. */
  readonly got: number;
  readonly renewed: number;
  readonly forgotten: string[];
  readonly sentWith: string[];
}

export interface RunOptions {
  readonly now?: () => number;
  /** Kept over several messages. */
  readonly endpoint?: KeptEndpoint;
  readonly tokenFields?: Partial<Token>;
}

/** Runs one message over tokens and answers that come in this order. */
export async function run(tokens: readonly (string | RelayError)[], steps: readonly Step[], options: RunOptions = {}) {
  const { now = () => NOON, endpoint = keptEndpoint(now), tokenFields = {} } = options;
  const forgotten: string[] = [];
  const sentWith: string[] = [];
  const messages = new Set<Message>();
  const waiting = [...tokens];
  let got = 0;
  let renewed = 0;
  const next = (): Token => {
    const token = waiting.shift();
    if (token === undefined) throw new Error('one token too many was asked for');
    if (token instanceof RelayError) throw token;
    return tokenOf(token, tokenFields);
  };
  const token = warmTokens({
    get: async () => {
      got += 1;
      return next();
    },
    renew: async () => {
      renewed += 1;
      return next();
    },
    forget: ({ accessToken }) => void forgotten.push(accessToken),
  });
  const left = [...steps];
  const adapter: Adapter = {
    async exchange(message, { accessToken }, _deadline, { onCall }) {
      messages.add(message);
      const step = left.shift();
      if (step === undefined) throw new Error('one call too many');
      if (step instanceof RelayError) throw step;
      if ('fetch' in step) return { answer: step.fetch, reachedFlow: false };
      onCall();
      sentWith.push(accessToken);
      if ('sent' in step) throw step.sent;
      return { answer: step, reachedFlow: true };
    },
  };
  const attempt = await relay(messageOf(), { token: endpoint.tokenFrom(token), adapter, now }, deadlineOf());
  expect(left).toHaveLength(0);
  expect(waiting).toHaveLength(0);
  expect(messages.size).toBeLessThanOrEqual(1);
  return { ...attempt, told: { got, renewed, forgotten, sentWith } satisfies Told };
}

/** @param got tokens asked for; those forgotten, and those that went out, in their order */
export const told = (got: number, forgotten: string[], sentWith: string[], renewed = 0): Told => ({
  got,
  renewed,
  forgotten,
  sentWith,
});
