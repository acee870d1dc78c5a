/**
 * Secrets that are made up: always the same for the same name, so that what was copied from them works tomorrow. They open
 * nothing but a landscape on loopback.
 */
import { createHash } from 'node:crypto';

/** 43 characters of letters, digits, - and _. */
export function madeUp(what: string): string {
  return digest(what).toString('base64url');
}

/** As Standard Webhooks has it: `whsec_` and 32 bytes in base64. */
export function madeUpKey(what: string): string {
  return `whsec_${digest(what).toString('base64')}`;
}

/** As the service broker names clients. */
export function madeUpClientId(what: string): string {
  return `sb-00000000-0000-4000-8000-${digest(what).toString('hex').slice(0, 12)}!b1234|it-rt-acme-dev!b56`;
}

function digest(what: string): Buffer {
  return createHash('sha256').update(`token-relay on a local landscape: ${what}`).digest();
}
