import { toText } from '../hostile-text.ts';
import type { TaskTrace } from '../task-trace.ts';
import { toBatches } from './batches.ts';
import { openExporter } from './exporter.ts';
import { toFailure } from './failure.ts';
import { toReadableSpan, toResource } from './readable-span.ts';
import { sendBatch } from './send-batch.ts';
import type { Target } from './target.ts';

/** What became of an export. */
export interface Exported {
  readonly spans: number;
  /** Spans that the backend refused for good while it took the rest. */
  readonly rejected: number;
  /** What the backend said with that, or as a warning. */
  readonly told: readonly string[];
}

/**
 * Sends a trace to a backend, batch by batch. Throws TallyError `input` where a batch was not taken; `retryable` tells whether
 * the same may succeed later. Sending it all again is safe: the ids are the same.
 */
export async function exportTrace(trace: TaskTrace, target: Target, version: string): Promise<Exported> {
  const { exporter, close } = openExporter(target);
  const resource = toResource(version);
  const told = new Set<string>();
  let spans = 0;
  let rejected = 0;
  try {
    for (const batch of toBatches(trace.spans())) {
      const answer = await sendBatch(
        exporter,
        batch.map((span) => toReadableSpan(span, resource, version)),
        target,
      ).catch((error: unknown) => {
        throw toFailure(error, target, spans);
      });
      spans += batch.length;
      rejected += answer.rejected;
      if (answer.told !== undefined && told.size < 5) told.add(toText(answer.told, 300));
    }
  } finally {
    await close();
  }
  return { spans, rejected, told: [...told] };
}
