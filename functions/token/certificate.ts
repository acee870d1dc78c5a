/**
 * A client certificate with its key, as a service key has them: PEM, often with a literal `\n` for each line end.
 * Checks before any call that both can be read and belong together, and when the certificate expires.
 */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { RelayError } from '../error.ts';

/** Passed to TLS as it is. Sockets are kept for each such object. */
export interface ClientCertificate {
  /** PEM, the whole chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** Epoch milliseconds. */
  readonly validUntil: number;
}

/** @param refuse makes the error for a field and what is wrong with it */
export function readCertificate(
  certificate: string,
  privateKey: string,
  refuse: (field: 'certificate' | 'key', problem: string) => RelayError,
): ClientCertificate {
  const cert = unescaped(certificate);
  const key = unescaped(privateKey);
  const leaf = readPem(
    () => new X509Certificate(cert),
    () => refuse('certificate', 'expected a certificate in PEM'),
  );
  const read: KeyObject = readPem(
    () => createPrivateKey(key),
    () => refuse('key', 'expected a private key in PEM, not encrypted'),
  );
  if (!leaf.checkPrivateKey(read)) throw refuse('key', 'does not belong to the certificate');
  readPem(
    () => createSecureContext({ cert, key }),
    () => refuse('certificate', 'is refused by TLS, which wants 2048 bits of RSA or more'),
  );
  return { cert, key, validUntil: Date.parse(leaf.validTo) };
}

/** @throws RelayError `CERTIFICATE_EXPIRED` with the date; with such a certificate no call succeeds */
export function assertValid({ validUntil }: ClientCertificate, now: number): void {
  if (now < validUntil) return;
  const date = new Date(validUntil).toISOString().slice(0, 10);
  throw new RelayError(
    'CERTIFICATE_EXPIRED',
    `the client certificate expired on ${date}; the operator must create a new service key and store it in the secret`,
  );
}

/** SHA-256 of the client's own certificate, as in a token that is bound to it (RFC 8705 section 3.1, `x5t#S256`). */
export function thumbprintOf({ cert }: ClientCertificate): string {
  return createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url');
}

function unescaped(pem: string): string {
  return pem.replaceAll('\\n', '\n');
}

function readPem<T>(read: () => T, refusal: () => RelayError): T {
  try {
    return read();
  } catch {
    // OpenSSL's message would not help an operator, and might contain a part of the key.
    throw refusal();
  }
}
