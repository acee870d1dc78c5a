/**
 * How what was presented is compared with what is known: by digests of equal length, with every known one, so that the
 * time taken tells neither how much of it is right nor which one it was. A leaf.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

export function digest(value: string | Uint8Array): Buffer {
  return createHash('sha256').update(value).digest();
}

/** Whether one of the known is among the presented; all are digests. */
export function anyEqual(known: readonly Buffer[], presented: readonly Buffer[]): boolean {
  let equal = 0;
  for (const one of known) for (const other of presented) equal |= Number(timingSafeEqual(one, other));
  return equal === 1;
}

const ENCODED = { hex: /^([0-9a-f]{2})+$/i, base64: /^[A-Za-z0-9+/]+={0,2}$/ } as const;

/** The digest of the bytes that a text stands for; of no bytes, which no signature has, where it is not encoded so. */
export function digestOfEncoded(text: string, encoding: keyof typeof ENCODED): Buffer {
  return digest(ENCODED[encoding].test(text) ? Buffer.from(text, encoding) : '');
}
