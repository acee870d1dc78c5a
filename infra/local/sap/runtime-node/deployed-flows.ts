/**
 * The integration flows that are deployed on a runtime node: by name, as the monitoring lists them, and by the path of
 * a call. What the tenant keeps beyond a flow's deployment, the ids of its idempotent process call, is kept here.
 */
import type { ProcessedIds } from './idempotent-process-call.ts';
import {
  createIntegrationFlow,
  type Deployment,
  endpointPath,
  type IntegrationFlow,
  serves,
} from './integration-flow.ts';

export interface DeployedFlows {
  /** Replaces a flow of the same name. Throws an Error when another flow has the endpoint. */
  deploy(deployment: Deployment): void;
  /** Throws an Error when no flow has that name. */
  undeploy(name: string): void;
  /** The flow that answers there, the one with the longest endpoint: `/orders/urgent` before `/orders/*`. */
  at(path: string): IntegrationFlow | undefined;
}

/** None yet. */
export function createDeployedFlows(now: () => number): DeployedFlows {
  const flows = new Map<string, IntegrationFlow>();
  const idsOf = new Map<string, ProcessedIds>();

  return {
    deploy: (deployment) => {
      const ids: ProcessedIds = idsOf.get(deployment.name) ?? new Map();
      idsOf.set(deployment.name, ids);
      const flow = createIntegrationFlow(deployment, { now, ids });
      const holder = [...flows.values()].find(
        (other) =>
          other.name !== flow.name && other.address === flow.address && endpointPath(other) === endpointPath(flow),
      );
      if (holder !== undefined) throw new Error(`address: ${flow.address} is already served by ${holder.name}`);
      flows.set(flow.name, flow);
    },
    undeploy: (name) => {
      if (!flows.delete(name)) throw new Error(`name: no flow ${name} is deployed`);
    },
    at: (path) =>
      [...flows.values()]
        .filter((flow) => serves(flow, path))
        .toSorted((one, other) => endpointPath(other).length - endpointPath(one).length)[0],
  };
}
