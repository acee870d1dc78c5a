/**
 * For endpoints that take the client certificate itself instead of a token (SAP Help, "Client Certificate
 * Authentication for Integration Flow Processing"): the certificate in the shape of a token, which is sent and may be
 * rejected like one.
 */
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { createPause } from '../warm/pause.ts';
import { type Warm, warm } from '../warm/warm.ts';
import { assertValid } from './certificate.ts';
import type { Credentials } from './credentials.ts';
import type { Token } from './token-endpoint.ts';

/** Errors that may pass by themselves. */
const PASSING = new Set(['DEADLINE', 'SECRET_UNAVAILABLE']);

/** @throws (from `get`) RelayError `SECRET_…`, `CERTIFICATE_EXPIRED` */
export function certificateAccess(credentials: Warm<Credentials>, secretName: string, now: () => number): Warm<Token> {
  const used = new WeakSet<Credentials>();
  const versions = new WeakMap<Token, string>();
  const pause = createPause(now);

  return warm({
    // Not once the secret was read in a newer version, by whichever destination.
    isFresh: (access) => now() < access.expiresAt && versions.get(access) === credentials.peek()?.versionId,
    async load(deadline) {
      const inForce = pause.current();
      if (inForce !== undefined) throw inForce;
      try {
        const access = await read(deadline);
        pause.end();
        return access;
      } catch (error) {
        if (error instanceof RelayError && !PASSING.has(error.code)) pause.open(error);
        throw error;
      }
    },
  });

  async function read(deadline: Deadline): Promise<Token> {
    const known = credentials.peek();
    // It is loaded again only after it was rejected or has expired: the secret may have a new one.
    const isUsed = known !== undefined && used.has(known);
    let client = await (isUsed ? credentials.renew(known, deadline) : credentials.get(deadline));
    // The warm secret may be old: the certificate may have been renewed in time since.
    if (client === known && hasExpired(client)) client = await credentials.renew(client, deadline);
    used.add(client);
    if (!('certificate' in client.clientAuthentication)) {
      throw new RelayError(
        'SECRET_MALFORMED',
        `secret "${secretName}": expected a service key with certificate and key, ` +
          'since the destination authenticates with the certificate; the operator must correct the secret',
      );
    }
    const { certificate } = client.clientAuthentication;
    assertValid(certificate, now());
    const access: Token = {
      accessToken: '',
      certificate,
      issuedAt: now(),
      expiresAt: certificate.validUntil,
      expiryKnown: true,
      ...(client.serviceUrl === undefined ? {} : { serviceUrl: client.serviceUrl }),
    };
    versions.set(access, client.versionId);
    return access;
  }

  function hasExpired({ clientAuthentication }: Credentials): boolean {
    return 'certificate' in clientAuthentication && now() >= clientAuthentication.certificate.validUntil;
  }
}
