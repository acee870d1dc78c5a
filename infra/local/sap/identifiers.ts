/**
 * Identifiers in the forms that SAP's systems give them, made from an injectable source of random bytes so that a
 * simulation gets the same ones again. What an identifier names is for the files that ask for it.
 */
import { randomBytes } from 'node:crypto';

/** Gives `size` random bytes. */
export type RandomBytes = (size: number) => Uint8Array;

/** The real source: node:crypto. */
export const systemRandom: RandomBytes = (size) => randomBytes(size);

/** `size` random bytes as lower-case hex, the form of opaque tokens and of `jti`. */
export function hex(random: RandomBytes, size: number): string {
  return Buffer.from(random(size)).toString('hex');
}

/** A version 4 UUID (RFC 9562 section 5.4). */
export function uuid(random: RandomBytes): string {
  const bytes = Buffer.from(random(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** A client secret in the form of a binding secret of BTP: `<uuid>$<base64url>=`. */
export function clientSecret(random: RandomBytes): string {
  return `${uuid(random)}$${Buffer.from(random(32)).toString('base64url')}=`;
}

/** An id of the message processing log: 28 characters of `[A-Za-z0-9_-]`, the first always `A`, as observed. */
export function mplId(random: RandomBytes): string {
  return `A${Buffer.from(random(21)).toString('base64url').slice(1)}`;
}
