/**
 * The whole stack, made from `custom` of serverless.yml: the functions with what wakes them, and the resources beside
 * them. The framework adds the functions' log groups and, by the webhook function's event, the HTTP API.
 */
import { sidesOf } from '../../../functions/settings/destination.ts';
import { isRecord } from '../../../functions/untrusted.ts';
import { alarmsOf } from './alarms.ts';
import { readConfiguration } from './configuration.ts';
import { dashboard } from './dashboard.ts';
import type { Configuration, ServiceInput } from './destination.ts';
import { domainTarget, httpApiExtensions, httpApiResources, webhookRoutes, webhooksUrl } from './http-api.ts';
import { warnings } from './mistakes.ts';
import { queries } from './queries.ts';
import { deadLetterQueuePolicy, eventSourceMapping, eventSourceMappingId, queueResources } from './queue.ts';
import { queueRole, webhookRole } from './role.ts';
import type { DeployedFunction } from './service-alarms.ts';
import { tagged, tagList } from './tags.ts';
import { attribute, type Resource, type Value } from './template.ts';
import { type DestinationsVariable, destinationsVariable } from './variable.ts';

type Extensions = Readonly<Record<string, Pick<Resource, 'Properties'>>>;

export interface Stack {
  /** `functions` of serverless.yml. */
  readonly functions: Readonly<Record<string, object>>;
  /** `resources` of serverless.yml. */
  readonly resources: {
    readonly Resources: Readonly<Record<string, Resource>>;
    /** Added to what the framework makes. */
    readonly extensions: Extensions;
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
  const { name, alarms, metrics, platform } = configuration;
  const environment = { DESTINATIONS: destinations.value, POWERTOOLS_SERVICE_NAME: metrics.service };
  const functions: DeployedFunction[] = [
    { name: 'queue', logicalId: QUEUE_FUNCTION, timeoutSeconds },
    ...(hasWebhook
      ? [{ name: 'webhook', logicalId: 'WebhookLambdaFunction', timeoutSeconds: WEBHOOK_TIMEOUT_SECONDS } as const]
      : []),
  ];
  const madeAlarms = alarmsOf(name, configuration, functions);
  const logGroupIds = ['QueueLogGroup', ...(hasWebhook ? ['WebhookLogGroup'] : [])];
  const queues = configuration.destinations.map(({ settings, queue }) => ({
    ...queueResources(settings, queue, { functionTimeoutSeconds: timeoutSeconds, kmsKeyArn: platform.kmsKeyForQueues }),
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
        ...placed(configuration, 'queue'),
      },
      ...(hasWebhook && {
        webhook: {
          handler: 'webhook.handler',
          role: attribute('WebhookRole', 'Arn'),
          timeout: WEBHOOK_TIMEOUT_SECONDS,
          environment,
          ...placed(configuration, 'webhook'),
          events: webhookRoutes(configuration),
        },
      }),
    },
    resources: {
      Resources: tagged(
        {
          ...Object.assign({}, ...queues),
          ...deadLetterQueuePolicy(configuration.destinations),
          ...queueRole(configuration, 'QueueLogGroup'),
          ...(hasWebhook && {
            ...webhookRole(configuration, 'WebhookLogGroup'),
            ...httpApiResources(configuration, input),
          }),
          ...madeAlarms.resources,
          ...dashboard({ service: name, configuration, functions, ...madeAlarms }),
          ...queries(input, configuration, logGroupIds),
        },
        platform.tags,
      ),
      extensions: {
        ...(hasWebhook && httpApiExtensions(configuration)),
        ...logGroupExtensions(configuration, logGroupIds),
        ...bucketExtension(configuration, input.provider),
      },
      Outputs: outputs(configuration, hasWebhook),
    },
    destinations,
    warnings: warnings(configuration),
  };
}

/** What both functions have alike, in the framework's words. */
function placed({ tracing, platform }: Configuration, name: 'queue' | 'webhook'): object {
  const { reservedConcurrency, vpc, tags } = platform;
  return {
    ...(tracing && { tracing: 'Active' }),
    ...(reservedConcurrency[name] !== undefined && { reservedConcurrency: reservedConcurrency[name] }),
    ...(vpc !== undefined && { vpc }),
    ...(Object.keys(tags).length > 0 && { tags }),
  };
}

/** The functions' log groups, which the framework makes. */
function logGroupExtensions({ platform: { kmsKeyForLogs, tags } }: Configuration, ids: readonly string[]): Extensions {
  const Properties = { ...(kmsKeyForLogs !== undefined && { KmsKeyId: kmsKeyForLogs }), ...tagList(tags) };
  return Object.keys(Properties).length === 0 ? {} : Object.fromEntries(ids.map((id) => [id, { Properties }]));
}

/** The framework's bucket, which there is none of where `provider.deploymentBucket` names another. */
function bucketExtension({ platform: { tags } }: Configuration, provider: unknown): Extensions {
  const { deploymentBucket } = isRecord(provider) ? provider : {};
  const isNamed = typeof deploymentBucket === 'string' || (isRecord(deploymentBucket) && 'name' in deploymentBucket);
  if (isNamed || Object.keys(tags).length === 0) return {};
  return { ServerlessDeploymentBucket: { Properties: { ...tagList(tags) } } };
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
