/**
 * What a runtime node says when no flow speaks for it: the refusals of its servlet container and its adapters, in the
 * words and shapes that were documented or observed. When to say which is for `runtime-node.ts`.
 */
import type { Answer, Request } from '../../server/server.ts';
import type { Environment } from '../cockpit/oauth-client.ts';
import { tomcatPage } from '../front.ts';

/**
 * 401. On Cloud Foundry JSON, or its XML twin to a client that asks for XML and not for JSON (Tutorials issues 7150 and
 * 4782); the page of Neo's container and both `WWW-Authenticate` (RFC 6750 section 3) are assumed.
 */
export function unauthorized(environment: Environment, { headers }: Request): Answer {
  if (environment === 'neo') {
    const page = tomcatPage(401, 'Unauthorized');
    return { ...page, headers: { ...page.headers, 'WWW-Authenticate': 'Bearer' } };
  }
  const error = 'unauthorized';
  const description = 'An Authentication object was not found in the SecurityContext';
  const challenge = `Bearer realm="oauth2-resource", error="${error}", error_description="${description}"`;
  const accept = headers.accept ?? '';
  const xml = accept.includes('xml') && !accept.includes('json');
  return {
    status: 401,
    headers: {
      'Content-Type': xml ? 'application/xml;charset=UTF-8' : 'application/json;charset=UTF-8',
      'WWW-Authenticate': challenge,
      'Cache-Control': 'no-store',
      Pragma: 'no-cache',
    },
    body: xml
      ? `<UnauthorizedException><error>${error}</error><error_description>${description}</error_description></UnauthorizedException>`
      : JSON.stringify({ error, error_description: description }),
  };
}

/** 500 of the security filter, before any flow, so without an id of the log. */
export function securityFailure(): Answer {
  return tomcatPage(500, 'Internal Server Error');
}

/** 403 for a user without the flow's role. */
export function forbidden(): Answer {
  return tomcatPage(403, 'Forbidden');
}

/**
 * 403 for a missing or wrong CSRF token; told from the other by its header alone, since both are pages. `word` is the
 * header's value: `required`, as observed at HTTPS, at OData `Required`, as its services have it.
 */
export function csrfRequired(setCookies: readonly string[], word: 'required' | 'Required'): Answer {
  const page = tomcatPage(403, 'Forbidden');
  return { ...page, headers: { ...page.headers, 'X-CSRF-Token': word, ...cookieHeader(setCookies) } };
}

/** 200 with a CSRF token. */
export function csrfFetched(token: string, setCookies: readonly string[]): Answer {
  return { status: 200, headers: { 'X-CSRF-Token': token, ...cookieHeader(setCookies) } };
}

/** 404 of the container: nothing is deployed there, and nothing is logged. */
export function notFound(): Answer {
  return tomcatPage(404, 'Not Found');
}

/** 405, as for HEAD to a flow without CSRF protection (SAP note 2400906). */
export function methodNotAllowed(methods: readonly string[]): Answer {
  const page = tomcatPage(405, 'Method Not Allowed');
  const allowed = methods.filter((method) => method !== 'HEAD');
  return { ...page, headers: { ...page.headers, Allow: allowed.join(', ') } };
}

/** No capacity for one more message, before any flow, so without an id of the log. */
export function exhausted(status: 503 | 429): Answer {
  return tomcatPage(status, status === 503 ? 'Service Unavailable' : 'Too Many Requests');
}

/** 413 of the adapter; the flow does not run, but the log has an entry. */
export function tooLarge(maxBodyBytes: number, mplId: string): Answer {
  const limit = (maxBodyBytes / (1024 * 1024)).toFixed(1);
  return {
    status: 413,
    headers: { 'Content-Type': 'text/plain' },
    body: `Request Entity Too Large: Message body exceeds configured size limit (${limit} MB). The MPL ID for the failed message is : ${mplId}`,
  };
}

function cookieHeader(setCookies: readonly string[]): Record<string, readonly string[]> {
  return setCookies.length === 0 ? {} : { 'Set-Cookie': setCookies };
}
