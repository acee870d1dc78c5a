/**
 * What the authorization server tells a runtime node about an opaque token. Neo says it by the status of its answer
 * (SAP: "OAuth 2.0 Authorization Code Grant", Possible Responses), XSUAA by `active` (RFC 7662 section 2.2). What
 * follows from it for a message is for `token-validation.ts`.
 */
import type { Answer, Request } from '../../server/server.ts';
import type { Account } from '../cockpit/account.ts';
import type { AccessTokens } from './access-tokens.ts';
import { basicCredentials, type Credentials, readForm } from './token-request.ts';

export interface IntrospectionContext {
  readonly account: Account;
  readonly tokens: AccessTokens;
  /** Who alone may ask. */
  readonly resourceServer: Credentials;
}

/**
 * Neo: 200, 400 (no token, or more than one), 401 (one that does not count). CF: 200 with `active`. Both: 401 to
 * strangers.
 */
export function answerIntrospection(request: Request, context: IntrospectionContext): Answer {
  const { account, tokens, resourceServer } = context;
  const neo = account.environment === 'neo';
  const caller = basicCredentials(request);
  const known = caller?.clientId === resourceServer.clientId && caller.clientSecret === resourceServer.clientSecret;
  if (request.method !== 'POST' || !known) return json(401, { error: 'unauthorized' });
  const asked = readForm(request).getAll(neo ? 'access_token' : 'token');
  const [token] = asked;
  if (token === undefined || token === '' || asked.length > 1) return json(400, { error: 'invalid_request' });
  const active = tokens.active(token);
  if (active === undefined) return neo ? json(401, { error: 'invalid_token' }) : json(200, { active: false });
  const { clientId, scopes, boundTo } = active;
  // RFC 8705 section 3.2.
  const bound = boundTo === undefined ? {} : { cnf: { 'x5t#S256': boundTo } };
  const { audience } = account.subscription(active.subscription);
  if (neo) return json(200, { client_id: clientId, aud: audience });
  const aud = ['uaa', clientId, audience];
  return json(200, { active: true, client_id: clientId, aud, scope: scopes.join(' '), ...bound });
}

function json(status: number, body: object): Answer {
  return { status, headers: { 'Content-Type': 'application/json;charset=UTF-8' }, body: JSON.stringify(body) };
}
