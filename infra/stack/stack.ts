/**
 * The whole stack, made from `custom` of serverless.yml: the functions with what wakes them, and the resources beside
 * them. The framework adds the functions' log groups and, by the webhook function's event, the HTTP API.
 */
import { readConfiguration } from './configuration.ts';
import type { Configuration, ServiceInput } from './destination.ts';
import { type DestinationsVariable, destinationsVariable } from './destinations.ts';
import { domainTarget, httpApiExtensions, httpApiResources, webhookRoutes, webhookUrl } from './http-api.ts';
import { warnings } from './mistakes.ts';
import {
  deadLetterQueueId,
  eventSourceMapping,
  eventSourceMappingId,
  logicalName,
  queueId,
  queueResources,
} from './queue.ts';
import { queueRole, webhookRole } from './role.ts';
import { attribute, type Resource, ref, type Value } from './template.ts';

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
  const environment = { DESTINATIONS: destinations.value };
  const queues = configuration.destinations.map(({ settings, queue }) => ({
    ...queueResources(settings, queue, timeoutSeconds),
    [eventSourceMappingId(settings.name)]: eventSourceMapping(settings, queue, 'QueueLambdaFunction'),
  }));
  return {
    functions: {
      queue: {
        handler: 'queue.handler',
        role: attribute('QueueRole', 'Arn'),
        timeout: timeoutSeconds,
        environment,
      },
      ...(hasWebhook && {
        webhook: {
          handler: 'webhook.handler',
          role: attribute('WebhookRole', 'Arn'),
          timeout: WEBHOOK_TIMEOUT_SECONDS,
          environment,
          events: webhookRoutes(configuration),
        },
      }),
    },
    resources: {
      Resources: {
        ...Object.assign({}, ...queues),
        QueueRole: queueRole(configuration, 'QueueLogGroup'),
        ...(hasWebhook && {
          WebhookRole: webhookRole(configuration, 'WebhookLogGroup'),
          ...httpApiResources(configuration, input),
        }),
      },
      ...(hasWebhook && { extensions: httpApiExtensions(configuration) }),
      Outputs: outputs(configuration),
    },
    destinations,
    warnings: warnings(configuration.destinations),
  };
}

/** Time for a message, for its one repetition with a new token, and for telling the queue. */
function queueTimeoutSeconds({ destinations }: Configuration): number {
  const longest = Math.max(...destinations.map(({ settings }) => settings.timeoutSeconds));
  return Math.min(LONGEST_TIMEOUT_SECONDS, 2 * longest + 30);
}

function outputs(configuration: Configuration): Stack['resources']['Outputs'] {
  const entries = configuration.destinations.flatMap(({ settings, queue }) => {
    const { name, webhook } = settings;
    return [
      ...(queue.created
        ? ([
            [queueId(name), `Queue of ${name}`, ref(queueId(name))],
            [deadLetterQueueId(name), `Dead-letter queue of ${name}`, ref(deadLetterQueueId(name))],
          ] as const)
        : []),
      ...(webhook
        ? [[`WebhookOf${logicalName(name)}`, `Webhook of ${name}`, webhookUrl(settings, configuration)] as const]
        : []),
    ];
  });
  const target = domainTarget(configuration);
  return {
    ...Object.fromEntries(
      entries.map(([id, description, value]) => [`${id}Url`, { Description: description, Value: value }]),
    ),
    ...(target && { WebhookDomainTarget: { Description: 'Where the DNS record of the domain points', Value: target } }),
  };
}
