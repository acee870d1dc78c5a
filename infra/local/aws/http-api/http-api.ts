/**
 * API Gateway in front of one function: takes HTTP requests on loopback, invokes the function with the event that an
 * HTTP API or a REST API would make, and answers with what it makes of the reply. The function is whatever `invoke`
 * says, usually lambda-host.ts; of authorizers only AWS_IAM; CORS, throttling and custom domains are not imitated.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createChanges, type WaitOptions } from '../../facts/waiting.ts';
import { type Answer, type LocalServer, type Request, startServer } from '../../server/server.ts';
import type { InvokeResult } from '../lambda/invoke-result.ts';
import { type ApiContext, type Event, type RequestFacts, routePath, toEvent } from './event.ts';
import { BODY_LIMIT_BYTES, type Gateway, HEADER_LIMIT_BYTES, refusalOf, refuse, TIMEOUT_SECONDS } from './gateway.ts';
import { readFields, requestHeadBytes } from './header.ts';
import { toAnswer } from './reply.ts';
import { findRoute, type Route } from './route.ts';
import { type Identity, signedBy } from './signature.ts';

export type { Event } from './event.ts';
export type { Gateway } from './gateway.ts';
export type { Route } from './route.ts';
export type { Identity } from './signature.ts';

export interface HttpApiOptions {
  /** Must not reject. */
  readonly invoke: (event: Event) => Promise<InvokeResult>;
  readonly routes: readonly Route[];
  readonly payloadFormat: '2.0' | '1.0';
  /** Who may sign, for routes with AWS_IAM. Default nobody. */
  readonly identities?: readonly Identity[];
  /** Default: `http-api` with format 2.0, `rest-api` with 1.0. */
  readonly gateway?: Gateway;
  /** First segment of every path unless `$default`. Default `$default`; of a REST API, which has no such, `dev`. */
  readonly stage?: string;
  /** Of a REST API: media types that reach the function as base64. Default none. */
  readonly binaryMediaTypes?: readonly string[];
  /** Default 30; REST 29. */
  readonly timeoutSeconds?: number;
  /** Default 0: any free port. */
  readonly port?: number;
  readonly accountId?: string;
  readonly apiId?: string;
  readonly region?: string;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Ends early, by rejecting, when the signal is aborted. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** From 0 up to 1; for request ids. */
  readonly random?: () => number;
  /** Told each request when it has come and when it is answered. */
  readonly onEvent?: (event: GatewayEvent) => void;
}

/** Times are epoch milliseconds, `id` the gateway's own. */
export type GatewayEvent = { readonly at: number; readonly id: string } & (
  | {
      readonly what: 'arrived';
      readonly method: string;
      /** As sent, without the query. */
      readonly path: string;
      readonly body: Buffer;
    }
  | {
      readonly what: 'answered';
      readonly status: number;
      /** Of the invocation whose reply it is; absent where the gateway has answered by itself. */
      readonly invocation?: string;
      /** Of an answer that is an error. */
      readonly body?: string;
    }
);

export interface AnsweredRequest {
  /** Epoch milliseconds, of its arrival. */
  readonly at: number;
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly status: number;
}

export interface HttpApi {
  /** Where the routes' paths begin, with the stage if it is part of them; without a slash at the end. */
  readonly url: string;
  readonly server: LocalServer;
  /** In the order of the answers. */
  readonly requests: readonly AnsweredRequest[];
  /** Resolves once `count` requests in all have been answered. */
  waitForRequests(count: number, options?: WaitOptions): Promise<void>;
}

export async function startHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const requests: AnsweredRequest[] = [];
  const changes = createChanges();
  const respond = createGateway(options);
  const { now = Date.now } = options;
  const server = await startServer(
    async (request) => {
      const at = now();
      const answer = await respond(request);
      requests.push({ at, method: request.method, path: request.path, status: answer.status });
      changes.announce();
      return answer;
    },
    { port: options.port ?? 0 },
  );
  const stage = stageOf(options);
  return {
    url: stage === '$default' ? server.url : `${server.url}/${stage}`,
    server,
    requests,
    waitForRequests: (count, waiting) => changes.untilCount(count, 'answered requests', () => requests.length, waiting),
  };
}

function stageOf({ stage, payloadFormat, gateway }: HttpApiOptions): string {
  return stage ?? (gatewayOf({ gateway, payloadFormat }) === 'rest-api' ? 'dev' : '$default');
}

function gatewayOf({
  gateway,
  payloadFormat,
}: {
  gateway: Gateway | undefined;
  payloadFormat: '2.0' | '1.0';
}): Gateway {
  return gateway ?? (payloadFormat === '2.0' ? 'http-api' : 'rest-api');
}

/** An answer, and the id of the invocation that made it. */
interface Replied {
  readonly answer: Answer;
  readonly invocation?: string;
}

/** The gateway without its socket. */
export function createGateway(options: HttpApiOptions): (request: Request) => Promise<Answer> {
  const { now = Date.now, random = Math.random, wait = waitFor, binaryMediaTypes = [], payloadFormat } = options;
  const gateway = gatewayOf({ gateway: options.gateway, payloadFormat });
  if (gateway === 'rest-api' && payloadFormat === '2.0') throw new TypeError('a REST API has no payload format 2.0');
  const timeoutMs = (options.timeoutSeconds ?? TIMEOUT_SECONDS[gateway]) * 1000;
  const api: ApiContext = {
    gateway,
    payloadFormat,
    accountId: options.accountId ?? '123456789012',
    apiId: options.apiId ?? 'a1b2c3d4e5',
    region: options.region ?? 'eu-central-1',
    stage: stageOf(options),
    binaryMediaTypes,
  };

  function hex(digits: number): string {
    return Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  }

  function identify(at: number): Omit<RequestFacts, 'route'> {
    const seconds = Math.floor(at / 1000).toString(16);
    return {
      requestId: `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
      extendedRequestId: Buffer.from(hex(22), 'hex').toString('base64'),
      traceId: `Root=1-${seconds}-${hex(24)}`,
      at,
      sourceIp: '127.0.0.1',
    };
  }

  async function invoke(request: Request, event: Event): Promise<Replied> {
    const timer = new AbortController();
    const timeout = wait(timeoutMs, timer.signal).then(
      () => undefined,
      // Aborted: the function was first, and its result is taken.
      () => undefined,
    );
    const result = await Promise.race([options.invoke(event), timeout]);
    timer.abort();
    // The function runs on, and what it returns then reaches nobody.
    if (result === undefined) return { answer: refuse(gateway, 'timeout') };
    const { requestId: invocation } = result;
    if (!result.ok) return { answer: refuse(gateway, refusalOf(result)), invocation };
    const accept = request.headers.accept;
    const reply = toAnswer(result.payload, { gateway, payloadFormat, binaryMediaTypes, accept });
    return { answer: reply ?? refuse(gateway, 'failed'), invocation };
  }

  async function respond(request: Request, facts: Omit<RequestFacts, 'route'>): Promise<Replied> {
    const headBytes = requestHeadBytes(request.method, request.target, readFields(request.rawHeaders));
    if (headBytes > HEADER_LIMIT_BYTES) return { answer: refuse(gateway, 'headers-too-large') };
    const path = routePath(request.path, api);
    const route = path === undefined ? undefined : findRoute(options.routes, request.method, path);
    if (route === undefined) return { answer: refuse(gateway, 'no-route') };
    const { identities = [] } = options;
    const identity = route.isSigned ? signedBy(request, { identities, region: api.region, now: facts.at }) : undefined;
    if (route.isSigned && identity === undefined) return { answer: refuse(gateway, 'unsigned') };
    if (request.body.byteLength > BODY_LIMIT_BYTES) return { answer: refuse(gateway, 'body-too-large') };
    return invoke(request, toEvent(request, api, { ...facts, route, identity }));
  }

  return async (request) => {
    const facts = identify(now());
    const { requestId: id, at } = facts;
    if (options.onEvent !== undefined) {
      const { method, path, body } = request;
      options.onEvent({ what: 'arrived', at, id, method, path, body });
    }
    const { answer, invocation } = await respond(request, facts);
    options.onEvent?.({
      what: 'answered',
      at: now(),
      id,
      status: answer.status,
      ...(invocation === undefined ? {} : { invocation }),
      ...(answer.status < 400 ? {} : { body: Buffer.from(answer.body ?? '').toString('utf8') }),
    });
    const ids: Record<string, string> =
      gateway === 'rest-api'
        ? { 'x-amzn-RequestId': facts.requestId, 'x-amz-apigw-id': facts.extendedRequestId }
        : { 'Apigw-Requestid': facts.extendedRequestId };
    return { ...answer, headers: { ...answer.headers, ...ids } };
  };
}

function waitFor(ms: number, signal: AbortSignal): Promise<unknown> {
  return delay(ms, undefined, { signal });
}
