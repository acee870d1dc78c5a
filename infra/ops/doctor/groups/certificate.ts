/**
 * The client's certificate: how long it holds, and whether SAP's load balancer takes it, which refuses one in the TLS
 * handshake, where nobody sees a status.
 *
 * @see SAP Help, "Setting Up Inbound HTTP Connections (Integration Flow Processing)"; SAP note 3725252
 */
import { X509Certificate } from 'node:crypto';
import type { ClientCertificate } from '../../../../functions/token/certificate.ts';
import { finding, fine, type Line } from '../line.ts';

const DAY_MS = 86_400_000;
/** As the alarms of the same names. */
const EXPIRES_DAYS = 30;
const EXPIRES_SOON_DAYS = 7;
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
/** Whose roots browsers trust: they gave up certificates for clients between September 2025 and May 2026. */
const PUBLIC_AUTHORITIES =
  /\b(?:Actalis|Certum|DigiCert|Entrust|GeoTrust|GlobalSign|GoDaddy|Let's Encrypt|QuoVadis|RapidSSL|Sectigo|SSL\.com|SwissSign|Thawte|ZeroSSL)\b/i;

export function lookAtCertificate({ cert, validUntil }: ClientCertificate, nowMs: number): Line[] {
  const { keyUsage, issuer } = new X509Certificate(cert);
  const date = new Date(validUntil).toISOString().slice(0, 10);
  const days = Math.floor((validUntil - nowMs) / DAY_MS);
  // Node's `keyUsage` is the list of extended key usages; a certificate without that extension serves any purpose.
  const uses: readonly string[] | undefined = keyUsage;
  const lines: Line[] = [];
  if (days < 0) lines.push(finding('certificate-expired', `it expired on ${date}`));
  else if (days <= EXPIRES_DAYS) {
    const id = days <= EXPIRES_SOON_DAYS ? 'credential-ends-soon' : 'credential-ends';
    lines.push(finding(id, `it expires on ${date}, in ${days} days`));
  }
  if (uses !== undefined && !uses.includes(CLIENT_AUTHENTICATION)) {
    lines.push(finding('certificate-purpose', 'it is not for client authentication: SAP ends the TLS handshake'));
  } else if (PUBLIC_AUTHORITIES.test(issuer)) {
    const who = /\b(?:O|CN)=(.+)/.exec(issuer)?.[1] ?? issuer;
    lines.push(
      finding('certificate-authority', `${who} gives out no new ones for clients: this cannot be renewed there`),
    );
  }
  return lines.length === 0 ? [fine('certificate', 'certificate', `holds until ${date}, for clients`)] : lines;
}
