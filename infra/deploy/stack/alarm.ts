/**
 * An alarm of CloudWatch as it is written here: what it watches, whom it wakes, and two sentences for whoever it has
 * woken. What is not measured counts as well: most of our metrics are sent only when something has happened.
 */
import type { Resource, Value } from './template.ts';

export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, Value>>;
  readonly statistic: 'Sum' | 'Maximum' | 'Minimum';
}

/** Where the functions put their metrics. */
export interface OwnMetrics {
  /** Default `TokenRelay`. */
  readonly namespace: string;
  /** The dimension that all of them have. Default `<service>-<stage>`. */
  readonly service: string;
}

export interface Alarm {
  /** What it is about: the last part of its name, and its anchor in the runbook. */
  readonly kind: string;
  readonly name: string;
  /** In the template. */
  readonly logicalId: string;
  /** `page`: somebody is woken, by a composite alarm. `ticket`: told, and can wait for the morning. */
  readonly severity: 'page' | 'ticket';
  /** Which host at SAP its fault may lie with; absent: none. */
  readonly host?: string;
  /**
   * Whether two of these say that the host is down: `soon`, or so late that somebody has been called for the first of
   * them. Default neither.
   */
  readonly saysHostIsDown?: 'soon' | 'late';
  /** One sentence. */
  readonly means: string;
  /** One sentence. */
  readonly toDo: string;
  /** A metric, or what is made of several by metric math. */
  readonly watches: Metric | { readonly expression: string; readonly metrics: Readonly<Record<string, Metric>> };
  readonly breachesAt: { readonly comparison: Comparison; readonly threshold: number };
  readonly periodSeconds: number;
  /** So many of the last so many periods. */
  readonly datapoints: readonly [breaching: number, of: number];
}

type Comparison = 'GreaterThanOrEqualToThreshold' | 'GreaterThanThreshold' | 'LessThanOrEqualToThreshold';

export const atLeast = (threshold: number) => ({ comparison: 'GreaterThanOrEqualToThreshold' as const, threshold });
export const above = (threshold: number) => ({ comparison: 'GreaterThanThreshold' as const, threshold });
export const atMost = (threshold: number) => ({ comparison: 'LessThanOrEqualToThreshold' as const, threshold });

export const MINUTE_SECONDS = 60;
/**
 * What is blocked comes back after 30 minutes at most, what failed after 15: an alarm on our own counts that looked
 * back for less would be over between two tries, and wake somebody again at the next.
 */
export const ONE_IN_35_MINUTES = { periodSeconds: MINUTE_SECONDS, datapoints: [1, 35] } as const;

const RUNBOOK = 'infra/ops/runbook.md';

export function described({ kind, means, toDo }: Pick<Alarm, 'kind' | 'means' | 'toDo'>): string {
  return `${means} ${toDo} ${RUNBOOK}#${kind}`;
}

/** @param topic who is told; of an alarm that wakes somebody a composite alarm tells it */
export function alarmResource(alarm: Alarm, topic: Value): Resource {
  const { name, severity, watches, breachesAt, periodSeconds, datapoints } = alarm;
  const [breaching, of] = datapoints;
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: name,
      AlarmDescription: described(alarm),
      ...('expression' in watches
        ? { Metrics: mathOf(watches, periodSeconds) }
        : { ...metricOf(watches), Statistic: watches.statistic, Period: periodSeconds }),
      ComparisonOperator: breachesAt.comparison,
      Threshold: breachesAt.threshold,
      DatapointsToAlarm: breaching,
      EvaluationPeriods: of,
      TreatMissingData: 'notBreaching',
      ...(severity === 'ticket' ? { AlarmActions: [topic] } : {}),
    },
  };
}

function mathOf(
  { expression, metrics }: { readonly expression: string; readonly metrics: Readonly<Record<string, Metric>> },
  periodSeconds: number,
): object[] {
  return [
    { Id: 'watched', Expression: expression, ReturnData: true },
    ...Object.entries(metrics).map(([id, metric]) => ({
      Id: id,
      MetricStat: { Metric: metricOf(metric), Stat: metric.statistic, Period: periodSeconds },
      ReturnData: false,
    })),
  ];
}

function metricOf({ namespace, name, dimensions }: Metric) {
  return {
    Namespace: namespace,
    MetricName: name,
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
  };
}

/** What a metric of ours is found by; of no destination by the service alone. */
export function ownMetric(
  { namespace, service }: OwnMetrics,
  name: string,
  statistic: Metric['statistic'],
  destination?: string,
): Metric {
  return {
    namespace,
    name,
    dimensions: { service, ...(destination === undefined ? {} : { destination }) },
    statistic,
  };
}
