/**
 * Verification `basic`: user and password in the `Authorization` header. Comparison takes the same time whatever is
 * sent, and whether there is anything to compare with or not.
 *
 * @see RFC 7617 (the Basic scheme), with UTF-8
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { RelayError } from '../../error.ts';
import type { Secret } from '../../token/credentials.ts';

/** What senders prove themselves with, as digests of equal length. */
export interface BasicEntries {
  readonly digests: readonly Buffer[];
}

/** Compared with where there is nothing to compare with, so that an unknown destination takes its time as well. */
export const NO_ENTRY: BasicEntries = { digests: [Buffer.alloc(32)] };

/**
 * Reads the secret: `{"username","password"}`, or a list of these while a rotation goes on.
 *
 * @throws RelayError `SECRET_MALFORMED`, naming the field
 */
export function readBasicEntries(secret: Secret, secretName: string): BasicEntries {
  const refuse = (problem: string) =>
    new RelayError('SECRET_MALFORMED', `secret "${secretName}": ${problem}; the operator must correct the secret`);
  const json = parseJson(secret.text);
  const entries = Array.isArray(json) ? json : [json];
  if (entries.length === 0) throw refuse('expected an object with username and password, or a list of them');
  const digests = entries.map((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) throw refuse('expected an object with username and password');
    const { username, password } = entry as Record<string, unknown>;
    if (typeof username !== 'string' || username === '') throw refuse('"username": expected a text that is not empty');
    if (username.includes(':')) throw refuse('"username": must not contain ":", Basic cannot carry it');
    if (typeof password !== 'string' || password === '') throw refuse('"password": expected a text that is not empty');
    return digest(`${username}:${password}`);
  });
  return { digests };
}

export function holds(authorization: string | undefined, { digests }: BasicEntries): boolean {
  const sent = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization ?? '')?.[1] ?? '';
  const presented = digest(Buffer.from(sent, 'base64').toString());
  // All are compared, so that the time does not tell which one held.
  return digests.filter((known) => timingSafeEqual(known, presented)).length > 0 && sent !== '';
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The error's message quotes the secret.
    return undefined;
  }
}
