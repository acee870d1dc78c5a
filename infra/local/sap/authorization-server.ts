/**
 * The OAuth authorization server of one account: the token endpoint in the form of its environment (Neo's OAuth service,
 * or XSUAA on Cloud Foundry), the JWK set, and introspection for opaque tokens. It owns what is issued and remembers who
 * asked; clients and roles are the account's, and messages the runtime node's.
 */
import { createHash } from 'node:crypto';
import { type Answer, type LocalServer, type Request, startServer } from '../server.ts';
import { createAccessTokens, type TokenFormat } from './access-tokens.ts';
import type { Account } from './account.ts';
import { tomcatPage } from './front.ts';
import { clientSecret, type RandomBytes, systemRandom, uuid } from './identifiers.ts';
import { answerIntrospection } from './introspection.ts';
import { createJournal, type WaitOptions } from './journal.ts';
import { createSigningKeys, type SigningKeys } from './signing-keys.ts';
import { type ExpiresIn, refusalAnswer, type TokenRefusal, tokenAnswer } from './token-answer.ts';
import { type Credentials, readTokenRequest } from './token-request.ts';

/** Neo's paths but the first are assumed (not published); Cloud Foundry's are UAA's. */
const paths = {
  neo: { token: '/oauth2/api/v1/token', keys: '/oauth2/api/v1/token_keys', introspection: '/oauth2/api/v1/introspect' },
  cf: { token: '/oauth/token', keys: '/token_keys', introspection: '/introspect' },
} as const;

/** One request that reached the token endpoint, refused ones too. */
export interface TokenRequestEntry {
  /** Epoch milliseconds. */
  readonly at: number;
  /** As the request claimed; undefined when it had no readable credentials. */
  readonly clientId: string | undefined;
  readonly status: number;
  /** Undefined unless a token was issued. */
  readonly format: TokenFormat | undefined;
}

/** What a runtime node must know of the server whose tokens it takes. */
export interface Trust {
  readonly account: Account;
  /** `iss` of its JWTs. */
  readonly issuer: string;
  readonly keysPath: string;
  readonly introspectionPath: string;
  /** With which the runtime node may introspect (RFC 7662 section 2.1). */
  readonly resourceServer: Credentials;
  /** Stands for the notice of a forced rotation: keys that were fetched under another version are not to be used. */
  keysVersion(): number;
}

export interface AuthorizationServerOptions {
  readonly account: Account;
  /** Epoch milliseconds; the server's clock also dates its answers. */
  readonly now?: () => number;
  readonly random?: RandomBytes;
  readonly signingKeys?: SigningKeys;
  /** Is told every token that is issued, and credentials that arrive. */
  readonly confidential?: (value: string) => void;
}

/** Everything but the socket. */
export interface AuthorizationServerCore {
  readonly url: string;
  /** Full URL. */
  readonly tokenEndpoint: string;
  readonly account: Account;
  readonly trust: Trust;
  answer(request: Request): Promise<Answer>;
  readonly tokenRequests: readonly TokenRequestEntry[];
  /** How many introspections it was asked for. */
  readonly introspections: number;
  waitForTokenRequests(count: number, options?: WaitOptions): Promise<readonly TokenRequestEntry[]>;
  /** A new signing key. Without `keepOld` tokens signed before are invalid at once; with it they live out their time. */
  rotateSigningKey(options?: { readonly keepOld?: boolean }): void;
  /** Revokes one opaque token; a JWT cannot be revoked, and throws an Error. */
  revoke(token: string): void;
  /** Every token issued so far is refused from now on: opaque ones are forgotten, JWTs lose their signing key. */
  expireAllTokens(): void;
  /** While on, a client gets the identical token again as long as it is valid. */
  issueSameTokenAgain(on: boolean): void;
  /** What answers say of the lifetime, apart from the truth. */
  setExpiresIn(mode: ExpiresIn): void;
  /** How far this server's clock is ahead of `now`, in milliseconds; negative is behind. */
  setClockSkew(aheadMs: number): void;
  /** The next `times` (default 1) token requests get `answer`, and count in `tokenRequests`, as at a rate limit. */
  failTokenRequests(answer: Answer, options?: { readonly times?: number }): void;
}

export interface AuthorizationServer extends AuthorizationServerCore {
  readonly server: LocalServer;
}

/** The server without its socket. `url` is where it says that it is; the account's Token Endpoint is set accordingly. */
export function createAuthorizationServer(
  options: AuthorizationServerOptions & { readonly url: string },
): AuthorizationServerCore {
  const { account, url, random = systemRandom, confidential = () => undefined } = options;
  const { environment } = account;
  const path = paths[environment];
  const tokenEndpoint = `${url}${path.token}`;
  const issuer = environment === 'cf' ? tokenEndpoint : url;
  const signingKeys = options.signingKeys ?? createSigningKeys({ random });
  let skewMs = 0;
  const now = (): number => (options.now ?? Date.now)() + skewMs;
  const jku = `${url}${path.keys}`;
  const tokens = createAccessTokens({ account, issuer, jku, signingKeys, now, random, confidential });
  const journal = createJournal<TokenRequestEntry>('token requests');
  const resourceServer = { clientId: `runtime-${account.name}`, clientSecret: clientSecret(random) };
  confidential(resourceServer.clientSecret);
  const failures: Answer[] = [];
  let expiresIn: ExpiresIn = 'true';
  let introspections = 0;
  account.tokenEndpoint = tokenEndpoint;

  async function answerTokenRequest(request: Request): Promise<Answer> {
    const at = now();
    const { credentials, grantType, format } = readTokenRequest(environment, request);
    const arrived = [request.headers.authorization?.split(' ').at(-1), credentials?.clientSecret];
    for (const value of arrived) if (value) confidential(value);
    const done = (answer: Answer, issuedFormat?: TokenFormat): Answer => {
      journal.add({ at, clientId: credentials?.clientId, status: answer.status, format: issuedFormat });
      return answer;
    };
    const refused = (refusal: TokenRefusal): Answer => done(refusalAnswer(environment, refusal, uuid(random)));

    const failure = failures.shift();
    if (failure !== undefined) return done(failure);
    if (request.method !== 'POST') return refused({ reason: 'method', method: request.method });
    if (credentials === undefined) return refused({ reason: 'no credentials' });
    const client = account.client(credentials.clientId);
    if (client?.clientSecret !== credentials.clientSecret) return refused({ reason: 'bad credentials' });
    if (grantType === undefined) return refused({ reason: 'no grant type' });
    if (grantType !== client.authorizationGrant) return refused({ reason: 'unknown grant type', grantType });
    const issued = await tokens.issue(client, format);
    return done(tokenAnswer(environment, issued, expiresIn, now()), format);
  }

  function answerKeys(request: Request): Answer {
    const body = JSON.stringify(signingKeys.published());
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;
    const headers = { 'Content-Type': 'application/json;charset=UTF-8', ETag: etag };
    return request.headers['if-none-match'] === etag ? { status: 304, headers } : { status: 200, headers, body };
  }

  async function route(request: Request): Promise<Answer> {
    if (request.path === path.token) return answerTokenRequest(request);
    if (request.path === path.keys) return answerKeys(request);
    if (request.path === path.introspection) {
      introspections += 1;
      return answerIntrospection(request, { account, tokens, resourceServer });
    }
    return tomcatPage(404, 'Not Found');
  }

  return {
    url,
    tokenEndpoint,
    account,
    trust: {
      account,
      issuer,
      keysPath: path.keys,
      introspectionPath: path.introspection,
      resourceServer,
      keysVersion: signingKeys.version,
    },
    answer: async (request) => {
      const answered = await route(request);
      return { ...answered, headers: { Date: new Date(now()).toUTCString(), ...answered.headers } };
    },
    tokenRequests: journal.entries,
    get introspections() {
      return introspections;
    },
    waitForTokenRequests: journal.waitFor,
    rotateSigningKey: signingKeys.rotate,
    revoke: tokens.revoke,
    expireAllTokens: tokens.expireAll,
    issueSameTokenAgain: tokens.issueSameAgain,
    setExpiresIn: (mode) => {
      expiresIn = mode;
    },
    setClockSkew: (aheadMs) => {
      skewMs = aheadMs;
    },
    failTokenRequests: (answer, { times = 1 } = {}) => {
      failures.push(...Array<Answer>(times).fill(answer));
    },
  };
}

/** The server on loopback. `server` stops it, starts it, and makes its network fail. */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions & { readonly port?: number },
): Promise<AuthorizationServer> {
  const { port = 0, ...rest } = options;
  const core = Promise.withResolvers<AuthorizationServerCore>();
  const server = await startServer(async (request) => (await core.promise).answer(request), { port });
  const created = createAuthorizationServer({ ...rest, url: server.url });
  core.resolve(created);
  return Object.assign(created, { server });
}
