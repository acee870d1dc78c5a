/** The id of a webhook's message: the sender's own where there is one, so that its retries have the same id. */
import { randomUUID } from 'node:crypto';
import { stableId } from '../message/queued.ts';
import type { HttpEvent } from './event.ts';
import { pointed } from './json-pointer.ts';

/**
 * The first of: what the setting names, what the verification names, `webhook-id`, `ce-id` or the `id` of a CloudEvent
 * in structured mode, `Idempotency-Key`, `X-Request-Id`; else a new UUID.
 *
 * @param places what the setting and the verification name: headers' names in lower case, or JSON pointers (RFC 6901)
 */
export function messageIdOf(
  { headers, body }: HttpEvent,
  places: readonly (string | undefined)[],
  newId: () => string = randomUUID,
): string {
  const id =
    firstOf(places, (place) => (place.startsWith('/') ? pointed(body, place) : headers[place])) ||
    headers['webhook-id'] ||
    headers['ce-id'] ||
    (/^application\/cloudevents\+json\b/i.test(headers['content-type'] ?? '') ? pointed(body, '/id') : undefined) ||
    headers['idempotency-key']?.replace(/^"(.*)"$/, '$1') ||
    headers['x-request-id'];
  return id ? stableId(id) : newId();
}

function firstOf(
  places: readonly (string | undefined)[],
  valueAt: (place: string) => string | undefined,
): string | undefined {
  for (const place of places) {
    const value = place === undefined ? undefined : valueAt(place);
    if (value) return value;
  }
  return undefined;
}
