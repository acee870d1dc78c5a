/** Verification `api-key`: a key in a header of its own. That header is a credential and is never forwarded. */
import type { ApiKeyVerification } from '../../settings/verification.ts';
import { anyEqual, digest } from './checks.ts';
import type { Scheme } from './scheme.ts';

const SENDABLE = /^[!-~]([ -~]*[!-~])?$/;

/** What is kept of an entry: the digest of the key. */
export function apiKey({ header }: Pick<ApiKeyVerification, 'header'>): Scheme<'key', Buffer> {
  return {
    fields: ['key'],
    keep({ key }, refuse) {
      if (!SENDABLE.test(key))
        throw refuse('"key": expected printable ASCII without spaces around it, as a header carries');
      return digest(key);
    },
    isPresentedBy: ({ headers }) => Boolean(headers[header]),
    // No key is empty, so a missing header equals none of them.
    judge: ({ headers }, known) => (anyEqual(known, [digest(headers[header] ?? '')]) ? 'holds' : 'wrong-credentials'),
  };
}
