import { type HrTime, ValueType } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics';

/** A metric as prom-client's registry gives it (`getMetricsAsJSON`). */
export interface Measured {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge`, `histogram`. */
  readonly type: string;
  readonly values: readonly MeasuredValue[];
}

export interface MeasuredValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  /** Of a histogram's parts: with `_bucket`, `_sum` or `_count` behind the name. */
  readonly metricName?: string;
}

/**
 * Metrics for an OTLP exporter, under the names that Prometheus sees: the same dashboards work either way. What has no value
 * is left out, and so are kinds that we have none of.
 */
export function toMetricData(metrics: readonly Measured[], start: HrTime, now: HrTime): MetricData[] {
  return metrics.flatMap((metric) => {
    const base = {
      descriptor: { name: metric.name, description: metric.help, unit: '', valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
    };
    const toPoint = ({ value, labels }: MeasuredValue): DataPoint<number> => ({
      startTime: start,
      endTime: now,
      attributes: labels,
      value,
    });
    const numbers = metric.values.filter(({ value }) => Number.isFinite(value));
    if (numbers.length === 0) return [];
    switch (metric.type) {
      case 'gauge':
        return { ...base, dataPointType: DataPointType.GAUGE as const, dataPoints: numbers.map(toPoint) };
      case 'counter': {
        const dataPoints = numbers.map(toPoint);
        return { ...base, dataPointType: DataPointType.SUM as const, isMonotonic: true, dataPoints };
      }
      case 'histogram': {
        const dataPoints = toHistograms(metric.name, numbers).map(({ labels, value }) => ({
          startTime: start,
          endTime: now,
          attributes: labels,
          value,
        }));
        return { ...base, dataPointType: DataPointType.HISTOGRAM as const, dataPoints };
      }
      default:
        return [];
    }
  });
}

interface LabelledHistogram {
  readonly labels: MeasuredValue['labels'];
  readonly value: Histogram;
}

/** One for each set of labels. Prometheus counts all below a boundary, OTLP what lies between two. */
function toHistograms(name: string, values: readonly MeasuredValue[]): LabelledHistogram[] {
  const groups = new Map<string, { labels: MeasuredValue['labels']; parts: MeasuredValue[] }>();
  for (const part of values) {
    const labels = Object.fromEntries(Object.entries(part.labels).filter(([label]) => label !== 'le'));
    const key = JSON.stringify(Object.entries(labels).sort());
    const group = groups.get(key) ?? { labels, parts: [] };
    groups.set(key, group);
    group.parts.push(part);
  }
  return [...groups.values()].map(({ labels, parts }) => {
    const partOf = (suffix: string): number => parts.find(({ metricName }) => metricName === name + suffix)?.value ?? 0;
    const buckets = parts
      .filter(({ metricName }) => metricName === `${name}_bucket`)
      .map(({ value, labels: { le } }) => ({ le: Number(String(le).replace('+Inf', 'Infinity')), value }))
      .sort((a, b) => a.le - b.le);
    const counts = buckets.map(({ value }, index) => value - (buckets[index - 1]?.value ?? 0));
    const boundaries = buckets.map(({ le }) => le).filter((le) => Number.isFinite(le));
    return { labels, value: { buckets: { boundaries, counts }, sum: partOf('_sum'), count: partOf('_count') } };
  });
}
