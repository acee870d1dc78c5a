/**
 * Client certificates and the secrets that hold them, in the forms in which SAP hands them out, from which the tests of
 * certificates begin. The certificates are made by the authority of the local landscape.
 */
import { RelayError } from '../../functions/error.ts';
import { certificateAccess } from '../../functions/token/certificate-access.ts';
import type { Credentials } from '../../functions/token/credentials.ts';
import { warm } from '../../functions/warm/warm.ts';
import { createCertificateAuthority } from '../../infra/local/server/certificates.ts';
import { createSimulatedTime, NOON } from '../doubles/time.ts';
import { flat } from '../settings/secrets.ts';

/** When the certificates of `orders` and `other` end: the last second of a day, two months after noon. */
export const VALID_UNTIL = Date.UTC(2026, 1, 28, 23, 59, 59);

const authority = createCertificateAuthority({ keyType: 'ec', now: () => NOON });
const issue = (commonName: string) => {
  const { certificate, key } = authority.clientCertificate({ commonName, notAfter: VALID_UNTIL });
  return { certificate, key };
};
export const orders = issue('orders');
export const other = issue('other');

const { clientsecret: _secret, ...rest } = flat;
/** A service key with a certificate that SAP made. */
export const flatKey = { ...rest, ...orders };
export const nestedKey = { oauth: flatKey };
const { key: _key, ...external } = flatKey;
/** One with a certificate of another authority: SAP hands it out without a key, which the operator puts beside it. */
export const externalKey = { oauth: external, key: orders.key };

/** As it stands in a service key that was copied out of a text: every line's end a backslash and an n. */
export function escaped(pem: string): string {
  return pem.replaceAll('\n', '\\n');
}

/** Access by certificate to a secret that the test sets, with its readings counted. */
export function startCertificateAccess(secret: Credentials | RelayError) {
  const clock = createSimulatedTime();
  const state = { secret, reads: 0 };
  const credentials = warm<Credentials>({
    load: async () => {
      state.reads += 1;
      if (state.secret instanceof RelayError) throw state.secret;
      return { ...state.secret };
    },
  });
  return { state, clock, credentials, access: certificateAccess(credentials, 'cpi/orders', clock.now) };
}
