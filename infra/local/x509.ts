/**
 * Writes an X.509 version 3 certificate (RFC 5280) in DER and signs it, synchronously and with node:crypto alone: the
 * landscape registers clients in one step, and no library signs without a promise. Who is certified, and for how long,
 * is for `certificates.ts`.
 */
import { createHash, type KeyObject, sign } from 'node:crypto';

/** Attributes of a distinguished name, the widest first, as they are encoded. */
export type Name = readonly (readonly [attribute: keyof typeof attributeTypes, value: string])[];

export interface CertificateContent {
  /** Big-endian; taken as positive. */
  readonly serialNumber: Uint8Array;
  readonly subject: Name;
  readonly issuer: Name;
  /** Epoch milliseconds; a certificate knows whole seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: KeyObject;
  /** `authority` may sign certificates; the others are the purposes of RFC 5280 section 4.2.1.12. */
  readonly use: 'authority' | 'serverAuth' | 'clientAuth';
  /** Subject alternative names (RFC 5280 section 4.2.1.6). Default none. */
  readonly hosts?: readonly { readonly kind: 'dns' | 'ipv4'; readonly value: string }[];
  readonly issuerKeys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
}

const attributeTypes = { C: '2.5.4.6', O: '2.5.4.10', OU: '2.5.4.11', CN: '2.5.4.3' } as const;
const purposes = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;

/** The certificate as PEM, signed with SHA-256 by `issuerKeys`. */
export function certificatePem(content: CertificateContent): string {
  const { issuerKeys } = content;
  const algorithm =
    issuerKeys.privateKey.asymmetricKeyType === 'ec'
      ? sequence(oid('1.2.840.10045.4.3.2'))
      : sequence(oid('1.2.840.113549.1.1.11'), der(0x05));
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.of(2))),
    integer(content.serialNumber),
    algorithm,
    name(content.issuer),
    sequence(time(content.notBefore), time(content.notAfter)),
    name(content.subject),
    spki(content.publicKey),
    der(0xa3, sequence(...extensions(content))),
  );
  const signature = sign('sha256', toBeSigned, issuerKeys.privateKey);
  const base64 = sequence(toBeSigned, algorithm, bitString(signature)).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function extensions({ use, hosts = [], publicKey, issuerKeys }: CertificateContent): Buffer[] {
  const authority = use === 'authority';
  const critical = der(0x01, Buffer.of(0xff));
  const isAuthority = authority ? der(0x01, Buffer.of(0xff)) : Buffer.alloc(0);
  // keyCertSign and cRLSign, or digitalSignature: bits 5 and 6, or 0, with the unused bits counted in front.
  const keyUsage = der(0x03, authority ? Buffer.of(1, 0x06) : Buffer.of(7, 0x80));
  const list = [
    extension('2.5.29.19', sequence(isAuthority), critical),
    extension('2.5.29.15', keyUsage, critical),
    extension('2.5.29.14', der(0x04, keyIdentifier(publicKey))),
    extension('2.5.29.35', sequence(der(0x80, keyIdentifier(issuerKeys.publicKey)))),
  ];
  if (use !== 'authority') list.push(extension('2.5.29.37', sequence(oid(purposes[use]))));
  const names = hosts.map(({ kind, value }) =>
    kind === 'dns' ? der(0x82, Buffer.from(value)) : der(0x87, Buffer.from(value.split('.').map(Number))),
  );
  if (names.length > 0) list.push(extension('2.5.29.17', sequence(...names)));
  return list;
}

function extension(id: string, value: Buffer, critical: Buffer = Buffer.alloc(0)): Buffer {
  return sequence(oid(id), critical, der(0x04, value));
}

/** RFC 7093 section 2, method 4: any hash of the key serves, as long as issuer and issued say the same. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha256').update(spki(publicKey)).digest().subarray(0, 20);
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function name(attributes: Name): Buffer {
  const sets = attributes.map(([attribute, value]) => {
    // A country is a PrintableString (RFC 5280 appendix A.1), everything else may be UTF-8.
    const text = der(attribute === 'C' ? 0x13 : 0x0c, Buffer.from(value));
    return der(0x31, sequence(oid(attributeTypes[attribute]), text));
  });
  return sequence(...sets);
}

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5). */
function time(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replace(/\D/g, '').slice(0, 14);
  return digits < '2050' ? der(0x17, Buffer.from(`${digits.slice(2)}Z`)) : der(0x18, Buffer.from(`${digits}Z`));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function bitString(bytes: Uint8Array): Buffer {
  return der(0x03, Buffer.of(0), Buffer.from(bytes));
}

/** Shortest form, and a zero in front where the first bit would make it negative (X.690 section 8.3). */
function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = Buffer.from(start < 0 ? [0] : bytes.subarray(start));
  return der(0x02, (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

/** X.690 section 8.19: the first two arcs in one number, each number in groups of seven bits. */
function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return der(0x06, Buffer.from(bytes));
}

/** Tag, length in its shortest form, contents (X.690 section 8.1). */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const contents = Buffer.concat(parts);
  const size = contents.byteLength;
  if (size < 0x80) return Buffer.concat([Buffer.of(tag, size), contents]);
  const digits = Buffer.alloc(4);
  digits.writeUInt32BE(size);
  const length = digits.subarray(digits.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.of(tag, 0x80 | length.byteLength), length, contents]);
}
