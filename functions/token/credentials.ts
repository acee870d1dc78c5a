/**
 * OAuth client credentials in the forms in which SAP issues them and Secrets Manager stores them. Reads the JSON, and
 * names what is wrong with it without quoting it.
 */
import type { Secret } from '../aws/secrets-manager.ts';
import { RelayError } from '../error.ts';
import { isSafeUrl } from '../http/safe-url.ts';
import { isRecord, parseJson } from '../untrusted.ts';
import { type ClientCertificate, readCertificate } from './certificate.ts';

/** A client of the authorization server, and how a token is requested for it. */
export interface Credentials {
  readonly clientId: string;
  /** By a secret, or by a certificate and mutual TLS (RFC 8705 section 2). */
  readonly clientAuthentication: { readonly clientSecret: string } | { readonly certificate: ClientCertificate };
  readonly tokenUrl: string;
  /** Neo: parameters in the query, Basic, no body. Cloud Foundry: everything in a form. */
  readonly environment: 'neo' | 'cf';
  /** Host of the runtime node, where the secret is a service key that names it. */
  readonly serviceUrl?: string;
  /** Tells one version of the secret from another. */
  readonly versionId: string;
}

const KEY_FIELDS = ['clientid', 'clientsecret', 'tokenurl', 'certificate'];

/**
 * Reads credentials in one of these forms, which differ in their fields; further fields are ignored:
 *
 * - `{"clientId","clientSecret","tokenUrl"}` - a service key, `{"oauth":{"clientid","clientsecret","tokenurl","url"}}`,
 * or its fields without `oauth` - a service key with `certificate` and `key` instead of the secret. For an external
 * certificate SAP issues no `key`; it may be added next to `oauth`
 *
 * The token profile is `neo` if the token URL's path begins with `/oauth2/api/`, else `cf`; `"environment"` overrides
 * it.
 *
 * @param secretName only for errors
 * @throws RelayError `SECRET_MALFORMED`, naming the field and what was expected
 * @see SAP Help, "Creating Service Instance and Service Key for Inbound Authentication"
 */
export function readCredentials(secret: Secret, secretName: string): Credentials {
  const refuse = (problem: string) =>
    new RelayError('SECRET_MALFORMED', `secret "${secretName}": ${problem}; the operator must correct the secret`);

  const json = parseJson(secret.text);
  if (!isRecord(json)) throw refuse('expected a JSON object');
  const root: Record<string, unknown> = json;
  const nested = json.oauth;
  if (nested !== undefined && !isRecord(nested)) throw refuse('"oauth": expected an object, as in a service key');
  const fields = nested ?? json;
  const isNeutral = nested === undefined && 'clientId' in fields;
  const isKey = nested !== undefined || (!isNeutral && KEY_FIELDS.some((name) => name in fields));
  const prefix = nested === undefined ? '' : 'oauth.';

  function text(name: string, from: Record<string, unknown> = fields): string {
    const value = from[name];
    if (value === undefined) throw refuse(`"${prefix}${name}" is missing`);
    if (typeof value !== 'string' || value === '')
      throw refuse(`"${prefix}${name}": expected a text that is not empty`);
    return value;
  }
  function safeUrl(name: string): string {
    const value = text(name);
    if (!isSafeUrl(value)) {
      throw refuse(
        `"${prefix}${name}": expected an https: URL without user and fragment (http: for loopback hosts alone)`,
      );
    }
    return value;
  }
  function clientAuthentication(): Credentials['clientAuthentication'] {
    if (!isKey || !('certificate' in fields)) return { clientSecret: text(isKey ? 'clientsecret' : 'clientSecret') };
    const key = text('key', 'key' in fields ? fields : root);
    return {
      certificate: readCertificate(text('certificate'), key, (field, problem) =>
        refuse(`"${prefix}${field}": ${problem}`),
      ),
    };
  }

  const clientId = text(isKey ? 'clientid' : 'clientId');
  if (clientId.includes(':'))
    throw refuse('the client id must not contain ":", since Basic authentication cannot carry it');
  const authentication = clientAuthentication();
  const tokenUrl = safeUrl(isKey ? 'tokenurl' : 'tokenUrl');
  const environment = json.environment ?? (new URL(tokenUrl).pathname.startsWith('/oauth2/api/') ? 'neo' : 'cf');
  if (environment !== 'neo' && environment !== 'cf') throw refuse('"environment": expected "neo" or "cf"');
  if (environment === 'neo' && 'certificate' in authentication)
    throw refuse('a certificate: Neo knows clients with a secret alone');
  return {
    clientId,
    clientAuthentication: authentication,
    tokenUrl,
    environment,
    versionId: secret.versionId,
    ...(isKey && fields.url !== undefined ? { serviceUrl: safeUrl('url') } : {}),
  };
}

/** Whether both make the same request: after a refusal the second one would be refused, too. */
export function sameCredentials(one: Credentials, other: Credentials): boolean {
  const isSameRequest = one.tokenUrl === other.tokenUrl && one.environment === other.environment;
  return isSameRequest && one.clientId === other.clientId && authenticationOf(one) === authenticationOf(other);
}

function authenticationOf({ clientAuthentication: by }: Credentials): string {
  return 'clientSecret' in by ? by.clientSecret : by.certificate.cert;
}
