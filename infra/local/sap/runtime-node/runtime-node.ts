/**
 * A runtime node of SAP Cloud Integration: the endpoints of the integration flows deployed on it. It owns the order in
 * which a call is judged (request line, caller, endpoint, role, method, CSRF, size) and remembers every call and every
 * message. Callers are judged by `caller.ts`, sessions by `csrf.ts`; what goes over the wire is the senders', what a
 * flow does the flow's.
 */
import { createChanges, type WaitOptions } from '../../facts/waiting.ts';
import { type Answer, type Fault, type LocalServer, type Request, startServer } from '../../server/server.ts';
import type { AuthorizationServer, Trust } from '../authorization-server/authorization-server.ts';
import { userOf } from '../cockpit/oauth-client.ts';
import { clientCertificateTls } from '../front.ts';
import { type Call, httpCall } from '../http-call.ts';
import { type RandomBytes, systemRandom } from '../identifiers.ts';
import { droppedHeadersNotice, exchangeHeaders, type SentHeader, sentHeaders } from './allowed-headers.ts';
import { bearerToken, fingerprint } from './bearer-token.ts';
import { authenticationOf, type CallerAuthentication, createCallers } from './caller.ts';
import { createCsrfSessions, csrfIntent } from './csrf.ts';
import { createDeployedFlows } from './deployed-flows.ts';
import { createExchange } from './exchange.ts';
import type { Deployment } from './integration-flow.ts';
import type { Processed } from './message.ts';
import * as answers from './runtime-answer.ts';
import { createSenders } from './senders.ts';
import { refusedByContainer } from './servlet-container.ts';
import type { Verdict } from './token-validation.ts';
import { createWorkerNodes } from './worker-nodes.ts';

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
  /** Index of the worker node that the load balancer chose. */
  readonly worker: number;
}

/** One call with what only the landscape may tell: what was sent, and what became of it. */
export interface CallEvent extends CallEntry {
  readonly what: 'call';
  /** Name of the flow whose endpoint it was, if there is one. */
  readonly flow: string | undefined;
  /** As the sender named the message in `SAP_ApplicationID`. */
  readonly messageId: string | undefined;
  readonly headers: readonly SentHeader[];
  readonly body: Buffer;
  /** It was a `$batch`, and each of its operations was carried out. */
  readonly isBatchDone: boolean;
  /** Of the runs of the flow that the call caused, as far as they have ended. */
  readonly mplIds: readonly string[];
  /** Why the call was refused before a flow could run, as only the node knows it; undefined where it was not. */
  readonly why: string | undefined;
  /** Epoch milliseconds. */
  readonly answeredAt: number;
}

/** A flow has run. Told before the call that caused it, except where a sender is answered first. */
export interface RunEvent
  extends Pick<Processed, 'at' | 'flow' | 'messageId' | 'mplId' | 'mplStatus' | 'status' | 'body' | 'duplicate'> {
  readonly what: 'run';
  /** On one operation of a `$batch`. */
  readonly inBatch: boolean;
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
  /** How many messages may be in flows at once; one more is refused. Default: no limit. */
  readonly maxConcurrentMessages?: number;
  /** With what: 503, or 429, which no document of SAP's has for these endpoints. Default 503. */
  readonly exhaustedStatus?: 503 | 429;
  /** Is told tokens and message bodies that arrive, and the CSRF tokens and session cookies that are made. */
  readonly confidential?: (value: string) => void;
  /** Told each call and each run of a flow, whatever came of it. */
  readonly onEvent?: (event: CallEvent | RunEvent) => void;
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
  /** Gives each HTTP session a new id with each message that is let in from now on, or with false no longer. */
  renewSessionIds(renews?: boolean): void;
  /**
   * A worker node refuses every token from now on, or with false no longer, as one did that came up without its
   * authentication filter. Throws an Error when there is no worker of that index.
   */
  refuseTokens(worker: number, refuses?: boolean): void;
}

export interface RuntimeNode extends RuntimeNodeCore {
  /** Without a slash at the end; the endpoint of a flow is `<url>` and its `endpointPath`. */
  readonly url: string;
  readonly server: LocalServer;
}

const refused: Verdict = { kind: 'refused', why: 'this worker node refuses every token' };

function whyRefused(verdict: Exclude<Verdict, { kind: 'accepted' }>): string {
  if (verdict.kind === 'refused') return verdict.why;
  return verdict.kind === 'expired' ? 'the token has expired' : 'the authorization server did not answer the node';
}

/** Whether no operation of a batch was refused, by its answer, which has a status line for each of them. */
function isDone({ body = '' }: Answer): boolean {
  const statuses = Buffer.from(body)
    .toString('latin1')
    .matchAll(/^HTTP\/1\.1 (\d{3}) /gm);
  const answered = Array.from(statuses, ([, status]) => Number(status));
  return answered.length > 0 && answered.every((status) => status < 400);
}

/** What came of a call; `ran`: a flow has run, or is to. */
interface Judged {
  readonly answer: Answer;
  readonly ran?: boolean;
  readonly mplIds?: readonly string[];
  readonly why?: string;
}

/**
 * The node without its socket. `call` reaches the authorization server that `trust` describes; `scheme` is that of the
 * node's URL, by default `http`.
 */
export function createRuntimeNode(
  options: RuntimeNodeOptions & { readonly trust: Trust; readonly call: Call; readonly scheme?: 'http' | 'https' },
): RuntimeNodeCore {
  const { trust, call, now = Date.now, random = systemRandom, confidential = () => undefined, onEvent } = options;
  const { account } = trust;
  const { environment } = account;
  const subscription = account.subscription(options.subscription);
  const leewaySeconds = options.leewaySeconds ?? 60;
  const callers = createCallers({ trust, call, subscription: subscription.vmName, now, leewaySeconds });
  const { workers: count = 1, exhaustedStatus = 503, maxConcurrentMessages = Number.POSITIVE_INFINITY } = options;
  const host = `${subscription.vmName.replaceAll('.', '-')}.hana.ondemand.com`;
  const workers = createWorkerNodes({ environment, host, count, random });
  const csrf = createCsrfSessions({
    accountName: account.name,
    workers: count,
    now,
    random,
    sessionIdleMs: options.sessionIdleMs ?? 20 * 60_000,
    confidential,
  });
  const flows = createDeployedFlows(now);
  const senders = createSenders({ random, scheme: options.scheme ?? 'http' });
  const messages: Processed[] = [];
  const calls: CallEntry[] = [];
  const changes = createChanges();
  let running = 0;

  /** The parts of a body are secret as the whole is: an envelope's payload, the operations of a batch. */
  function log(processed: Processed): void {
    for (const part of [processed.soap?.payload ?? '', processed.odata?.batch ? processed.body.toString('utf8') : '']) {
      if (part !== '') confidential(part);
    }
    messages.push(processed);
    tellRun(processed);
    changes.announce();
  }

  function refuse({ kind }: Verdict, request: Request): Answer {
    const failed = kind === 'unavailable' || (kind === 'expired' && options.expiredTokenStatus === 500);
    return failed ? answers.securityFailure() : answers.unauthorized(environment, request);
  }

  function tellRun({ at, flow, messageId, mplId, mplStatus, status, body, duplicate, odata }: Processed): void {
    const inBatch = odata?.batch ?? false;
    onEvent?.({ what: 'run', at, flow, messageId, mplId, mplStatus, status, body, duplicate, inBatch });
  }

  function tellCall(call: CallEntry, request: Request, { answer, mplIds = [], why }: Judged): void {
    if (onEvent === undefined) return;
    const flow = flows.at(request.path);
    onEvent({
      ...call,
      what: 'call',
      flow: flow?.name,
      messageId: request.headers.sap_applicationid,
      headers: sentHeaders(request, flow?.allowedHeaders ?? ['*']),
      body: request.body,
      isBatchDone: flow?.sender === 'odata' && request.path.endsWith('/$batch') && isDone(answer),
      mplIds,
      why,
      answeredAt: now(),
    });
  }

  async function judge(request: Request, at: number, worker: number): Promise<Judged> {
    const malformed = refusedByContainer(request);
    if (malformed !== undefined)
      return { answer: malformed, why: 'the container takes no such request line or headers' };
    const verdict = workers.refusesTokens(worker) ? refused : await callers.authenticate(request);
    if (verdict.kind !== 'accepted') return { answer: refuse(verdict, request), why: whyRefused(verdict) };
    const flow = flows.at(request.path);
    if (flow === undefined) return { answer: answers.notFound(), why: 'no flow is deployed there' };
    const { clientId, scopes } = verdict;
    if (!callers.mayCall(clientId, scopes, flow.userRole)) {
      return { answer: answers.forbidden(), why: `the client has not the role ${flow.userRole}` };
    }
    const adapter = senders[flow.sender];
    const headless = request.method === 'HEAD' && !flow.csrfProtected;
    if (headless || !flow.methods.includes(request.method)) {
      return { answer: answers.methodNotAllowed(flow.methods), why: `the flow does not take ${request.method}` };
    }
    const mplIds: string[] = [];
    const logRun = (processed: Processed): void => {
      mplIds.push(processed.mplId);
      log(processed);
    };
    const exchange = createExchange({ request, flow, at, user: userOf(clientId), random, log: logRun });
    let setCookies: readonly string[] = [];
    if (flow.csrfProtected) {
      const decision = csrf.check(request, worker, workers.routingCookie(worker));
      if (decision.kind === 'fetched') return { answer: answers.csrfFetched(decision.token, decision.setCookies) };
      if (decision.kind === 'required') {
        const answer = answers.csrfRequired(decision.setCookies, flow.sender === 'odata' ? 'Required' : 'required');
        return { answer, why: 'the flow wants a CSRF token, and the cookies of its session' };
      }
      ({ setCookies } = decision);
    }
    const cookies = setCookies.length === 0 ? {} : { 'Set-Cookie': setCookies };
    if (request.body.byteLength > flow.maxBodyBytes) {
      return { answer: adapter.tooLarge(exchange), why: `larger than the ${flow.maxBodyBytes} bytes of the flow` };
    }
    if (running >= maxConcurrentMessages) {
      return { answer: answers.exhausted(exhaustedStatus), why: 'too many messages are in flows at once' };
    }
    running += 1;
    try {
      const answer = await adapter.answer(exchange);
      const notice = droppedHeadersNotice(exchangeHeaders(request, flow.allowedHeaders));
      return {
        answer: { ...answer, headers: { ...answer.headers, ...(exchange.ran ? notice : {}), ...cookies } },
        ran: exchange.ran,
        mplIds,
      };
    } finally {
      running -= 1;
    }
  }

  return {
    answer: async (request) => {
      const at = now();
      const token = bearerToken(request);
      if (token !== undefined) confidential(token);
      if (request.body.byteLength > 0) options.confidential?.(request.body.toString('utf8'));
      const worker = workers.route(request);
      const judged = await judge(request, at, worker);
      const { answer, ran = false } = judged;
      const call: CallEntry = {
        at,
        method: request.method,
        path: request.path,
        status: answer.status,
        tokenFingerprint: token === undefined ? undefined : fingerprint(token),
        callerAuthentication: authenticationOf(request),
        csrf: csrfIntent(request),
        flowRan: ran,
        worker,
      };
      calls.push(call);
      tellCall(call, request, judged);
      changes.announce();
      return { ...answer, headers: { Date: new Date(now()).toUTCString(), ...answer.headers } };
    },
    deploy: flows.deploy,
    undeploy: flows.undeploy,
    messages,
    requests: calls,
    async waitForMessages(count, waiting) {
      await changes.untilCount(count, 'messages', () => messages.length, waiting);
      return messages;
    },
    async waitForRequests(count, waiting) {
      await changes.untilCount(count, 'calls', () => calls.length, waiting);
      return calls;
    },
    dropCsrfSessions: csrf.drop,
    renewSessionIds: (renews = true) => csrf.renewIds(renews),
    refuseTokens: (worker, refuses = true) => workers.refuseTokens(worker, refuses),
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
    /** For how long a request's body may let no byte come, in milliseconds; then it is 408 [assumed]. Default 20000. */
    readonly bodyGapMs?: number;
    /** Told each request that a fault of the server has hit. */
    readonly onFault?: (request: Request, fault: Fault) => void;
  },
): Promise<RuntimeNode> {
  const { authorizationServer, port = 0, tls = false, bodyGapMs = 20_000, onFault, ...rest } = options;
  const { authorizationTimeoutMs: timeoutMs = 10_000 } = options;
  const { certificateAuthority: authority } = authorizationServer.account;
  if (tls && authority === undefined) throw new Error('tls: the account has no certificate authority');
  const ca = authority === undefined ? {} : { ca: authority.caPem };
  const call = httpCall(authorizationServer.url, { timeoutMs, ...ca });
  const core = createRuntimeNode({ ...rest, trust: authorizationServer.trust, call, scheme: tls ? 'https' : 'http' });
  const secure = tls && authority !== undefined ? { tls: clientCertificateTls(authority, false) } : {};
  const server = await startServer(core.answer, {
    port,
    bodyGapMs,
    ...(onFault === undefined ? {} : { onFault }),
    ...secure,
  });
  return { ...core, url: server.url, server };
}
