/**
 * For endpoints that take the client certificate itself in place of a token (SAP Help, "Client Certificate Authentication
 * for Integration Flow Processing"): the certificate in the shape of a token that the relay sends and may see rejected.
 */
import { RelayError } from '../error.ts';
import { type Warm, warm } from '../warm.ts';
import { assertValid } from './certificate.ts';
import type { Credentials } from './credentials.ts';
import type { Token } from './token-endpoint.ts';

/** @throws (from `get`) RelayError `SECRET_…`, `CERTIFICATE_EXPIRED` */
export function certificateAccess(credentials: Warm<Credentials>, secretName: string, now: () => number): Warm<Token> {
  const used = new WeakSet<Credentials>();
  return warm({
    isFresh: (access) => now() < access.expiresAt,
    async load(deadline) {
      const known = credentials.peek();
      // Asked for again after it was used: it was rejected or has expired, and the secret may hold a new one.
      if (known !== undefined && used.has(known)) credentials.forget(known);
      const client = await credentials.get(deadline);
      used.add(client);
      if (!('certificate' in client.proof)) {
        throw new RelayError(
          'SECRET_MALFORMED',
          `secret "${secretName}": expected a service key with certificate and key, since the destination authenticates with the certificate; the operator must correct the secret`,
        );
      }
      const { certificate } = client.proof;
      assertValid(certificate, now());
      return {
        accessToken: '',
        certificate,
        issuedAt: now(),
        expiresAt: certificate.validUntil,
        expiryKnown: true,
        ...(client.serviceUrl === undefined ? {} : { serviceUrl: client.serviceUrl }),
      };
    },
  });
}
