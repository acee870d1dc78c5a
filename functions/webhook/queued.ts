/** Mode `queued`: the caller is told that the message is safe, or that it is not and whether trying again can help. */
import type { Enqueued } from './enqueue.ts';
import type { HttpEvent, HttpReply } from './event.ts';
import { pointed } from './json-pointer.ts';
import { OWN_HEADERS, problem } from './problem.ts';

export function queuedReply(enqueued: Enqueued, messageId: string): HttpReply {
  switch (enqueued) {
    case 'queued':
      return {
        status: 202,
        headers: { 'Content-Type': 'application/json', ...OWN_HEADERS },
        body: JSON.stringify({ messageId }),
      };
    case 'too-large':
      return problem('content-too-large');
    case 'unsendable':
      return problem('rejected');
    case 'unavailable':
      return problem('unavailable', { headers: { 'Retry-After': '30' } });
  }
}

/**
 * The lane in which a message is to stay behind those before it.
 *
 * @param setting a header's name in lower case, or a JSON pointer; `messageGroupId` of the webhook
 * @returns undefined where the request does not say
 */
export function messageGroupOf({ headers, body }: HttpEvent, setting: string | undefined): string | undefined {
  if (setting === undefined) return undefined;
  return (setting.startsWith('/') ? pointed(body, setting) : headers[setting]) || undefined;
}
