/**
 * What a function returned, as the HTTP answer that a gateway makes of it. The answers of the gateway's own making are
 * in gateway.ts.
 *
 * Sources: the pages named in event.ts; "Remapped headers" in
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html.
 */
import type { Answer } from '../../server/server.ts';
import type { Gateway } from './gateway.ts';
import { isAmong, mediaTypeOf } from './payload.ts';

export interface ReplyOptions {
  readonly gateway: Gateway;
  readonly payloadFormat: '2.0' | '1.0';
  readonly binaryMediaTypes: readonly string[];
  /** The request's `Accept`; a REST API decodes a base64 body only if its first entry is a binary media type. */
  readonly accept: string | undefined;
}

/** Undefined: the gateway cannot read it ("Malformed Lambda proxy response"). */
export function toAnswer(reply: unknown, options: ReplyOptions): Answer | undefined {
  if (options.payloadFormat === '2.0' && !(isObject(reply) && 'statusCode' in reply)) return infer(reply);
  if (!isObject(reply)) return undefined;
  const isRest = options.gateway === 'rest-api';
  if (isRest && Object.keys(reply).some((key) => !REST_FIELDS.has(key))) return undefined;

  const status = readStatus(reply.statusCode ?? (isRest ? 200 : undefined));
  const fields = readHeaders(reply.headers);
  const multiValueFields = options.payloadFormat === '1.0' ? readMultiValueHeaders(reply.multiValueHeaders) : [];
  const cookies = options.payloadFormat === '2.0' ? readList(reply.cookies) : [];
  const body = reply.body ?? '';
  if (status === undefined || fields === undefined || multiValueFields === undefined || cookies === undefined)
    return undefined;
  if (typeof body !== 'string') return undefined;

  const headers = merge(multiValueFields, fields);
  for (const cookie of cookies) add(headers, 'set-cookie', cookie);
  const answerHeaders: Record<string, string[]> = {};
  for (const { name, list } of headers.values()) {
    const passedOn = passOn(name, options.gateway);
    if (passedOn !== undefined) answerHeaders[passedOn] = list;
  }
  if (!headers.has('content-type')) {
    answerHeaders['content-type'] = [isRest ? 'application/json' : 'text/plain;charset=UTF-8'];
  }
  const isDecoded = reply.isBase64Encoded === true && (!isRest || acceptsBinary(options));
  if (isDecoded && !isBase64(body)) return undefined;
  return { status, headers: answerHeaders, body: isDecoded ? Buffer.from(body, 'base64') : body };
}

/** Format 2.0 alone: a return value without `statusCode` is the body of a 200. */
function infer(reply: unknown): Answer {
  const body = typeof reply === 'string' ? reply : JSON.stringify(reply ?? null);
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

/** A REST API refuses a reply with any other field. */
const REST_FIELDS: ReadonlySet<string> = new Set([
  'statusCode',
  'headers',
  'multiValueHeaders',
  'body',
  'isBase64Encoded',
  'cookies',
]);

type Fields = Map<string, { name: string; list: string[] }>;

function add(fields: Fields, name: string, value: string): void {
  const known = fields.get(name.toLowerCase());
  if (known === undefined) fields.set(name.toLowerCase(), { name, list: [value] });
  else if (!known.list.includes(value) || name.toLowerCase() === 'set-cookie') known.list.push(value);
}

/** "API Gateway merges them into a single list"; a pair that stands in both appears once. */
function merge(multiValueFields: readonly [string, string][], fields: readonly [string, string][]): Fields {
  const merged: Fields = new Map();
  for (const [name, value] of [...multiValueFields, ...fields]) add(merged, name, value);
  return merged;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A number, or its digits. */
function readStatus(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599 ? status : undefined;
}

function readHeaders(value: unknown): [string, string][] | undefined {
  if (value === undefined || value === null) return [];
  if (!isObject(value)) return undefined;
  const fields: [string, string][] = [];
  for (const [name, field] of Object.entries(value)) {
    if (!isFieldName(name) || !isScalar(field)) return undefined;
    fields.push([name, String(field)]);
  }
  return fields;
}

function readMultiValueHeaders(value: unknown): [string, string][] | undefined {
  if (value === undefined || value === null) return [];
  if (!isObject(value)) return undefined;
  const fields: [string, string][] = [];
  for (const [name, entry] of Object.entries(value)) {
    const list = readList(entry);
    if (!isFieldName(name) || list === undefined) return undefined;
    for (const item of list) fields.push([name, item]);
  }
  return fields;
}

function readList(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) && value.every(isScalar) ? value.map(String) : undefined;
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value) && !/[\r\n]/.test(String(value));
}

function isFieldName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function acceptsBinary({ accept, binaryMediaTypes }: ReplyOptions): boolean {
  return isAmong(mediaTypeOf(accept?.split(',', 1)[0]), binaryMediaTypes);
}

/** Of these a REST API makes `x-amzn-Remapped-…`. */
const REMAPPED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-length',
  'content-md5',
  'date',
  'expect',
  'host',
  'max-forwards',
  'proxy-authenticate',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
  'warn',
  'www-authenticate',
]);

/** These are the gateway's own to set. */
const OWN: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'trailer',
  'transfer-encoding',
]);

/** The name under which a field is passed on; undefined when it is not. */
function passOn(name: string, gateway: Gateway): string | undefined {
  if (gateway === 'rest-api') return REMAPPED.has(name.toLowerCase()) ? `x-amzn-Remapped-${name}` : name;
  return OWN.has(name.toLowerCase()) ? undefined : name;
}
