/**
 * A certificate authority of the landscape: it certifies the servers on loopback, and senders as clients. Whoever
 * trusts `caPem` trusts both. Which client a certificate stands for is SAP's to say
 * (`sap/cockpit/client-certificate.ts`); the bytes of a certificate are written by `x509.ts`.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { certificatePem, type Name } from './x509.ts';

/** RSA with 2048 bits, SAP's default *Key Size*, or an elliptic curve (P-256), whose keys are made at once. */
export type KeyType = 'rsa' | 'ec';

export interface CertificateAuthorityOptions {
  /** Common name of the authority. Default `Local Landscape CA`. */
  readonly name?: string;
  /** Of every key it makes, unless it is told otherwise. Default `rsa`. */
  readonly keyType?: KeyType;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Gives the bytes of serial numbers. Keys come from node:crypto, which takes no other source. */
  readonly random?: (size: number) => Uint8Array;
  /** Is told every private key that it makes. */
  readonly confidential?: (value: string) => void;
}

/** As a TLS server of Node takes them. */
export interface ServerCertificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

export interface ClientCertificateRequest {
  /** 1 to 64 characters (RFC 5280, ub-common-name). */
  readonly commonName: string;
  /** Days from now. Default 365. */
  readonly validDays?: number;
  /** Epoch milliseconds; in place of `validDays`. */
  readonly notAfter?: number;
  readonly keyType?: KeyType;
  /**
   * Default `clientAuth`; `serverAuth` is all that public authorities still issue (SAP's page on inbound connections).
   */
  readonly purpose?: 'clientAuth' | 'serverAuth';
}

export interface CertificateDescription {
  /** Distinguished names as RFC 4514 writes them, the common name first. */
  readonly subject: string;
  readonly issuer: string;
  /** Upper-case hex. */
  readonly serialNumber: string;
  /** Epoch milliseconds. */
  readonly validFrom: number;
  readonly validUntil: number;
}

export interface IssuedCertificate extends CertificateDescription {
  /** PEM: the client's certificate, then the authority's. */
  readonly certificate: string;
  /** PEM: PKCS #1 for RSA as in service keys, PKCS #8 for an elliptic curve. */
  readonly key: string;
}

export interface CertificateAuthority {
  /** The authority's own certificate. */
  readonly caPem: string;
  /** For `127.0.0.1` and `localhost`; the same one each time. */
  serverCertificate(): ServerCertificate;
  /** Each one is dated at least a second after the one before, so that the newer of two can be told. */
  clientCertificate(request: ClientCertificateRequest): IssuedCertificate;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOSTS = [
  { kind: 'dns', value: 'localhost' },
  { kind: 'ipv4', value: '127.0.0.1' },
] as const;

/** A new authority, with a key of its own. */
export function createCertificateAuthority(options: CertificateAuthorityOptions = {}): CertificateAuthority {
  const { name = 'Local Landscape CA', keyType = 'rsa', now = Date.now, random = randomBytes } = options;
  const { confidential = () => undefined } = options;
  const issuer = nameOf(name);
  const issuerKeys = generateKeys(keyType);
  // A TLS client goes by the machine's clock, so these two must hold on it as well as on an injected one.
  const lasting = {
    notBefore: Math.min(now(), Date.now()) - DAY_MS,
    notAfter: Math.max(now(), Date.now()) + 3650 * DAY_MS,
  };
  let server: ServerCertificate | undefined;
  let lastNotBefore = Number.NEGATIVE_INFINITY;

  const serialNumber = (): Uint8Array => random(16);
  const caPem = certificatePem({
    ...lasting,
    serialNumber: serialNumber(),
    subject: issuer,
    issuer,
    publicKey: issuerKeys.publicKey,
    use: 'authority',
    issuerKeys,
  });

  function privatePem(privateKey: KeyObject): string {
    const type = privateKey.asymmetricKeyType === 'ec' ? 'pkcs8' : 'pkcs1';
    const pem = privateKey.export({ type, format: 'pem' }).toString();
    // Without the last line break, which a log may have dropped.
    confidential(pem.trimEnd());
    return pem;
  }

  function makeServerCertificate(): ServerCertificate {
    const { publicKey, privateKey } = generateKeys(keyType);
    const subject = nameOf('localhost');
    const described = { ...lasting, serialNumber: serialNumber(), subject, issuer, publicKey, issuerKeys };
    return { key: privatePem(privateKey), cert: certificatePem({ ...described, use: 'serverAuth', hosts: HOSTS }) };
  }

  return {
    caPem,
    serverCertificate: () => {
      server ??= makeServerCertificate();
      return server;
    },
    clientCertificate: (request) => {
      const { commonName, validDays = 365, purpose = 'clientAuth' } = request;
      if (commonName === '' || commonName.length > 64) throw new Error('commonName: must have 1 to 64 characters');
      const at = Math.floor(now() / 1000) * 1000;
      // Dated back by an hour, as authorities do for clocks that are slow.
      const notBefore = Math.max(at - HOUR_MS, lastNotBefore + 1000);
      lastNotBefore = notBefore;
      const { publicKey, privateKey } = generateKeys(request.keyType ?? keyType);
      const leaf = certificatePem({
        serialNumber: serialNumber(),
        subject: nameOf(commonName),
        issuer,
        notBefore,
        notAfter: request.notAfter ?? at + validDays * DAY_MS,
        publicKey,
        use: purpose,
        issuerKeys,
      });
      return { certificate: `${leaf}${caPem}`, key: privatePem(privateKey), ...describeCertificate(leaf) };
    },
  };
}

/** What the first certificate in `pem` says of itself. Throws an Error when there is none. */
export function describeCertificate(pem: string): CertificateDescription {
  const certificate = new X509Certificate(pem);
  return {
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    serialNumber: certificate.serialNumber,
    validFrom: certificate.validFromDate.getTime(),
    validUntil: certificate.validToDate.getTime(),
  };
}

/** Node writes one attribute on each line, in the order of the encoding, and escapes what RFC 4514 escapes. */
function distinguishedName(lines: string): string {
  return lines.split('\n').reverse().join(',');
}

function nameOf(commonName: string): Name {
  return [
    ['C', 'DE'],
    ['O', 'Local Landscape'],
    ['CN', commonName],
  ];
}

function generateKeys(keyType: KeyType): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return keyType === 'ec'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
}
