/**
 * An SAP tenant as the tests of the runtime node and of CSRF protection begin with it: account, authorization server
 * and runtime node on one clock, and the sender's two calls. What is expected of it is for the tests.
 */

import { request as sendRequest } from 'node:http';
import {
  type AuthorizationServer,
  startAuthorizationServer,
} from '../../infra/local/sap/authorization-server/authorization-server.ts';
import { createSigningKeys } from '../../infra/local/sap/authorization-server/signing-keys.ts';
import { type Account, createAccount } from '../../infra/local/sap/cockpit/account.ts';
import type { Environment } from '../../infra/local/sap/cockpit/oauth-client.ts';
import {
  type RuntimeNode,
  type RuntimeNodeOptions,
  startRuntimeNode,
} from '../../infra/local/sap/runtime-node/runtime-node.ts';
import { generateKeyPair } from '../doubles/key-pair.ts';
import { createSimulatedTime, type SimulatedTime } from '../doubles/time.ts';

export const subscription = 'acme-dev.iflmap';
export const role = { user: 'oauth_client_orders', role: 'ESBMessaging.send', subscription };
export const environments = ['neo', 'cf'] as const;
export const formats = ['jwt', 'opaque'] as const;

const running: { server: { stop(): Promise<void> } }[] = [];

/** Stops every server that `startTenant` has started. */
export async function stopTenants(): Promise<void> {
  await Promise.all(running.splice(0).map(({ server }) => server.stop()));
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As UTF-8. */
  readonly body: string;
  readonly bytes: Buffer;
}

export interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

export interface Tenant {
  readonly account: Account;
  readonly authorizationServer: AuthorizationServer;
  readonly node: RuntimeNode;
  /** Starts at noon. */
  readonly clock: SimulatedTime;
  readonly announced: readonly string[];
  /** A new token, by default a JWT for `orders`. */
  token(format?: 'jwt' | 'opaque', clientId?: string): Promise<string>;
  /** Calls the node, by default with POST and no body. */
  send(path: string, token: string | undefined, sending?: Sending): Promise<Reply>;
}

/**
 * Two clients, `orders` and `elsewhere` (another subscription), both with the role; one flow without CSRF at /orders.
 */
export async function startTenant(
  environment: Environment,
  options: Partial<RuntimeNodeOptions & { authorizationTimeoutMs: number }> = {},
): Promise<Tenant> {
  const clock = createSimulatedTime();
  const now = clock.now;
  const account = createAccount({ environment, now });
  const announced: string[] = [];
  for (const [clientId, vmName] of [
    ['orders', subscription],
    ['elsewhere', 'acme-test.iflmap'],
  ] as const) {
    account.addSubscription({ vmName, nodeType: 'iflmap' });
    account.registerClient({
      clientId,
      subscription: vmName,
      authorizationGrant: 'client_credentials',
      tokenLifetimeSeconds: 3600,
    });
    for (const node of new Set([subscription, vmName])) {
      account.assignRole({ ...role, user: `oauth_client_${clientId}`, subscription: node });
    }
  }
  const authorizationServer = await startAuthorizationServer({
    account,
    now,
    signingKeys: createSigningKeys({ generateKeyPair }),
  });
  const confidential = (value: string): void => void announced.push(value);
  const node = await startRuntimeNode({ authorizationServer, subscription, now, confidential, ...options });
  running.push(authorizationServer, node);
  node.deploy({ name: 'Orders', address: '/orders', csrfProtected: false });

  async function token(format: 'jwt' | 'opaque' = 'jwt', clientId = 'orders'): Promise<string> {
    const client = account.client(clientId);
    const basic = Buffer.from(`${clientId}:${client?.clientSecret}`).toString('base64');
    const query = new URLSearchParams({ grant_type: 'client_credentials', token_format: format });
    const response = await fetch(`${authorizationServer.tokenEndpoint}?${query}`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
    });
    return String(((await response.json()) as { access_token: unknown }).access_token);
  }
  const send: Tenant['send'] = (path, bearer, { method = 'POST', headers = {}, body = '' } = {}) =>
    new Promise((resolve, reject) => {
      const authorization = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
      const sent = { ...authorization, ...headers } as Record<string, string | string[]>;
      // Host and path apart: a URL would have its path encoded.
      const target = { host: '127.0.0.1', port: node.server.port, path, method, headers: sent, agent: false };
      const outgoing = sendRequest(target, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('end', () => {
          const { statusCode = 0, headers: received } = incoming;
          const bytes = Buffer.concat(chunks);
          resolve({ status: statusCode, headers: received, body: bytes.toString(), bytes });
        });
        incoming.once('error', reject);
      });
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  return { account, authorizationServer, node, clock, announced, token, send };
}

/** The start of a Tomcat error page. */
export const page = (status: number, reason: string): RegExp =>
  new RegExp(`^<!doctype html>.*<h1>HTTP Status ${status} – ${reason}</h1>`);

/** The cookies that an answer sets, as a header `Cookie`. */
export function cookiesOf({ headers }: Reply): string {
  return ((headers['set-cookie'] as string[] | undefined) ?? []).map((line) => line.split(';')[0]).join('; ');
}
