/**
 * Who signed a request for AWS (Signature Version 4), as a gateway checks it on a route with AWS_IAM. Policies are not
 * imitated: every known identity may invoke everything.
 *
 * @see AWS IAM User Guide, "Create a signed AWS API request"
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Request } from '../../server/server.ts';

/** A user with an access key. */
export interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly userArn: string;
}

export interface SignatureOptions {
  readonly identities: readonly Identity[];
  readonly region: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

const SERVICE = 'execute-api';
const TOLERANCE_MS = 300_000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request,\s*SignedHeaders=([\w;-]+),\s*Signature=([0-9a-f]{64})$/;

/** @returns undefined if nobody known has signed exactly this request, now, for this gateway */
export function signedBy(request: Request, { identities, region, now }: SignatureOptions): Identity | undefined {
  const { authorization = '', 'x-amz-date': date = '' } = request.headers;
  const [, keyId, day = '', signedRegion, service, signedHeaders = '', signature = ''] =
    AUTHORIZATION.exec(authorization) ?? [];
  const identity = identities.find(({ accessKeyId }) => accessKeyId === keyId);
  const names = signedHeaders.split(';');
  if (identity === undefined || signedRegion !== region || service !== SERVICE) return undefined;
  if (!date.startsWith(day) || !names.includes('host') || Math.abs(timeOf(date) - now) > TOLERANCE_MS) return undefined;

  const scope = `${day}/${region}/${SERVICE}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, hash(canonical(request, names))].join('\n');
  const key = [day, region, SERVICE, 'aws4_request'].reduce<string | Buffer>(
    (last, part) => hmac(last, part),
    `AWS4${identity.secretAccessKey}`,
  );
  return timingSafeEqual(hmac(key, text), Buffer.from(signature, 'hex')) ? identity : undefined;
}

/** What of it is signed; the body too, whether or not a header says its hash. */
function canonical({ method, path, query, headers, body }: Request, names: readonly string[]): string {
  const sorted = [...query].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort();
  const lines = names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`);
  // Twice, as for every service but S3: it is in the request encoded already.
  const twice = path.split('/').map(encoded).join('/');
  return [method, twice, sorted.join('&'), lines.join(''), names.join(';'), hash(body)].join('\n');
}

/** RFC 3986: all but the unreserved. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** `20260901T080000Z`; NaN for what is none. */
function timeOf(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function hash(value: string | Uint8Array): string {
  return createHash('sha256').update(value).digest('hex');
}

function hmac(key: string | Buffer, value: string): Buffer {
  return createHmac('sha256', key).update(value).digest();
}
