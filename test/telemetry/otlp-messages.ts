import protobuf from 'protobufjs';

/** The part of opentelemetry-proto that a receiver of traces needs, written down independently of the exporters. */
const source = `
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; }
message Status { string message = 2; int32 code = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  repeated Event events = 11; repeated Link links = 13; Status status = 15; fixed32 flags = 16;
}
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Request { repeated ResourceSpans resource_spans = 1; }
message NumberPoint { fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; double as_double = 4; sfixed64 as_int = 6; repeated KeyValue attributes = 7; }
message Gauge { repeated NumberPoint data_points = 1; }
message Sum { repeated NumberPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message HistogramPoint { fixed64 count = 4; double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7; repeated KeyValue attributes = 9; }
message Histogram { repeated HistogramPoint data_points = 1; int32 aggregation_temporality = 2; }
message Metric { string name = 1; string description = 2; string unit = 3; oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; } }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message MetricsRequest { repeated ResourceMetrics resource_metrics = 1; }
message Partial { int64 rejected_spans = 1; string error_message = 2; }
message Response { Partial partial_success = 1; }
`;

const { root } = protobuf.parse(source, { keepCase: false });
const request = root.lookupType('Request');
const response = root.lookupType('Response');
const metricsRequest = root.lookupType('MetricsRequest');

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 3 client. */
  readonly kind: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly links: readonly string[];
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly remoteParent: boolean;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly schemaUrl: string;
}

/** Spans of an ExportTraceServiceRequest. */
export function decodeRequest(bytes: Uint8Array): ReceivedSpan[] {
  return toSpans(
    request.toObject(request.decode(bytes), { longs: String, bytes: String, defaults: true }) as Request,
    hex,
  );
}

/** The same of its JSON form, in which ids are hex (OTLP specification, "JSON Protobuf Encoding"). */
export function decodeJson(line: string): ReceivedSpan[] {
  return toSpans(JSON.parse(line) as Request, (id) => id);
}

export interface ReceivedMetric {
  readonly name: string;
  readonly description: string;
  readonly kind: 'gauge' | 'counter' | 'histogram';
  /** Of a histogram: its count. */
  readonly points: readonly { readonly value: number; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly buckets: readonly (readonly string[])[];
  readonly resource: Readonly<Record<string, unknown>>;
}

interface Point {
  readonly asDouble: number;
  readonly count: string;
  readonly bucketCounts: readonly string[];
  readonly attributes: readonly KeyValue[];
}

interface MetricsRequest {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly description: string;
        readonly gauge?: { readonly dataPoints: readonly Point[] };
        readonly sum?: {
          readonly dataPoints: readonly Point[];
          readonly isMonotonic: boolean;
          readonly aggregationTemporality: number;
        };
        readonly histogram?: { readonly dataPoints: readonly Point[] };
      }[];
    }[];
  }[];
}

/** Metrics of an ExportMetricsServiceRequest. A sum that may fall, or that is no total, counts as a gauge. */
export function decodeMetrics(bytes: Uint8Array): ReceivedMetric[] {
  const options = { longs: String, bytes: String, defaults: true };
  const { resourceMetrics } = metricsRequest.toObject(metricsRequest.decode(bytes), options) as MetricsRequest;
  return resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.map(({ name, description, gauge, sum, histogram }) => {
        const isCounter = sum?.isMonotonic === true && sum.aggregationTemporality === 2;
        const points = (gauge ?? sum ?? histogram)?.dataPoints ?? [];
        return {
          name,
          description,
          kind: histogram !== undefined ? 'histogram' : isCounter ? 'counter' : 'gauge',
          points: points.map(({ asDouble, count, attributes }) => ({
            value: histogram === undefined ? asDouble : Number(count),
            attributes: toValues(attributes),
          })),
          buckets: histogram?.dataPoints.map(({ bucketCounts }) => bucketCounts) ?? [],
          resource: toValues(resource.attributes),
        };
      }),
    ),
  );
}

export function encodeResponse(rejectedSpans: number, errorMessage: string): Uint8Array {
  return response.encode(response.fromObject({ partialSuccess: { rejectedSpans, errorMessage } })).finish();
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Request {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[]; readonly schemaUrl: string }[];
  }[];
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly KeyValue[] }[];
  readonly links: readonly { readonly spanId: string }[];
  readonly status: { readonly code: number };
  readonly flags: number;
}

function hex(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}

function toSpans({ resourceSpans }: Request, idOf: (id: string) => string): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans, schemaUrl }) =>
      spans.map((span) => ({
        traceId: idOf(span.traceId),
        spanId: idOf(span.spanId),
        parentSpanId: idOf(span.parentSpanId ?? ''),
        name: span.name,
        kind: span.kind,
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
        attributes: toValues(span.attributes),
        events: span.events.map(({ name, attributes }) => ({ name, attributes: toValues(attributes) })),
        links: span.links.map(({ spanId }) => idOf(spanId)),
        status: span.status.code,
        remoteParent: (span.flags & 0x200) !== 0,
        resource: toValues(resource.attributes),
        schemaUrl,
      })),
    ),
  );
}

function toValues(pairs: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, toValue(value)]));
}

function toValue(value: Readonly<Record<string, unknown>>): unknown {
  const [kind, content] = Object.entries(value)[0] ?? ['', undefined];
  if (kind === 'intValue') return Number(content);
  if (kind !== 'arrayValue') return content;
  return (content as { values: readonly Record<string, unknown>[] }).values.map(toValue);
}
