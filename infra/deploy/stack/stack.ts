/**
 * The whole stack, made from `custom` of serverless.yml: the functions with what wakes them, and the resources beside
 * them. The framework adds the functions' log groups and, by the webhook function's event, the HTTP API.
 */
import { sidesOf } from '../../../functions/settings/destination.ts';
import { alarmsOf } from './alarms.ts';
import { readConfiguration } from './configuration.ts';
import { dashboard } from './dashboard.ts';
import type { Configuration, ServiceInput } from './destination.ts';
import { domainTarget, httpApiExtensions, httpApiResources, webhookRoutes, webhooksUrl } from './http-api.ts';
import { warnings } from './mistakes.ts';
import { queries } from './queries.ts';
import { eventSourceMapping, eventSourceMappingId, queueResources } from './queue.ts';
import { queueRole, webhookRole } from './role.ts';
import type { DeployedFunction } from './service-alarms.ts';
import { attribute, type Resource, type Value } from './template.ts';
import { type DestinationsVariable, destinationsVariable } from './variable.ts';

export interface Stack {
  /** `functions` of serverless.yml. */
  readonly functions: Readonly<Record<string, object>>;
  /** `resources` of serverless.yml. */
  readonly resources: {
    readonly Resources: Readonly<Record<string, Resource>>;
    /** Added to what the framework makes. */
    readonly extensions?: Readonly<Record<string, Pick<Resource, 'Properties'>>>;
    readonly Outputs: Readonly<Record<string, { readonly Description: string; readonly Value: Value }>>;
  };
  readonly destinations: DestinationsVariable;
  /** One line each. */
  readonly warnings: readonly string[];
}

/** As the framework names it in the template. */
const QUEUE_FUNCTION = 'QueueLambdaFunction';
/** Lambda's own limit is 900 s. */
const LONGEST_TIMEOUT_SECONDS = 900;
/** One below the HTTP API's 30 s, so that the answer is ours and not the gateway's. */
const WEBHOOK_TIMEOUT_SECONDS = 29;

/** @throws Error whose message has one line for each mistake in `custom` */
export function stack(input: ServiceInput): Stack {
  const configuration = readConfiguration(input);
  const destinations = destinationsVariable(configuration);
  const hasWebhook = configuration.destinations.some(({ settings }) => settings.webhook !== undefined);
  const timeoutSeconds = queueTimeoutSeconds(configuration);
  const { alarms, metrics, tracing } = configuration;
  const name = `${input.service}-${input.stage}`;
  const environment = { DESTINATIONS: destinations.value, POWERTOOLS_SERVICE_NAME: metrics.service };
  const functions: DeployedFunction[] = [
    { name: 'queue', logicalId: QUEUE_FUNCTION, timeoutSeconds },
    ...(hasWebhook
      ? [{ name: 'webhook', logicalId: 'WebhookLambdaFunction', timeoutSeconds: WEBHOOK_TIMEOUT_SECONDS } as const]
      : []),
  ];
  const madeAlarms = alarmsOf(name, configuration, functions);
  const logGroupIds = ['QueueLogGroup', ...(hasWebhook ? ['WebhookLogGroup'] : [])];
  const traced = tracing ? { tracing: 'Active' } : {};
  const queues = configuration.destinations.map(({ settings, queue }) => ({
    ...queueResources(settings, queue, timeoutSeconds),
    [eventSourceMappingId(settings.name)]: eventSourceMapping(settings, queue, QUEUE_FUNCTION, {
      isCounted: alarms !== undefined && settings.enabled && !settings.fifo,
    }),
  }));
  return {
    functions: {
      queue: {
        handler: 'queue.handler',
        role: attribute('QueueRole', 'Arn'),
        timeout: timeoutSeconds,
        environment,
        ...traced,
      },
      ...(hasWebhook && {
        webhook: {
          handler: 'webhook.handler',
          role: attribute('WebhookRole', 'Arn'),
          timeout: WEBHOOK_TIMEOUT_SECONDS,
          environment,
          ...traced,
          events: webhookRoutes(configuration),
        },
      }),
    },
    resources: {
      Resources: {
        ...Object.assign({}, ...queues),
        ...queueRole(configuration, 'QueueLogGroup'),
        ...(hasWebhook && {
          ...webhookRole(configuration, 'WebhookLogGroup'),
          ...httpApiResources(configuration, input),
        }),
        ...madeAlarms.resources,
        ...dashboard({ service: name, configuration, functions, ...madeAlarms }),
        ...queries(input, configuration, logGroupIds),
      },
      ...(hasWebhook && { extensions: httpApiExtensions(configuration) }),
      Outputs: outputs(configuration, hasWebhook),
    },
    destinations,
    warnings: warnings(configuration),
  };
}

/** Time for a message, for its one repetition with a new token, and for telling the queue. */
function queueTimeoutSeconds({ destinations }: Configuration): number {
  const longest = Math.max(
    ...destinations.flatMap(({ settings }) => sidesOf(settings)).map((side) => side.timeoutSeconds),
  );
  return Math.min(LONGEST_TIMEOUT_SECONDS, 2 * longest + 30);
}

/** What no name tells. The queues' URLs follow from their names, a webhook's from this one and its destination's name. */
function outputs(configuration: Configuration, hasWebhook: boolean): Stack['resources']['Outputs'] {
  const target = domainTarget(configuration);
  return {
    ...(hasWebhook && {
      WebhooksUrl: { Description: 'Followed by the name of a destination', Value: webhooksUrl(configuration) },
    }),
    ...(target && { WebhookDomainTarget: { Description: 'Where the DNS record of the domain points', Value: target } }),
  };
}
