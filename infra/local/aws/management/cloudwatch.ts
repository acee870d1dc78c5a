/**
 * Alarms as CloudWatch tells of them, and the one metric of AWS's own that an operator needs of a queue: the age of its
 * oldest message. Nothing is recorded and no alarm is evaluated here; an alarm is in the state that it was put in.
 *
 * @see AWS: CloudWatch API Reference "DescribeAlarms", "GetMetricData"
 */
import { AwsError, type JsonObject, readObjects, readString } from '../aws-json.ts';

export interface Alarm {
  readonly name: string;
  /** Default `OK`. */
  readonly state?: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
  /** ARNs. Default none. */
  readonly actions?: readonly string[];
  /** Default true. */
  readonly actionsEnabled?: boolean;
  /** Epoch milliseconds. Default 0. */
  readonly since?: number;
}

export interface Alarms {
  put(alarm: Alarm): void;
  readonly all: readonly Alarm[];
}

export function createAlarms(): Alarms {
  const alarms = new Map<string, Alarm>();
  return {
    put: (alarm) => {
      alarms.set(alarm.name, alarm);
    },
    get all() {
      return [...alarms.values()];
    },
  };
}

export interface CloudWatchParts {
  readonly alarms: Alarms;
  /** Seconds; undefined for a queue that is not there or holds nothing. */
  readonly ageOfOldestMessage: (queueName: string) => number | undefined;
}

/** @throws AwsError UnknownOperationException for one that is not imitated */
export function callCloudWatch(operation: string, input: JsonObject, parts: CloudWatchParts): JsonObject {
  if (operation === 'DescribeAlarms') return describeAlarms(input, parts);
  if (operation === 'GetMetricData') return getMetricData(input, parts);
  throw new AwsError('UnknownOperationException', 400, `${operation} is not imitated.`);
}

function describeAlarms(input: JsonObject, { alarms }: CloudWatchParts): JsonObject {
  const prefix = readString(input, 'AlarmNamePrefix') ?? '';
  const found = alarms.all.filter(({ name }) => name.startsWith(prefix));
  return {
    CompositeAlarms: [],
    MetricAlarms: found.map(({ name, state = 'OK', actions = [], actionsEnabled = true, since = 0 }) => ({
      AlarmName: name,
      AlarmArn: `arn:aws:cloudwatch:eu-central-1:123456789012:alarm:${name}`,
      ActionsEnabled: actionsEnabled,
      AlarmActions: actions,
      StateValue: state,
      StateTransitionedTimestamp: since / 1000,
    })),
  };
}

function getMetricData(input: JsonObject, { ageOfOldestMessage }: CloudWatchParts): JsonObject {
  const results = readObjects(input, 'MetricDataQueries').map((query) => {
    const { Metric: metric } = query.MetricStat as { Metric: { MetricName: string; Dimensions: { Value: string }[] } };
    const age =
      metric.MetricName === 'ApproximateAgeOfOldestMessage'
        ? ageOfOldestMessage(metric.Dimensions[0]?.Value ?? '')
        : undefined;
    const values = age === undefined ? [] : [age];
    return {
      Id: query.Id,
      Label: metric.MetricName,
      StatusCode: 'Complete',
      Values: values,
      Timestamps: values.map(() => Date.now() / 1000),
    };
  });
  return { MetricDataResults: results, Messages: [] };
}
