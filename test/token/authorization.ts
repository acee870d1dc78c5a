/** A secret, a token endpoint and a clock in miniature: what they are asked is counted, what they answer is set. */
import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer, HttpRequest } from '../../functions/http-client.ts';
import type { Credentials } from '../../functions/token/credentials.ts';
import { warmToken } from '../../functions/token/token.ts';
import type { Token } from '../../functions/token/token-endpoint.ts';
import { type Warm, warm } from '../../functions/warm.ts';
import { cf, granted, NOON } from './token-answer.ts';

export interface Authorization {
  readonly token: Warm<Token>;
  /** Of the client secrets that token requests came with, in their order. */
  readonly asked: string[];
  /** The requests, in their order. */
  readonly requests: HttpRequest[];
  readonly counts: { secretReads: number; onRequest: number };
  readonly clock: { ms: number };
  /** The secret as it is now; an error is thrown by a reading. */
  secret: Credentials | RelayError;
  /** Answers a token request; default: a new opaque token that lives one hour. */
  respond: (request: HttpRequest, index: number) => HttpAnswer | Promise<HttpAnswer>;
}

export function createAuthorization(): Authorization {
  const clock = { ms: NOON };
  const counts = { secretReads: 0, onRequest: 0 };
  const requests: HttpRequest[] = [];
  const asked: string[] = [];

  const credentials = warm<Credentials>({
    load: async () => {
      counts.secretReads += 1;
      const { secret } = authorization;
      if (secret instanceof RelayError) throw secret;
      return { ...secret };
    },
  });

  async function send(request: HttpRequest): Promise<HttpAnswer> {
    requests.push(request);
    asked.push(new URLSearchParams(String(await request.body?.open())).get('client_secret') ?? '');
    return authorization.respond(request, requests.length);
  }

  const authorization: Authorization = {
    token: warmToken({
      credentials,
      tokenFormat: 'opaque',
      send,
      now: () => clock.ms,
      onRequest: () => {
        counts.onRequest += 1;
      },
    }),
    asked,
    requests,
    counts,
    clock,
    secret: cf,
    respond: (_, index) => granted(`token-${index}`, { expires_in: 3600 }),
  };
  return authorization;
}
