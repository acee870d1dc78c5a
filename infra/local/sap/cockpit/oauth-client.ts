/**
 * An OAuth client as it is registered in step 1 of SAP's guide ("OAuth Client Credentials Grant"), with the rules of
 * that form: which runtime nodes, which grant, which lifetimes. Where clients are kept, and their roles, is for
 * `account.ts`.
 */
import type { RegisteredCertificate } from './client-certificate.ts';

/** Where the tenant runs: SAP BTP, Neo environment, or Cloud Foundry. */
export type Environment = 'neo' | 'cf';

interface ClientOfAnyType {
  readonly clientId: string;
  /** VM name of the runtime node that its tokens are for. */
  readonly subscription: string;
  readonly authorizationGrant: 'client_credentials';
  /**
   * Seconds; 0 is unlimited, which only clients of old have (SAP: "OAuth 2.0 Clients with Unlimited Validity Tokens").
   */
  readonly tokenLifetimeSeconds: number;
}

/** A client whose service key has the type *ClientId/Secret*, and every client on Neo. */
export interface SecretClient extends ClientOfAnyType {
  readonly credentialType: 'secret';
  readonly clientSecret: string;
}

/** A client whose service key has the type *Certificate* or *External Certificate* (SAP: "Service Key Types"). */
export interface CertificateClient extends ClientOfAnyType {
  readonly credentialType: 'certificate' | 'certificate_external';
  readonly clientSecret?: undefined;
  /** By which it is known, the newest last; more than one while an old service key is kept beside its successor. */
  readonly certificates: readonly RegisteredCertificate[];
  /** Private key of the newest certificate (PEM), where SAP has made it. */
  readonly key?: string;
}

export type Client = SecretClient | CertificateClient;

/** How a client proves who it is: the JSON parameter `key-type` of its service key. */
export type CredentialType = Client['credentialType'];

interface RegistrationOfAnyType {
  readonly clientId: string;
  /** VM name of the runtime node; its node type must be one of `senderNodeTypes`. */
  readonly subscription: string;
  readonly authorizationGrant: string;
  /** Seconds. Default 43200 on Neo, 3600 on Cloud Foundry. */
  readonly tokenLifetimeSeconds?: number;
}

export interface ClientRegistration extends RegistrationOfAnyType {
  /** Default: generated, `<uuid>$<base64url>=`. */
  readonly clientSecret?: string;
}

export interface CertificateClientRegistration extends RegistrationOfAnyType {
  /** The sender's own certificate (PEM, not the whole chain). Default: SAP makes a key pair and a certificate. */
  readonly certificate?: string;
  /** *Pin Certificate*, of the sender's own certificate: exactly this one is accepted. Default true. */
  readonly pinned?: boolean;
  /** *Validity in days* of a certificate that SAP makes, from 1 to 365. Default 365. */
  readonly validDays?: number;
}

/** "You can only register applications for node type iflmap or hcioem" (the guide, step 1). */
export const senderNodeTypes: readonly string[] = ['iflmap', 'hcioem'];

const dayS = 86_400;

/**
 * Neo: "from 0 to 180 days", 0 "no longer possible" (SAP: "Register an OAuth Client"); the unit of its field is not
 * documented, so any second is taken; its default is assumed, the least that SAP recommends for irregular traffic.
 * Cloud Foundry: 3600 to 86400, default 3600 for plan integration-flow (SAP: "Creating Service Instance and Service Key
 * for Inbound Authentication").
 */
export const tokenLifetimes = {
  neo: { leastSeconds: 1, mostSeconds: 180 * dayS, defaultSeconds: 43_200 },
  cf: { leastSeconds: 3_600, mostSeconds: dayS, defaultSeconds: 3_600 },
} as const;

/** The user of security authorizations that stands for a client (the guide, step 2). */
export function userOf(clientId: string): string {
  return `oauth_client_${clientId}`;
}

/** Throws an Error that names the field and its rule. Whether client id and subscription exist is for the account. */
export function checkRegistration(environment: Environment, registration: RegistrationOfAnyType): void {
  if (registration.clientId === '') throw new Error('clientId: must not be empty');
  if (registration.authorizationGrant !== 'client_credentials') {
    throw new Error(`authorizationGrant: must be client_credentials, not ${registration.authorizationGrant}`);
  }
  const { leastSeconds, mostSeconds } = tokenLifetimes[environment];
  checkLifetime(registration.tokenLifetimeSeconds, leastSeconds, mostSeconds);
}

/**
 * For a client that exists, Neo allows 0 (its past), and Cloud Foundry anything above 0, less than SAP's form would
 * take: a landscape must be able to show a short life.
 */
export function checkChangedLifetime(environment: Environment, seconds: number): void {
  checkLifetime(seconds, environment === 'neo' ? 0 : 1, tokenLifetimes[environment].mostSeconds);
}

function checkLifetime(seconds: number | undefined, least: number, most: number): void {
  if (seconds === undefined || (Number.isInteger(seconds) && seconds >= least && seconds <= most)) return;
  throw new Error(`tokenLifetimeSeconds: must be a whole number from ${least} to ${most}, not ${seconds}`);
}
