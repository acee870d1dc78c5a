/**
 * The relay, deployed in the landscape: its two functions from the built bundles, a trigger for each queue, and the
 * HTTP API before the webhooks.
 */
import { type HttpApi, type Identity, type Route, startHttpApi } from './aws/http-api/http-api.ts';
import { createLambdaFunction, type LambdaFunction } from './aws/lambda/lambda.ts';
import type { Management } from './aws/management/management.ts';
import { startQueueTrigger } from './aws/queue-trigger/queue-trigger.ts';
import type { LocalDestination } from './destination.ts';
import type { Report } from './facts/fact.ts';
import { uuid } from './facts/ids.ts';

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
  /** Of the webhook function, as the variable has it. Default: none, as it is deployed. */
  readonly webhookLogLevel?: string;
  /** Of every event source mapping. Default 2. */
  readonly maximumConcurrency?: number;
  readonly batchSize?: number;
  /** In place of what the plans say, as the raw text of the variable. */
  readonly DESTINATIONS?: string;
  /** Further environment variables of both functions. */
  readonly variables?: Readonly<Record<string, string>>;
  /** The queues are polled at once. Default true; else each `trigger` waits for `resume`. */
  readonly polling?: boolean;
  readonly payloadFormat?: '2.0' | '1.0';
  readonly httpPort?: number;
}

export interface DeploymentParts {
  /** Folder with the built bundles. */
  readonly dist: string;
  readonly region: string;
  readonly destinations: readonly LocalDestination[];
  readonly endpoints: Readonly<Record<string, string>>;
  readonly iamUser: Identity;
  /** Is told what is deployed. */
  readonly management: Management;
  readonly onOutput?: (line: string) => void;
  readonly report?: Report;
  readonly confidential: (value: string) => void;
}

/** @param how what differs from the defaults @param stops is told how each part is ended; to be called in reverse */
export async function deployRelay(
  how: DeployOptions,
  { dist, region, destinations, endpoints, iamUser, management, onOutput, report, confidential }: DeploymentParts,
  stops: (() => Promise<void>)[],
): Promise<Deployed> {
  const settings = Object.fromEntries(destinations.map((destination) => [destination.name, destination.settings]));
  const shared = {
    environment: { ...endpoints, ...how.variables, DESTINATIONS: how.DESTINATIONS ?? JSON.stringify(settings) },
    region,
    confidential,
    onOutput: (line: string) => {
      onOutput?.(line);
      report?.({ of: 'function', event: { at: Date.now(), line } });
    },
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
      environment: {
        ...shared.environment,
        ...(how.webhookLogLevel === undefined ? {} : { POWERTOOLS_LOG_LEVEL: how.webhookLogLevel }),
      },
      name: 'token-relay-local-webhook',
      bundle: `${dist}/webhook.mjs`,
      timeoutSeconds: how.webhookTimeoutSeconds ?? 29,
    }),
  ]);
  for (const made of [queueFunction, webhookFunction]) management.functions.addFunction(made);
  for (const destination of destinations) {
    const { batchSize = 10, maximumConcurrency = 2 } = how;
    const settings = { batchSize, maximumConcurrency, maximumBatchingWindowSeconds: batchSize > 10 ? 1 : 0 };
    const { queue } = destination;
    const trigger = startQueueTrigger({
      queue,
      invoke: queueFunction.invoke,
      ...settings,
      enabled: how.polling ?? true,
      onEvent: (event) => report?.({ of: 'trigger', event }),
    });
    destination.trigger = trigger;
    stops.push(trigger.stop);
    const mapping = {
      uuid: uuid(Math.random),
      queueArn: queue.arn,
      functionArn: queueFunction.arn,
      createdAt: Date.now(),
    };
    management.functions.addMapping({ ...mapping, ...settings, trigger });
  }
  // Ended before the triggers, which wait for what is in flight; and nothing new is begun while they end.
  stops.push(queueFunction.stop, webhookFunction.stop);
  stops.push(async () => {
    for (const { trigger } of destinations) trigger?.pause();
  });
  const httpApi = await startHttpApi({
    invoke: webhookFunction.invoke,
    routes: [{ methods: 'ANY', path: '/webhooks/{destination}' }, ...destinations.flatMap(signedRoute)],
    identities: [iamUser],
    region,
    payloadFormat: how.payloadFormat ?? '2.0',
    ...(report === undefined ? {} : { onEvent: (event) => report({ of: 'gateway', event }) }),
    ...(how.httpPort === undefined ? {} : { port: how.httpPort }),
  });
  stops.push(() => httpApi.server.stop());
  return { queueFunction, webhookFunction, httpApi };
}

/** Where the gateway checks the signature, the destination has a route of its own. */
function signedRoute({ name, settings }: LocalDestination): Route[] {
  const { verify, methods = ['POST'] } = (settings.webhook ?? {}) as {
    readonly verify?: unknown;
    readonly methods?: readonly string[];
  };
  const [way, ...others] = [verify].flat();
  const { type } = typeof way === 'object' && way !== null && 'type' in way ? way : { type: way };
  if (type !== 'iam' || others.length > 0) return [];
  return [{ methods, path: `/webhooks/${name}`, authorization: 'AWS_IAM' }];
}
