/**
 * Another SAP environment beside the landscape's own, as whoever moves from Neo to Cloud Foundry has both at once: an
 * account, its authorization server and its runtime node. Its clients' credentials lie in the same Secrets Manager.
 */
import type { SecretsManager } from './aws/secrets-manager/secrets-manager.ts';
import type { Sqs } from './aws/sqs/sqs.ts';
import {
  type DeployedFlow,
  type DestinationPlan,
  deployFlow,
  type RegisteredClient,
  registerClient,
} from './destination.ts';
import type { Report } from './facts/fact.ts';
import { type AuthorizationServer, startAuthorizationServer } from './sap/authorization-server/authorization-server.ts';
import { type Account, createAccount } from './sap/cockpit/account.ts';
import { endpointPath } from './sap/runtime-node/integration-flow.ts';
import { type RuntimeNode, startRuntimeNode } from './sap/runtime-node/runtime-node.ts';

const SUBSCRIPTION = 'acme-dev.iflmap';

/** The new side of a destination's cut-over. */
export interface NewSide extends RegisteredClient {
  readonly secret: string;
  /** For `cutover`, beside `since`: the secret, and where the flow is. */
  readonly settings: Readonly<Record<string, string>>;
  readonly redeployFlow: DeployedFlow['redeploy'];
}

export interface SapEnvironment {
  readonly environment: 'neo' | 'cf';
  readonly account: Account;
  readonly authorizationServer: AuthorizationServer;
  readonly runtimeNode: RuntimeNode;
  /** A client with its role, its secret `cpi/<name>-<environment>`, and the flow of that name. */
  connect(plan: Pick<DestinationPlan, 'name' | 'flow' | 'client' | 'assignRole'>): NewSide;
}

export interface SapEnvironmentOptions {
  readonly environment: 'neo' | 'cf';
  readonly secretsManager: SecretsManager;
  readonly sqs: Sqs;
  readonly confidential: (value: string) => void;
  /** Default: any that are free. */
  readonly ports?: { readonly authorizationServer: number; readonly runtimeNode: number };
  readonly report?: Report;
}

/** @param stops is told how each part is ended; to be called in reverse */
export async function startSapEnvironment(
  { environment, secretsManager, sqs, confidential, ports, report }: SapEnvironmentOptions,
  stops: (() => Promise<void>)[],
): Promise<SapEnvironment> {
  const account = createAccount({ name: 'acme-new', environment, confidential });
  account.addSubscription({ vmName: SUBSCRIPTION, nodeType: 'iflmap' });
  const authorizationServer = await startAuthorizationServer({
    account,
    confidential,
    onTokenRequest: (event) => report?.({ of: 'authorization-server', event }),
    port: ports?.authorizationServer ?? 0,
  });
  const runtimeNode = await startRuntimeNode({
    authorizationServer,
    subscription: SUBSCRIPTION,
    confidential,
    port: ports?.runtimeNode ?? 0,
    ...(report === undefined ? {} : { onEvent: (event) => report({ of: 'runtime-node', event }) }),
  });
  stops.push(
    () => authorizationServer.server.stop(),
    () => runtimeNode.server.stop(),
  );
  const within = { environment, account, subscription: SUBSCRIPTION, secretsManager, runtimeNode, sqs };
  return {
    environment,
    account,
    authorizationServer,
    runtimeNode,
    connect(plan) {
      const { name } = plan;
      const secret = `cpi/${name}-${environment}`;
      const client = registerClient({ ...plan, secret }, within);
      const deployment = { name, address: `/${name}`, allowedHeaders: ['SAP_ApplicationID'], ...plan.flow };
      const flow = deployFlow(deployment, runtimeNode);
      const path = endpointPath({ address: `/${name}`, ...plan.flow });
      return {
        ...client,
        secret,
        settings: { secret, ...(environment === 'cf' ? { path } : { url: `${runtimeNode.url}${path}` }) },
        redeployFlow: flow.redeploy,
      };
    },
  };
}
