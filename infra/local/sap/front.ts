/**
 * What stands in front of SAP's servers, or around them: the load balancer's TLS, and answers that come from it or from
 * the servlet container and not from the service itself, HTML and plain text where a client expects JSON. Handed to a
 * server's `fail`, they are faults; the emulated servers use `tomcatPage` themselves.
 */
import type { ServerOptions } from 'node:https';
import type { CertificateAuthority } from '../server/certificates.ts';
import type { Answer } from '../server/server.ts';

/** 429 of the authorization server's nginx, HTML with `Retry-After` in seconds (SAP: "Rate Limiting" of XSUAA). */
export function tooManyRequests({ retryAfterSeconds }: { readonly retryAfterSeconds: number }): Answer {
  const answer = nginxPage(429, 'Too Many Requests');
  return { ...answer, headers: { ...answer.headers, 'Retry-After': String(retryAfterSeconds) } };
}

/** 503 of nginx, as while a server is restarted; with `Retry-After` where a number of seconds is given. */
export function serviceUnavailable({ retryAfterSeconds }: { readonly retryAfterSeconds?: number } = {}): Answer {
  const answer = nginxPage(503, 'Service Temporarily Unavailable');
  if (retryAfterSeconds === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'Retry-After': String(retryAfterSeconds) } };
}

/** Any status as nginx words it: 502 "Bad Gateway", 504 "Gateway Time-out", or even 200. */
export function nginxPage(status: number, reason: string): Answer {
  const title = `${status} ${reason}`;
  return {
    status,
    headers: { 'Content-Type': 'text/html', Server: 'nginx' },
    body: `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`,
  };
}

/** 404 of Cloud Foundry's router for a host that nobody has mapped (Tutorials issue 7150). */
export function unknownRoute(host: string): Answer {
  return {
    status: 404,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Cf-RouterError': 'unknown_route' },
    body: `404 Not Found: Requested route ('${host}') does not exist.\n`,
  };
}

/** An error page of Apache Tomcat 9, the container that a runtime node and its servlets run in. */
export function tomcatPage(status: number, reason: string): Answer {
  const title = `HTTP Status ${status} – ${reason}`;
  return {
    status,
    headers: { 'Content-Type': 'text/html;charset=utf-8', 'Content-Language': 'en' },
    body: `<!doctype html><html lang="en"><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`,
  };
}

/**
 * TLS that asks each client for a certificate. One that `authority` has not issued, or none, ends the connection where
 * the client is `required` to have one, and else is left to the service to judge, which alone knows the landscape's
 * clock.
 */
export function clientCertificateTls(authority: CertificateAuthority, required: boolean): ServerOptions {
  return { ...authority.serverCertificate(), ca: authority.caPem, requestCert: true, rejectUnauthorized: required };
}
