/** Nanoseconds since the epoch. */
export type Time = bigint;

export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface SpanEvent {
  readonly name: string;
  readonly time: Time;
  readonly attributes: Attributes;
}

/** To another span of the same trace. */
export interface SpanLink {
  readonly spanId: string;
  readonly attributes: Attributes;
}

/** A span as we know it, free of any SDK: ids are lower-case hex, all its times lie in the past. */
export interface TaskSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: { readonly spanId: string; readonly remote: boolean } | undefined;
  readonly name: string;
  readonly kind: 'internal' | 'client';
  readonly start: Time;
  readonly end: Time;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly status: { readonly code: 'unset' | 'ok' | 'error'; readonly message?: string };
}
