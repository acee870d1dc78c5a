/**
 * Admits a request or turns it away: which webhook it is for, whether its sender is verified, and whether the webhook
 * takes it, in the order that reveals least to a stranger. Only an admitted request becomes a message.
 */
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { BODY_HEADERS, namesIn, passedOn } from '../http/headers.ts';
import { bodyOf, type Message } from '../message/message.ts';
import { stableId } from '../message/queued.ts';
import type { HttpEvent, HttpReply } from './event.ts';
import { isSpoiled } from './gateway-text.ts';
import { handshake } from './handshake.ts';
import { pointed } from './json-pointer.ts';
import { messageIdOf } from './message-id.ts';
import { NOT_UTF_8, problem, UNAUTHORIZED, UNAVAILABLE } from './problem.ts';
import type { WebhookRoute, WebhookRoutes } from './routes.ts';
import { NOBODY, type Refused, type Verifier, verifierOf } from './verification/verifier.ts';

export type Admission =
  | {
      readonly message: Message;
      /** `ce-source` of CloudEvents. Empty: the sender names none. */
      readonly eventSource: string;
      readonly route: WebhookRoute;
    }
  | Refusal;

/** The request is answered at once: it is turned away, or it was the handshake, which brings no message. */
export interface Refusal {
  readonly reply: HttpReply;
  /** Why verification was not possible. */
  readonly cause?: RelayError;
  readonly turnedAway?: TurnedAway;
}

/** Why verification turned a request away; for the log, never for the sender. */
export interface TurnedAway extends Partial<Refused> {
  /** Absent: there is no webhook of the requested name. */
  readonly destination?: string;
}

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'];

export async function admit(
  event: HttpEvent | undefined,
  routeOf: WebhookRoutes,
  deadline: Deadline,
): Promise<Admission> {
  if (event === undefined) return { reply: problem('malformed-request') };
  const segment = /\/webhooks\/([^/]+)$/.exec(event.path)?.[1];
  if (segment === undefined) return { reply: problem('not-found') };
  const readable = decoded(segment);
  if (readable === undefined || event.body === undefined) return { reply: problem('malformed-request') };
  const name = event.isPathEncoded ? readable : segment;
  const found = routeOf(name);
  const route = found === 'unusable' ? undefined : found;
  if (!METHODS.includes(event.method)) {
    return { reply: handshake(event, route?.webhook.allowedOrigins ?? []) ?? notAllowed(['POST']) };
  }

  // With a 401 a good sender would stop sending.
  if (found === 'unusable') return { reply: UNAVAILABLE };

  let verified: Awaited<ReturnType<typeof verifierOf>>;
  try {
    verified = await verifierOf(event, route?.verifiers ?? [NOBODY], deadline);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return { reply: UNAVAILABLE, cause: error };
  }
  if (route === undefined) return { reply: UNAUTHORIZED, turnedAway: {} };
  if ('refused' in verified) {
    return { reply: UNAUTHORIZED, turnedAway: { destination: route.destination, ...verified.refused } };
  }

  const { webhook } = route;
  const contentType = event.headers['content-type'];
  if (!webhook.methods.includes(event.method)) return { reply: notAllowed(webhook.methods) };
  if (headerBytes(event) > webhook.maxHeaderBytes) return { reply: problem('header-fields-too-large') };
  if (!takes(webhook.contentTypes, contentType)) return { reply: problem('unsupported-media-type') };
  if (isSpoiled(event)) return { reply: NOT_UTF_8 };
  if (event.body.byteLength > webhook.maxBodyBytes) return { reply: problem('content-too-large') };
  const request = withoutKeys(event, route);
  const message = messageOf(request, event.body, route, verified.verifier);
  return { route, message, eventSource: event.headers['ce-source'] ?? '' };
}

/** A key in a header is a credential: nothing after verification sees it. */
function withoutKeys(event: HttpEvent, { verifiers }: WebhookRoute): HttpEvent {
  const headers = Object.assign(Object.create(null), event.headers);
  for (const { keyHeader } of verifiers) if (keyHeader !== undefined) delete headers[keyHeader];
  return { ...event, headers };
}

function messageOf(
  event: HttpEvent,
  body: Buffer,
  { webhook, forwardHeaders }: WebhookRoute,
  verifier: Verifier,
): Message {
  const { 'content-type': contentType, connection, ...others } = event.headers;
  const headers = passedOn(others, [...BODY_HEADERS, ...(webhook.forwardHeaders ?? forwardHeaders)]);
  for (const name of namesIn(connection)) delete headers[name];
  const group = groupOf(event, webhook.messageGroupId);
  return {
    id: messageIdOf(event, [webhook.messageId, verifier.messageIdOf?.(event)]),
    headers,
    body: bodyOf(body),
    // An empty content type counts as none.
    ...(contentType ? { contentType } : {}),
    ...(group ? { group: stableId(group) } : {}),
  };
}

/** @param place a header's name in lower case, or a JSON pointer */
function groupOf({ headers, body }: HttpEvent, place: string | undefined): string | undefined {
  if (place === undefined) return undefined;
  return place.startsWith('/') ? pointed(body, place) : headers[place];
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not percent-encoding of UTF-8 (RFC 3986 section 2.1).
    return undefined;
  }
}

function notAllowed(methods: readonly string[]): HttpReply {
  return problem('method-not-allowed', { headers: { Allow: methods.join(', ') } });
}

function headerBytes({ headers }: HttpEvent): number {
  return Object.entries(headers).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  );
}

function takes(contentTypes: readonly string[] | undefined, contentType: string | undefined): boolean {
  if (contentTypes === undefined) return true;
  const [type = ''] = (contentType ?? '').toLowerCase().split(';', 1);
  return contentTypes.some(
    (taken) => taken === type.trim() || (taken.endsWith('/*') && type.startsWith(taken.slice(0, -1))),
  );
}
