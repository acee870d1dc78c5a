/**
 * The consumer account as the BTP cockpit shows it: subscriptions to runtime nodes, registered OAuth clients, and the
 * security authorizations that give their users roles. Steps 1 and 2 of SAP's guide "OAuth Client Credentials Grant" are
 * carried out here; tokens are for the authorization server, messages for the runtime node.
 */
import { clientSecret, type RandomBytes, systemRandom, uuid } from './identifiers.ts';
import {
  type Client,
  type ClientRegistration,
  checkChangedLifetime,
  checkRegistration,
  type Environment,
  senderNodeTypes,
  tokenLifetimes,
} from './oauth-client.ts';
import { type ServiceKey, serviceKey } from './service-key.ts';

/** A runtime node that the account is subscribed to. */
export interface Subscription {
  /** As in the cockpit's list; ends with the node type: `acme-dev.iflmap`. */
  readonly vmName: string;
  readonly nodeType: string;
  /** Who a token for it is meant for: the VM name on Neo [assumed], the application's name `it-rt-…!b56` on CF. */
  readonly audience: string;
}

/** A row of the cockpit's "Security Authorizations". */
export interface RoleAssignment {
  /** `oauth_client_<client ID>` for an OAuth client. */
  readonly user: string;
  /** `ESBMessaging.send`, or a role of one's own. */
  readonly role: string;
  readonly subscription: string;
}

export interface AccountOptions {
  /** Technical name of the (sub)account. Default `acme-dev`. */
  readonly name?: string;
  readonly environment: Environment;
  readonly now?: () => number;
  readonly random?: RandomBytes;
  /** Is told every client secret that the account makes or is given. */
  readonly confidential?: (value: string) => void;
}

export interface Account {
  readonly name: string;
  readonly environment: Environment;
  /** UUID of the subaccount, which is the zone of its authorization server on CF. */
  readonly id: string;
  /** Throws an Error when the VM name does not end with its node type, or is there already. */
  addSubscription(subscription: { readonly vmName: string; readonly nodeType: string }): Subscription;
  /** Throws an Error when the account has no such subscription. */
  subscription(vmName: string): Subscription;
  /** Step 1 of the guide. Throws an Error that names the field and the rule. */
  registerClient(registration: ClientRegistration): Client;
  /** As it is registered now; undefined when it is not. */
  client(clientId: string): Client | undefined;
  /** Gives the new secret; the old one is refused from now on. Tokens that were issued stay as they are. */
  rotateClientSecret(clientId: string, newSecret?: string): string;
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
  /**
   * The client's credentials as SAP hands them out: a service key on CF (`nested`, the default: inside `oauth`), on Neo,
   * which has none, `{ clientId, clientSecret, tokenUrl }`. Throws an Error while no authorization server runs.
   */
  serviceKey(clientId: string, runtimeUrl: string, options?: { readonly nested?: boolean }): ServiceKey;
}

/** An account with nothing in it. */
export function createAccount({
  name = 'acme-dev',
  environment,
  now = Date.now,
  random = systemRandom,
  confidential = () => undefined,
}: AccountOptions): Account {
  const subscriptions = new Map<string, Subscription>();
  const clients = new Map<string, Client>();
  const assignments: RoleAssignment[] = [];

  function subscription(vmName: string): Subscription {
    const found = subscriptions.get(vmName);
    if (found === undefined) throw new Error(`subscription: account ${name} is not subscribed to ${vmName}`);
    return found;
  }

  function registered(clientId: string): Client {
    const found = clients.get(clientId);
    if (found === undefined) throw new Error(`clientId: no client ${clientId} is registered`);
    return found;
  }

  function keep(client: Client): Client {
    confidential(client.clientSecret);
    clients.set(client.clientId, client);
    return client;
  }

  const position = (wanted: RoleAssignment): number =>
    assignments.findIndex(
      ({ user, role, subscription: node }) =>
        user === wanted.user && role === wanted.role && node === wanted.subscription,
    );

  const account: Account = {
    name,
    environment,
    id: uuid(random),
    tokenEndpoint: undefined,
    subscription,
    addSubscription: ({ vmName, nodeType }) => {
      if (!vmName.endsWith(`.${nodeType}`))
        throw new Error(`vmName: ${vmName} must end with its node type .${nodeType}`);
      if (subscriptions.has(vmName)) throw new Error(`vmName: account ${name} is already subscribed to ${vmName}`);
      const tenant = vmName.slice(0, -nodeType.length - 1);
      const audience = environment === 'neo' ? vmName : `it-rt-${tenant}!b${56 + subscriptions.size}`;
      const added = { vmName, nodeType, audience };
      subscriptions.set(vmName, added);
      return added;
    },
    registerClient: (registration) => {
      checkRegistration(environment, registration);
      const { nodeType } = subscription(registration.subscription);
      if (!senderNodeTypes.includes(nodeType)) {
        throw new Error(`subscription: its node type must be ${senderNodeTypes.join(' or ')}, not ${nodeType}`);
      }
      const { clientId } = registration;
      if (clients.has(clientId)) throw new Error(`clientId: ${clientId} is registered already, and must be unique`);
      return keep({
        clientId,
        clientSecret: registration.clientSecret ?? clientSecret(random),
        subscription: registration.subscription,
        authorizationGrant: 'client_credentials',
        tokenLifetimeSeconds: registration.tokenLifetimeSeconds ?? tokenLifetimes[environment].defaultSeconds,
      });
    },
    client: (clientId) => clients.get(clientId),
    rotateClientSecret: (clientId, newSecret = clientSecret(random)) => {
      if (newSecret === '') throw new Error('clientSecret: must not be empty');
      return keep({ ...registered(clientId), clientSecret: newSecret }).clientSecret;
    },
    deleteClient: (clientId) => {
      clients.delete(registered(clientId).clientId);
    },
    setTokenLifetime: (clientId, seconds) => {
      checkChangedLifetime(environment, seconds);
      keep({ ...registered(clientId), tokenLifetimeSeconds: seconds });
    },
    assignRole: (assignment) => {
      subscription(assignment.subscription);
      if (assignment.role === '') throw new Error('role: must not be empty');
      if (position(assignment) < 0) assignments.push({ ...assignment });
    },
    unassignRole: (assignment) => {
      const index = position(assignment);
      if (index < 0)
        throw new Error(`role: ${assignment.user} has no ${assignment.role} on ${assignment.subscription}`);
      assignments.splice(index, 1);
    },
    hasRole: (assignment) => position(assignment) >= 0,
    roles: (user, node) =>
      assignments.filter((row) => row.user === user && row.subscription === node).map(({ role }) => role),
    serviceKey: (clientId, runtimeUrl, { nested = true } = {}) => {
      const { tokenEndpoint } = account;
      if (tokenEndpoint === undefined) throw new Error('tokenEndpoint: no authorization server of this account runs');
      return serviceKey(registered(clientId), { environment, tokenEndpoint, runtimeUrl, nested, now });
    },
  };
  return account;
}
