/** What an endpoint has taught about tokens, kept over messages whose tokens come from a source of their own. */
import { createEndpointToken, type EndpointToken } from '../../functions/relay/endpoint-token.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';
import type { Warm } from '../../functions/warm/warm.ts';
import { NOON } from '../doubles/time.ts';

export interface KeptEndpoint {
  /** From now on tokens come from this source. */
  tokenFrom(source: Warm<Token>): EndpointToken;
}

/** @param now epoch milliseconds. Default: always `NOON` */
export function keptEndpoint(now: () => number = () => NOON): KeptEndpoint {
  let source: Warm<Token>;
  const token = createEndpointToken(
    {
      get: (deadline) => source.get(deadline),
      renew: (old, deadline) => source.renew(old, deadline),
      forget: (rejected) => source.forget(rejected),
      peek: () => source.peek(),
      renewing: () => source.renewing(),
      abortRenewal: () => source.abortRenewal(),
    },
    now,
  );
  return {
    tokenFrom(next) {
      source = next;
      return token;
    },
  };
}
