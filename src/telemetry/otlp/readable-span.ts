import {
  type Attributes,
  type HrTime,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { otel, schemaUrl } from '../names.ts';
import type { TaskSpan, Time } from '../span.ts';

/** One for all spans: the serializers group by it. */
export function toResource(version: string): Resource {
  return resourceFromAttributes({ [otel.serviceName]: 'tallystick', [otel.serviceVersion]: version }, { schemaUrl });
}

const kinds = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT };
const statuses = { unset: SpanStatusCode.UNSET, ok: SpanStatusCode.OK, error: SpanStatusCode.ERROR };

/** In the form that the SDK's exporters and serializers take. */
export function toReadableSpan(span: TaskSpan, resource: Resource, version: string): ReadableSpan {
  const { traceId, parent, status } = span;
  const contextOf = (spanId: string, isRemote: boolean): SpanContext => ({
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote,
  });
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => contextOf(span.spanId, false),
    ...(parent === undefined ? {} : { parentSpanContext: contextOf(parent.spanId, parent.remote) }),
    startTime: toHrTime(span.start),
    endTime: toHrTime(span.end),
    duration: toHrTime(span.end - span.start),
    status: { code: statuses[status.code], ...(status.message === undefined ? {} : { message: status.message }) },
    attributes: toSdk(span.attributes),
    links: span.links.map(({ spanId, attributes }) => ({
      context: contextOf(spanId, false),
      attributes: toSdk(attributes),
    })),
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      time: toHrTime(time),
      attributes: toSdk(attributes),
    })),
    ended: true,
    resource,
    instrumentationScope: { name: 'tallystick', version, schemaUrl },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function toHrTime(time: Time): HrTime {
  return [Number(time / 1_000_000_000n), Number(time % 1_000_000_000n)];
}

function toSdk(attributes: TaskSpan['attributes']): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, typeof value === 'object' ? [...value] : value]),
  );
}
