import type { Attributes, TaskSpan } from '../span.ts';

const mostSpans = 512;
/** Below what receivers take: gRPC's default is 4 MiB for a message. */
const mostBytes = 1 << 20;

/** Spans in groups that fit into one request; a group is made when it is asked for. */
export function* toBatches(spans: Iterable<TaskSpan>): Generator<TaskSpan[], void> {
  let batch: TaskSpan[] = [];
  let bytes = 0;
  for (const span of spans) {
    const size = sizeOf(span);
    if (batch.length > 0 && (batch.length === mostSpans || bytes + size > mostBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(span);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** Roughly, and rather too much: three bytes for each character. */
function sizeOf({ name, attributes, events, links }: TaskSpan): number {
  const inside = [...events, ...links].reduce((sum, one) => sum + 64 + attributesSize(one.attributes), 0);
  return 128 + 3 * name.length + attributesSize(attributes) + inside;
}

function attributesSize(attributes: Attributes): number {
  let size = 0;
  for (const [name, value] of Object.entries(attributes)) {
    size += 16 + name.length;
    if (typeof value === 'string') size += 3 * value.length;
    else if (typeof value === 'object') size += value.reduce((sum, text) => sum + 8 + 3 * text.length, 0);
  }
  return size;
}
