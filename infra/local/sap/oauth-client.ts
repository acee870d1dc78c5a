/**
 * An OAuth client as it is registered in step 1 of SAP's guide ("OAuth Client Credentials Grant"), with the rules of that
 * form: which runtime nodes, which grant, which lifetimes. Where clients are kept, and their roles, is for `account.ts`.
 */

/** Where the tenant runs: SAP BTP, Neo environment, or Cloud Foundry. */
export type Environment = 'neo' | 'cf';

export interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
  /** VM name of the runtime node that its tokens are for. */
  readonly subscription: string;
  readonly authorizationGrant: 'client_credentials';
  /** Seconds; 0 is unlimited, which only clients of old have (SAP: "OAuth 2.0 Clients with Unlimited Validity Tokens"). */
  readonly tokenLifetimeSeconds: number;
}

export interface ClientRegistration {
  readonly clientId: string;
  /** Default: generated, `<uuid>$<base64url>=`. */
  readonly clientSecret?: string;
  /** VM name of the runtime node; its node type must be one of `senderNodeTypes`. */
  readonly subscription: string;
  readonly authorizationGrant: string;
  /** Seconds. Default 43200 on Neo, 3600 on Cloud Foundry. */
  readonly tokenLifetimeSeconds?: number;
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
export function checkRegistration(environment: Environment, registration: ClientRegistration): void {
  if (registration.clientId === '') throw new Error('clientId: must not be empty');
  if (registration.clientSecret === '') throw new Error('clientSecret: must not be empty');
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
