/**
 * The token endpoint: who asks, whether the client may, and the token or the refusal. It keeps the list of everyone who
 * asked. How a request is read is for `token-request.ts`, what is said for `token-answer.ts`, tokens for
 * `access-tokens.ts`.
 */

import { createChanges, type WaitOptions } from '../../facts/waiting.ts';
import type { Answer, Request } from '../../server/server.ts';
import type { Account } from '../cockpit/account.ts';
import { thumbprintOf } from '../cockpit/client-certificate.ts';
import type { Client } from '../cockpit/oauth-client.ts';
import { type RandomBytes, uuid } from '../identifiers.ts';
import type { AccessToken, AccessTokens, TokenFormat } from './access-tokens.ts';
import { type ExpiresIn, refusalAnswer, type TokenRefusal, tokenAnswer } from './token-answer.ts';
import { readTokenRequest, type TokenRequest } from './token-request.ts';

/** How a client proves who it is: each host of the authorization server takes one of them. */
export type ClientAuthentication = 'secret' | 'certificate';

/** One request that reached the token endpoint, refused ones too. */
export interface TokenRequestEntry {
  /** Epoch milliseconds. */
  readonly at: number;
  /** As the request claimed; undefined when it had no readable credentials. */
  readonly clientId: string | undefined;
  /** What the host that was asked takes, whether the request had it or not. */
  readonly clientAuthentication: ClientAuthentication;
  readonly status: number;
  /** Why none was issued, as only the server knows it; absent where it was told to fail. */
  readonly refusal?: string;
  /** Undefined unless a token was issued. */
  readonly format: TokenFormat | undefined;
  /** Of the token that was issued, epoch milliseconds; undefined also where its life has no end. */
  readonly expiresAt?: number;
}

export interface TokenEndpointOptions {
  readonly account: Account;
  readonly tokens: AccessTokens;
  readonly now: () => number;
  readonly random: RandomBytes;
  readonly confidential: (value: string) => void;
  /** Told each request when it is answered. */
  readonly onTokenRequest?: ((entry: TokenRequestEntry) => void) | undefined;
}

export interface TokenEndpoint {
  answer(request: Request, authentication: ClientAuthentication): Promise<Answer>;
  readonly requests: readonly TokenRequestEntry[];
  waitForRequests(count: number, options?: WaitOptions): Promise<readonly TokenRequestEntry[]>;
  setExpiresIn(mode: ExpiresIn): void;
  /**
   * Whether a client that presents a certificate gets a token that is bound to it (RFC 8705 section 3). At first: no.
   */
  bindToCertificates(on: boolean): void;
  /** The next `times` (default 1) requests get `answer`. */
  fail(answer: Answer, options?: { readonly times?: number }): void;
  /** Ends what `fail` has asked for. */
  heal(): void;
  /** How many requests are still to fail. */
  readonly pendingFailures: number;
}

/** An endpoint that nobody has asked yet. */
export function createTokenEndpoint({
  account,
  tokens,
  now,
  random,
  confidential,
  onTokenRequest,
}: TokenEndpointOptions): TokenEndpoint {
  const { environment } = account;
  const requests: TokenRequestEntry[] = [];
  const changes = createChanges();
  const failures: Answer[] = [];
  let expiresIn: ExpiresIn = 'true';
  let isBinding = false;

  /** The client that `asked` proves to be. */
  function bySecret({ credentials }: TokenRequest): Client | undefined {
    const client = credentials === undefined ? undefined : account.client(credentials.clientId);
    return client?.clientSecret !== undefined && client.clientSecret === credentials?.clientSecret ? client : undefined;
  }

  /**
   * RFC 8705 section 2: the certificate of the connection, and `client_id` among the parameters. "The client MUST NOT
   * use more than one authentication method in each request" (RFC 6749 section 2.3), so a secret beside it is refused;
   * that this host takes no secret alone either is assumed.
   */
  function byCertificate({ credentials, clientId }: TokenRequest, request: Request, at: number): Client | undefined {
    const { clientCertificate, headers } = request;
    if (clientCertificate === undefined || clientId === undefined) return undefined;
    if (credentials !== undefined || headers.authorization !== undefined) return undefined;
    return account.clientByCertificate(clientCertificate, { at, clientId });
  }

  /** That of the scopes asked for which the client has not; Neo does not look at them [assumed]. */
  function foreignScope({ scopes }: TokenRequest, client: Client): string | undefined {
    const known = tokens.authoritiesOf(client);
    return scopes?.find((scope) => !known.includes(scope));
  }

  async function answer(request: Request, authentication: ClientAuthentication): Promise<Answer> {
    const at = now();
    const asked = readTokenRequest(environment, request);
    const { credentials, grantType, format } = asked;
    const arrived = [request.headers.authorization?.split(' ').at(-1), credentials?.clientSecret];
    for (const value of arrived) if (value) confidential(value);
    const clientId = authentication === 'secret' ? credentials?.clientId : asked.clientId;
    const done = (answered: Answer, issued?: AccessToken, refusal?: string): Answer => {
      const { status } = answered;
      const { expiresAt } = issued ?? {};
      const entry: TokenRequestEntry = {
        at,
        clientId,
        clientAuthentication: authentication,
        status,
        format: issued?.format,
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...(refusal === undefined ? {} : { refusal }),
      };
      requests.push(entry);
      onTokenRequest?.(entry);
      changes.announce();
      return answered;
    };
    const refused = (refusal: TokenRefusal): Answer =>
      done(refusalAnswer(environment, refusal, uuid(random)), undefined, refusal.reason);

    const failure = failures.shift();
    if (failure !== undefined) return done(failure);
    if (request.method !== 'POST') return refused({ reason: 'method', method: request.method });
    if (authentication === 'secret' && credentials === undefined) return refused({ reason: 'no credentials' });
    const client = authentication === 'secret' ? bySecret(asked) : byCertificate(asked, request, at);
    if (client === undefined) return refused({ reason: 'bad credentials' });
    if (grantType === undefined) return refused({ reason: 'no grant type' });
    if (grantType !== client.authorizationGrant) return refused({ reason: 'unknown grant type', grantType });
    const foreign = environment === 'cf' ? foreignScope(asked, client) : undefined;
    if (foreign !== undefined) return refused({ reason: 'unknown scope', scope: foreign });
    const { clientCertificate } = request;
    const binds = isBinding && authentication === 'certificate' && clientCertificate !== undefined;
    const issued = await tokens.issue(client, {
      format,
      ...(asked.scopes === undefined ? {} : { scopes: asked.scopes }),
      ...(binds ? { boundTo: thumbprintOf(clientCertificate) } : {}),
    });
    return done(tokenAnswer(environment, issued, expiresIn, now()), issued);
  }

  return {
    answer,
    requests,
    async waitForRequests(count, options) {
      await changes.untilCount(count, 'token requests', () => requests.length, options);
      return requests;
    },
    setExpiresIn: (mode) => {
      expiresIn = mode;
    },
    bindToCertificates: (on) => {
      isBinding = on;
    },
    fail: (failure, { times = 1 } = {}) => {
      failures.push(...Array<Answer>(times).fill(failure));
    },
    heal: () => {
      failures.length = 0;
    },
    get pendingFailures() {
      return failures.length;
    },
  };
}
