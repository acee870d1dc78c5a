/**
 * The authorization server in simulated time: the landscape's own, account, clients, roles and token endpoint, but for
 * the signature of its JSON Web Tokens, which takes real time to make and which the relay does not verify. Whether a
 * token counts is reported here to the runtime node, by the same rules.
 */

import {
  type AuthorizationServerCore,
  createAuthorizationServer,
} from '../../infra/local/sap/authorization-server/authorization-server.ts';
import type { SigningKeys } from '../../infra/local/sap/authorization-server/signing-keys.ts';
import { type Account, createAccount } from '../../infra/local/sap/cockpit/account.ts';
import { userOf } from '../../infra/local/sap/cockpit/oauth-client.ts';
import { requestTo } from '../../infra/local/sap/http-call.ts';
import { hex, type RandomBytes } from '../../infra/local/sap/identifiers.ts';
import type { Answer, Request } from '../../infra/local/server/server.ts';

export const SUBSCRIPTION = 'acme-dev.iflmap';
const ROLE = 'ESBMessaging.send';

export interface AuthorizationOptions {
  readonly environment: 'cf' | 'neo';
  readonly origin: string;
  readonly now: () => number;
  readonly random: RandomBytes;
  readonly tokenLifetimeSeconds: number;
  readonly clientIds: readonly string[];
  readonly confidential: (value: string) => void;
}

export type Judgement =
  | { readonly kind: 'accepted'; readonly clientId: string; readonly scopes: readonly string[] }
  | { readonly kind: 'refused' | 'expired' };

export interface Authorization {
  readonly account: Account;
  readonly server: AuthorizationServerCore;
  answer(request: Request): Promise<Answer>;
  /** @param now the runtime node's clock */
  judge(token: string, now: number): Promise<Judgement>;
  assignRole(clientId: string, on: boolean): void;
}

/** SAP's own libraries take an expired token for so long. */
const LEEWAY_MS = 60_000;

export function createAuthorization(options: AuthorizationOptions): Authorization {
  const { environment, origin, now, random, tokenLifetimeSeconds, clientIds, confidential } = options;
  const account = createAccount({ environment, now, random, confidential });
  const { audience } = account.addSubscription({ vmName: SUBSCRIPTION, nodeType: 'iflmap' });
  const assignmentOf = (clientId: string) => ({ user: userOf(clientId), role: ROLE, subscription: SUBSCRIPTION });
  for (const clientId of clientIds) {
    account.registerClient({ clientId, subscription: SUBSCRIPTION, authorizationGrant: 'client_credentials' });
    account.setTokenLifetime(clientId, tokenLifetimeSeconds);
    account.assignRole(assignmentOf(clientId));
  }
  const keys = createUnsignedKeys(random);
  const server = createAuthorizationServer({ account, now, random, signingKeys: keys, url: origin, confidential });
  const { trust } = server;
  const read = new Map<string, (Record<string, unknown> | undefined)[]>();

  async function judge(token: string, at: number): Promise<Judgement> {
    const [head, body] = read.get(token) ?? token.split('.').map(decoded);
    read.set(token, [head, body]);
    if (head !== undefined && body !== undefined) return judgeJwt(head, body, at);
    const { clientId, clientSecret } = trust.resourceServer;
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
    const headers = { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' };
    const form = `${environment === 'neo' ? 'access_token' : 'token'}=${encodeURIComponent(token)}`;
    const { status, body: answer = '' } = await server.answer(
      requestTo('POST', trust.introspectionPath, { headers, body: form }),
    );
    const told = status === 200 ? JSON.parse(String(answer)) : { active: false };
    if (told.active === false) return { kind: 'refused' };
    return { kind: 'accepted', clientId: String(told.client_id), scopes: words(told.scope) };
  }

  function judgeJwt(head: Record<string, unknown>, body: Record<string, unknown>, at: number): Judgement {
    const isOurs = keys.isValid(String(head.kid)) && body.iss === trust.issuer && words(body.aud).includes(audience);
    if (!isOurs) return { kind: 'refused' };
    if (at >= Number(body.exp) * 1000 + LEEWAY_MS) return { kind: 'expired' };
    const clientId = String(body.client_id ?? String(body.sub).replace(/^oauth_client_/, ''));
    return { kind: 'accepted', clientId, scopes: words(body.scope) };
  }

  return {
    account,
    server,
    answer: server.answer,
    judge,
    assignRole(clientId, on) {
      const assignment = assignmentOf(clientId);
      if (on) account.assignRole(assignment);
      else if (account.hasRole(assignment)) account.unassignRole(assignment);
    },
  };
}

/** As the landscape's, but a token ends in random characters where a signature would be. */
function createUnsignedKeys(random: RandomBytes): SigningKeys & { isValid(kid: string): boolean } {
  const newKid = () => `default-jwt-key-${hex(random, 5)}`;
  let active = newKid();
  let previous: string | undefined;
  let version = 0;
  return {
    sign: async (claims, jku) => {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      return `${part({ alg: 'RS256', jku, kid: active, typ: 'JWT' })}.${part(claims)}.${hex(random, 32)}`;
    },
    published: () => ({ keys: [] }),
    rotate: ({ keepOld = false } = {}) => {
      previous = keepOld ? active : undefined;
      active = newKid();
      if (!keepOld) version += 1;
    },
    version: () => version,
    isValid: (kid) => kid === active || kid === previous,
  };
}

function decoded(part: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    // An opaque token has no parts that are JSON.
    return undefined;
  }
}

function words(claim: unknown): readonly string[] {
  return typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim.map(String) : [];
}
