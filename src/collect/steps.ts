import { randomBytes } from 'node:crypto';
import type { OpenSealer } from '../evidence/sealer.ts';
import { wallClock } from '../sources/sensor-line.ts';
import { toAttributes, toText } from '../telemetry/hostile-text.ts';
import { own } from '../telemetry/names.ts';
import type { Attributes, TaskSpan } from '../telemetry/span.ts';
import type { DeclarationBook } from './declarations.ts';

/** What a step that ended says of itself. */
export interface StepResult {
  readonly attributes?: Parameters<typeof toAttributes>[0];
  /** Why it counts as failed, where it threw nothing. */
  readonly failed?: string;
}

/** Steps of the collector's work, each a span. */
export interface Steps {
  /** Does the work; whatever becomes of the span, result and error are the work's. */
  run<T>(name: string, work: () => Promise<T>, tell?: (result: T) => StepResult): Promise<T>;
}

/** Where nobody wants the spans. */
export const noSteps: Steps = { run: (_, work) => work() };

export interface RecordedSteps extends Steps {
  /** Spans since the last call, and how many more there were. */
  take(): { readonly spans: readonly TaskSpan[]; readonly dropped: number };
}

/** Keeps spans until they are taken, and no more than `most`: what goes beyond is counted. */
export function recordSteps(most = 1024): RecordedSteps {
  let spans: TaskSpan[] = [];
  let dropped = 0;
  const note = (name: string, start: bigint, { attributes = {}, failed }: StepResult): void => {
    if (spans.length >= most) {
      dropped += 1;
      return;
    }
    spans.push(toSpan(name, start, toAttributes({ [own.kind]: 'step', ...attributes }), failed));
  };
  return {
    async run(name, work, tell) {
      const start = wallClock();
      try {
        const result = await work();
        note(name, start, tell?.(result) ?? {});
        return result;
      } catch (error) {
        note(name, start, { failed: error instanceof Error ? error.message : String(error) });
        throw error;
      }
    },
    take() {
      const taken = { spans, dropped };
      spans = [];
      dropped = 0;
      return taken;
    },
  };
}

/** A trace of its own. The clock may have been set back meanwhile. */
function toSpan(name: string, start: bigint, attributes: Attributes, failed: string | undefined): TaskSpan {
  const end = wallClock();
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    parent: undefined,
    name,
    kind: 'internal',
    start,
    end: end < start ? start : end,
    attributes,
    events: [],
    links: [],
    status: failed === undefined ? { code: 'unset' } : { code: 'error', message: toText(failed) },
  };
}

/** A step for each log file that is made a segment. */
export function watchSealer(open: OpenSealer, steps: Steps): OpenSealer {
  return async (context) => {
    const sealer = await open(context);
    return {
      draft: (wal, from) => {
        const { stream, origin, records, bytes } = wal;
        const attributes = {
          [own.stepStream]: stream,
          [own.stepOrigin]: origin,
          [own.stepRecords]: records,
          [own.stepBytes]: bytes,
        };
        return steps.run(
          'seal',
          () => sealer.draft(wal, from),
          () => ({ attributes }),
        );
      },
      close: () => sealer.close(),
    };
  };
}

/** A step for each declaration. */
export function watchBook(book: DeclarationBook, steps: Steps): DeclarationBook {
  return {
    tasks: book.tasks,
    record: (submission) =>
      steps.run(
        'declare',
        () => book.record(submission),
        ({ task }) => ({ attributes: { [own.taskId]: task } }),
      ),
  };
}
