/**
 * The front door: which destination a request asks for, whether its sender may come in, and whether the destination
 * takes what it brings, in the order in which a stranger learns least. A message exists only once all of that held.
 */
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { BODY_HEADERS, namesIn, passedOn } from '../http/headers.ts';
import type { Message } from '../message/message.ts';
import type { WebhookSettings } from '../settings/destination.ts';
import type { HttpEvent, HttpReply } from './event.ts';
import { isSpoiled } from './gateway-text.ts';
import { handshake } from './handshake.ts';
import { messageIdOf } from './message-id.ts';
import { NOT_UTF_8, problem, UNAUTHORIZED } from './problem.ts';
import { NOBODY, type Refused, type Verifier, verifierOf } from './verification/verifier.ts';

/** A door that is open to some: one destination's webhook. */
export interface Door<R> {
  readonly name: string;
  readonly webhook: WebhookSettings;
  /** What the destination forwards where the webhook says nothing of its own. */
  readonly forwardHeaders: readonly string[];
  /** The ways in; any one lets in. */
  readonly verifiers: readonly Verifier[];
  /** What lies behind it. */
  readonly behind: R;
}

export type Admission<R> =
  | { readonly message: Message; readonly door: Door<R> }
  /** Answered here; nothing is passed on. The handshake's answer is none of displeasure, but it ends here, too. */
  | { readonly refusal: HttpReply; readonly cause?: RelayError; readonly turnedAway?: TurnedAway };

/** What verification turned away; for the log, and not for the one who sent it. */
export interface TurnedAway extends Partial<Refused> {
  /** Absent: none by the name that was asked for. */
  readonly destination?: string;
}

const UNAVAILABLE = problem('unavailable', { headers: { 'Retry-After': '30' } });
const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'];

export interface AdmissionOptions {
  readonly deadline: Deadline;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** Lets a request in, or says with which reply it is turned away. */
export async function admit<R>(
  event: HttpEvent | undefined,
  doorOf: (name: string) => Door<R> | 'out-of-order' | undefined,
  { deadline, now = Date.now }: AdmissionOptions,
): Promise<Admission<R>> {
  if (event === undefined) return { refusal: problem('malformed-request') };
  const segment = /\/webhooks\/([^/]+)$/.exec(event.path)?.[1];
  if (segment === undefined) return { refusal: problem('not-found') };
  const readable = decoded(segment);
  if (readable === undefined || event.body === undefined) return { refusal: problem('malformed-request') };
  const name = event.isPathEncoded ? readable : segment;
  const found = doorOf(name);
  const door = found === 'out-of-order' ? undefined : found;
  if (!METHODS.includes(event.method)) {
    return { refusal: handshake(event, door?.webhook.allowedOrigins ?? []) ?? notAllowed(['POST']) };
  }

  // A 401 would tell a good sender to stop.
  if (found === 'out-of-order') return { refusal: UNAVAILABLE };

  let verified: Awaited<ReturnType<typeof verifierOf>>;
  try {
    verified = await verifierOf(event, door?.verifiers ?? [NOBODY], { deadline, now });
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return { refusal: UNAVAILABLE, cause: error };
  }
  if (door === undefined) return { refusal: UNAUTHORIZED, turnedAway: {} };
  if ('refused' in verified)
    return { refusal: UNAUTHORIZED, turnedAway: { destination: door.name, ...verified.refused } };

  const { webhook } = door;
  const contentType = event.headers['content-type'];
  if (!webhook.methods.includes(event.method)) return { refusal: notAllowed(webhook.methods) };
  if (headerBytes(event) > webhook.maxHeaderBytes) return { refusal: problem('header-fields-too-large') };
  if (!takes(webhook.contentTypes, contentType)) return { refusal: problem('unsupported-media-type') };
  if (isSpoiled(event)) return { refusal: NOT_UTF_8 };
  if (event.body.byteLength > webhook.maxBodyBytes) return { refusal: problem('content-too-large') };
  return { door, message: messageOf(withoutKeys(event, door), event.body, door, verified.verifier) };
}

/** A key in a header is a credential: from here on it is as if it had not been sent. */
function withoutKeys<R>(event: HttpEvent, { verifiers }: Door<R>): HttpEvent {
  const headers = Object.assign(Object.create(null), event.headers);
  for (const { keyHeader } of verifiers) if (keyHeader !== undefined) delete headers[keyHeader];
  return { ...event, headers };
}

function messageOf<R>(
  event: HttpEvent,
  body: Buffer,
  { webhook, forwardHeaders }: Door<R>,
  verifier: Verifier,
): Message {
  const { 'content-type': contentType, connection, ...others } = event.headers;
  const headers = passedOn(others, [...BODY_HEADERS, ...(webhook.forwardHeaders ?? forwardHeaders)]);
  for (const name of namesIn(connection)) delete headers[name];
  return {
    id: messageIdOf(event, [webhook.messageId, verifier.messageIdOf?.(event)]),
    headers,
    body: { bytes: body.byteLength, open: () => body },
    // An empty one says as little as none.
    ...(contentType ? { contentType } : {}),
  };
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not percent-encoding of UTF-8 (RFC 3986 section 2.1): the caller answers it.
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
