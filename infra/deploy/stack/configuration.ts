/**
 * What stands in serverless.yml, read once: the destinations with every default filled in, as the function itself will
 * read them, and the queue that each has. What can be wrong in it is for `mistakes.ts`, what is made of it for the rest.
 */
import { readSettings } from '../../../functions/settings/settings.ts';
import { isRecord } from '../../../functions/untrusted.ts';
import type { Configuration, Destination, ServiceInput } from './destination.ts';
import { DEFAULT_THROTTLING, type Throttling, type WebhookDomain } from './gateway.ts';
import { customMistakes, deploymentMistakes, writtenMistakes } from './mistakes.ts';
import { type Alarms, DEFAULT_NOT_DELIVERED_AFTER_SECONDS, type Maintenance } from './notification.ts';
import { platformOf } from './platform.ts';
import { queueOf } from './queue.ts';
import { metricsOf, serviceMistakes } from './service.ts';

/**
 * @throws Error with one line for each mistake, `custom.destinations.orders.csrf: expected true or false`; its stack is
 * its message, since the framework prints an error's stack
 */
export function readConfiguration(input: ServiceInput): Configuration {
  const custom = isRecord(input.custom) ? input.custom : {};
  const { kmsKeyArns, webhookThrottling, webhookDomain, alarms, maintenance, tracing } = custom;
  const beside = [...customMistakes(custom, input.region), ...serviceMistakes(input)];
  // Where all of them stand in the wrong place, that there are none in the right one is not another mistake.
  const none = custom.destinations === undefined || custom.destinations === null;
  refuse([...(none && beside.length > 0 ? [] : writtenMistakes(custom.destinations)), ...beside]);
  const destinations = readDestinations(input, custom.destinations as Record<string, Record<string, unknown>>);
  const hasWebhook = destinations.some(({ settings }) => settings.webhook !== undefined);
  if (webhookDomain !== undefined && !hasWebhook) refuse(['custom.webhookDomain: no destination has a webhook']);
  refuse(deploymentMistakes(destinations, input.region));
  refuse(writtenMistakes(Object.fromEntries(destinations.map(({ settings, written }) => [settings.name, written]))));
  return {
    name: `${input.service}-${input.stage}`,
    region: input.region,
    kmsKeyArns: (kmsKeyArns ?? []) as string[],
    throttling: { ...DEFAULT_THROTTLING, ...(webhookThrottling as Partial<Throttling> | undefined) },
    ...(webhookDomain === undefined ? {} : { domain: webhookDomain as WebhookDomain }),
    ...(alarms === undefined
      ? {}
      : { alarms: { notDeliveredAfterSeconds: DEFAULT_NOT_DELIVERED_AFTER_SECONDS, ...(alarms as object) } as Alarms }),
    metrics: metricsOf(input),
    maintenance: (maintenance ?? []) as Maintenance[],
    tracing: tracing === true,
    platform: platformOf(custom),
    destinations,
  };
}

function readDestinations(input: ServiceInput, entries: Record<string, Record<string, unknown>>): Destination[] {
  const { destinations } = readSettings({ DESTINATIONS: JSON.stringify(entries) });
  return [...destinations].flatMap(([name, settings]) => {
    if (!('secret' in settings)) return [];
    const queue = queueOf(input, settings);
    return [{ settings, queue, written: { ...entries[name], ...(queue.created ? { queue: queue.name } : {}) } }];
  });
}

function refuse(lines: readonly string[]): void {
  if (lines.length === 0) return;
  // Lines of their own: the framework puts its words before the first, and a comma behind the last. A name may hold a line break.
  const error = new Error(`\n${lines.map((line) => line.replace(/\p{Cc}/gu, '?')).join('\n')}\n`);
  error.stack = error.message;
  throw error;
}
