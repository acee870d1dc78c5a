/**
 * HTTP events in all shapes of AWS: HTTP API and function URL (payload 2.0), REST API and HTTP API (1.0), load
 * balancer. Reads the event as a request, and writes the reply.
 *
 * @see Amazon API Gateway Developer Guide, "Working with AWS Lambda proxy integrations for HTTP APIs"
 */
import { isBase64, isRecord } from '../untrusted.ts';

/** A request, whatever gateway it came through. */
export interface HttpEvent {
  readonly method: string;
  /** As the gateway gave it, without the query. */
  readonly path: string;
  /** Whether the path is still percent-encoded: HTTP APIs decode it, the others pass it on as it was sent. */
  readonly isPathEncoded: boolean;
  /** Lower-case names; repeated ones joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined if the event says base64 and the body is not. */
  readonly body: Buffer | undefined;
  /** Whether the body came as a text: the gateway has decoded it as UTF-8 then, whatever it was. */
  readonly isBodyText: boolean;
  /** Whether the event had lists of headers, so that the reply must have them, too. */
  readonly multiValue: boolean;
  /** The AWS identity that signed the request, where the gateway checked one; absent where it did not. */
  readonly iamIdentity?: string;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes become base64 in the reply, unless they are UTF-8 of a textual content type. */
  readonly body: string | Buffer;
}

/** @returns undefined if the event is not of HTTP */
export function readHttpEvent(event: unknown): HttpEvent | undefined {
  if (!isRecord(event)) return undefined;
  const context = isRecord(event.requestContext) ? event.requestContext : {};
  const http = isRecord(context.http) ? context.http : {};
  const isVersion2 = event.version === '2.0';
  const method = isVersion2 ? http.method : event.httpMethod;
  const path = isVersion2 ? event.rawPath : event.path;
  if (typeof method !== 'string' || typeof path !== 'string') return undefined;
  const multiValue = isRecord(event.multiValueHeaders);
  const headers = multiValue ? event.multiValueHeaders : event.headers;
  return {
    method: method.toUpperCase(),
    path,
    isPathEncoded: typeof event.version !== 'string' || asText(context.domainName).includes('.lambda-url.'),
    headers: lowerCase(isRecord(headers) ? headers : {}),
    body: readBody(event),
    isBodyText: event.isBase64Encoded !== true,
    multiValue,
    ...iamIdentity(context),
  };
}

/** HTTP API 2.0 and function URL: `authorizer.iam`. REST API and HTTP API 1.0: `identity`. Load balancer: never. */
function iamIdentity({ authorizer, identity, elb }: Record<string, unknown>): Pick<HttpEvent, 'iamIdentity'> {
  if (elb !== undefined) return {};
  const iam = isRecord(authorizer) && isRecord(authorizer.iam) ? authorizer.iam : {};
  const named = [iam.userArn, iam.userId, isRecord(identity) ? identity.userArn : undefined];
  const [iamIdentity] = named.filter((name) => typeof name === 'string' && name !== '');
  return typeof iamIdentity === 'string' ? { iamIdentity } : {};
}

/** The reply in the shape that belongs to the event. */
export function toReply(reply: HttpReply, event: Pick<HttpEvent, 'multiValue'> | undefined) {
  const isText = typeof reply.body === 'string' || isSafeAsText(reply.body, reply.headers);
  return {
    statusCode: reply.status,
    ...(event?.multiValue === true
      ? { multiValueHeaders: Object.fromEntries(Object.entries(reply.headers).map(([name, value]) => [name, [value]])) }
      : { headers: reply.headers }),
    body: isText ? reply.body.toString() : (reply.body as Buffer).toString('base64'),
    isBase64Encoded: !isText,
  };
}

/** Whether Lambda takes the reply. */
export function fitsLambda(reply: HttpReply): boolean {
  // A body grows by a third at most, as base64 or as text.
  if (reply.body.length <= MAX_REPLY_BYTES / 2) return true;
  // The shape with lists of headers is the longest.
  return Buffer.byteLength(JSON.stringify(toReply(reply, { multiValue: true }))) <= MAX_REPLY_BYTES;
}

/** 6 MB with everything in it. @see AWS Lambda Developer Guide, "Lambda quotas", invocation payload */
const MAX_REPLY_BYTES = 6_291_456;

function readBody({ body, isBase64Encoded }: Record<string, unknown>): Buffer | undefined {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body !== 'string') return undefined;
  if (isBase64Encoded !== true) return Buffer.from(body);
  return isBase64(body) ? Buffer.from(body, 'base64') : undefined;
}

function lowerCase(headers: Record<string, unknown>): Record<string, string> {
  // Without a prototype, since a header may have the name of a property that every object has.
  const joined: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    const one = Array.isArray(value) ? value.map(asText).join(', ') : asText(value);
    joined[key] = joined[key] === undefined ? one : `${joined[key]}, ${one}`;
  }
  return joined;
}

/** Gateways send texts. An object in their place is not converted, since its `toString` may be anything. */
function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** Escapes in the reply's JSON may make a text longer than its base64, and longer than Lambda takes. */
function isSafeAsText(bytes: Buffer, headers: HttpReply['headers']): boolean {
  return (
    isReadableText(bytes, headers) &&
    Buffer.byteLength(JSON.stringify(bytes.toString())) <= (bytes.byteLength * 4) / 3 + 64
  );
}

/** Whether the gateway will turn the text into the very same bytes. */
function isReadableText(bytes: Buffer, headers: HttpReply['headers']): boolean {
  const type = headers['Content-Type'] ?? '';
  const charset = /charset\s*=\s*"?([^\s";]+)/i.exec(type)?.[1] ?? 'utf-8';
  if (headers['Content-Encoding'] !== undefined || !/^utf-?8$/i.test(charset)) return false;
  if (!/^(text\/|application\/([\w.-]+\+)?(json|xml)\b|application\/javascript\b)/i.test(type)) return false;
  return Buffer.from(bytes.toString()).equals(bytes);
}
