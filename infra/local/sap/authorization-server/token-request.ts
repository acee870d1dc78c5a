/**
 * Reads a request for the token endpoint: where the client's credentials stand, which grant and which token format it
 * asks for, by the rules of its environment. It judges nothing; `authorization-server.ts` compares and answers.
 */
import type { Request } from '../../server/server.ts';
import type { Environment } from '../cockpit/oauth-client.ts';
import type { TokenFormat } from './access-tokens.ts';

export interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface TokenRequest {
  /** Undefined when they are missing, malformed, or in a place that the environment does not accept. */
  readonly credentials: Credentials | undefined;
  /** The form's `client_id`, with which a client that presents a certificate names itself. */
  readonly clientId: string | undefined;
  readonly grantType: string | undefined;
  readonly format: TokenFormat;
  /** That it asks for; undefined: all that the client has. */
  readonly scopes: readonly string[] | undefined;
}

/** The parts of `request` that a token endpoint looks at. */
export function readTokenRequest(environment: Environment, request: Request): TokenRequest {
  const form = readForm(request);
  const parameter = (name: string): string | undefined => request.query.get(name) ?? form.get(name) ?? undefined;
  const wanted = parameter('token_format');
  const grantType = parameter('grant_type');
  const clientId = form.get('client_id') ?? undefined;
  const asked = parameter('scope')?.split(/\s+/).filter(Boolean) ?? [];
  const scopes = asked.length === 0 ? undefined : asked;
  if (environment === 'neo') {
    // "Sending client credentials in the body of HTTP request is not supported" (SAP: "OAuth 2.0 Client Credentials
    // Grant").
    const format = wanted === 'jwt' || wanted === 'jwtrfc' ? 'jwt' : 'opaque';
    return { credentials: basicCredentials(request), clientId, grantType, format, scopes };
  }
  const hasHeader = request.headers.authorization !== undefined;
  const credentials = hasHeader ? basicCredentials(request) : formCredentials(form);
  return { credentials, clientId, grantType, format: wanted === 'opaque' ? 'opaque' : 'jwt', scopes };
}

/** The request's form parameters; none when its content type does not announce a form. */
export function readForm(request: Request): URLSearchParams {
  const type = request.headers['content-type'] ?? '';
  const isForm = /^application\/x-www-form-urlencoded\s*(;|$)/i.test(type);
  return new URLSearchParams(isForm ? request.body.toString('utf8') : '');
}

/**
 * The Basic credentials of `request`, taken raw as both environments do, unless the header `X-CF-ENCODED-CREDENTIALS:
 * true` announces URL-encoded ones (UAA's ClientBasicAuthenticationFilter).
 */
export function basicCredentials(request: Request): Credentials | undefined {
  const encoded = /^basic +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [, clientId, clientSecret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  if (clientId === undefined || clientSecret === undefined) return undefined;
  if (request.headers['x-cf-encoded-credentials'] !== 'true') return { clientId, clientSecret };
  // Form decoding, as Java's URLDecoder does it: a plus sign is a space, and a broken escape stays as it is.
  const decode = (text: string): string => new URLSearchParams(`v=${text.replaceAll('&', '%26')}`).get('v') ?? '';
  return { clientId: decode(clientId), clientSecret: decode(clientSecret) };
}

function formCredentials(form: URLSearchParams): Credentials | undefined {
  const clientId = form.get('client_id');
  const clientSecret = form.get('client_secret');
  return clientId === null || clientSecret === null ? undefined : { clientId, clientSecret };
}
