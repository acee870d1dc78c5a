/**
 * The access token that a request carries (RFC 6750 section 2.1), and the name under which it may be written down.
 * Whether it counts is for `token-validation.ts`.
 */
import { createHash } from 'node:crypto';
import type { Request } from '../../server/server.ts';

/** The token of the one `Authorization: Bearer …`; undefined when there is none, an empty one, or more than one. */
export function bearerToken({ headers, rawHeaders }: Request): string | undefined {
  const sent = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization');
  return sent.length === 1 ? /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] : undefined;
}

/** The first 12 hex digits of the token's SHA-256. */
export function fingerprint(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 12);
}
