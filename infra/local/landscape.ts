/**
 * The whole local landscape: an SAP tenant with its authorization server and runtime node, the AWS services that the
 * relay uses, and the relay's own bundles deployed between them. Starts the parts in order and ends them in reverse;
 * what each part does is its own file's.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Identity } from './aws/http-api/http-api.ts';
import { type Management, startManagement } from './aws/management/management.ts';
import { type S3, startS3 } from './aws/s3.ts';
import { type SecretsManager, startSecretsManager } from './aws/secrets-manager/secrets-manager.ts';
import { type Sqs, startSqs } from './aws/sqs/sqs.ts';
import { type Deployed, type DeployOptions, deployRelay } from './deployment.ts';
import { connectDestination, type DestinationPlan, type LocalDestination, type Surroundings } from './destination.ts';
import { type SapEnvironment, startSapEnvironment } from './environment.ts';
import type { Report } from './facts/fact.ts';
import { type AuthorizationServer, startAuthorizationServer } from './sap/authorization-server/authorization-server.ts';
import { type Account, createAccount } from './sap/cockpit/account.ts';
import { type RuntimeNode, type RuntimeNodeOptions, startRuntimeNode } from './sap/runtime-node/runtime-node.ts';
import { type CertificateAuthority, createCertificateAuthority } from './server/certificates.ts';
import type { LocalServer } from './server/server.ts';
import { writeTrustFile } from './server/trust-file.ts';

export type { Deployed, DeployOptions } from './deployment.ts';
export type { DestinationPlan, LocalDestination, Surroundings, WebhookPlan } from './destination.ts';

const DIST = resolve(import.meta.dirname, '../../dist');

/** Where each part listens. */
export interface LandscapePorts {
  readonly sqs: number;
  readonly secretsManager: number;
  readonly s3: number;
  readonly runtimeNode: number;
  readonly authorizationServer: number;
  /** The authorization server's host for clients with certificates, with `tls`. */
  readonly certificateHost: number;
  /** All of AWS's services behind one address. */
  readonly aws: number;
}

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
  /** With `tls`: where a client certificate is judged. Default `answer`; see the authorization server's option. */
  readonly certificateCheck?: 'answer' | 'handshake';
  readonly runtimeNode?: Pick<RuntimeNodeOptions, 'workers' | 'expiredTokenStatus' | 'leewaySeconds'>;
  /** Of AWS. Default `eu-central-1`. */
  readonly region?: string;
  /** Also starts S3. Default false. */
  readonly s3?: boolean;
  /** Default: any that are free. */
  readonly ports?: LandscapePorts;
  /**
   * The clock of the queues, epoch ms, apart from all others: a wait of hours is over by turning it on. Default
   * `Date.now`.
   */
  readonly sqsNow?: () => number;
  /** Every line that a process of the relay writes. */
  readonly onOutput?: (line: string) => void;
  /** Told every secret, token and payload that comes up. */
  readonly confidential?: (value: string) => void;
  /** Told what happens in each part. */
  readonly report?: Report;
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
  /** With `s3`. */
  readonly s3: S3 | undefined;
  /** What operators' tools ask, all services behind one address. */
  readonly management: Management;
  /** Whose signature opens webhooks with `verify: iam`. */
  readonly iamUser: Identity;
  /**
   * The SDK's variables for endpoints, with `tls` also `NODE_EXTRA_CA_CERTS`: what a process needs to reach the
   * services.
   */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Those that were connected so far. */
  readonly destinations: readonly LocalDestination[];
  /** Steps 1 and 2 of SAP's guide, a secret, a flow and a queue. */
  connect(plan: DestinationPlan): LocalDestination;
  /** The same for a destination whose parts are made elsewhere, of what the landscape has. */
  add(make: (surroundings: Surroundings) => LocalDestination): LocalDestination;
  /** Starts another SAP environment beside this one, for a cut-over between the two. */
  openEnvironment(environment: 'neo' | 'cf'): Promise<SapEnvironment>;
  /** Starts the relay's two functions and what triggers them. */
  deploy(options?: DeployOptions): Promise<Deployed>;
  stop(): Promise<void>;
}

const DEFAULT_REGION = 'eu-central-1';
const SUBSCRIPTION = 'acme-dev.iflmap';

export async function startLandscape(options: LandscapeOptions = {}): Promise<Landscape> {
  const { environment = 'cf', dist = DIST, tls = false, ports, onOutput, confidential = ignore, report } = options;
  const { region = DEFAULT_REGION } = options;
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
    startAuthorizationServer({
      account,
      tls,
      confidential,
      onTokenRequest: (event) => report?.({ of: 'authorization-server', event }),
      port: ports?.authorizationServer ?? 0,
      certificatePort: ports?.certificateHost ?? 0,
      certificateCheck: options.certificateCheck ?? 'answer',
    }),
    startSecretsManager({
      confidential,
      region,
      port: ports?.secretsManager ?? 0,
      onRead: (event) => report?.({ of: 'secrets-manager', event }),
    }),
    startSqs({
      confidential,
      region,
      port: ports?.sqs ?? 0,
      ...(report === undefined ? {} : { onEvent: (event) => report({ of: 'queue', event }) }),
      ...(options.sqsNow === undefined ? {} : { now: options.sqsNow }),
    }),
    options.s3 === true ? startS3({ port: ports?.s3 ?? 0 }) : undefined,
  ]);
  const runtimeNode = await startRuntimeNode({
    ...options.runtimeNode,
    authorizationServer,
    subscription: SUBSCRIPTION,
    tls,
    confidential,
    port: ports?.runtimeNode ?? 0,
    ...(report === undefined
      ? {}
      : {
          onEvent: (event) => report({ of: 'runtime-node', event }),
          onFault: (request, fault) => report({ of: 'fault', event: { at: Date.now(), request, fault } }),
        }),
  });
  const { sqs } = startedSqs;
  const management = await startManagement({
    services: { AmazonSQS: startedSqs.answer, secretsmanager: secretsManager.answer },
    ageOfOldestMessage: (name) => sqs.findQueue(name)?.ageOfOldestSeconds(),
    newId: randomUUID,
    port: ports?.aws ?? 0,
  });
  stops.push(
    async () => trusted?.remove(),
    () => authorizationServer.server.stop(),
    async () => authorizationServer.certificateServer?.stop(),
    () => secretsManager.server.stop(),
    () => startedSqs.server.stop(),
    () => management.server.stop(),
    async () => s3?.stop(),
    () => runtimeNode.server.stop(),
  );
  const endpoints = {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
    AWS_ENDPOINT_URL_SQS: startedSqs.url,
    ...(s3 === undefined ? {} : { AWS_ENDPOINT_URL_S3: s3.url }),
    ...trusted?.variables,
  };
  const iamUser = createIamUser();
  confidential(iamUser.secretAccessKey);
  const destinations: LocalDestination[] = [];

  function add(make: (surroundings: Surroundings) => LocalDestination): LocalDestination {
    const within = { environment, account, subscription: SUBSCRIPTION, secretsManager, runtimeNode, sqs };
    const destination = make(within);
    destinations.push(destination);
    return destination;
  }

  return {
    account,
    certificateAuthority,
    authorizationServer,
    runtimeNode,
    secretsManager,
    sqs,
    sqsServer: startedSqs.server,
    s3,
    management,
    iamUser,
    endpoints,
    destinations,
    connect: (plan) => add((within) => connectDestination(plan, within)),
    add,
    openEnvironment(other) {
      const parts = { environment: other, secretsManager, sqs, confidential };
      return startSapEnvironment({ ...parts, ...(report === undefined ? {} : { report }) }, stops);
    },
    deploy(how = {}) {
      const parts = { dist, region: region, destinations, endpoints, iamUser, management, confidential };
      const told = { ...(onOutput === undefined ? {} : { onOutput }), ...(report === undefined ? {} : { report }) };
      return deployRelay(how, { ...parts, ...told }, stops);
    },
    stop: async () => {
      for (const stop of stops.reverse()) await stop();
    },
  };
}

function createIamUser(): Identity {
  return {
    accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64url'),
    userArn: 'arn:aws:iam::123456789012:user/legacy-erp',
  };
}

function ignore(): void {
  // Nobody asked to be told.
}
