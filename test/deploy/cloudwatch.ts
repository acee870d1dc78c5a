/**
 * CloudWatch as far as its alarms go, on a time of the test's own: metrics from log lines in the embedded metric
 * format, and the rules by which alarms change their state and tell somebody. Written from AWS's pages, not from our
 * alarms:
 *
 * - User Guide, "Specification: Embedded metric format"
 * - User Guide, "Alarm evaluation": M of N data points, each over one period; every minute is looked at
 * - User Guide, "Configuring how CloudWatch alarms treat missing data": a few more periods than N are retrieved; with
 *   N data points among them the newest N count and nothing is filled in, with fewer what is missing is filled in. How
 *   many more is not said; the page's tables have five for three of three, so two it is
 * - User Guide, "Using math expressions with CloudWatch metrics": IF, FILL, comparisons, arithmetic; a missing operand
 *   makes a missing result
 * - User Guide, "Composite alarms", and API Reference, PutCompositeAlarm: rules with ALARM, AND, OR, NOT, AT_LEAST
 * - User Guide, "Alarm suppression": actions wait for the suppressor, are dropped while it lasts, and wait once more
 *   after it
 *
 * What it leaves out: metrics arrive at once, where CloudWatch takes a minute or more.
 */

const MINUTE_MS = 60_000;
/** Periods that are looked at beyond those that an alarm evaluates. */
const EXTRA_PERIODS = 2;

export interface Metrics {
  /** @param at epoch milliseconds */
  put(namespace: string, name: string, dimensions: Readonly<Record<string, string>>, value: number, at: number): void;
  /** Takes a line of the log; one without metrics is passed over. */
  log(line: string): void;
  /** Undefined where there is no data point from `from` on and before `to`. */
  statistic(metric: MetricOf, statistic: string, from: number, to: number): number | undefined;
}

interface MetricOf {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
}

interface EmbeddedMetrics {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
  readonly [field: string]: unknown;
}

export function createMetrics(): Metrics {
  /** A metric is asked for again in every minute. */
  const keys = new WeakMap<MetricOf, string>();
  /** Metric → minute → values. */
  const all = new Map<string, Map<number, number[]>>();
  const keyOf = (namespace: string, name: string, dimensions: Readonly<Record<string, string>>) =>
    JSON.stringify([namespace, name, ...Object.entries(dimensions).sort()]);

  function put(
    namespace: string,
    name: string,
    dimensions: Readonly<Record<string, string>>,
    value: number,
    at: number,
  ) {
    const key = keyOf(namespace, name, dimensions);
    const minutes = all.get(key) ?? new Map<number, number[]>();
    all.set(key, minutes);
    const minute = Math.floor(at / MINUTE_MS);
    minutes.set(minute, [...(minutes.get(minute) ?? []), value]);
  }

  return {
    put,
    log(line) {
      if (!line.startsWith('{"_aws"')) return;
      const told: EmbeddedMetrics = JSON.parse(line);
      for (const { Namespace, Dimensions, Metrics } of told._aws.CloudWatchMetrics) {
        for (const names of Dimensions) {
          const dimensions = Object.fromEntries(names.map((name) => [name, String(told[name])]));
          for (const { Name } of Metrics) {
            for (const value of [told[Name]].flat())
              put(Namespace, Name, dimensions, Number(value), told._aws.Timestamp);
          }
        }
      }
    },
    statistic(metric, statistic, from, to) {
      const { Namespace, MetricName, Dimensions } = metric;
      const known =
        keys.get(metric) ??
        keyOf(Namespace, MetricName, Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value])));
      keys.set(metric, known);
      const minutes = all.get(known);
      if (minutes === undefined) return undefined;
      const values: number[] = [];
      for (let at = from; at < to; at += MINUTE_MS) values.push(...(minutes.get(Math.floor(at / MINUTE_MS)) ?? []));
      if (values.length === 0) return undefined;
      if (statistic === 'Sum') return values.reduce((sum, value) => sum + value, 0);
      if (statistic === 'Maximum') return Math.max(...values);
      if (statistic === 'Minimum') return Math.min(...values);
      throw new Error(`a statistic that is not known here: ${statistic}`);
    },
  };
}

/** Of a resource of the template, every reference in it resolved. */
export interface AlarmResource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export interface Evaluation {
  /** Alarms by name, with the minutes (epoch milliseconds) at which they went into ALARM and out of it. */
  readonly states: ReadonlyMap<string, readonly { readonly from: number; readonly to: number }[]>;
  /** Who was told, in the order in which it happened. */
  readonly told: readonly { readonly at: number; readonly name: string }[];
}

/** Looks at every alarm at the end of each minute. @param from, to epoch milliseconds, whole minutes */
export function evaluateAlarms(
  resources: readonly AlarmResource[],
  metrics: Metrics,
  from: number,
  to: number,
): Evaluation {
  const simple = resources.filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm').map(({ Properties }) => Properties);
  const composite = resources
    .filter(({ Type }) => Type === 'AWS::CloudWatch::CompositeAlarm')
    .map(({ Properties }) => ({
      ...(Properties as unknown as CompositeProperties),
      rule: ruleOf(`${Properties.AlarmRule}`),
    }));
  /** Alarm → end of a period → its value: most look at the same period again and again. */
  const values = new Map(simple.map((alarm) => [alarm, new Map<number, number | undefined>()]));
  const red = new Set<string>();
  const since = new Map<string, number>();
  const states = new Map<string, { from: number; to: number }[]>();
  const told: { at: number; name: string }[] = [];
  /** Actions that wait for their suppressor, or for what follows it. */
  const waiting = new Map<string, { until: number }>();

  function change(name: string, isRed: boolean, at: number): boolean {
    if (red.has(name) === isRed) return false;
    if (isRed) {
      red.add(name);
      since.set(name, at);
    } else {
      red.delete(name);
      states.set(name, [...(states.get(name) ?? []), { from: since.get(name) ?? at, to: at }]);
    }
    return true;
  }

  for (let at = from + MINUTE_MS; at <= to; at += MINUTE_MS) {
    for (const alarm of simple) {
      const name = String(alarm.AlarmName);
      const properties = alarm as unknown as AlarmProperties;
      const known = values.get(alarm) ?? new Map<number, number | undefined>();
      const isRed = isBreaching(properties, at, (from, end) => {
        if (!known.has(end)) known.set(end, valueIn(properties, metrics, from, end));
        return known.get(end);
      });
      if (change(name, isRed, at) && isRed && alarm.AlarmActions !== undefined) told.push({ at, name });
    }
    // Composites of composites: until nothing changes any more.
    for (let isChanged = true; isChanged; ) {
      isChanged = false;
      for (const {
        AlarmName: name,
        rule,
        AlarmActions,
        ActionsSuppressor,
        ActionsSuppressorWaitPeriod = 0,
      } of composite) {
        const isRed = rule(red);
        if (!change(name, isRed, at)) continue;
        isChanged = true;
        waiting.delete(name);
        if (!isRed || AlarmActions === undefined) continue;
        if (ActionsSuppressor === undefined) told.push({ at, name });
        else waiting.set(name, { until: at + ActionsSuppressorWaitPeriod * 1_000 });
      }
    }
    for (const { AlarmName: name, ActionsSuppressor = '', ActionsSuppressorExtensionPeriod = 0 } of composite) {
      const wait = waiting.get(name);
      if (wait === undefined) continue;
      if (red.has(ActionsSuppressor)) waiting.set(name, { until: at + ActionsSuppressorExtensionPeriod * 1_000 });
      else if (at >= wait.until) {
        waiting.delete(name);
        told.push({ at, name });
      }
    }
  }
  for (const name of [...red]) change(name, false, to);
  return { states, told };
}

interface AlarmProperties {
  readonly Metrics?: readonly {
    readonly Id: string;
    readonly Expression?: string;
    readonly MetricStat?: { readonly Metric: MetricOf; readonly Stat: string; readonly Period: number };
    readonly ReturnData: boolean;
  }[];
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: MetricOf['Dimensions'];
  readonly Statistic: string;
  readonly Period?: number;
  readonly ComparisonOperator: string;
  readonly Threshold: number;
  readonly DatapointsToAlarm: number;
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
}

interface CompositeProperties {
  readonly AlarmName: string;
  readonly AlarmActions?: readonly string[];
  readonly ActionsSuppressor?: string;
  readonly ActionsSuppressorWaitPeriod?: number;
  readonly ActionsSuppressorExtensionPeriod?: number;
}

function isBreaching(
  alarm: AlarmProperties,
  at: number,
  read: (from: number, to: number) => number | undefined,
): boolean {
  const { EvaluationPeriods: of, DatapointsToAlarm: breaching, TreatMissingData } = alarm;
  if (TreatMissingData !== 'notBreaching') throw new Error('only notBreaching is known here');
  const periodMs = periodOf(alarm) * 1_000;
  const points = Array.from({ length: of + EXTRA_PERIODS }, (_, back) =>
    read(at - (back + 1) * periodMs, at - back * periodMs),
  ).filter((value) => value !== undefined);
  return points.slice(0, of).filter((value) => breaches(value, alarm)).length >= breaching;
}

function periodOf({ Period, Metrics }: AlarmProperties): number {
  return Period ?? Metrics?.find(({ MetricStat }) => MetricStat !== undefined)?.MetricStat?.Period ?? Number.NaN;
}

function valueIn(alarm: AlarmProperties, metrics: Metrics, from: number, to: number): number | undefined {
  if (alarm.Metrics === undefined) return metrics.statistic(alarm, alarm.Statistic, from, to);
  const values: Record<string, number | undefined> = {};
  for (const { Id, MetricStat } of alarm.Metrics) {
    if (MetricStat !== undefined) values[Id] = metrics.statistic(MetricStat.Metric, MetricStat.Stat, from, to);
  }
  const watched = alarm.Metrics.find(({ ReturnData }) => ReturnData);
  return calculate(watched?.Expression ?? '', values);
}

function breaches(value: number, { ComparisonOperator: operator, Threshold }: AlarmProperties): boolean {
  if (operator === 'GreaterThanOrEqualToThreshold') return value >= Threshold;
  if (operator === 'GreaterThanThreshold') return value > Threshold;
  if (operator === 'LessThanOrEqualToThreshold') return value <= Threshold;
  throw new Error(`an operator that is not known here: ${operator}`);
}

type Maybe = number | undefined;
const BINARY: readonly Readonly<Record<string, (one: number, other: number) => number>>[] = [
  { OR: (one, other) => Number(one !== 0 || other !== 0) },
  { AND: (one, other) => Number(one !== 0 && other !== 0) },
  { '==': (one, other) => Number(one === other) },
  {
    '>=': (one, other) => Number(one >= other),
    '<=': (one, other) => Number(one <= other),
    '>': (one, other) => Number(one > other),
    '<': (one, other) => Number(one < other),
  },
  { '+': (one, other) => one + other, '-': (one, other) => one - other },
  { '*': (one, other) => one * other, '/': (one, other) => one / other },
];
const FUNCTIONS: Readonly<Record<string, (...values: Maybe[]) => Maybe>> = {
  IF: (condition, then, otherwise) => (condition === undefined ? undefined : condition === 0 ? otherwise : then),
  FILL: (value, instead) => value ?? instead,
};

/** Metric math of one moment. */
export function calculate(expression: string, values: Readonly<Record<string, Maybe>>): Maybe {
  const tokens = expression.match(/\d+(\.\d+)?|\w+|[=<>]=|[-+*/<>(),]/g) ?? [];
  let next = 0;
  const take = (wanted: string) => {
    if (tokens[next] !== wanted) throw new Error(`expected ${wanted}, found ${tokens[next]} in ${expression}`);
    next += 1;
  };

  function level(depth: number): Maybe {
    const operators = BINARY[depth];
    if (operators === undefined) return primary();
    let value = level(depth + 1);
    for (
      let operator = operators[tokens[next] ?? ''];
      operator !== undefined;
      operator = operators[tokens[next] ?? '']
    ) {
      next += 1;
      const other = level(depth + 1);
      value = value === undefined || other === undefined ? undefined : operator(value, other);
    }
    return value;
  }

  function primary(): Maybe {
    const token = tokens[next] ?? '';
    next += 1;
    if (token === '(') {
      const value = level(0);
      take(')');
      return value;
    }
    const called = FUNCTIONS[token];
    if (called !== undefined) {
      take('(');
      const given = [level(0)];
      while (tokens[next] === ',') {
        next += 1;
        given.push(level(0));
      }
      take(')');
      return called(...given);
    }
    if (/^\d/.test(token)) return Number(token);
    if (!(token in values)) throw new Error(`nothing is named ${token} in ${expression}`);
    return values[token];
  }

  const value = level(0);
  if (next < tokens.length) throw new Error(`${tokens.slice(next).join(' ')} is left over of ${expression}`);
  // What is divided by zero is no number, and no data point.
  return value === undefined || Number.isFinite(value) ? value : undefined;
}

type Rule = (red: ReadonlySet<string>) => boolean;

/** @throws Error if it is none of AWS's forms */
function ruleOf(text: string): Rule {
  const tokens = text.match(/"[^"]*"|\w+|[(),]/g) ?? [];
  let next = 0;
  const take = (wanted: string) => {
    if (tokens[next] !== wanted) throw new Error(`expected ${wanted}, found ${tokens[next]} in the rule ${text}`);
    next += 1;
  };
  const name = () => {
    const token = tokens[next] ?? '';
    if (!token.startsWith('"')) throw new Error(`expected an alarm's name, found ${token} in the rule ${text}`);
    next += 1;
    return token.slice(1, -1);
  };

  function either(): Rule {
    const parts = [both()];
    while (tokens[next] === 'OR') {
      next += 1;
      parts.push(both());
    }
    return (red) => parts.some((part) => part(red));
  }

  function both(): Rule {
    const parts = [one()];
    while (tokens[next] === 'AND') {
      next += 1;
      parts.push(one());
    }
    return (red) => parts.every((part) => part(red));
  }

  function one(): Rule {
    const token = tokens[next];
    next += 1;
    if (token === 'FALSE') return () => false;
    if (token === 'NOT') {
      const not = one();
      return (red) => !not(red);
    }
    if (token === '(') {
      const inside = either();
      take(')');
      return inside;
    }
    take('(');
    if (token === 'ALARM') {
      const alarm = name();
      take(')');
      return (red) => red.has(alarm);
    }
    if (token !== 'AT_LEAST') throw new Error(`${token} is not known here, in the rule ${text}`);
    const count = Number(tokens[next]);
    next += 1;
    for (const wanted of [',', 'ALARM', ',', '(']) take(wanted);
    const names = [name()];
    while (tokens[next] === ',') {
      next += 1;
      names.push(name());
    }
    take(')');
    take(')');
    return (red) => names.filter((alarm) => red.has(alarm)).length >= count;
  }

  const rule = either();
  if (next < tokens.length) throw new Error(`${tokens.slice(next).join(' ')} is left over of the rule ${text}`);
  return rule;
}
