/**
 * What all sender adapters have in common: one call of the endpoint with the message's payload, headers and id, the
 * token or the certificate, the CSRF handshake, and a time limit. That is all of SAP's HTTPS sender adapter; SOAP, SAP
 * RM and OData add a `Convention`, in a file of their own.
 *
 * @see SAP Help, "OAuth Client Credentials Grant", step 3; "HTTPS Sender Adapter"
 */
import type { Deadline } from '../../deadline.ts';
import type { HttpAnswer, HttpBody, HttpRequest, Send } from '../../http/http.ts';
import type { Message } from '../../message/message.ts';
import { type Destination, endpoint } from '../../settings/destination.ts';
import type { Token } from '../../token/token-endpoint.ts';
import type { Exchange, Finding } from '../outcome.ts';
import { createCsrf } from './csrf.ts';
import { createCallHeaders, type HeaderWish } from './headers.ts';
import { atRestOfPath, strictUrl } from './path.ts';

/** Sends messages to one destination; keeps its CSRF session warm. */
export interface Adapter {
  /**
   * @throws RelayError `CONNECTION_FAILED`, `CSRF_UNAVAILABLE`, `SECRET_MALFORMED`, `MESSAGE_INVALID`
   */
  exchange(message: Message, token: Token, deadline: Deadline, listeners: CallListeners): Promise<Exchange>;
}

/** Told while the message is sent, not for the fetch of a CSRF token. */
export interface CallListeners {
  /** Each time that the message is sent. */
  readonly onCall: () => void;
  /** A dead socket makes the client send it once more in the same call, so that the flow may run twice. */
  readonly onResend: () => void;
}

export interface AdapterOptions<D extends Destination = Destination> {
  readonly destination: D;
  readonly send: Send;
  /** Longest call, in milliseconds. Default: the destination's `timeoutSeconds`. */
  readonly maxCallMs?: number;
  /** How much of an answer is kept, in bytes. */
  readonly keepBytes?: number;
}

/** What an adapter adds to a call. */
export interface Shape extends HeaderWish {
  /** Query parameters in addition to those of the settings. */
  readonly query?: Readonly<Record<string, string>>;
  /** Default: the payload as it is. */
  readonly body?: HttpBody;
  /** How much of the answer must be kept at least, in bytes. */
  readonly keepBytes?: number;
}

/** What is special about one sender adapter. */
export interface Convention {
  /** @throws RelayError `MESSAGE_INVALID` if the adapter could never take this message */
  shape?(message: Message): Shape | Promise<Shape>;
  /** Reads the answer to a message that was sent in this shape. Never throws, whatever the endpoint answers. */
  read?(answer: HttpAnswer, message: Message, token: Token, shape: Shape): Promise<Finding | undefined>;
  /** Where CSRF tokens are fetched. Default: at the endpoint itself. */
  csrfUrl?(endpoint: URL): URL;
}

export function createAdapter(options: AdapterOptions, { shape, read, csrfUrl }: Convention = {}): Adapter {
  const { destination, send, maxCallMs, keepBytes } = options;
  const longestMs = Math.min(destination.timeoutSeconds * 1000, maxCallMs ?? Number.POSITIVE_INFINITY);
  const csrf = createCsrf({ required: destination.csrf, send, maxCallMs: longestMs });
  const callHeaders = createCallHeaders(destination);

  /** Kept by the secret's `url`, the only part that may change. */
  let known: { readonly serviceUrl: string | undefined; readonly url: URL } | undefined;

  function endpointFor({ serviceUrl }: Token): URL {
    if (known === undefined || known.serviceUrl !== serviceUrl) {
      known = { serviceUrl, url: strictUrl(endpoint(destination, serviceUrl)) };
    }
    return known.url;
  }

  return {
    async exchange(message, token, deadline, { onCall, onResend }) {
      const shaped = shape === undefined ? AS_IT_IS : await shape(message);
      const base = endpointFor(token);
      const request: Mutable<HttpRequest> = {
        method: destination.method,
        url: addressOf(base, message, destination, shaped),
        headers: callHeaders(message, shaped, token),
        body: shaped.body ?? message.body,
        // Not cut to the deadline: the signal ends the call then, which is no fault of the endpoint.
        timeoutMs: longestMs,
        signal: deadline.signal,
        onResend,
      };
      // The rest of the path is from the message: entity keys in it may be personal data.
      if (destination.pathFrom !== undefined) request.shownUrl = `${base.origin}${base.pathname}…`;
      if (token.certificate !== undefined) request.certificate = token.certificate;
      const kept = keptBytes(keepBytes, shaped.keepBytes);
      if (kept !== undefined) request.keepBytes = kept;
      // Without what the message adds to the address: the session is shared by all messages.
      const fetchUrl = csrfUrl?.(base) ?? base;
      const exchange = await csrf.exchange(request, { identity: token, deadline, onCall, fetchUrl });
      if (read === undefined || !exchange.reachedFlow) return exchange;
      const finding = await read(exchange.answer, message, token, shaped);
      return finding === undefined ? exchange : { ...exchange, finding };
    },
  };
}

const AS_IT_IS: Shape = {};

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The same URL object if the message adds nothing: the HTTP client keeps what it parsed of one. */
function addressOf(base: URL, message: Message, { pathFrom }: Destination, { query }: Shape): URL {
  if (pathFrom === undefined && query === undefined) return base;
  const url = pathFrom === undefined ? new URL(base) : atRestOfPath(base, message, pathFrom);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.append(name, value);
  return url;
}

function keptBytes(asked: number | undefined, needed: number | undefined): number | undefined {
  return asked === undefined || needed === undefined ? (asked ?? needed) : Math.max(asked, needed);
}
