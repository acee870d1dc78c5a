/**
 * Queries of Logs Insights that are saved for whoever is asked what became of a message: by its id, by what does not
 * get through, for a ticket at SAP. They stand under `<service>/<stage>/` in the console.
 *
 * @see Amazon CloudWatch Logs User Guide, "CloudWatch Logs Insights QL"; AWS::Logs::QueryDefinition
 */
import { sidesOf } from '../../../functions/settings/destination.ts';
import { mplLink } from '../../../functions/settings/monitor.ts';
import type { Configuration, Destination, DestinationSettings } from './destination.ts';
import { logicalName } from './queue.ts';
import { type Resource, ref } from './template.ts';

interface Query {
  readonly name: string;
  readonly parameters?: readonly { readonly name: string; readonly value: string; readonly description: string }[];
  readonly lines: readonly string[];
}

const ATTEMPTS = 'filter message = "delivery.attempted"';
const NOT_DELIVERED = `${ATTEMPTS} and outcome != "delivered"`;

export function queries(
  { service, stage }: { readonly service: string; readonly stage: string },
  { destinations }: Pick<Configuration, 'destinations'>,
  logGroupIds: readonly string[],
): Record<string, Resource> {
  return Object.fromEntries(
    queriesOf(destinations).map(({ name, parameters, lines }): [string, Resource] => [
      `Query${logicalName(name)}`,
      {
        Type: 'AWS::Logs::QueryDefinition',
        Properties: {
          Name: `${service}/${stage}/${name}`,
          LogGroupNames: logGroupIds.map(ref),
          QueryString: lines.join('\n'),
          ...(parameters === undefined
            ? {}
            : {
                Parameters: parameters.map(({ name: Name, value: DefaultValue, description: Description }) => ({
                  Name,
                  DefaultValue,
                  Description,
                })),
              }),
        },
      },
    ]),
  );
}

/** The last that were not delivered, as a dashboard shows them. @param destination a name, or what stands for one */
export function lastNotDelivered(destination: string): string {
  return [
    'fields @timestamp, messageId, outcome, status, reason, mplId, ageSeconds',
    `${NOT_DELIVERED} and destination = "${destination}"`,
    'sort @timestamp desc',
    'limit 20',
  ].join(' | ');
}

function queriesOf(destinations: readonly Destination[]): Query[] {
  const [first] = destinations;
  const destination = {
    name: 'destination',
    value: first?.settings.name ?? '',
    description: `One of ${destinations.map(({ settings }) => settings.name).join(', ')}`.slice(0, 512),
  };
  const link = linkOf(destinations);
  const withLink = link === undefined ? [] : [`| ${link.line}`];
  const ofLink = link === undefined ? '' : ', monitor';
  const side = destinations.some(({ settings }) => settings.cutover !== undefined) ? ', side' : '';
  return [
    {
      name: 'life-of-a-message',
      parameters: [
        { name: 'messageId', value: '', description: 'The id under which SAP shows it, too' },
        ...(link?.parameters ?? []),
      ],
      lines: [
        `fields @timestamp, message, destination${side}, attempt, outcome, status, executed, reason, mplId`,
        '| filter messageId = "{{messageId}}"',
        ...withLink,
        '| sort @timestamp asc',
        `| display @timestamp, message, destination${side}, attempt, outcome, status, executed, durationMs, ageSeconds, token, reason, mplId${ofLink}`,
      ],
    },
    {
      name: 'not-delivered',
      lines: [
        NOT_DELIVERED,
        `| stats count(*) as attempts, count_distinct(messageId) as messages, max(ageSeconds) as oldestSeconds, max(@timestamp) as lastAt by destination${side}, outcome, status, reason`,
        '| sort messages desc',
      ],
    },
    {
      name: 'for-the-sap-ticket',
      parameters: [destination, ...(link?.parameters ?? [])],
      lines: [
        ...destinations.flatMap(({ settings }) => sidesOf(settings)).map(placeOf),
        `${NOT_DELIVERED} and destination = "{{destination}}"`,
        ...withLink,
        '| sort @timestamp desc',
        '| limit 50',
        `| display @timestamp, messageId, mplId${side}, status, outcome, executed, calls, durationMs, reason, function_request_id${ofLink}`,
      ],
    },
    {
      name: 'slowest-calls',
      lines: [
        ATTEMPTS,
        '| sort durationMs desc',
        '| limit 50',
        '| display @timestamp, destination, messageId, durationMs, outcome, status, calls, token, bytes, mplId',
      ],
    },
    {
      name: 'token-events',
      lines: [
        'filter message = "token.renewal-failed" or message = "certificate.ends" or (message = "delivery.attempted" and (token = "new" or status = 401))',
        '| sort @timestamp desc',
        '| limit 200',
        '| display @timestamp, message, destination, outcome, status, token, tokenAgeMs, reason, secret, daysLeft',
      ],
    },
  ];
}

/** A comment of the query. */
function placeOf({ name, side, url, path }: DestinationSettings): string {
  const which = side === undefined ? name : `${name}, ${side} side`;
  return `# ${which}: ${url ?? `${path} on the host of its secret`}`;
}

/** With one monitor for all it stands in the query; of several the first is what its parameter begins with. */
function linkOf(
  destinations: readonly Destination[],
): { readonly line: string; readonly parameters: NonNullable<Query['parameters']> } | undefined {
  const monitors = [
    ...new Set(destinations.flatMap(({ settings }) => sidesOf(settings)).flatMap(({ monitor }) => monitor ?? [])),
  ];
  const [monitor] = monitors;
  if (monitor === undefined) return undefined;
  const isOne = monitors.length === 1;
  const [before = '', after = ''] = mplLink(monitor, 'mplId').split('mplId');
  const start = isOne ? before : before.replace(monitor, '{{monitor}}');
  const description = `Host of the tenant’s monitor: ${monitors.join(', ')}`.slice(0, 512);
  return {
    line: `fields concat("${start}", mplId, "${after}") as monitor`,
    parameters: isOne ? [] : [{ name: 'monitor', value: monitor, description }],
  };
}
