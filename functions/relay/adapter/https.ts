/**
 * What SAP's HTTPS sender adapter wants of a call: the payload as it is, with its content type, the message id in a
 * header, and the CSRF handshake, which the adapter has on by default.
 *
 * @see SAP Help, "HTTPS Sender Adapter"
 */
import type { Deadline } from '../../deadline.ts';
import { RelayError } from '../../error.ts';
import type { HttpRequest, Send } from '../../http-client.ts';
import type { Token } from '../../token/token-endpoint.ts';
import { type Destination, endpoint } from '../destination.ts';
import { BODY_HEADERS, isSendable, passedOn } from '../headers.ts';
import type { Message } from '../message.ts';
import { createCsrf, type Exchange } from './csrf.ts';

/** How a message is handed to one destination; keeps what the endpoint taught (its CSRF session) warm. */
export interface Adapter {
  /**
   * @param onCall told each time the message goes out
   * @throws RelayError `CONNECTION_FAILED`, `CSRF_UNAVAILABLE`, `SECRET_MALFORMED`, `MESSAGE_INVALID`
   */
  exchange(message: Message, token: Token, deadline: Deadline, onCall: () => void): Promise<Exchange>;
}

export interface AdapterOptions {
  readonly destination: Destination;
  readonly send: Send;
  /** Longest call, in milliseconds. Default: the destination's `timeoutSeconds`. */
  readonly maxCallMs?: number;
  /** How much of an answer is kept, in bytes. */
  readonly keepBytes?: number;
}

export function httpsAdapter({ destination, send, maxCallMs, keepBytes }: AdapterOptions): Adapter {
  const longestMs = Math.min(destination.timeoutSeconds * 1000, maxCallMs ?? Number.POSITIVE_INFINITY);
  /** By the secret's `url`, the one part that may change; nobody changes the URL itself. */
  const endpoints = new Map<string | undefined, URL>();

  function endpointFor({ serviceUrl }: Token): URL {
    const known = endpoints.get(serviceUrl);
    if (known !== undefined) return known;
    const url = endpoint(destination, serviceUrl);
    endpoints.clear();
    endpoints.set(serviceUrl, url);
    return url;
  }

  const csrf = createCsrf({ required: destination.csrf, send, maxCallMs: longestMs });

  return {
    async exchange(message, token, deadline, onCall) {
      const request: HttpRequest = {
        method: destination.method,
        url: endpointFor(token),
        headers: headersOf(message, destination, token),
        body: message.body,
        // The invocation's own end is the signal's: what it cuts off is no fault of the endpoint.
        timeoutMs: longestMs,
        signal: deadline.signal,
        ...(token.certificate === undefined ? {} : { certificate: token.certificate }),
        ...(keepBytes === undefined ? {} : { keepBytes }),
      };
      return csrf.exchange(request, { identity: token, deadline, onCall });
    },
  };
}

function headersOf(message: Message, destination: Destination, token: Token): Record<string, string> {
  const contentType = message.contentType ?? destination.contentType;
  if (!isSendable(contentType)) {
    throw new RelayError('MESSAGE_INVALID', 'contentType: expected a media type; the sender must correct it');
  }
  const patterns = [...BODY_HEADERS, ...destination.forwardHeaders, ...(destination.webhook?.forwardHeaders ?? [])];
  return {
    ...passedOn(message.headers, patterns),
    'Content-Type': contentType,
    [destination.idHeader]: message.id,
    ...destination.headers,
    ...(token.certificate === undefined ? { Authorization: `Bearer ${token.accessToken}` } : {}),
  };
}
