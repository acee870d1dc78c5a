/**
 * What a token endpoint says, byte for byte, on Neo and on Cloud Foundry: a token, or a refusal. When to say which is
 * for `authorization-server.ts`; what a proxy in front of it says is in `front.ts`.
 */
import type { Answer } from '../../server/server.ts';
import type { Environment } from '../cockpit/oauth-client.ts';
import { tomcatPage } from '../front.ts';
import type { AccessToken } from './access-tokens.ts';

/** What an answer tells of the token's lifetime: the truth, 0, or nothing. */
export type ExpiresIn = 'true' | 0 | 'absent';

export type TokenRefusal =
  | { readonly reason: 'no credentials' }
  | { readonly reason: 'bad credentials' }
  | { readonly reason: 'no grant type' }
  | { readonly reason: 'unknown grant type'; readonly grantType: string }
  | { readonly reason: 'unknown scope'; readonly scope: string }
  | { readonly reason: 'method'; readonly method: string };

const uncached = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };
/** Headers of a refusal as seen in production (SAP/cloud-sdk-java issue 703). */
const cfHeaders = {
  ...uncached,
  Server: 'nginx',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains; preload;',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** 200 with the token. `nowMs` is the moment of the answer, from which `expires_in` counts. */
export function tokenAnswer(
  environment: Environment,
  issued: AccessToken,
  expiresIn: ExpiresIn,
  nowMs: number,
): Answer {
  const { token, expiresAt, toldScopes, jti } = issued;
  const leftSeconds = expiresAt === undefined ? 0 : (expiresAt - nowMs) / 1000;
  // UAA counts when it writes the answer, at least a moment after it issued the token, and truncates: of an hour 3599.
  const left = environment === 'cf' ? Math.ceil(leftSeconds) - 1 : Math.floor(leftSeconds);
  const seconds = expiresIn === 'true' ? Math.max(0, left) : expiresIn;
  const life = seconds === 'absent' ? {} : { expires_in: seconds };
  const body =
    environment === 'neo'
      ? { access_token: token, token_type: 'Bearer', ...life, scopes: [] }
      : { access_token: token, token_type: 'bearer', ...life, scope: toldScopes.join(' '), jti };
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json;charset=UTF-8', ...uncached },
    body: JSON.stringify(body),
  };
}

/** `requestId` becomes `X-Vcap-Request-Id` on Cloud Foundry. */
export function refusalAnswer(environment: Environment, refusal: TokenRefusal, requestId: string): Answer {
  return environment === 'neo' ? neoRefusal(refusal) : cfRefusal(refusal, requestId);
}

/**
 * Of Neo only one answer is known, `unauthorized_client` for credentials in the body (integration library issue 318),
 * in which the server saw no credentials. The other bodies follow RFC 6749 section 5.2 [assumed].
 */
function neoRefusal(refusal: TokenRefusal): Answer {
  const json = (status: number, error: string, headers = {}): Answer => ({
    status,
    headers: { 'Content-Type': 'application/json;charset=UTF-8', ...uncached, ...headers },
    body: JSON.stringify({ error }),
  });
  switch (refusal.reason) {
    case 'no credentials':
      return json(401, 'unauthorized_client');
    case 'bad credentials':
      return json(401, 'invalid_client', { 'WWW-Authenticate': 'Basic realm="OAuth"' });
    case 'no grant type':
      return json(400, 'invalid_request');
    case 'unknown grant type':
      return json(400, 'unsupported_grant_type');
    case 'unknown scope':
      return json(400, 'invalid_scope');
    case 'method':
      return json(405, 'invalid_request', { Allow: 'POST' });
  }
}

/**
 * UAA's answer to a POST at a path that it does not know: its filter against forged requests comes before that finds
 * out (run on 4.10.0 and 77.20; JSON for who accepts that, else a page).
 */
export function unknownPathAnswer(accept: string | undefined): Answer {
  if (!accept?.includes('json')) return tomcatPage(403, 'Forbidden');
  return {
    status: 403,
    headers: { 'Content-Type': 'application/json', ...cfHeaders },
    body: JSON.stringify({
      error: 'Could not verify the provided CSRF token because your session was not found.',
    }),
  };
}

function cfRefusal(refusal: TokenRefusal, requestId: string): Answer {
  const json = (status: number, error: string, description: string, headers = {}): Answer => ({
    status,
    headers: { 'Content-Type': 'application/json', 'X-Vcap-Request-Id': requestId, ...cfHeaders, ...headers },
    body: JSON.stringify({ error, error_description: description }),
  });
  switch (refusal.reason) {
    case 'no credentials':
    case 'bad credentials':
      return json(401, 'invalid_client', 'Bad credentials', {
        'WWW-Authenticate': 'Basic realm="UAA/client", error="unauthorized", error_description="Bad credentials"',
      });
    case 'no grant type':
      return json(400, 'invalid_request', 'Missing grant type');
    case 'unknown grant type':
      return json(400, 'unsupported_grant_type', `Unsupported grant type: ${refusal.grantType}`);
    case 'unknown scope':
      return json(400, 'invalid_scope', `${refusal.scope} is invalid. Please use a valid scope name in the request`);
    case 'method':
      return json(405, 'method_not_allowed', `Request method '${refusal.method}' not supported`, { Allow: 'POST' });
  }
}
