/**
 * A request's body as it lies in an event: text, or base64. Each kind of gateway tells the two apart in its own way.
 */
import type { Gateway } from './gateway.ts';

export interface Payload {
  readonly body: string | undefined;
  readonly isBase64Encoded: boolean;
}

export interface PayloadOptions {
  readonly gateway: Gateway;
  /** Of a REST API; an HTTP API has no such setting. */
  readonly binaryMediaTypes: readonly string[];
}

export function toPayload(
  body: Buffer,
  headers: { readonly contentType: string | undefined; readonly contentEncoding: string | undefined },
  options: PayloadOptions,
): Payload {
  if (body.byteLength === 0) return { body: undefined, isBase64Encoded: false };
  const mediaType = mediaTypeOf(headers.contentType);
  const isBinary =
    options.gateway === 'rest-api'
      ? isAmong(mediaType, options.binaryMediaTypes)
      : !isText(mediaType) || (headers.contentEncoding ?? 'identity').toLowerCase() !== 'identity';
  return isBinary
    ? { body: body.toString('base64'), isBase64Encoded: true }
    : // Bytes that are no UTF-8 are lost here, as a gateway that passes on text must lose them.
      { body: body.toString('utf8'), isBase64Encoded: false };
}

/**
 * Text for an HTTP API. Observed on AWS: everything else arrives base64, `application/problem+json`,
 * `application/x-www-form-urlencoded` and a missing Content-Type with it. That any Content-Encoding makes it base64 is
 * documented for load balancers, which have the same list, and assumed here.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
 */
function isText(mediaType: string): boolean {
  if (mediaType.startsWith('text/')) return true;
  return ['application/json', 'application/xml', 'application/javascript'].includes(mediaType);
}

/** As in a REST API's list: a media type, `image/` with a star, or two stars for all. */
export function isAmong(mediaType: string, list: readonly string[]): boolean {
  const [type] = mediaType.split('/');
  return list.some((entry) => [mediaType, `${type}/*`, '*/*'].includes(entry));
}

/** Lower-case, without parameters; empty when there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
