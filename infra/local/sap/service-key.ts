/**
 * Client credentials in the form in which SAP hands them to the sender's operator: the service key of "Process
 * Integration Runtime", plan integration-flow (SAP: "Creating Service Instance and Service Key for Inbound
 * Authentication"), or what a Neo administrator writes down by hand. It reads the account and changes nothing.
 */
import type { Client, Environment } from './oauth-client.ts';

export interface ServiceKeyFields {
  readonly clientid: string;
  readonly clientsecret: string;
  /** Full URL of the token endpoint. */
  readonly tokenurl: string;
  /** Host of the runtime node, not of the authorization server. */
  readonly url: string;
  /** ISO 8601; seen in real keys, not documented. */
  readonly createdate: string;
}

export type ServiceKey =
  | { readonly oauth: ServiceKeyFields }
  | ServiceKeyFields
  | { readonly clientId: string; readonly clientSecret: string; readonly tokenUrl: string };

export interface ServiceKeyContext {
  readonly environment: Environment;
  readonly tokenEndpoint: string;
  readonly runtimeUrl: string;
  readonly nested: boolean;
  readonly now: () => number;
}

/** The credentials of `client`, as JSON data. */
export function serviceKey({ clientId, clientSecret }: Client, context: ServiceKeyContext): ServiceKey {
  const { tokenEndpoint } = context;
  if (context.environment === 'neo') return { clientId, clientSecret, tokenUrl: tokenEndpoint };
  const fields: ServiceKeyFields = {
    clientid: clientId,
    clientsecret: clientSecret,
    tokenurl: tokenEndpoint,
    url: context.runtimeUrl,
    createdate: new Date(context.now()).toISOString(),
  };
  return context.nested ? { oauth: fields } : fields;
}
