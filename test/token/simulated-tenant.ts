/**
 * One execution environment of the relay, wired by its own composition root, before a tenant of the landscape in
 * simulated time: what is counted on the other side are token requests, readings of the secret, and calls of the
 * endpoint.
 */

import { createEnvironment } from '../../functions/environment.ts';
import { RelayError } from '../../functions/error.ts';
import type { HttpRequest } from '../../functions/http/http.ts';
import { createQueueRoutes } from '../../functions/queue/routes.ts';
import { type Attempt, relay } from '../../functions/relay/relay.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import {
  type AuthorizationServerCore,
  createAuthorizationServer,
} from '../../infra/local/sap/authorization-server/authorization-server.ts';
import { createSigningKeys } from '../../infra/local/sap/authorization-server/signing-keys.ts';
import { type Account, createAccount } from '../../infra/local/sap/cockpit/account.ts';
import type { Deployment } from '../../infra/local/sap/runtime-node/integration-flow.ts';
import {
  createRuntimeNode,
  type RuntimeNodeCore,
  type RuntimeNodeOptions,
} from '../../infra/local/sap/runtime-node/runtime-node.ts';
import { generateKeyPair } from '../doubles/key-pair.ts';
import { messageOf } from '../doubles/message.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';
import { createSimulatedTime, NOON, type SimulatedTime } from '../doubles/time.ts';
import { createLink, type Link, simulatedSend } from './simulated.ts';
import { createSimulatedSecrets } from './simulated-secrets.ts';

export const SECRET = 'cpi/orders';
const AUTHORIZATION = 'https://acme-dev.authentication.example';
const RUNTIME = 'https://acme-dev.it-rt.example';
const SUBSCRIPTION = 'acme-dev.iflmap';
const CLIENT_ID = 'sb-orders!b1234|it-rt-acme-dev!b56';
const ROLE = { user: `oauth_client_${CLIENT_ID}`, role: 'ESBMessaging.send', subscription: SUBSCRIPTION };

export interface TenantOptions {
  readonly environment?: 'neo' | 'cf';
  /** Settings by destination, each added to what it needs. Default: `orders`. */
  readonly destinations?: Readonly<Record<string, object>>;
  readonly tokenLifetimeSeconds?: number;
  readonly clientSecret?: string;
  readonly runtimeNode?: Partial<Pick<RuntimeNodeOptions, 'leewaySeconds' | 'expiredTokenStatus'>>;
  readonly flow?: Partial<Deployment>;
  readonly assignRole?: boolean;
  /** How far SAP's clocks are ahead of ours, in milliseconds. */
  readonly sapAheadMs?: number;
}

export interface Invoked {
  /** Default 1. */
  readonly messages?: number;
  readonly destination?: string;
  /** What Lambda leaves. Default 60 s. */
  readonly remainingMs?: number;
}

export interface Tenant {
  readonly time: SimulatedTime;
  readonly account: Account;
  readonly authorizationServer: AuthorizationServerCore;
  readonly runtimeNode: RuntimeNodeCore;
  readonly toAuthorizationServer: Link;
  readonly toRuntimeNode: Link;
  /** When token requests were made, in milliseconds since noon; also those that did not get through. */
  readonly tokenRequestsAt: readonly number[];
  /** Why renewals ahead failed. */
  readonly renewalFailures: readonly string[];
  /** Readings of secrets by stage; `none` where there is no such version. */
  readonly secretReads: readonly string[];
  /** Puts a secret into Secrets Manager, by default the service key as it is now, under the name of the first. */
  store(secret?: object, name?: string): void;
  /** A new client secret at the authorization server; stored as well by default. */
  rotateClientSecret(options?: { readonly store?: boolean }): void;
  assignRole(): void;
  unassignRole(): void;
  /** One invocation with so many messages at once. */
  start(invoked?: Invoked): Promise<readonly Attempt[]>;
  /** The same, time passing until it is over. */
  invoke(invoked?: Invoked): Promise<readonly Attempt[]>;
  /** Everything that was counted: statuses of token requests and calls in their order, readings by stage. */
  counts(): { readonly tokenRequests: number[]; readonly secretReads: string[]; readonly calls: number[] };
}

export function createTenant(options: TenantOptions = {}): Tenant {
  const { environment = 'cf', destinations = { orders: {} }, sapAheadMs = 0 } = options;
  const time = createSimulatedTime(NOON);
  const now = () => time.now() + sapAheadMs;
  const account = createAccount({ environment, now });
  account.addSubscription({ vmName: SUBSCRIPTION, nodeType: 'iflmap' });
  account.registerClient({
    clientId: CLIENT_ID,
    subscription: SUBSCRIPTION,
    authorizationGrant: 'client_credentials',
    ...(options.clientSecret === undefined ? {} : { clientSecret: options.clientSecret }),
  });
  if (options.tokenLifetimeSeconds !== undefined) account.setTokenLifetime(CLIENT_ID, options.tokenLifetimeSeconds);
  if (options.assignRole ?? true) account.assignRole(ROLE);
  const signingKeys = createSigningKeys({ generateKeyPair });
  const authorizationServer = createAuthorizationServer({ account, now, url: AUTHORIZATION, signingKeys });
  const { trust } = authorizationServer;
  const node = { ...options.runtimeNode, trust, now, subscription: SUBSCRIPTION, call: authorizationServer.answer };
  const runtimeNode = createRuntimeNode(node);
  runtimeNode.deploy({ name: 'Orders', address: '/orders/*', csrfProtected: false, ...options.flow });
  const toAuthorizationServer = createLink(authorizationServer.answer);
  const toRuntimeNode = createLink(runtimeNode.answer);
  const send = simulatedSend({ [AUTHORIZATION]: toAuthorizationServer, [RUNTIME]: toRuntimeNode }, time);

  const secrets = createSimulatedSecrets(now);
  const store = (secret: object = account.serviceKey(CLIENT_ID, RUNTIME), name = SECRET) => secrets.put(name, secret);
  store();

  const tokenRequestsAt: number[] = [];
  const renewalFailures: string[] = [];
  const telemetry = quietTelemetry({
    tokenRequested: () => void tokenRequestsAt.push(time.now() - NOON),
    renewalFailed: (reason) => void renewalFailures.push(reason),
  });
  const relayEnvironment = createEnvironment({
    settings: readSettings({ DESTINATIONS: JSON.stringify(settingsOf(destinations)) }),
    outside: { send, readSecret: secrets.readSecret, telemetry, random: () => 0.5, now: time.now, after: time.after },
  });
  const queueRoute = createQueueRoutes(relayEnvironment);

  async function start({ messages = 1, destination = 'orders', remainingMs = 60_000 }: Invoked = {}) {
    const route = queueRoute(queueArn(destination))?.route;
    if (route === undefined || route instanceof RelayError) throw route ?? new Error('no such destination');
    return relayEnvironment.invoke({ getRemainingTimeInMillis: () => remainingMs }, ({ deadline }) =>
      Promise.all(Array.from({ length: messages }, (_, n) => relay(messageOf({ id: `order-${n}` }), route, deadline))),
    );
  }

  return {
    time,
    account,
    authorizationServer,
    runtimeNode,
    toAuthorizationServer,
    toRuntimeNode,
    tokenRequestsAt,
    renewalFailures,
    secretReads: secrets.reads,
    store,
    rotateClientSecret({ store: isStored = true } = {}) {
      account.rotateClientSecret(CLIENT_ID);
      if (isStored) store();
    },
    assignRole: () => account.assignRole(ROLE),
    unassignRole: () => account.unassignRole(ROLE),
    start,
    invoke: (invoked) => time.run(start(invoked)),
    counts: () => ({
      tokenRequests: authorizationServer.tokenRequests.map(({ status }) => status),
      secretReads: [...secrets.reads],
      calls: runtimeNode.requests.map(({ status }) => status),
    }),
  };
}

/** The message's number, of a call of the endpoint. */
export function numberOf({ headers }: HttpRequest): number {
  return Number(headers.SAP_ApplicationID?.replace('order-', ''));
}

function settingsOf(destinations: Readonly<Record<string, object>>): Record<string, object> {
  const url = (name: string) => `${RUNTIME}/http/orders/${name}`;
  const entries = Object.entries(destinations).map(([name, own]) => {
    return [name, { secret: SECRET, url: url(name), queue: queueArn(name), ...own }] as const;
  });
  return Object.fromEntries(entries);
}

function queueArn(destination: string): string {
  return `arn:aws:sqs:eu-central-1:123456789012:${destination}`;
}
