/**
 * Metrics as CloudWatch reads them out of a log line: the line that Powertools Metrics writes, with its settings, and
 * without its cost for each value, which at thousands of messages in a second was more than that of their log lines.
 *
 * @see Amazon CloudWatch, "Specification: Embedded metric format"
 */
export interface Metric {
  readonly name: string;
  readonly unit: 'Count' | 'Milliseconds';
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
  /** Default standard output. */
  readonly output?: (text: string) => void;
}

/** Writes a line; nothing if there is no metric, or metrics are off. */
export type PublishMetrics = (metrics: readonly Metric[], destination?: string) => void;

export function createMetrics(options: MetricsOptions): PublishMetrics {
  const { namespace, service, environment = process.env, now = Date.now } = options;
  const { output = (text: string) => process.stdout.write(text) } = options;
  const { POWERTOOLS_METRICS_DISABLED: disabled, POWERTOOLS_DEV: development } = environment;
  const isOff = isTrue(disabled ?? development);

  return (metrics, destination) => {
    if (metrics.length === 0 || isOff) return;
    const dimensions = { service, ...(destination === undefined ? {} : { destination }) };
    const definition = {
      Namespace: namespace,
      Dimensions: [Object.keys(dimensions)],
      Metrics: metrics.map(({ name, unit }) => ({ Name: name, Unit: unit })),
    };
    const values = Object.fromEntries(metrics.map(({ name, value }) => [name, single(value)]));
    const line = { _aws: { Timestamp: now(), CloudWatchMetrics: [definition] }, ...dimensions, ...values };
    output(`${JSON.stringify(line)}\n`);
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
