/**
 * One dashboard for each stage, its rows in the order in which one asks: is anything stuck, since when, where, whose
 * fault is it, which messages. The rows of one destination show the one that is chosen in the list above them.
 *
 * @see Amazon CloudWatch User Guide, "Dashboard body structure and syntax", "Dashboard variables"
 */
import { type Alarm, type Metric, ownMetric } from './alarm.ts';
import type { Configuration, Destination } from './destination.ts';
import { lastNotDelivered } from './queries.ts';
import { queueOfArn, queueOfUrl } from './queue.ts';
import type { DeployedFunction } from './service-alarms.ts';
import { join, type Resource, ref, type Value } from './template.ts';

/** Stands in the body for the destination that is chosen: CloudWatch replaces it everywhere. */
const CHOSEN = 'CHOSEN_DESTINATION';
/** A shift. */
const START = '-PT8H';
const WIDTH = 24;
/** One widget shows no more. */
const MOST_ALARMS = 100;
/** Of a graph; numbers are half as high. */
const HEIGHT = 6;
/** Of the alarms of a destination those that each has. */
const OF_EACH = ['not-delivered', 'blocked', 'token-refused', 'failing', 'rejected', 'rejected-often'];

export interface DashboardOptions {
  /** `<service>-<stage>`, with which all names begin. */
  readonly service: string;
  readonly configuration: Configuration;
  readonly functions: readonly DeployedFunction[];
  readonly alarms: readonly Alarm[];
  /** Names of those that tell somebody at once. */
  readonly paging: readonly string[];
}

type Widget = { readonly type: 'alarm' | 'metric' | 'log'; readonly properties: object };
type Line = readonly [metric: Metric, options?: Readonly<Record<string, unknown>>];

export function dashboard(options: DashboardOptions): Record<string, Resource> {
  const { service, configuration } = options;
  const names = configuration.destinations.map(({ settings }) => settings.name);
  const body = {
    start: START,
    variables: [
      {
        type: 'pattern',
        pattern: CHOSEN,
        inputType: 'select',
        id: 'destination',
        label: 'Destination',
        defaultValue: names[0],
        visible: true,
        values: names.map((name) => ({ value: name, label: name })),
      },
    ],
    widgets: placed(rows(options)),
  };
  return {
    Dashboard: {
      Type: 'AWS::CloudWatch::Dashboard',
      Properties: { DashboardName: service, DashboardBody: filledIn(JSON.stringify(body)) },
    },
  };
}

/** A row is as high as its highest, and its widgets share its width. */
function rows(options: DashboardOptions): readonly { readonly height: number; readonly widgets: Widget[] }[] {
  const { service, configuration, functions, alarms, paging } = options;
  const { destinations, metrics, region } = configuration;
  const chosen = (name: string, statistic: Metric['statistic']) => ownMetric(metrics, name, statistic, CHOSEN);
  const counted = (...counts: readonly string[]) => counts.map((name): Line => [chosen(name, 'Sum')]);
  const ofAll = (name: string, statistic: Metric['statistic']) =>
    destinations.map(
      ({ settings }): Line => [ownMetric(metrics, name, statistic, settings.name), { label: settings.name }],
    );
  const graph = (title: string, lines: readonly Line[], more: object = {}): Widget => ({
    type: 'metric',
    properties: { title, region, view: 'timeSeries', stacked: false, period: 60, ...more, metrics: lines.map(written) },
  });
  const numbers = (title: string, lines: readonly Line[], period = 60): Widget =>
    graph(title, lines, { view: 'singleValue', period, setPeriodToTimeRange: false });
  const perFunction = (name: string, statistic: Metric['statistic']) =>
    functions.map(
      (one): Line => [
        { namespace: 'AWS/Lambda', name, dimensions: { FunctionName: functionName(service, one) }, statistic },
        { label: `${one.name} ${name}` },
      ],
    );

  const isRed = alarmRow({ service, alarms, paging });
  return [
    ...(isRed.length === 0 ? [] : [{ height: 3, widgets: isRed }]),
    {
      height: 3,
      widgets: [
        numbers('Is anything stuck? Waiting', ofQueues(destinations, 'ApproximateNumberOfMessagesVisible')),
        numbers('Waiting for another try', ofQueues(destinations, 'ApproximateNumberOfMessagesNotVisible')),
        numbers('Dead letters', ofDeadLetters(destinations, 'ApproximateNumberOfMessagesVisible')),
        numbers('Delivered in an hour', ofAll('Delivered', 'Sum'), 3_600),
      ],
    },
    {
      height: HEIGHT,
      widgets: [
        graph(
          'Since when? How long the oldest that is not delivered has been tried, s',
          ofAll('OldestUndelivered', 'Maximum'),
        ),
        graph(
          'Age of the oldest in the queue, s (without what was tried three times)',
          ofQueues(destinations, 'ApproximateAgeOfOldestMessage'),
        ),
        graph('Age of the oldest dead letter, s', ofDeadLetters(destinations, 'ApproximateAgeOfOldestMessage')),
      ],
    },
    {
      height: HEIGHT,
      widgets: [
        graph(
          `Where? Attempts of ${CHOSEN}`,
          counted('Delivered', 'Failed', 'Blocked', 'Rejected', 'Postponed', 'DeadLettered'),
          { stacked: true },
        ),
        graph(`Webhook of ${CHOSEN}`, counted('Queued', 'NotQueued', 'Refused'), { stacked: true }),
      ],
    },
    {
      height: HEIGHT,
      widgets: [
        graph(`Whose fault? Duration of calls of ${CHOSEN}, ms`, [
          [chosen('Duration', 'Maximum'), { stat: 'p50', label: 'p50' }],
          [chosen('Duration', 'Maximum'), { stat: 'p99', label: 'p99' }],
        ]),
        graph('Tokens', [
          [ownMetric(metrics, 'TokenRequests', 'Sum')],
          [ownMetric(metrics, 'TokenRenewalsFailed', 'Sum')],
          ...counted('TokensRefused'),
        ]),
        graph('Functions', [...perFunction('Errors', 'Sum'), ...perFunction('Throttles', 'Sum')]),
        numbers('Days left of certificates', [[ownMetric(metrics, 'CredentialDaysLeft', 'Minimum')]], 86_400),
      ],
    },
    {
      height: HEIGHT + 2,
      widgets: [
        {
          type: 'log',
          properties: {
            title: `Which? The last 20 of ${CHOSEN} that were not delivered`,
            region,
            view: 'table',
            query: [
              ...functions.map((one) => `SOURCE '/aws/lambda/${functionName(service, one)}'`),
              lastNotDelivered(CHOSEN),
            ].join(' | '),
          },
        },
      ],
    },
  ];
}

/** Those that wake somebody, those of the service, and those of the chosen destination. */
function alarmRow({ service, alarms, paging }: Pick<DashboardOptions, 'service' | 'alarms' | 'paging'>): Widget[] {
  if (alarms.length === 0) return [];
  const widget = (title: string, names: readonly string[]): Widget => ({
    type: 'alarm',
    properties: { title, alarms: names.slice(0, MOST_ALARMS).map((name) => `${ALARM_ARN}${name}`) },
  });
  const ofService = alarms.filter(({ logicalId }) => !logicalId.startsWith('AlarmOf')).map(({ name }) => name);
  return [
    widget('Is somebody called?', paging),
    widget('Service', ofService),
    widget(
      `Alarms of ${CHOSEN}`,
      OF_EACH.map((kind) => `${service}-${CHOSEN}-${kind}`),
    ),
  ];
}

function ofQueues(destinations: readonly Destination[], name: string): Line[] {
  return destinations.map(({ settings, queue }) =>
    ofQueue(settings.name, queue.created ? queue.name : queueOfArn(queue.arn ?? '').name, name),
  );
}

function ofDeadLetters(destinations: readonly Destination[], name: string): Line[] {
  return destinations.flatMap(({ settings, queue }) => {
    const queueName = queue.created ? queue.deadLetterName : queueOfUrl(settings.deadLetterQueueUrl ?? '')?.name;
    return queueName === undefined ? [] : [ofQueue(settings.name, queueName, name)];
  });
}

function ofQueue(label: string, queueName: string, name: string): Line {
  return [{ namespace: 'AWS/SQS', name, dimensions: { QueueName: queueName }, statistic: 'Maximum' }, { label }];
}

/** As the framework names it. */
function functionName(service: string, { name }: DeployedFunction): string {
  return `${service}-${name}`;
}

function written([{ namespace, name, dimensions, statistic }, options = {}]: Line): unknown[] {
  return [namespace, name, ...Object.entries(dimensions).flat(), { stat: statistic, ...options }];
}

function placed(all: ReturnType<typeof rows>): object[] {
  let y = 0;
  return all.flatMap(({ height, widgets }) => {
    const width = WIDTH / widgets.length;
    const row = widgets.map(({ type, properties }, index) => ({
      type,
      x: index * width,
      y,
      width,
      height,
      properties,
    }));
    y += height;
    return row;
  });
}

const PARTITION = 'AWS_PARTITION';
const REGION = 'AWS_REGION';
const ACCOUNT = 'AWS_ACCOUNT';
const ALARM_ARN = `arn:${PARTITION}:cloudwatch:${REGION}:${ACCOUNT}:alarm:`;
const KNOWN_LATER: Readonly<Record<string, Value>> = {
  [PARTITION]: ref('AWS::Partition'),
  [REGION]: ref('AWS::Region'),
  [ACCOUNT]: ref('AWS::AccountId'),
};

/** What only the deployment knows stands in the text for itself until then. */
function filledIn(text: string): Value {
  return join(...text.split(/(AWS_PARTITION|AWS_REGION|AWS_ACCOUNT)/).map((part) => KNOWN_LATER[part] ?? part));
}
