/**
 * The handshake by which SAP Event Mesh, and other senders of CloudEvents, ask before the first event whether they may
 * send. It verifies nothing: the events themselves come with credentials like any request.
 *
 * @see HTTP 1.1 Web Hooks for Event Delivery 1.0 section 4 (CloudEvents), "Abuse Protection"
 */
import type { HttpEvent, HttpReply } from './event.ts';
import { OWN_HEADERS } from './problem.ts';

/** The characters of a scheme, a host and a port. Nothing else is repeated in the reply. */
const ORIGIN = /^[\w.:/[\]-]{1,253}$/;

/**
 * The reply to an origin that may send; undefined for any other. `WebHook-Request-Callback` is never called.
 *
 * @param allowedOrigins `*` stands for all
 */
export function handshake({ method, headers }: HttpEvent, allowedOrigins: readonly string[]): HttpReply | undefined {
  if (method !== 'OPTIONS') return undefined;
  const origin = headers['webhook-request-origin'] ?? '';
  // Host names are case-insensitive.
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
