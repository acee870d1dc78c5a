/**
 * The OAuth authorization server of one account: the token endpoint in the form of its environment (Neo's OAuth
 * service, or XSUAA on Cloud Foundry), the JWK set, and introspection for opaque tokens. It owns what is issued and
 * remembers who asked; clients and roles are the account's, and messages the runtime node's.
 */
import { createHash } from 'node:crypto';
import type { WaitOptions } from '../../facts/waiting.ts';
import { type Answer, type LocalServer, type Request, startServer } from '../../server/server.ts';
import type { Account } from '../cockpit/account.ts';
import { clientCertificateTls, tomcatPage } from '../front.ts';
import { clientSecret, type RandomBytes, systemRandom } from '../identifiers.ts';
import { createAccessTokens } from './access-tokens.ts';
import { answerIntrospection } from './introspection.ts';
import { createSigningKeys, type SigningKeys } from './signing-keys.ts';
import { type ExpiresIn, unknownPathAnswer } from './token-answer.ts';
import { type ClientAuthentication, createTokenEndpoint, type TokenRequestEntry } from './token-endpoint.ts';
import type { Credentials } from './token-request.ts';

/** Neo's paths but the first are assumed (not published); Cloud Foundry's are UAA's. */
const paths = {
  neo: { token: '/oauth2/api/v1/token', keys: '/oauth2/api/v1/token_keys', introspection: '/oauth2/api/v1/introspect' },
  cf: { token: '/oauth/token', keys: '/token_keys', introspection: '/introspect' },
} as const;

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
  /** Told each request to the token endpoint when it is answered. */
  readonly onTokenRequest?: (entry: TokenRequestEntry) => void;
}

/** Everything but the socket. */
export interface AuthorizationServerCore {
  readonly url: string;
  /** Full URL; takes client id and secret. */
  readonly tokenEndpoint: string;
  /** Full URL of the one that asks for client certificates; undefined without such a host. */
  readonly certificateTokenEndpoint: string | undefined;
  readonly account: Account;
  readonly trust: Trust;
  answer(request: Request): Promise<Answer>;
  /** What the host that asks for client certificates answers; in all but authentication the same. */
  answerCertificateHost(request: Request): Promise<Answer>;
  readonly tokenRequests: readonly TokenRequestEntry[];
  /** How many introspections it was asked for. */
  readonly introspections: number;
  waitForTokenRequests(count: number, options?: WaitOptions): Promise<readonly TokenRequestEntry[]>;
  /**
   * A new signing key. Without `keepOld` tokens signed before are invalid at once; with it they live out their time.
   */
  rotateSigningKey(options?: { readonly keepOld?: boolean }): void;
  /** Revokes one opaque token; a JWT cannot be revoked, and throws an Error. */
  revoke(token: string): void;
  /** Every token issued so far is refused from now on: opaque ones are forgotten, JWTs lose their signing key. */
  expireAllTokens(): void;
  /** While on, a client gets the identical token again as long as it is valid. */
  issueSameTokenAgain(on: boolean): void;
  /** What answers say of the lifetime, apart from the truth. */
  setExpiresIn(mode: ExpiresIn): void;
  /**
   * Whether a client that presents a certificate gets a token that is bound to it (RFC 8705 section 3). At first: no.
   */
  bindTokensToCertificates(on: boolean): void;
  /** How far this server's clock is ahead of `now`, in milliseconds; negative is behind. */
  setClockSkew(aheadMs: number): void;
  /** The next `times` (default 1) token requests get `answer`, and count in `tokenRequests`, as at a rate limit. */
  failTokenRequests(answer: Answer, options?: { readonly times?: number }): void;
  /** Ends what `failTokenRequests` has asked for. */
  healTokenRequests(): void;
  /** How many token requests are still to fail. */
  readonly pendingTokenFailures: number;
}

export interface AuthorizationServer extends AuthorizationServerCore {
  readonly server: LocalServer;
  /** The host that asks for client certificates, on CF where the account has a certificate authority. */
  readonly certificateServer: LocalServer | undefined;
}

export interface AuthorizationServerSockets {
  /** Default any free one. */
  readonly port?: number;
  /** Of the host that asks for client certificates. Default any free one. */
  readonly certificatePort?: number;
  /** Also the host for secrets speaks HTTPS, with a certificate of the account's authority. Default false. */
  readonly tls?: boolean;
  /**
   * Where the certificate host judges what a client presents. `answer`: by SAP's rules and on the landscape's clock,
   * with 401 like any bad credentials. `handshake`: before that, on the machine's clock, a client without a trusted
   * certificate does not get a connection; seen at SAP's as the alert `certificate_required` (integration library issue
   * 1225). Default `answer`.
   */
  readonly certificateCheck?: 'answer' | 'handshake';
}

/**
 * The server without its sockets. `url` is where it says that it is, `certificateUrl` its host for client certificates,
 * if it has one; the account's token endpoints are set accordingly.
 */
export function createAuthorizationServer(
  options: AuthorizationServerOptions & { readonly url: string; readonly certificateUrl?: string | undefined },
): AuthorizationServerCore {
  const { account, url, certificateUrl, random = systemRandom, confidential = () => undefined } = options;
  const { environment } = account;
  const path = paths[environment];
  const tokenEndpoint = `${url}${path.token}`;
  const certificateTokenEndpoint = certificateUrl === undefined ? undefined : `${certificateUrl}${path.token}`;
  const issuer = environment === 'cf' ? tokenEndpoint : url;
  const signingKeys = options.signingKeys ?? createSigningKeys({ random });
  let skewMs = 0;
  const now = (): number => (options.now ?? Date.now)() + skewMs;
  const jku = `${url}${path.keys}`;
  const tokens = createAccessTokens({ account, issuer, jku, signingKeys, now, random, confidential });
  const endpoint = createTokenEndpoint({
    account,
    tokens,
    now,
    random,
    confidential,
    onTokenRequest: options.onTokenRequest,
  });
  const resourceServer = { clientId: `runtime-${account.name}`, clientSecret: clientSecret(random) };
  confidential(resourceServer.clientSecret);
  let introspections = 0;
  account.tokenEndpoint = tokenEndpoint;
  account.certificateTokenEndpoint = certificateTokenEndpoint;

  function answerKeys(request: Request): Answer {
    const body = JSON.stringify(signingKeys.published());
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;
    const headers = { 'Content-Type': 'application/json;charset=UTF-8', ETag: etag };
    return request.headers['if-none-match'] === etag ? { status: 304, headers } : { status: 200, headers, body };
  }

  async function route(request: Request, authentication: ClientAuthentication): Promise<Answer> {
    if (request.path === path.token) return endpoint.answer(request, authentication);
    if (request.path === path.keys) return answerKeys(request);
    if (request.path === path.introspection) {
      introspections += 1;
      return answerIntrospection(request, { account, tokens, resourceServer });
    }
    const isUnknown = environment === 'cf' && request.method === 'POST';
    return isUnknown ? unknownPathAnswer(request.headers.accept) : tomcatPage(404, 'Not Found');
  }

  async function dated(request: Request, authentication: ClientAuthentication): Promise<Answer> {
    const answered = await route(request, authentication);
    return { ...answered, headers: { Date: new Date(now()).toUTCString(), ...answered.headers } };
  }

  return {
    url,
    tokenEndpoint,
    certificateTokenEndpoint,
    account,
    trust: {
      account,
      issuer,
      keysPath: path.keys,
      introspectionPath: path.introspection,
      resourceServer,
      keysVersion: signingKeys.version,
    },
    answer: (request) => dated(request, 'secret'),
    answerCertificateHost: (request) => dated(request, 'certificate'),
    tokenRequests: endpoint.requests,
    get introspections() {
      return introspections;
    },
    waitForTokenRequests: endpoint.waitForRequests,
    rotateSigningKey: signingKeys.rotate,
    revoke: tokens.revoke,
    expireAllTokens: tokens.expireAll,
    issueSameTokenAgain: tokens.issueSameAgain,
    setExpiresIn: endpoint.setExpiresIn,
    bindTokensToCertificates: endpoint.bindToCertificates,
    setClockSkew: (aheadMs) => {
      skewMs = aheadMs;
    },
    failTokenRequests: endpoint.fail,
    healTokenRequests: endpoint.heal,
    get pendingTokenFailures() {
      return endpoint.pendingFailures;
    },
  };
}

/**
 * The server on loopback. `server` and `certificateServer` stop it, start it, and make its network fail. Throws an
 * Error for `tls` where the account has no certificate authority.
 */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions & AuthorizationServerSockets,
): Promise<AuthorizationServer> {
  const { port = 0, certificatePort = 0, tls = false, certificateCheck = 'answer', ...rest } = options;
  const { certificateAuthority: authority, environment } = rest.account;
  if (tls && authority === undefined) throw new Error('tls: the account has no certificate authority');
  const core = Promise.withResolvers<AuthorizationServerCore>();
  const certificateHost =
    authority === undefined || environment === 'neo'
      ? undefined
      : startServer(async (request) => (await core.promise).answerCertificateHost(request), {
          port: certificatePort,
          tls: clientCertificateTls(authority, certificateCheck === 'handshake'),
        });
  const [server, certificateServer] = await Promise.all([
    startServer(async (request) => (await core.promise).answer(request), {
      port,
      ...(tls && authority !== undefined ? { tls: authority.serverCertificate() } : {}),
    }),
    certificateHost,
  ]);
  const created = createAuthorizationServer({ ...rest, url: server.url, certificateUrl: certificateServer?.url });
  core.resolve(created);
  return Object.assign(created, { server, certificateServer });
}
