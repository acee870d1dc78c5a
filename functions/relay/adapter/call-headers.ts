/**
 * The headers of a call: what the adapter wants, what came with the message, its content type and id, what the settings
 * say, and the token. Of two that bear one name, in upper or lower case, the later in this order counts.
 */
import { RelayError } from '../../error.ts';
import type { Token } from '../../token/token-endpoint.ts';
import type { Destination } from '../destination.ts';
import { BODY_HEADERS, isSendable, passedOn } from '../headers.ts';
import type { Message } from '../message.ts';

/** What the adapter wants of a call's headers. */
export interface Wanted {
  /** Default: the message's, else the destination's. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws RelayError `MESSAGE_INVALID` if the message's content type can stand in no header */
export type CallHeaders = (message: Message, wanted: Wanted, token: Token) => Record<string, string>;

/** What does not depend on the message is worked out here, once. */
export function createCallHeaders({ contentType, headers, ...destination }: Destination): CallHeaders {
  const patterns = [...BODY_HEADERS, ...destination.forwardHeaders, ...(destination.webhook?.forwardHeaders ?? [])];
  const set = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const idName = destination.idHeader?.toLowerCase();
  const idHeader = idName === undefined || set.has(idName) ? undefined : destination.idHeader;
  const ours = new Set(idName === undefined ? set : [...set, idName]);

  return function callHeaders(message, wanted, token) {
    const type = wanted.contentType ?? message.contentType ?? contentType;
    if (type !== contentType && !isSendable(type)) {
      throw new RelayError('MESSAGE_INVALID', 'contentType: expected a media type; the sender must correct it');
    }
    const passed = passedOn(message.headers, patterns);
    const call: Record<string, string> = {};
    for (const name in wanted.headers) {
      const lower = name.toLowerCase();
      if (!ours.has(lower) && !Object.hasOwn(passed, lower)) call[name] = wanted.headers[name] ?? '';
    }
    for (const name in passed) if (!ours.has(name)) call[name] = passed[name] ?? '';
    call['Content-Type'] = type;
    if (idHeader !== undefined) call[idHeader] = message.id;
    Object.assign(call, headers);
    if (token.accessToken !== '') call.Authorization = `Bearer ${token.accessToken}`;
    return call;
  };
}
