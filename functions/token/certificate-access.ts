/**
 * For endpoints that take the client certificate itself in place of a token (SAP Help, "Client Certificate Authentication
 * for Integration Flow Processing"): the certificate in the shape of a token that the relay sends and may see rejected.
 */
import type { Deadline } from '../deadline.ts';
import { RelayError } from '../error.ts';
import { createPause } from '../warm/pause.ts';
import { type Warm, warm } from '../warm/warm.ts';
import { assertValid } from './certificate.ts';
import type { Credentials } from './credentials.ts';
import type { Token } from './token-endpoint.ts';

const PASSING = new Set(['DEADLINE', 'SECRET_UNAVAILABLE']);

/** @throws (from `get`) RelayError `SECRET_…`, `CERTIFICATE_EXPIRED` */
export function certificateAccess(credentials: Warm<Credentials>, secretName: string, now: () => number): Warm<Token> {
  const used = new WeakSet<Credentials>();
  const boughtUnder = new WeakMap<Token, string>();
  const pause = createPause(now);

  return warm({
    // Not kept beside a newer version of the secret, whoever has read that.
    isFresh: (access) => now() < access.expiresAt && boughtUnder.get(access) === credentials.peek()?.versionId,
    async load(deadline) {
      const inForce = pause.current();
      if (inForce !== undefined) throw inForce;
      try {
        const access = await read(deadline);
        pause.end();
        return access;
      } catch (error) {
        // What may pass by itself is asked for again at once.
        if (error instanceof RelayError && !PASSING.has(error.code)) pause.open(error);
        throw error;
      }
    },
  });

  async function read(deadline: Deadline): Promise<Token> {
    const known = credentials.peek();
    // Asked for again after it was used: it was rejected or has expired, and the secret may hold a new one.
    const isUsed = known !== undefined && used.has(known);
    let client = await (isUsed ? credentials.renew(known, deadline) : credentials.get(deadline));
    // What somebody else has read may be long ago: a certificate that was renewed in time has not expired.
    if (client === known && hasExpired(client)) client = await credentials.renew(client, deadline);
    used.add(client);
    if (!('certificate' in client.proof)) {
      throw new RelayError(
        'SECRET_MALFORMED',
        `secret "${secretName}": expected a service key with certificate and key, since the destination authenticates with the certificate; the operator must correct the secret`,
      );
    }
    const { certificate } = client.proof;
    assertValid(certificate, now());
    const access: Token = {
      accessToken: '',
      certificate,
      issuedAt: now(),
      expiresAt: certificate.validUntil,
      expiryKnown: true,
      ...(client.serviceUrl === undefined ? {} : { serviceUrl: client.serviceUrl }),
    };
    boughtUnder.set(access, client.versionId);
    return access;
  }

  function hasExpired({ proof }: Credentials): boolean {
    return 'certificate' in proof && now() >= proof.certificate.validUntil;
  }
}
