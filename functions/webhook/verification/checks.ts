/**
 * The checks that the kinds of verification share: constant-time comparison of digests, and age of a timestamp. A leaf.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

export function digest(value: string | Uint8Array): Buffer {
  return createHash('sha256').update(value).digest();
}

/**
 * Whether one of the known digests is among the presented ones. Each pair is compared, in constant time, so that the
 * duration does not reveal how much was right, nor which one matched.
 */
export function anyEqual(known: readonly Buffer[], presented: readonly Buffer[]): boolean {
  let equal = 0;
  for (const one of known) for (const other of presented) equal |= Number(timingSafeEqual(one, other));
  return equal === 1;
}

const ENCODED = { hex: /^([0-9a-f]{2})+$/i, base64: /^[A-Za-z0-9+/]+={0,2}$/ } as const;

/** The digest of the decoded bytes; of no bytes, which no signature has, where the text is not in this encoding. */
export function digestOfEncoded(text: string, encoding: keyof typeof ENCODED): Buffer {
  return digest(ENCODED[encoding].test(text) ? Buffer.from(text, encoding) : '');
}

/**
 * Whether a signed timestamp is close enough to now. An older request may be one that was recorded and is sent again.
 *
 * @param timestamp Unix seconds, as it was sent
 */
export function isTimely(timestamp: string, toleranceSeconds: number, nowMs: number): boolean {
  return /^\d{1,12}$/.test(timestamp) && Math.abs(nowMs / 1000 - Number(timestamp)) <= toleranceSeconds;
}
