/** In place of our own metrics: Powertools Metrics. */
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { MetricsOptions, PublishMetrics } from '../../../functions/telemetry/metrics.ts';

export { MAX_VALUES } from '../../../functions/telemetry/metrics.ts';

export function createMetrics({ namespace, service }: MetricsOptions): PublishMetrics {
  const powertools = new Metrics({ namespace, serviceName: service });
  return (metrics, destination) => {
    if (metrics.length === 0) return;
    if (destination !== undefined) powertools.addDimension('destination', destination);
    for (const { name, unit, value } of metrics) {
      for (const one of typeof value === 'number' ? [value] : value) powertools.addMetric(name, unit, one);
    }
    powertools.publishStoredMetrics();
  };
}
