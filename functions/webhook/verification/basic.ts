/**
 * Verification `basic`: user and password in the `Authorization` header.
 *
 * @see RFC 7617 (the Basic scheme), with UTF-8
 */
import { anyEqual, digest } from './checks.ts';
import type { Scheme } from './scheme.ts';

/** What is kept of an entry: the digest of `user:password`. */
export const basic: Scheme<'username' | 'password', Buffer> = {
  fields: ['username', 'password'],
  keep({ username, password }, refuse) {
    if (username.includes(':')) throw refuse('"username": must not contain ":", Basic cannot carry it');
    return digest(`${username}:${password}`);
  },
  isPresentedBy: ({ headers }) => /^basic\b/i.test(headers.authorization ?? ''),
  judge({ headers }, known) {
    const sent = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
    return anyEqual(known, [digest(Buffer.from(sent, 'base64').toString())]) ? 'holds' : 'wrong-credentials';
  },
};
