/**
 * A runtime node of SAP Cloud Integration: the endpoints `/http/<Address>` of the integration flows deployed on it. It
 * owns the order in which a call is judged (caller, endpoint, role, method, CSRF, size) and remembers every call and every
 * message. Callers are judged by `caller.ts`, sessions by `csrf.ts`, and what a flow does is the flow's.
 */
import { type Answer, type LocalServer, type Request, startServer } from '../server.ts';
import type { AuthorizationServer, Trust } from './authorization-server.ts';
import { bearerToken, fingerprint } from './bearer-token.ts';
import { authenticationOf, type CallerAuthentication, createCallers } from './caller.ts';
import { createCsrfSessions, csrfIntent } from './csrf.ts';
import { clientCertificateTls } from './front.ts';
import { type Call, httpCall } from './http-call.ts';
import { mplId, type RandomBytes, systemRandom, uuid } from './identifiers.ts';
import {
  createIntegrationFlow,
  type Deployment,
  type IntegrationFlow,
  type Processed,
  receive,
  run,
  serves,
} from './integration-flow.ts';
import { createJournal, type WaitOptions } from './journal.ts';
import { userOf } from './oauth-client.ts';
import * as answers from './runtime-answer.ts';
import type { Verdict } from './token-validation.ts';

/** One call of the node, whatever came of it. */
export interface CallEntry {
  /** Epoch milliseconds of its arrival. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** The first 12 hex digits of the bearer token's SHA-256; undefined when there was none. */
  readonly tokenFingerprint: string | undefined;
  /** By what the caller was judged. */
  readonly callerAuthentication: CallerAuthentication;
  readonly csrf: 'fetch' | 'sent' | 'none';
  readonly flowRan: boolean;
}

export interface RuntimeNodeOptions {
  /** VM name of the subscription whose node this is; tokens for another one are refused. */
  readonly subscription: string;
  readonly now?: () => number;
  readonly random?: RandomBytes;
  /** For how long after its `exp` a JWT is still taken. Default 60, as SAP's own libraries do. */
  readonly leewaySeconds?: number;
  /** Default 401; 500 is what nodes before patch 6.76.44 said of an expired JWT. */
  readonly expiredTokenStatus?: 401 | 500;
  /** Worker nodes behind the load balancer; an HTTP session lives in one. Default 1. */
  readonly workers?: number;
  /** How long an unused HTTP session lives, in milliseconds. Default 20 minutes [assumed]. */
  readonly sessionIdleMs?: number;
  /** Is told tokens and message bodies that arrive, and the CSRF tokens and session cookies that are made. */
  readonly confidential?: (value: string) => void;
}

/** Everything but the socket. */
export interface RuntimeNodeCore {
  answer(request: Request): Promise<Answer>;
  /** Replaces a flow of the same name. Throws an Error when another flow has the address. */
  deploy(deployment: Deployment): void;
  /** Throws an Error when no flow has that name. */
  undeploy(name: string): void;
  /** Messages whose flow ran, in the order in which the flows ended. */
  readonly messages: readonly Processed[];
  /** Every call, in the order of the answers. */
  readonly requests: readonly CallEntry[];
  waitForMessages(count: number, options?: WaitOptions): Promise<readonly Processed[]>;
  waitForRequests(count: number, options?: WaitOptions): Promise<readonly CallEntry[]>;
  /** Ends all HTTP sessions, so that every CSRF token fetched so far is refused. */
  dropCsrfSessions(): void;
}

export interface RuntimeNode extends RuntimeNodeCore {
  /** Without a slash at the end; the endpoint of a flow is `<url>/http<address>`. */
  readonly url: string;
  readonly server: LocalServer;
}

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD'];

/** The node without its socket. `call` reaches the authorization server that `trust` describes. */
export function createRuntimeNode(
  options: RuntimeNodeOptions & { readonly trust: Trust; readonly call: Call },
): RuntimeNodeCore {
  const { trust, call, now = Date.now, random = systemRandom, confidential = () => undefined } = options;
  const { account } = trust;
  const { environment } = account;
  const subscription = account.subscription(options.subscription);
  const leewaySeconds = options.leewaySeconds ?? 60;
  const callers = createCallers({ trust, call, subscription: subscription.vmName, now, leewaySeconds });
  const csrf = createCsrfSessions({
    environment,
    accountName: account.name,
    host: `${subscription.vmName.replaceAll('.', '-')}.hana.ondemand.com`,
    workers: options.workers ?? 1,
    now,
    random,
    sessionIdleMs: options.sessionIdleMs ?? 20 * 60_000,
    confidential,
  });
  const flows = new Map<string, IntegrationFlow>();
  const messages = createJournal<Processed>('messages');
  const calls = createJournal<CallEntry>('calls');

  const flowAt = (path: string): IntegrationFlow | undefined =>
    path.startsWith('/http/')
      ? [...flows.values()].find((flow) => serves(flow, path.slice('/http'.length)))
      : undefined;

  function refuse({ kind }: Verdict, request: Request): Answer {
    const failed = kind === 'unavailable' || (kind === 'expired' && options.expiredTokenStatus === 500);
    return failed ? answers.securityFailure() : answers.unauthorized(environment, request);
  }

  async function judge(request: Request, at: number): Promise<{ answer: Answer; ran?: true }> {
    const verdict = await callers.authenticate(request);
    if (verdict.kind !== 'accepted') return { answer: refuse(verdict, request) };
    const flow = flowAt(request.path);
    if (flow === undefined) return { answer: answers.notFound() };
    const { clientId, scopes } = verdict;
    if (!callers.mayCall(clientId, scopes, flow.userRole)) return { answer: answers.forbidden() };
    const headless = request.method === 'HEAD' && !flow.csrfProtected;
    if (headless || !methods.includes(request.method)) return { answer: answers.methodNotAllowed() };
    if (flow.csrfProtected) {
      const decision = csrf.check(request);
      if (decision.kind === 'fetched') return { answer: answers.csrfFetched(decision.token, decision.setCookies) };
      if (decision.kind === 'required') return { answer: answers.csrfRequired(decision.setCookies) };
    }
    const id = mplId(random);
    if (request.body.byteLength > flow.maxBodyBytes) return { answer: answers.tooLarge(flow.maxBodyBytes, id) };
    const received = receive(flow, request, { mplId: id, at, user: userOf(clientId) });
    const answer = await run(flow, received, uuid(random));
    messages.add({ ...received, status: answer.status });
    return { answer, ran: true };
  }

  return {
    answer: async (request) => {
      const at = now();
      const token = bearerToken(request);
      if (token !== undefined) confidential(token);
      if (request.body.byteLength > 0) options.confidential?.(request.body.toString('utf8'));
      const { answer, ran = false } = await judge(request, at);
      calls.add({
        at,
        method: request.method,
        path: request.path,
        status: answer.status,
        tokenFingerprint: token === undefined ? undefined : fingerprint(token),
        callerAuthentication: authenticationOf(request),
        csrf: csrfIntent(request),
        flowRan: ran,
      });
      return { ...answer, headers: { Date: new Date(now()).toUTCString(), ...answer.headers } };
    },
    deploy: (deployment) => {
      const flow = createIntegrationFlow(deployment);
      const holder = [...flows.values()].find(({ name, address }) => address === flow.address && name !== flow.name);
      if (holder !== undefined) throw new Error(`address: ${flow.address} is already served by ${holder.name}`);
      flows.set(flow.name, flow);
    },
    undeploy: (name) => {
      if (!flows.delete(name)) throw new Error(`name: no flow ${name} is deployed`);
    },
    messages: messages.entries,
    requests: calls.entries,
    waitForMessages: messages.waitFor,
    waitForRequests: calls.waitFor,
    dropCsrfSessions: csrf.drop,
  };
}

/**
 * The node on loopback, which calls `authorizationServer` over HTTP or HTTPS, as that is, and waits for it at most
 * `authorizationTimeoutMs`. Throws an Error for `tls` where the account has no certificate authority.
 */
export async function startRuntimeNode(
  options: RuntimeNodeOptions & {
    readonly authorizationServer: AuthorizationServer;
    readonly port?: number;
    /** HTTPS, with a certificate of the account's authority; on CF clients may present theirs. Default false. */
    readonly tls?: boolean;
    /** Default 10000 [assumed]. */
    readonly authorizationTimeoutMs?: number;
  },
): Promise<RuntimeNode> {
  const { authorizationServer, port = 0, tls = false, authorizationTimeoutMs: timeoutMs = 10_000, ...rest } = options;
  const { certificateAuthority: authority } = authorizationServer.account;
  if (tls && authority === undefined) throw new Error('tls: the account has no certificate authority');
  const ca = authority === undefined ? {} : { ca: authority.caPem };
  const call = httpCall(authorizationServer.url, { timeoutMs, ...ca });
  const core = createRuntimeNode({ ...rest, trust: authorizationServer.trust, call });
  const secure = tls && authority !== undefined ? { tls: clientCertificateTls(authority, false) } : {};
  const server = await startServer(core.answer, { port, ...secure });
  return { ...core, url: server.url, server };
}
