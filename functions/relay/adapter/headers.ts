/**
 * The headers of a call: the adapter's, the message's, its content type and id, the settings', and the token. Of two
 * with the same name, in upper or lower case, the later in this order counts.
 */
import { RelayError } from '../../error.ts';
import { BODY_HEADERS, goesAlong, isSendable, isToken } from '../../http/headers.ts';
import type { Message } from '../../message/message.ts';
import type { Destination } from '../../settings/destination.ts';
import type { Token } from '../../token/token-endpoint.ts';

/** The headers that an adapter asks for. */
export interface HeaderWish {
  /** Default: the message's, else the destination's. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws RelayError `MESSAGE_INVALID` if the message's content type, or a forwarded header, is not valid in HTTP */
export type CallHeaders = (message: Message, wish: HeaderWish, token: Token) => Record<string, string>;

/** Computes once what does not depend on the message. */
export function createCallHeaders(destination: Destination): CallHeaders {
  const { contentType, headers } = destination;
  const ours = namesOfOurs(destination);
  const isIdSet = Object.keys(headers).some((name) => name.toLowerCase() === destination.idHeader?.toLowerCase());
  const idHeader = isIdSet ? undefined : destination.idHeader;
  const forwarded = createForwarding(destination);

  return function callHeaders(message, wish, token) {
    const type = wish.contentType ?? message.contentType ?? contentType;
    if (type !== contentType && !isSendable(type)) {
      throw new RelayError('MESSAGE_INVALID', 'contentType: expected a media type; the sender must correct it');
    }
    const passed = forwarded(message.headers);
    const call: Record<string, string> = {};
    for (const name in wish.headers) {
      const lower = name.toLowerCase();
      if (!ours.has(lower) && !Object.hasOwn(passed, lower)) call[name] = wish.headers[name] ?? '';
    }
    for (const name in passed) call[name] = passed[name] ?? '';
    call['Content-Type'] = type;
    if (idHeader !== undefined) call[idHeader] = message.id;
    Object.assign(call, headers);
    if (token.accessToken !== '') call.Authorization = `Bearer ${token.accessToken}`;
    return call;
  };
}

/** The headers of a message that reach the flow. @throws RelayError `MESSAGE_INVALID` if one is not valid in HTTP */
export type Forwarding = (headers: Message['headers']) => Record<string, string>;

export type ForwardingSettings = Pick<Destination, 'headers' | 'idHeader' | 'forwardHeaders' | 'webhook'>;

/** Leaves out what is not listed and what a header of ours replaces, without looking at its value. */
export function createForwarding(settings: ForwardingSettings): Forwarding {
  const patterns = [...BODY_HEADERS, ...settings.forwardHeaders, ...(settings.webhook?.forwardHeaders ?? [])];
  const ours = namesOfOurs(settings);

  return function forwarded(headers) {
    const passed: Record<string, string> = {};
    for (const name in headers) {
      if (ours.has(name) || !goesAlong(name, patterns)) continue;
      const value = headers[name] ?? '';
      if (!isToken(name)) throw unsendable('a header of the message has a name');
      if (!isSendable(value)) throw unsendable(`header "${name}" of the message has a value`);
      passed[name] = value;
    }
    return passed;
  };
}

/** Lower-case names of the settings' headers and of the one with the id. */
function namesOfOurs({ headers, idHeader }: Pick<Destination, 'headers' | 'idHeader'>): Set<string> {
  const names = [...Object.keys(headers), ...(idHeader === undefined ? [] : [idHeader])];
  return new Set(names.map((name) => name.toLowerCase()));
}

function unsendable(what: string): RelayError {
  return new RelayError('MESSAGE_INVALID', `${what} that no HTTP request can carry; the sender must correct it`);
}
