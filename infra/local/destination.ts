/**
 * A destination in the landscape: steps 1 and 2 of SAP's guide (a client, its role), its credentials in a secret, an
 * integration flow, a queue with its dead-letter queue, a webhook's secret, and the settings that tell the relay of
 * them.
 */
import type { QueueTrigger } from './aws/queue-trigger/queue-trigger.ts';
import type { SecretsManager } from './aws/secrets-manager/secrets-manager.ts';
import type { Queue, Sqs } from './aws/sqs/sqs.ts';
import type { Account } from './sap/cockpit/account.ts';
import { type ClientPlan, registerSender, type SenderCredentials } from './sap/cockpit/sender.ts';
import { type Deployment, endpointPath } from './sap/runtime-node/integration-flow.ts';
import type { RuntimeNode } from './sap/runtime-node/runtime-node.ts';

const FOURTEEN_DAYS_SECONDS = 1_209_600;

/** Who may come in by HTTP, and what becomes of what they bring. */
export interface WebhookPlan {
  readonly username: string;
  readonly password: string;
  /** Default `direct`, as a caller waits most easily; the product's own default is `queued`. */
  readonly mode?: 'queued' | 'direct' | 'direct-else-queued';
  /** As in the settings. Default `basic`. */
  readonly verify?: unknown;
  /** What senders prove themselves with, as it lies in the secret. Default user and password. */
  readonly secret?: string | object;
}

/** One destination: a client of the authorization server, its secret, a flow, a queue, and a webhook if asked for. */
export interface DestinationPlan {
  readonly name: string;
  /** Default: an HTTPS sender at `/<name>`, CSRF-protected. */
  readonly flow?: Partial<Deployment>;
  /** Default false: a standard queue. */
  readonly fifo?: boolean;
  /** Opens `POST /webhooks/<name>`. Default: no webhook. */
  readonly webhook?: WebhookPlan;
  /** Added to, or put in place of, the settings that follow from the plan. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The client, what it proves itself with, and its tokens' lifetime. */
  readonly client?: ClientPlan;
  /** The role is assigned as the guide's step 2 says. Default true. */
  readonly assignRole?: boolean;
  /** How the service key lies in the secret, on Cloud Foundry. Default true: `{"oauth":{…}}`. */
  readonly nestedKey?: boolean;
  /** Default 900: six times the function's timeout. A story that waits for a message to come back sets it low. */
  readonly visibilityTimeoutSeconds?: number;
  readonly maxReceiveCount?: number;
}

export interface LocalDestination {
  readonly name: string;
  readonly clientId: string;
  readonly secret: string;
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  readonly settings: Readonly<Record<string, unknown>>;
  /** How the queue is polled; there once the relay is deployed. */
  trigger: QueueTrigger | undefined;
  /** In place of what the deployment says for all. */
  readonly polling?: Polling;
  /** Whether the client has the role of step 2 now. */
  hasRole(): boolean;
  /** Guide step 2 and its undoing. */
  assignRole(): void;
  unassignRole(): void;
  /** A new client secret at the authorization server, and in Secrets Manager unless `store` is false. */
  rotateSecret(options?: { store?: boolean }): void;
  /**
   * A new certificate and key: SAP's, or the sender's own, registered; the old one is refused from now on. In Secrets
   * Manager too unless `store` is false. Throws an Error for a client that has a secret.
   */
  renewCertificate(options?: { store?: boolean }): void;
  /** The flow as it is deployed now. */
  readonly flow: Deployment;
  /** Deploys the flow anew with other settings, or another answer. */
  redeployFlow(change: Partial<Deployment>): void;
  /** Puts the current credentials into Secrets Manager. */
  storeSecret(): void;
}

/** The event source mapping of one queue. */
export interface Polling {
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  readonly enabled: boolean;
}

/** What a destination is made in. */
export interface Surroundings {
  readonly environment: 'neo' | 'cf';
  readonly account: Account;
  readonly subscription: string;
  readonly secretsManager: SecretsManager;
  readonly runtimeNode: RuntimeNode;
  readonly sqs: Sqs;
}

export function connectDestination(plan: DestinationPlan, surroundings: Surroundings): LocalDestination {
  const { environment, secretsManager, runtimeNode, sqs } = surroundings;
  const { name, fifo = false, webhook } = plan;
  const secret = `cpi/${name}`;
  const client = registerClient({ ...plan, secret }, surroundings);
  if (webhook !== undefined) {
    const { username, password, secret: proof = { username, password } } = webhook;
    secretsManager.put(`webhooks/${name}`, proof);
  }
  const deployment = { name, address: `/${name}`, allowedHeaders: ['SAP_ApplicationID'], ...plan.flow };
  const flow = deployFlow(deployment, runtimeNode);

  const ending = fifo ? '.fifo' : '';
  const common = { MessageRetentionPeriod: String(FOURTEEN_DAYS_SECONDS), ...(fifo ? { FifoQueue: 'true' } : {}) };
  const deadLetterQueue = sqs.createQueue(`token-relay-local-${name}-dlq${ending}`, common);
  const queue = sqs.createQueue(`token-relay-local-${name}${ending}`, {
    ...common,
    VisibilityTimeout: String(plan.visibilityTimeoutSeconds ?? 900),
    RedrivePolicy: JSON.stringify({
      deadLetterTargetArn: deadLetterQueue.arn,
      maxReceiveCount: plan.maxReceiveCount ?? 1000,
    }),
  });
  const path = endpointPath({ address: `/${name}`, ...plan.flow });
  const settings = {
    secret,
    ...(environment === 'cf' ? { path } : { url: `${runtimeNode.url}${path}` }),
    queue: queue.arn,
    queueUrl: queue.url,
    deadLetterQueueUrl: deadLetterQueue.url,
    ...(webhook === undefined ? {} : { webhook: doorOf(name, webhook) }),
    ...plan.settings,
  };
  return {
    ...client,
    name,
    secret,
    queue,
    deadLetterQueue,
    settings,
    trigger: undefined,
    get flow() {
      return flow.deployed;
    },
    redeployFlow: flow.redeploy,
  };
}

export interface DeployedFlow {
  /** As it is now. */
  readonly deployed: Deployment;
  redeploy(change: Partial<Deployment>): void;
}

export function deployFlow(deployment: Deployment, runtimeNode: Pick<RuntimeNode, 'deploy'>): DeployedFlow {
  let deployed = deployment;
  runtimeNode.deploy(deployed);
  return {
    get deployed() {
      return deployed;
    },
    redeploy: (change) => {
      deployed = { ...deployed, ...change };
      runtimeNode.deploy(deployed);
    },
  };
}

export type RegisteredClient = Pick<
  LocalDestination,
  'clientId' | 'hasRole' | 'assignRole' | 'unassignRole' | 'storeSecret' | 'rotateSecret' | 'renewCertificate'
>;

/** Steps 1 and 2 of SAP's guide, and the client's credentials in the secret of that name. */
export function registerClient(
  plan: Pick<DestinationPlan, 'name' | 'client' | 'assignRole' | 'nestedKey'> & { readonly secret: string },
  { environment, account, subscription, secretsManager, runtimeNode }: Surroundings,
): RegisteredClient & { readonly credentials: () => SenderCredentials } {
  const { name, secret } = plan;
  const clientId = plan.client?.clientId ?? clientIdFor(environment, name);
  const sender = registerSender(account, { ...plan.client, name, clientId, subscription });
  const assignment = { user: `oauth_client_${clientId}`, role: 'ESBMessaging.send', subscription };
  if (plan.assignRole ?? true) account.assignRole(assignment);
  const credentials = () => sender.credentials(runtimeNode.url, { nested: plan.nestedKey ?? true });
  const storeSecret = () => {
    secretsManager.put(secret, credentials());
  };
  storeSecret();
  return {
    clientId,
    credentials,
    hasRole: () => account.hasRole(assignment),
    assignRole: () => account.assignRole(assignment),
    unassignRole: () => account.unassignRole(assignment),
    storeSecret,
    rotateSecret: ({ store = true } = {}) => {
      account.rotateClientSecret(clientId);
      if (store) storeSecret();
    },
    renewCertificate: ({ store = true } = {}) => {
      sender.renewCertificate();
      if (store) storeSecret();
    },
  };
}

function doorOf(name: string, { verify = 'basic', mode = 'direct' }: WebhookPlan) {
  const { type } = typeof verify === 'object' && verify !== null && 'type' in verify ? verify : { type: verify };
  const hasSecret = !['jwt', 'iam', 'none'].includes(String(type));
  return { verify, ...(hasSecret ? { secret: `webhooks/${name}` } : {}), mode };
}

/** As they look: free text on Neo, made by the service broker on Cloud Foundry. */
function clientIdFor(environment: 'neo' | 'cf', name: string): string {
  return environment === 'neo'
    ? `legacy-${name}`
    : `sb-00000000-0000-4000-8000-${hex12(name)}!b1234|it-rt-acme-dev!b56`;
}

function hex12(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(12, '0').slice(0, 12);
}
