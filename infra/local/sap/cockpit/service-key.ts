/**
 * Client credentials in the form in which SAP hands them to the sender's operator: the service key of "Process
 * Integration Runtime", plan integration-flow (SAP: "Creating Service Instance and Service Key for Inbound
 * Authentication"), or what a Neo administrator writes down by hand. It reads the account and changes nothing.
 */
import { describeCertificate } from '../../server/certificates.ts';
import type { CertificateClient, Client, Environment } from './oauth-client.ts';

interface FieldsOfAnyType {
  readonly clientid: string;
  /** Full URL of the token endpoint; for a client with a certificate, of the one that asks for certificates. */
  readonly tokenurl: string;
  /** Host of the runtime node, not of the authorization server. */
  readonly url: string;
  /** ISO 8601; seen in real keys, not documented. */
  readonly createdate: string;
}

export interface SecretKeyFields extends FieldsOfAnyType {
  readonly clientsecret: string;
}

export interface CertificateKeyFields extends FieldsOfAnyType {
  /** PEM: a chain where SAP has issued it, one certificate where the sender has registered its own. */
  readonly certificate: string;
  /** PEM; only where SAP has made it. */
  readonly key?: string;
  /** Only where SAP has issued the certificate. Formats assumed: RFC 4514, hex, ISO 8601. */
  readonly certificatedetails?: {
    readonly issuerdn: string;
    readonly serialnumber: string;
    readonly subjectdn: string;
    readonly validuntil: string;
  };
}

export type ServiceKeyFields = SecretKeyFields | CertificateKeyFields;

export type ServiceKey =
  | { readonly oauth: ServiceKeyFields }
  | ServiceKeyFields
  | { readonly clientId: string; readonly clientSecret: string; readonly tokenUrl: string };

export interface ServiceKeyContext {
  readonly environment: Environment;
  /** The one that the client is to ask. */
  readonly tokenEndpoint: string;
  readonly runtimeUrl: string;
  readonly nested: boolean;
  /** Line breaks of certificate and key as a backslash and an `n` ("replace all `\n`" says SAP). */
  readonly literalLineBreaks: boolean;
  readonly now: () => number;
}

/** The credentials of `client`, as JSON data. */
export function serviceKey(client: Client, context: ServiceKeyContext): ServiceKey {
  const { tokenEndpoint } = context;
  if (context.environment === 'neo' && client.credentialType === 'secret') {
    return { clientId: client.clientId, clientSecret: client.clientSecret, tokenUrl: tokenEndpoint };
  }
  const fields: ServiceKeyFields = {
    clientid: client.clientId,
    ...(client.credentialType === 'secret'
      ? { clientsecret: client.clientSecret }
      : certificateFields(client, context.literalLineBreaks)),
    tokenurl: tokenEndpoint,
    url: context.runtimeUrl,
    createdate: new Date(context.now()).toISOString(),
  };
  return context.nested ? { oauth: fields } : fields;
}

/** PEM as one line of text, with `\n` for each line break. */
export function withLiteralLineBreaks(pem: string): string {
  return pem.replaceAll('\n', '\\n');
}

function certificateFields(
  { clientId, certificates, key }: CertificateClient,
  literalLineBreaks: boolean,
): Pick<CertificateKeyFields, 'certificate' | 'key' | 'certificatedetails'> {
  const certificate = certificates.at(-1)?.certificate;
  if (certificate === undefined) throw new Error(`certificate: client ${clientId} has none`);
  const pem = literalLineBreaks ? withLiteralLineBreaks : (text: string): string => text;
  if (key === undefined) return { certificate: pem(certificate) };
  const { issuer, serialNumber, subject, validUntil } = describeCertificate(certificate);
  return {
    certificate: pem(certificate),
    key: pem(key),
    certificatedetails: {
      issuerdn: issuer,
      serialnumber: serialNumber,
      subjectdn: subject,
      validuntil: new Date(validUntil).toISOString(),
    },
  };
}
