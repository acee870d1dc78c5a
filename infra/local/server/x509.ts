/**
 * Composes an X.509 version 3 certificate (RFC 5280) and signs it. In one step, since registering a client at the
 * landscape waits for nothing: asn1-x509 knows the encoding, node:crypto signs without a promise. Who is certified, and
 * for how long, is for `certificates.ts`.
 */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Name as EncodedName,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';

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
const purposes = { serverAuth: id_kp_serverAuth, clientAuth: id_kp_clientAuth } as const;

/** The certificate as PEM, signed with SHA-256 by `issuerKeys`. */
export function certificatePem(content: CertificateContent): string {
  const { privateKey } = content.issuerKeys;
  const signatureAlgorithm =
    privateKey.asymmetricKeyType === 'ec'
      ? new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })
      : new AlgorithmIdentifier({ algorithm: '1.2.840.113549.1.1.11', parameters: null });
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: positive(content.serialNumber),
    signature: signatureAlgorithm,
    issuer: encodedName(content.issuer),
    validity: new Validity({ notBefore: new Date(content.notBefore), notAfter: new Date(content.notAfter) }),
    subject: encodedName(content.subject),
    subjectPublicKeyInfo: AsnConvert.parse(spki(content.publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions(extensions(content)),
  });
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), privateKey);
  const der = AsnConvert.serialize(
    new Certificate({ tbsCertificate, signatureAlgorithm, signatureValue: asArrayBuffer(signature) }),
  );
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function extensions({ use, hosts = [], publicKey, issuerKeys }: CertificateContent): Extension[] {
  const isAuthority = use === 'authority';
  const usage = isAuthority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature;
  const list = [
    extension(id_ce_basicConstraints, new BasicConstraints(isAuthority ? { cA: true } : {}), true),
    extension(id_ce_keyUsage, new KeyUsage(usage), true),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(publicKey))),
    extension(
      id_ce_authorityKeyIdentifier,
      new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(issuerKeys.publicKey)) }),
    ),
  ];
  if (use !== 'authority') list.push(extension(id_ce_extKeyUsage, new ExtendedKeyUsage([purposes[use]])));
  const names = hosts.map(
    ({ kind, value }) => new GeneralName(kind === 'dns' ? { dNSName: value } : { iPAddress: value }),
  );
  if (names.length > 0) list.push(extension(id_ce_subjectAltName, new SubjectAlternativeName(names)));
  return list;
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** RFC 7093 section 2, method 4: any hash of the key serves, as long as issuer and issued say the same. */
function keyIdentifier(publicKey: KeyObject): ArrayBuffer {
  return asArrayBuffer(createHash('sha256').update(spki(publicKey)).digest().subarray(0, 20));
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function encodedName(attributes: Name): EncodedName {
  const sets = attributes.map(([attribute, value]) => {
    // A country is a PrintableString (RFC 5280 appendix A.1), everything else may be UTF-8.
    const text = new AttributeValue(attribute === 'C' ? { printableString: value } : { utf8String: value });
    return new RelativeDistinguishedName([new AttributeTypeAndValue({ type: attributeTypes[attribute], value: text })]);
  });
  return new EncodedName(sets);
}

/** Shortest form, and a zero in front where the first bit would make it negative (X.690 section 8.3). */
function positive(bytes: Uint8Array): ArrayBuffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Uint8Array.of(0) : bytes.subarray(start);
  return asArrayBuffer((digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0, ...digits) : digits);
}

function asArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
