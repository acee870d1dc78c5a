/** A secret, a token endpoint and a clock in miniature: what they are asked is counted, what they answer is set. */

import { RelayError } from '../../functions/error.ts';
import type { HttpAnswer, HttpRequest } from '../../functions/http/http.ts';
import type { Credentials } from '../../functions/token/credentials.ts';
import { warmToken } from '../../functions/token/token.ts';
import type { Token, TokenWish } from '../../functions/token/token-endpoint.ts';
import { type Warm, warm } from '../../functions/warm/warm.ts';
import { granted } from '../doubles/answer.ts';
import { createSimulatedTime, NOON, type SimulatedTime } from '../doubles/time.ts';
import { cf, opaqueWanted } from './clients.ts';

export interface Authorization {
  readonly token: Warm<Token>;
  readonly credentials: Warm<Credentials>;
  /** Of the client secrets that token requests came with, in their order. */
  readonly asked: string[];
  /** The requests, in their order. */
  readonly requests: HttpRequest[];
  readonly counts: { secretReads: number; previousReads: number; onRequest: number };
  /** Waiting moves it on: nobody waits in real time. */
  readonly clock: SimulatedTime;
  /** How long was waited, each time, in milliseconds. */
  readonly waits: number[];
  /** Why renewals ahead failed. */
  readonly renewalFailures: unknown[];
  /** The secret as it is now; an error is thrown by a reading. */
  secret: Credentials | RelayError;
  /** The version before; `undefined` for a secret that was never rotated. */
  previous: Credentials | RelayError | undefined;
  /** Answers a token request; default: a new opaque token that lives one hour. */
  respond: (request: HttpRequest, index: number) => HttpAnswer | Promise<HttpAnswer>;
}

export interface AuthorizationOptions {
  readonly wanted?: TokenWish;
  /** Default 0.5: renewal ahead is due at exactly half of a token's life. */
  readonly random?: () => number;
}

export function createAuthorization({ wanted = opaqueWanted, random = () => 0.5 }: AuthorizationOptions = {}) {
  const clock = createSimulatedTime(NOON, { passesAtOnce: true });
  const counts = { secretReads: 0, previousReads: 0, onRequest: 0 };
  const requests: HttpRequest[] = [];
  const asked: string[] = [];
  const waits: number[] = [];
  const renewalFailures: unknown[] = [];

  const credentials = warm<Credentials>({
    load: async () => {
      counts.secretReads += 1;
      return read(authorization.secret);
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
      previousCredentials: async () => {
        counts.previousReads += 1;
        return authorization.previous === undefined ? undefined : read(authorization.previous);
      },
      wanted,
      send,
      now: clock.now,
      after(ms, callback) {
        waits.push(ms);
        return clock.after(ms, callback);
      },
      random,
      onRequest: () => {
        counts.onRequest += 1;
      },
      onRenewalFailed: (error) => void renewalFailures.push(error),
    }),
    credentials,
    asked,
    requests,
    counts,
    clock,
    waits,
    renewalFailures,
    secret: cf,
    previous: undefined,
    respond: (_, index) => granted(`token-${index}`, { expires_in: 3600 }),
  };
  return authorization;
}

/** Each reading is an object of its own, as JSON that is parsed anew. */
function read(secret: Credentials | RelayError): Credentials {
  if (secret instanceof RelayError) throw secret;
  return { ...secret };
}
