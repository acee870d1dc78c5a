/**
 * Who may ask the page: programs on this machine, and the page itself. A browser on this machine also asks in the name of
 * other sites, by their scripts, forms and frames, and by names that they have pointed at 127.0.0.1 (DNS rebinding).
 */
import type { IncomingHttpHeaders } from 'node:http';

/** On every answer: nothing is loaded but from here, no text becomes HTML whatever the script does, nobody frames it. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/** @returns what is wrong with the request; undefined where nothing is */
export function strangerTo(headers: IncomingHttpHeaders, port: number, method = 'GET'): string | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(headers.host ?? '')) return `Host: expected ${hosts.join(' or ')}`;
  const { origin } = headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) {
    return 'Origin: expected none, or that of this page';
  }
  // Browsers alone send these two; a link on another site may lead here, and nothing more.
  const { 'sec-fetch-site': site = 'none', 'sec-fetch-mode': mode } = headers;
  const isLink = mode === 'navigate' && (method === 'GET' || method === 'HEAD');
  if (site !== 'none' && site !== 'same-origin' && !isLink) return 'Sec-Fetch-Site: expected same-origin';
  return undefined;
}
