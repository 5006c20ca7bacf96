// What the Collector's file exporter writes: one request in OTLP JSON on each line.
import { existsSync, readFileSync } from 'node:fs';

const linesOf = (path) =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line.endsWith('}'))
    : [];

const toValue = ({ stringValue, intValue, doubleValue, boolValue, arrayValue }) =>
  arrayValue?.values?.map(toValue) ?? stringValue ?? boolValue ?? Number(intValue ?? doubleValue);
const toObject = (pairs = []) => Object.fromEntries(pairs.map(({ key, value }) => [key, toValue(value)]));

/** Every span as often as it was written. */
export function readSpans(path) {
  return linesOf(path).flatMap((line) =>
    (JSON.parse(line).resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans, schemaUrl }) =>
        spans.map((span) => ({
          ...span,
          parentSpanId: span.parentSpanId ?? '',
          links: span.links ?? [],
          attributes: toObject(span.attributes),
          service: toObject(resource.attributes)['service.name'],
          schemaUrl,
        })),
      ),
    ),
  );
}

/** Every metric as often as it was written, with the points of it. */
export function readMetrics(path) {
  return linesOf(path).flatMap((line) =>
    (JSON.parse(line).resourceMetrics ?? []).flatMap(({ resource, scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) =>
        metrics.map((metric) => ({
          name: metric.name,
          kind: ['gauge', 'sum', 'histogram'].find((kind) => metric[kind] !== undefined),
          points: (metric.gauge ?? metric.sum ?? metric.histogram).dataPoints.map((point) => ({
            ...point,
            attributes: toObject(point.attributes),
          })),
          resource: toObject(resource.attributes),
        })),
      ),
    ),
  );
}
