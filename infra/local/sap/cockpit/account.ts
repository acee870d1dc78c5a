/**
 * The consumer account as the BTP cockpit shows it: subscriptions to runtime nodes, registered OAuth clients, and the
 * security authorizations that give their users roles. Steps 1 and 2 of SAP's guide "OAuth Client Credentials Grant"
 * are carried out here; tokens are for the authorization server, messages for the runtime node.
 */
import type { CertificateAuthority } from '../../server/certificates.ts';
import { clientSecret, type RandomBytes, systemRandom, uuid } from '../identifiers.ts';
import { type CertificateLookup, createCertificateClients, type RenewalOptions } from './certificate-clients.ts';
import {
  type CertificateClient,
  type CertificateClientRegistration,
  type Client,
  type ClientRegistration,
  checkChangedLifetime,
  checkRegistration,
  type Environment,
  type SecretClient,
  senderNodeTypes,
  tokenLifetimes,
} from './oauth-client.ts';
import { createSecurityAuthorizations, type RoleAssignment } from './security-authorizations.ts';
import { type ServiceKey, serviceKey } from './service-key.ts';
import { createSubscriptions, type Subscription } from './subscription.ts';

export interface AccountOptions {
  /** Technical name of the (sub)account. Default `acme-dev`. */
  readonly name?: string;
  readonly environment: Environment;
  readonly now?: () => number;
  readonly random?: RandomBytes;
  /**
   * Issues the certificates of clients and of the account's servers, and stands for all that SAP's load balancers
   * trust; it tells of private keys itself. Default none: no client can have a certificate.
   */
  readonly certificateAuthority?: CertificateAuthority;
  /** Is told every client secret that the account makes or is given. */
  readonly confidential?: (value: string) => void;
}

export interface ServiceKeyOptions {
  /** Default true: inside `oauth`. */
  readonly nested?: boolean;
  /** Line breaks of certificate and key as a backslash and an `n`. Default false: line breaks. */
  readonly literalLineBreaks?: boolean;
}

export interface Account {
  readonly name: string;
  readonly environment: Environment;
  readonly certificateAuthority: CertificateAuthority | undefined;
  /** UUID of the subaccount, which is the zone of its authorization server on CF. */
  readonly id: string;
  /** Throws an Error when the VM name does not end with its node type, or is there already. */
  addSubscription(subscription: { readonly vmName: string; readonly nodeType: string }): Subscription;
  /** Throws an Error when the account has no such subscription. */
  subscription(vmName: string): Subscription;
  /** Step 1 of the guide. Throws an Error that names the field and the rule. */
  registerClient(registration: ClientRegistration): SecretClient;
  /**
   * The same on CF for a client that has a certificate in place of a secret, SAP's or its own. Throws an Error as
   * `registerClient` does, on Neo, without a certificate authority, and for a certificate that another client has.
   */
  registerCertificateClient(registration: CertificateClientRegistration): CertificateClient;
  /** As it is registered now; undefined when it is not. */
  client(clientId: string): Client | undefined;
  /** Gives the new secret; the old one is refused from now on. Tokens that were issued stay as they are. */
  rotateClientSecret(clientId: string, newSecret?: string): string;
  /** A new key pair, or the certificate that is given; the old one is refused from now on unless `keepOld`. */
  renewCertificate(clientId: string, options?: RenewalOptions): CertificateClient;
  /**
   * Whose certificate (PEM) it is, by SAP's rules: trusted, in its time, and exactly the registered one, or where that
   * is not pinned a newer one of the same names, which has from now on taken its place.
   */
  clientByCertificate(certificate: string, lookup: CertificateLookup): CertificateClient | undefined;
  /** Its opaque tokens die with it; a JWT lives on until it expires, and roles of its user stay assigned. */
  deleteClient(clientId: string): void;
  /** 0 is unlimited, for Neo alone. CF also takes less than the 3600 that its form asks for. */
  setTokenLifetime(clientId: string, seconds: number): void;
  /** Step 2 of the guide. Throws an Error when the subscription does not exist or the role is empty. */
  assignRole(assignment: RoleAssignment): void;
  unassignRole(assignment: RoleAssignment): void;
  /** Immediately right on both; real CF runtimes remember a role for up to an hour. */
  hasRole(assignment: RoleAssignment): boolean;
  /** Every role of the user on the subscription, in the order of assignment. */
  roles(user: string, subscription: string): readonly string[];
  /** What the cockpit shows as Token Endpoint, full URL; the authorization server writes it when it starts. */
  tokenEndpoint: string | undefined;
  /** The same of the host that asks for client certificates. */
  certificateTokenEndpoint: string | undefined;
  /**
   * The client's credentials as SAP hands them out: a service key on CF, on Neo, which has none,
   * `{ clientId, clientSecret, tokenUrl }`. Throws an Error while no authorization server runs.
   */
  serviceKey(clientId: string, runtimeUrl: string, options?: ServiceKeyOptions): ServiceKey;
}

/** An account with nothing in it. */
export function createAccount({
  name = 'acme-dev',
  environment,
  now = Date.now,
  random = systemRandom,
  certificateAuthority,
  confidential = () => undefined,
}: AccountOptions): Account {
  const subscriptions = createSubscriptions(name, environment);
  const clients = new Map<string, Client>();
  const authorizations = createSecurityAuthorizations();
  const certificates = createCertificateClients({
    clients,
    authority: certificateAuthority,
    commonName: () => uuid(random),
  });

  function registered(clientId: string): Client {
    const found = clients.get(clientId);
    if (found === undefined) throw new Error(`clientId: no client ${clientId} is registered`);
    return found;
  }

  function keep<Kept extends Client>(client: Kept): Kept {
    if (client.clientSecret !== undefined) confidential(client.clientSecret);
    clients.set(client.clientId, client);
    return client;
  }

  /** What both forms of registration ask. */
  function checked(registration: ClientRegistration | CertificateClientRegistration) {
    checkRegistration(environment, registration);
    const { clientId, tokenLifetimeSeconds = tokenLifetimes[environment].defaultSeconds } = registration;
    const { vmName, nodeType } = subscriptions.get(registration.subscription);
    if (!senderNodeTypes.includes(nodeType)) {
      throw new Error(`subscription: its node type must be ${senderNodeTypes.join(' or ')}, not ${nodeType}`);
    }
    if (clients.has(clientId)) throw new Error(`clientId: ${clientId} is registered already, and must be unique`);
    return { clientId, subscription: vmName, authorizationGrant: 'client_credentials', tokenLifetimeSeconds } as const;
  }

  function withSecret(clientId: string): SecretClient {
    const client = registered(clientId);
    if (client.credentialType === 'secret') return client;
    throw new Error(`clientSecret: ${clientId} has a certificate in its place`);
  }

  function withCertificate(clientId: string): CertificateClient {
    const client = registered(clientId);
    if (client.credentialType !== 'secret') return client;
    throw new Error(`certificate: ${clientId} has a client secret in its place`);
  }

  const account: Account = {
    name,
    environment,
    certificateAuthority,
    id: uuid(random),
    tokenEndpoint: undefined,
    certificateTokenEndpoint: undefined,
    subscription: subscriptions.get,
    addSubscription: subscriptions.add,
    registerClient: (registration) => {
      const client = checked(registration);
      const secret = registration.clientSecret ?? clientSecret(random);
      if (secret === '') throw new Error('clientSecret: must not be empty');
      return keep({ ...client, credentialType: 'secret', clientSecret: secret });
    },
    registerCertificateClient: (registration) => {
      if (environment === 'neo') throw new Error('credentialType: a client on Neo has a secret');
      return keep({ ...checked(registration), ...certificates.credentials(registration) });
    },
    client: (clientId) => clients.get(clientId),
    rotateClientSecret: (clientId, newSecret = clientSecret(random)) => {
      if (newSecret === '') throw new Error('clientSecret: must not be empty');
      return keep({ ...withSecret(clientId), clientSecret: newSecret }).clientSecret;
    },
    renewCertificate: (clientId, options = {}) => keep(certificates.renewed(withCertificate(clientId), options)),
    clientByCertificate: (certificate, lookup) => {
      const found = certificates.find(certificate, lookup);
      return found === undefined ? undefined : keep(found);
    },
    deleteClient: (clientId) => {
      clients.delete(registered(clientId).clientId);
    },
    setTokenLifetime: (clientId, seconds) => {
      checkChangedLifetime(environment, seconds);
      keep({ ...registered(clientId), tokenLifetimeSeconds: seconds });
    },
    assignRole: (assignment) => {
      subscriptions.get(assignment.subscription);
      authorizations.assign(assignment);
    },
    unassignRole: authorizations.unassign,
    hasRole: authorizations.has,
    roles: authorizations.roles,
    serviceKey: (clientId, runtimeUrl, { nested = true, literalLineBreaks = false } = {}) => {
      const client = registered(clientId);
      const secret = client.credentialType === 'secret';
      const tokenEndpoint = secret ? account.tokenEndpoint : account.certificateTokenEndpoint;
      if (tokenEndpoint === undefined) throw new Error('tokenEndpoint: no authorization server of this account runs');
      return serviceKey(client, { environment, tokenEndpoint, runtimeUrl, nested, literalLineBreaks, now });
    },
  };
  return account;
}
