/**
 * The whole local landscape: an SAP tenant with its authorization server and runtime node, the AWS services that the
 * relay uses, and the relay's own bundles deployed between them. Starts the parts in order and ends them in reverse;
 * what each part does is its own file's.
 */
import { resolve } from 'node:path';
import { type HttpApi, startHttpApi } from './aws/http-api.ts';
import { createLambdaFunction, type LambdaFunction } from './aws/lambda-host.ts';
import { type QueueTrigger, startQueueTrigger } from './aws/queue-trigger.ts';
import { startS3 } from './aws/s3.ts';
import { type SecretsManager, startSecretsManager } from './aws/secrets-manager.ts';
import { type Queue, type Sqs, startSqs } from './aws/sqs.ts';
import { type CertificateAuthority, createCertificateAuthority } from './certificates.ts';
import { type Account, createAccount } from './sap/account.ts';
import { type AuthorizationServer, startAuthorizationServer } from './sap/authorization-server.ts';
import { type Deployment, endpointPath } from './sap/integration-flow.ts';
import { type RuntimeNode, type RuntimeNodeOptions, startRuntimeNode } from './sap/runtime-node.ts';
import { type ClientPlan, registerSender } from './sender.ts';
import type { LocalServer } from './server.ts';
import { writeTrustFile } from './trust-file.ts';

const DIST = resolve(import.meta.dirname, '../../dist');
const FOURTEEN_DAYS_SECONDS = 1_209_600;

export interface LandscapeOptions {
  /** Which SAP environment the tenant runs in. Default `cf`. */
  readonly environment?: 'neo' | 'cf';
  /** Folder with the built bundles. Default `dist`. */
  readonly dist?: string;
  /**
   * SAP's side speaks HTTPS alone, by a certificate authority of the landscape, which the relay's functions trust by
   * `NODE_EXTRA_CA_CERTS`; clients may have certificates. Default false: plain HTTP.
   */
  readonly tls?: boolean;
  readonly runtimeNode?: Pick<RuntimeNodeOptions, 'workers' | 'expiredTokenStatus' | 'leewaySeconds'>;
  /** Also starts S3. Default false. */
  readonly s3?: boolean;
  /** The clock of the queues, epoch ms, apart from all others: a wait of hours is over by turning it on. Default `Date.now`. */
  readonly sqsNow?: () => number;
  /** Every line that a process of the relay writes. */
  readonly onOutput?: (line: string) => void;
  /** Told every secret, token and payload that comes up. */
  readonly confidential?: (value: string) => void;
}

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
  /** Puts the current credentials into Secrets Manager. */
  storeSecret(): void;
}

export interface Deployed {
  readonly queueFunction: LambdaFunction;
  readonly webhookFunction: LambdaFunction;
  /** In front of the webhook function, payload 2.0. */
  readonly httpApi: HttpApi;
}

export interface DeployOptions {
  /** Default 150: twice the default `timeoutSeconds`, and 30. */
  readonly queueTimeoutSeconds?: number;
  /** Default 29. */
  readonly webhookTimeoutSeconds?: number;
  /** Of every event source mapping. Default 2. */
  readonly maximumConcurrency?: number;
  readonly batchSize?: number;
  /** In place of what the plans say, as the raw text of the variable. */
  readonly DESTINATIONS?: string;
  /** The queues are polled at once. Default true; else each `trigger` waits for `resume`. */
  readonly polling?: boolean;
  readonly payloadFormat?: '2.0' | '1.0';
  readonly httpPort?: number;
}

export interface Landscape {
  readonly account: Account;
  /** With `tls`: whom everyone in the landscape trusts. */
  readonly certificateAuthority: CertificateAuthority | undefined;
  readonly authorizationServer: AuthorizationServer;
  readonly runtimeNode: RuntimeNode;
  readonly secretsManager: SecretsManager;
  readonly sqs: Sqs;
  /** Through which the relay reaches the queues. */
  readonly sqsServer: LocalServer;
  /** The SDK's variables for endpoints, with `tls` also `NODE_EXTRA_CA_CERTS`: what a process needs to reach the services. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Steps 1 and 2 of SAP's guide, a secret, a flow and a queue. */
  connect(plan: DestinationPlan): LocalDestination;
  /** Starts the relay's two functions and what triggers them. */
  deploy(options?: DeployOptions): Promise<Deployed>;
  stop(): Promise<void>;
}

const REGION = 'eu-central-1';
const SUBSCRIPTION = 'acme-dev.iflmap';

export async function startLandscape(options: LandscapeOptions = {}): Promise<Landscape> {
  const { environment = 'cf', dist = DIST, tls = false, onOutput, confidential = ignore } = options;
  const stops: (() => Promise<void>)[] = [];
  // Keys of an elliptic curve are made at once; those of clients are RSA all the same, as in service keys.
  const certificateAuthority = tls ? createCertificateAuthority({ keyType: 'ec', confidential }) : undefined;
  const trusted = certificateAuthority === undefined ? undefined : await writeTrustFile(certificateAuthority);
  const account = createAccount({
    environment,
    confidential,
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
  });
  account.addSubscription({ vmName: SUBSCRIPTION, nodeType: 'iflmap' });

  const [authorizationServer, secretsManager, startedSqs, s3] = await Promise.all([
    startAuthorizationServer({ account, tls, confidential }),
    startSecretsManager({ confidential }),
    startSqs({ confidential, region: REGION, ...(options.sqsNow === undefined ? {} : { now: options.sqsNow }) }),
    options.s3 === true ? startS3() : undefined,
  ]);
  const runtimeNode = await startRuntimeNode({
    ...options.runtimeNode,
    authorizationServer,
    subscription: SUBSCRIPTION,
    tls,
    confidential,
  });
  const { sqs } = startedSqs;
  stops.push(
    async () => trusted?.remove(),
    () => authorizationServer.server.stop(),
    async () => authorizationServer.certificateServer?.stop(),
    () => secretsManager.server.stop(),
    () => startedSqs.server.stop(),
    async () => s3?.stop(),
    () => runtimeNode.server.stop(),
  );
  const endpoints = {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
    AWS_ENDPOINT_URL_SQS: startedSqs.url,
    ...(s3 === undefined ? {} : { AWS_ENDPOINT_URL_S3: s3.url }),
    ...trusted?.variables,
  };
  const destinations: LocalDestination[] = [];

  function connect(plan: DestinationPlan): LocalDestination {
    const { name, fifo = false, webhook } = plan;
    const clientId = plan.client?.clientId ?? clientIdFor(environment, name);
    const secret = `cpi/${name}`;
    const sender = registerSender(account, { ...plan.client, name, clientId, subscription: SUBSCRIPTION });
    const assignment = { user: `oauth_client_${clientId}`, role: 'ESBMessaging.send', subscription: SUBSCRIPTION };
    if (plan.assignRole ?? true) account.assignRole(assignment);
    const storeSecret = () => {
      secretsManager.put(secret, sender.credentials(runtimeNode.url, { nested: plan.nestedKey ?? true }));
    };
    storeSecret();
    if (webhook !== undefined) {
      const { username, password, secret: proof = { username, password } } = webhook;
      secretsManager.put(`webhooks/${name}`, proof);
    }
    runtimeNode.deploy({ name, address: `/${name}`, allowedHeaders: ['SAP_ApplicationID'], ...plan.flow });

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
    const destination: LocalDestination = {
      name,
      clientId,
      secret,
      queue,
      deadLetterQueue,
      settings,
      trigger: undefined,
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
    destinations.push(destination);
    return destination;
  }

  async function deploy(how: DeployOptions = {}): Promise<Deployed> {
    const settings = Object.fromEntries(destinations.map((destination) => [destination.name, destination.settings]));
    const shared = {
      environment: { ...endpoints, DESTINATIONS: how.DESTINATIONS ?? JSON.stringify(settings) },
      region: REGION,
      confidential,
      ...(onOutput === undefined ? {} : { onOutput }),
    };
    const [queueFunction, webhookFunction] = await Promise.all([
      createLambdaFunction({
        ...shared,
        name: 'token-relay-local-queue',
        bundle: `${dist}/queue.mjs`,
        timeoutSeconds: how.queueTimeoutSeconds ?? 150,
      }),
      createLambdaFunction({
        ...shared,
        name: 'token-relay-local-webhook',
        bundle: `${dist}/webhook.mjs`,
        timeoutSeconds: how.webhookTimeoutSeconds ?? 29,
      }),
    ]);
    for (const destination of destinations) {
      const trigger = startQueueTrigger({
        queue: destination.queue,
        invoke: queueFunction.invoke,
        batchSize: how.batchSize ?? 10,
        maximumConcurrency: how.maximumConcurrency ?? 2,
        maximumBatchingWindowSeconds: (how.batchSize ?? 10) > 10 ? 1 : 0,
        enabled: how.polling ?? true,
      });
      destination.trigger = trigger;
      stops.push(trigger.stop);
    }
    // Ended before the triggers, which wait for what is in flight; and nothing new is begun while they end.
    stops.push(queueFunction.stop, webhookFunction.stop);
    stops.push(async () => {
      for (const { trigger } of destinations) trigger?.pause();
    });
    const httpApi = await startHttpApi({
      invoke: webhookFunction.invoke,
      routes: [{ methods: 'ANY', path: '/webhooks/{destination}' }],
      payloadFormat: how.payloadFormat ?? '2.0',
      ...(how.httpPort === undefined ? {} : { port: how.httpPort }),
    });
    stops.push(() => httpApi.server.stop());
    return { queueFunction, webhookFunction, httpApi };
  }

  return {
    account,
    certificateAuthority,
    authorizationServer,
    runtimeNode,
    secretsManager,
    sqs,
    sqsServer: startedSqs.server,
    endpoints,
    connect,
    deploy,
    stop: async () => {
      for (const stop of stops.reverse()) await stop();
    },
  };
}

function doorOf(name: string, { verify = 'basic', mode = 'direct' }: WebhookPlan) {
  return { verify, secret: `webhooks/${name}`, mode };
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

function ignore(): void {
  // Nobody asked to be told.
}
