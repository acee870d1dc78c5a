/**
 * The headers of a call: what the adapter wants, what came with the message, its content type and id, what the settings
 * say, and the token. Of two that bear one name, in upper or lower case, the later in this order counts.
 */
import { RelayError } from '../../error.ts';
import { BODY_HEADERS, goesAlong, isSendable, isToken } from '../../http/headers.ts';
import type { Message } from '../../message/message.ts';
import type { Destination } from '../../settings/destination.ts';
import type { Token } from '../../token/token-endpoint.ts';

/** What the adapter wants of a call's headers. */
export interface Wanted {
  /** Default: the message's, else the destination's. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws RelayError `MESSAGE_INVALID` if the message's content type, or a header that goes along, can stand in no request */
export type CallHeaders = (message: Message, wanted: Wanted, token: Token) => Record<string, string>;

/** What does not depend on the message is worked out here, once. */
export function createCallHeaders(destination: Destination): CallHeaders {
  const { contentType, headers } = destination;
  const ours = namesOfOurs(destination);
  const isIdSet = Object.keys(headers).some((name) => name.toLowerCase() === destination.idHeader?.toLowerCase());
  const idHeader = isIdSet ? undefined : destination.idHeader;
  const forwarded = createForwarding(destination);

  return function callHeaders(message, wanted, token) {
    const type = wanted.contentType ?? message.contentType ?? contentType;
    if (type !== contentType && !isSendable(type)) {
      throw new RelayError('MESSAGE_INVALID', 'contentType: expected a media type; the sender must correct it');
    }
    const passed = forwarded(message.headers);
    const call: Record<string, string> = {};
    for (const name in wanted.headers) {
      const lower = name.toLowerCase();
      if (!ours.has(lower) && !Object.hasOwn(passed, lower)) call[name] = wanted.headers[name] ?? '';
    }
    for (const name in passed) call[name] = passed[name] ?? '';
    call['Content-Type'] = type;
    if (idHeader !== undefined) call[idHeader] = message.id;
    Object.assign(call, headers);
    if (token.accessToken !== '') call.Authorization = `Bearer ${token.accessToken}`;
    return call;
  };
}

/** Of a message's headers those that reach the flow. @throws RelayError `MESSAGE_INVALID` if one can stand in no request */
export type Forwarding = (headers: Message['headers']) => Record<string, string>;

export type ForwardingSettings = Pick<Destination, 'headers' | 'idHeader' | 'forwardHeaders' | 'webhook'>;

/** What gives way to a header of ours, or is not listed, is left out, whatever it is. */
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

/** Lower case: the settings' headers, and the one with the id. */
function namesOfOurs({ headers, idHeader }: Pick<Destination, 'headers' | 'idHeader'>): Set<string> {
  const names = [...Object.keys(headers), ...(idHeader === undefined ? [] : [idHeader])];
  return new Set(names.map((name) => name.toLowerCase()));
}

function unsendable(what: string): RelayError {
  return new RelayError('MESSAGE_INVALID', `${what} that no HTTP request can carry; the sender must correct it`);
}
