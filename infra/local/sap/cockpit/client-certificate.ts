/**
 * When a certificate that a sender presents counts, and which registered one it stands for: SAP's rules of *Pin
 * Certificate* (SAP: "Creating Service Instance and Service Key for Inbound Authentication"). Whose the registered ones
 * are is for `certificate-clients.ts`.
 */
import { createHash, X509Certificate } from 'node:crypto';

/** A certificate in a service key. */
export interface RegisteredCertificate {
  /** PEM; the first certificate in it is the client's. */
  readonly certificate: string;
  /** True: exactly this one is accepted. False: also a newer one of the same subject from the same issuer. */
  readonly pinned: boolean;
}

const clientAuthentication = '1.3.6.1.5.5.7.3.2';

/**
 * Whether the load balancer passes the certificate on: signed by one of `authorities` (PEM), within its time at `at`
 * (epoch milliseconds), and made for client authentication or for any purpose.
 */
export function isTrusted(
  certificate: string,
  { authorities, at }: { authorities: readonly string[]; at: number },
): boolean {
  const presented = new X509Certificate(certificate);
  const { validFromDate, validToDate } = presented;
  // Node's `keyUsage` is the list of extended key usages; a certificate without that extension serves any purpose.
  const uses: readonly string[] | undefined = presented.keyUsage;
  const purpose = uses === undefined || uses.includes(clientAuthentication);
  if (!purpose || at < validFromDate.getTime() || at > validToDate.getTime()) return false;
  return authorities.some((pem) => {
    const authority = new X509Certificate(pem);
    return presented.checkIssued(authority) && presented.verify(authority.publicKey);
  });
}

/** SHA-256 of the first certificate in `pem`, as tokens name it that are bound to one (RFC 8705 section 3.1). */
export function thumbprintOf(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url');
}

/**
 * `same`: the registered one itself. Else it has the same subject and issuer and is, where the registered one is not
 * pinned, its successor (`renewed`) or no longer accepted (`predecessor`), and where that is pinned a mere `namesake`.
 */
export type Match = 'same' | 'renewed' | 'predecessor' | 'namesake' | undefined;

/** What `certificate` is to the registered one; undefined when it has nothing to do with it. */
export function matchOf(certificate: string, registered: RegisteredCertificate): Match {
  const presented = new X509Certificate(certificate);
  const known = new X509Certificate(registered.certificate);
  if (presented.fingerprint256 === known.fingerprint256) return 'same';
  if (presented.subject !== known.subject || presented.issuer !== known.issuer) return undefined;
  if (registered.pinned) return 'namesake';
  return presented.validFromDate > known.validFromDate ? 'renewed' : 'predecessor';
}
