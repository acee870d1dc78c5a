/**
 * Verification `standard-webhooks`: the id, the timestamp and the bytes as they were sent, signed with a key that lies in
 * base64 behind `whsec_`. A few lines of our own: the `standardwebhooks` package (1.1.1) reads the body as UTF-8 before it
 * hashes it, so that what it checks need not be the bytes that came; it knows one secret, 300 s and the process's clock
 * alone; it would put 12 kB into the bundle to hash in JavaScript, 9.6 ms for 1 MB where Node takes 0.7.
 * Svix and those who send by it (Clerk) call the same three headers `svix-…`.
 *
 * @see Standard Webhooks 1.0.0, "Webhook content" and "Signature scheme"; Svix, "Verifying webhooks manually"
 */
import { createHmac } from 'node:crypto';
import type { StandardWebhooksVerification } from '../../settings/verification.ts';
import type { HttpEvent } from '../event.ts';
import { anyEqual, digest, digestOfEncoded } from './comparison.ts';
import type { Proof } from './proof.ts';
import { isTimely } from './timestamp.ts';

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
/** The specification names no number; a header of nothing but signatures is not worth the comparisons. */
const MOST_SIGNATURES = 16;

/** What is kept of an entry: the key. */
export function standardWebhooks({
  toleranceSeconds,
}: Pick<StandardWebhooksVerification, 'toleranceSeconds'>): Proof<'secret', Buffer> {
  return {
    fields: ['secret'],
    keep({ secret }, refuse) {
      const key = Buffer.from(SECRET.exec(secret)?.[1] ?? '', 'base64');
      // A single character has the alphabet of base64 and stands for no byte: with that key anyone can sign.
      if (key.byteLength === 0) throw refuse('"secret": expected whsec_ and a key in base64');
      return key;
    },
    isPresentedBy: ({ headers }) => Boolean(headers[named('signature', headers)]),
    judge({ headers, body = Buffer.alloc(0) }, keys, nowMs) {
      const id = headers[named('id', headers)] ?? '';
      const timestamp = headers[named('timestamp', headers)] ?? '';
      const presented = (headers[named('signature', headers)] ?? '')
        .split(' ')
        .filter((signature) => signature.startsWith('v1,'))
        .slice(0, MOST_SIGNATURES)
        .map((signature) => digestOfEncoded(signature.slice('v1,'.length), 'base64'));
      const expected = keys.map((key) =>
        digest(createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()),
      );
      if (!anyEqual(expected, presented) || id === '') return 'wrong-signature';
      return isTimely(timestamp, toleranceSeconds, nowMs) ? 'holds' : 'timestamp';
    },
    messageIdOf: ({ headers }) => named('id', headers),
  };
}

/** All three of one family: what is signed must not lend its signature to an id that is not. */
function named(part: 'id' | 'timestamp' | 'signature', headers: HttpEvent['headers']): string {
  return `${headers['webhook-signature'] ? 'webhook' : 'svix'}-${part}`;
}
