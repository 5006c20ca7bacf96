/** A span of someone else's trace. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
}

/**
 * A `traceparent` (W3C Trace Context, section 3.2); undefined where it is none. A later version may have more fields
 * behind the flags; `ff` is no version, and ids of zeros are none. Upper case is not allowed.
 */
export function parseTraceparent(text: string): TraceParent | undefined {
  const [, version, traceId = '', spanId = '', rest = ''] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(text) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== '')) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId };
}
