/**
 * The handshake by which SAP Event Mesh, and whoever else sends CloudEvents, asks before the first event whether it may
 * send at all. It is no verification: the events themselves come with credentials like any request.
 *
 * @see HTTP 1.1 Web Hooks for Event Delivery 1.0 section 4 (CloudEvents), "Abuse Protection"
 */
import type { HttpEvent, HttpReply } from './event.ts';
import { OWN_HEADERS } from './problem.ts';

/** What a host, a scheme and a port are written with: nothing else is given back to the one who asked. */
const ORIGIN = /^[\w.:/[\]-]{1,253}$/;

/**
 * The answer to one who may send; undefined for everyone else. `WebHook-Request-Callback` is never called.
 *
 * @param allowedOrigins `*` stands for all
 */
export function handshake({ method, headers }: HttpEvent, allowedOrigins: readonly string[]): HttpReply | undefined {
  if (method !== 'OPTIONS') return undefined;
  const origin = headers['webhook-request-origin'] ?? '';
  // Hosts are written in any case.
  const isAllowed = allowedOrigins.some((one) => one === '*' || one.toLowerCase() === origin.toLowerCase());
  if (!isAllowed || !ORIGIN.test(origin)) return undefined;
  return {
    status: 200,
    headers: {
      ...OWN_HEADERS,
      Allow: 'POST',
      'WebHook-Allowed-Origin': origin,
      'WebHook-Allowed-Rate': '*',
    },
    body: '',
  };
}
